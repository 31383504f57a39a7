"""A summary that a file of rules declares, as plugins see it."""

from __future__ import annotations

from typing import Literal, get_args

from msgspec import Struct

Measure = Literal["count", "amount", "first", "last"]
"""What a column can tell of the events of a row: how often they came, what adds up, when they came
first and last."""

MEASURES: tuple[Measure, ...] = get_args(Measure)


class DeclaredSummary(Struct, frozen=True):
    """A table of events: a row for each combination of the values of some fields."""

    id: str
    """Stays the same: the name of the rules, and the title."""
    title: str
    events: tuple[str, ...]
    rows: tuple[str, ...]
    """The fields."""
    columns: tuple[str, ...] = ("count",)
    """What is told of each row: one of `MEASURES`, or a further field, whose most frequent values
    are named."""
    top: int = 10
    """How many rows are shown, the most frequent first."""
    adds_bytes: bool = False
    """Whether what adds up is bytes."""
