"""What people are shown of a report that is too large for them, or for their mail server.

What is cut is counted in the report, and JSON has all of it. The important part is cut last: each
part may take its share of the room, and what one does not need is for the others. Within a part,
the rows of each step take turns: a stranger who multiplies the rows of one, by the names that he
tries, pushes out none of another's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple

from pyruse.api.findings import Summary
from pyruse.api.report import Line, Report, Row
from pyruse.report.stored import Candidate, StoredRows
from pyruse.report.wording import MESSAGE_CHARACTERS, TIMES_AT_EACH_END

_SHARES = {"important": 50, "interesting": 20, "tables": 10, "notes": 5, "other": 15}
"""Percent of the room that each part gets if all of them want more."""
_TIMES = 2 * TIMES_AT_EACH_END


class Measure(NamedTuple):
    """How much room a row takes in a form, about."""

    row: int
    """Bytes of a row without its message and times."""
    character: float
    """Bytes of a character of its message, with what the form makes of it."""
    time: int
    """Bytes of one of its times."""

    def of(self, one: Candidate) -> float:
        """Of a row."""
        return (
            self.row
            + self.character * min(one.characters, MESSAGE_CHARACTERS)
            + self.time * min(one.events, _TIMES)
        )


MEASURES = {"text": Measure(20, 1.2, 12), "html": Measure(200, 1.2, 12)}


@dataclass(frozen=True)
class Choice:
    """What is shown."""

    important: Sequence[Row]
    interesting: Sequence[Row]
    other: Sequence[Line]
    tables: Sequence[int]
    """The number of rows of each table."""
    notes: Sequence[str]


def choose(report: Report, form: str, limit: int, room: float) -> Choice:
    """Choose what is shown.

    :param report: all that there is.
    :param form: ``text`` or ``html``.
    :param limit: the number of rows of each part.
    :param room: bytes that all of them together may take.
    """
    measure = MEASURES[form]
    parts: dict[str, list[Candidate]] = {
        "important": _candidates(report.important, limit),
        "interesting": _candidates(report.interesting, limit),
        "other": _candidates(report.other, limit),
        "tables": list(_of_tables(report.summaries, limit)),
        "notes": [Candidate(at, len(note), 0) for at, note in enumerate(report.notes[:limit])],
    }
    costs = {name: [measure.of(one) for one in ones] for name, ones in parts.items()}
    rooms = divided(room, {name: sum(ones) for name, ones in costs.items()})
    chosen = {
        name: [one.id for one in _within(rooms[name], ones, costs[name])]
        for name, ones in parts.items()
    }
    return Choice(
        _taken(report.important, chosen["important"]),
        _taken(report.interesting, chosen["interesting"]),
        _taken(report.other, chosen["other"]),
        [chosen["tables"].count(at) for at in range(len(report.summaries))],
        [report.notes[at] for at in chosen["notes"]],
    )


def divided(room: float, needs: Mapping[str, float]) -> dict[str, float]:
    """The room of each part: what it needs, or its share of what others leave."""
    rooms: dict[str, float] = {}
    wanting = dict(needs)
    while wanting:
        shares = sum(_SHARES[name] for name in wanting)
        content = [name for name in wanting if wanting[name] <= room * _SHARES[name] / shares]
        if not content:
            return rooms | {name: room * _SHARES[name] / shares for name in wanting}
        for name in content:
            rooms[name] = wanting.pop(name)
        room -= sum(rooms[name] for name in content)
    return rooms


def _candidates(rows: Sequence[Any], limit: int) -> list[Candidate]:
    if isinstance(rows, StoredRows):
        return list(rows.ranked(limit))
    return [
        Candidate(at, len(row.message), getattr(row, "count", 1))
        for at, row in enumerate(rows[:limit])
    ]


def _of_tables(tables: Iterable[Summary], limit: int) -> Iterator[Candidate]:
    for at, table in enumerate(tables):
        for row in table.rows[:limit]:
            yield Candidate(at, sum(len(str(cell)) for cell in row) + 20 * len(row), 0)


def _within(room: float, ones: Sequence[Candidate], costs: Sequence[float]) -> Iterator[Candidate]:
    for one, cost in zip(ones, costs, strict=True):
        room -= cost
        if room < -1:  # of rounding
            return
        yield one


def _taken(rows: Sequence[Any], ids: list[int]) -> Sequence[Any]:
    if isinstance(rows, StoredRows):
        return rows.take(set(ids))
    return list(islice(rows, len(ids)))
