"""What people are shown of a report that is too large for them, or for their mail server.

What is cut is counted in the report, and the command is named that shows it all. The important part
is cut last: each part may take its share of the room, and what one does not need is for the others.
Within a part, the rows of each step, of each summary, or of each program, take turns: a stranger
who multiplies the rows of one, by the names that he tries, pushes out none of another's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import islice
from operator import itemgetter
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from pyruse.api.findings import Attention, KindRow, Summary, Unusual
from pyruse.api.report import SECTIONS, Line, Report, Row
from pyruse.report.measures import BYTES, Lines, Markup, Measure
from pyruse.report.room import Room
from pyruse.report.stored import Candidate, StoredRows
from pyruse.report.turns import in_turn
from pyruse.report.wording import Clock, tells_of_loss

_SHARES = {"important": 35, "interesting": 20, "tables": 25, "notes": 5, "other": 15}
"""Percent of the room that each part gets if all of them want more."""
_ITEMS = 10
_UNUSUAL = 8
_GLANCES = 20
_LOSSES = 3
_ENOUGH = 100
"""Characters by which a note is known again."""
_MOST = 300
"""Of each part: there is never room for more."""
_FIRST_ROWS = 3
"""So many rows of each summary come before the fourth one of any."""
_FIRST_KINDS = 10
"""So many kinds of each program come before the eleventh one of any."""
_FIRST_UNUSUAL, _FIRST_OF_PROGRAM = 3, 2
"""The same of what is unlike other days: of what is new, gone, or at another rate; of a program."""


class Kinds(Struct):
    """The kinds of a section."""

    count: int = 0
    """How many there are."""
    events: int = 0
    muted: int = 0
    """How many more nobody wants to know."""
    shown: list[KindRow] = field(default_factory=list)

    @property
    def digits(self) -> int:
        """How wide the numbers of those are that are shown."""
        return max((len(f"{kind.count:,}") for kind in self.shown), default=0)


class Offer:
    """All that people may be shown of a report, and what each part of it takes of the room.

    Of what is never shown, whatever the room, nothing is in it.
    """

    def __init__(self, report: Report, form: str, limit: int) -> None:
        """Look through a report.

        :param report: all that there is.
        :param form: ``text`` or ``html``.
        :param limit: the number of rows of each part.
        """
        self.report = report
        self.form = form
        self.limit = limit
        most = min(limit, _MOST)
        measure = Markup() if form == "html" else Lines(Clock(report.begin, report.end))
        self.kinds = _by_section(report.kinds)
        self.costs: dict[str, list[tuple[Any, float]]] = {
            name: [
                ((at, kind), measure.kind(kind))
                for at, kind in in_turn(
                    enumerate(kinds.shown), lambda one: one[1].program, _FIRST_KINDS
                )[:most]
            ]
            for name, kinds in self.kinds.items()
        }
        if not report.kinds:
            for name in SECTIONS:
                ones = _candidates(getattr(report, name), most)
                self.costs[name] = [(one.id, measure.row(one)) for one in ones]
        self.costs["tables"] = _of_tables(report.summaries, most, measure)
        self.costs["notes"] = [(note, measure.note(note)) for note in report.notes[:most]]
        self.needs = {name: sum(cost for _, cost in ones) for name, ones in self.costs.items()}
        self.need = sum(self.needs.values())


class Choice:
    """What is shown."""

    def __init__(self, offer: Offer, room: Room) -> None:
        """Choose.

        :param offer: what may be shown.
        :param room: how much there may be.
        """
        self._offer = offer
        self._room = room
        report = self._report = offer.report
        self.attention: Sequence[Attention] = report.attention[: 3 if room.is_tight else _ITEMS]
        self.unusual: Sequence[Unusual] = [] if room.is_tight else _some(report.unusual)
        self.glance = report.glance[: 3 if room.is_tight else _GLANCES]
        told = {item.text[:_ENOUGH] for item in self.attention}
        losses = (
            note for note in report.notes if tells_of_loss(note) and note[:_ENOUGH] not in told
        )
        self.losses = list(islice(losses, _LOSSES))
        rooms = divided(room.flexible, offer.needs)
        chosen = {name: list(_within(rooms[name], ones)) for name, ones in offer.costs.items()}
        self.kinds = {
            name: replace(
                kinds,
                shown=[kind for _, kind in sorted(chosen[name], key=itemgetter(0))]
                if report.kinds
                else [],
            )
            for name, kinds in offer.kinds.items()
        }
        """The kinds of each section."""
        self.notes: Sequence[str] = chosen["notes"]
        """Texts."""
        count = Counter(at for at, is_row in chosen["tables"] if is_row)
        self.tables: Sequence[int] = [count[at] for at in range(len(report.summaries))]
        """The number of rows of each table."""
        self.summaries = [
            (report.summaries[at], count[at]) for at in sorted({at for at, _ in chosen["tables"]})
        ]
        """The summaries that are shown, each with the number of its rows."""
        self._rows: Mapping[str, list[Any]] | None = None if report.kinds else chosen

    @cached_property
    def important(self) -> Sequence[Row]:
        """Rows of the section ``important``."""
        return _taken(self._report.important, self._ids["important"])

    @cached_property
    def interesting(self) -> Sequence[Row]:
        """Rows of the section ``interesting``."""
        return _taken(self._report.interesting, self._ids["interesting"])

    @cached_property
    def other(self) -> Sequence[Line]:
        """Events of the section ``other``."""
        return _taken(self._report.other, self._ids["other"])

    @cached_property
    def remarks(self) -> list[str]:
        """Notes that stand below, and not on the first screen."""
        return [note for note in self.notes if note not in self.losses]

    @cached_property
    def _ids(self) -> Mapping[str, list[int]]:
        """The rows of each section: of own templates, as many as fit; where there are no kinds."""
        if self._rows is not None and not self._room.is_own:
            return self._rows
        own = BYTES[self._offer.form]
        costs = {
            name: [
                (one.id, own.of(one))
                for one in _candidates(getattr(self._report, name), self._offer.limit)
            ]
            for name in SECTIONS
        }
        needs: dict[str, float] = {
            name: sum(cost for _, cost in ones) for name, ones in costs.items()
        }
        rooms = divided(self._room.bytes_of_rows, needs)
        return {name: list(_within(rooms[name], ones)) for name, ones in costs.items()}


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


def _some(unusual: Sequence[Unusual]) -> list[Unusual]:
    """Some of each difference, and of each program, in the order that they had."""
    ones = in_turn(enumerate(unusual), lambda one: (one[1].what, one[1].program), _FIRST_OF_PROGRAM)
    ones = in_turn(ones, lambda one: one[1].what, _FIRST_UNUSUAL)
    return [one for _, one in sorted(ones[:_UNUSUAL], key=itemgetter(0))]


def _by_section(kinds: Iterable[KindRow]) -> dict[str, Kinds]:
    """The kinds of each section. What is muted is left out, and counted."""
    found: dict[str, Kinds] = {name: Kinds() for name in SECTIONS}
    for kind in kinds:
        one = found[kind.section]
        if kind.is_muted and kind.section != "important":
            one.muted += 1
            continue
        one.count += 1
        one.events += kind.count
        one.shown.append(kind)
    return found


def _candidates(rows: Sequence[Any], limit: int) -> list[Candidate]:
    if isinstance(rows, StoredRows):
        return list(rows.ranked(limit))
    return [
        Candidate(at, len(row.message), getattr(row, "count", 1))
        for at, row in enumerate(rows[:limit])
    ]


def _of_tables(
    tables: Sequence[Summary], limit: int, measure: Measure
) -> list[tuple[tuple[int, bool], float]]:
    """The rows of all summaries in the order in which they are worth showing, with what they take.

    A row is the index of its summary, and whether it is a row: what else there is comes first.
    """
    found: list[tuple[int, tuple[int, bool], float]] = []
    for at, table in enumerate(tables):
        shown = min(limit, len(table.rows)) if table.columns else 0
        whole, row = measure.table(table, shown)
        found.append((0, (at, False), whole))
        found += [(number // _FIRST_ROWS, (at, True), row) for number in range(shown)]
    found.sort(key=lambda one: (one[0], one[1][0]))
    return [(one, cost) for _, one, cost in found]


def _within(room: float, ones: Iterable[tuple[Any, float]]) -> Iterator[Any]:
    for one, cost in ones:
        room -= cost
        if room < -1:  # of rounding
            return
        yield one


def _taken(rows: Sequence[Any], ids: list[int]) -> Sequence[Any]:
    if isinstance(rows, StoredRows):
        return rows.take(set(ids))
    return list(islice(rows, len(ids)))
