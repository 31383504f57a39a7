"""Counted events: what an action counts of each entry, as data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pyruse.options.templates import Template


class Tallied(NamedTuple):
    """What an action counts of each entry (see the hook `tallied` and `Context.tally`)."""

    event: str
    """Its name: one of `EVENTS`, or any other."""
    fields: Sequence[str]
    """The fields by which it is counted apart, as far as an entry has them."""
    amount: str | None = None
    """The field whose numbers add up; what is no number adds nothing."""
    says: Mapping[str, str | Template] = {}
    """Fields that are set first, one after the other, with their values."""
