"""The events of a report by kind."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import tzinfo

from pyruse.api.findings import KindRow
from pyruse.api.report import SECTIONS, Report
from pyruse.kinds.merging import Template, shown_as
from pyruse.kinds.unlike import LEARNING, median
from pyruse.report.usual import LOOKED_AT
from pyruse.state.days import days_before
from pyruse.state.kinds import (
    KindOfDay,
    causes_of_kinds,
    counts_before,
    kinds_of_day,
    shown_id,
    top_messages,
)
from pyruse.times import datetime_of

_DETAILED = 500
"""Of so many kinds of a section, the most frequent messages are read."""
_MESSAGES = 5
REST = "(other kinds, of which there were too many)"
"""The template of the row that stands for the kinds that gave way in the state."""


def kind_rows(report: Report, db: sqlite3.Connection, zone: tzinfo) -> list[KindRow]:
    """The kinds of a report's days: those of each section, in the order of the sections.

    There are as many as the state keeps, at most; what gave way there is one row, without text.

    :param report: has its days.
    :param db: the committed state.
    :param zone: the zone of the times.
    """
    days = report.days
    if not days:
        return []
    before = [one.day for one in days_before(db, min(days), LOOKED_AT)]
    rows = []
    for section in SECTIONS:
        kinds = kinds_of_day(db, days, section)
        usual = counts_before(db, before, section)
        causes = {} if section == "other" else causes_of_kinds(db, days, section)
        made = [
            _row(several, section, before, usual, causes, min(days), zone)
            for several in _grouped(kinds)
        ]
        made.sort(key=_rank)
        _tell_messages(made, db, days, section)
        rows += [row for row, _ in made]
    return rows


_Group = tuple[str, list[KindOfDay]]
"""A template, and the kinds that differ from it in a name alone: the most frequent one first."""
_Made = tuple[KindRow, list[int]]
"""A row, and the ids of its kinds."""


def _grouped(kinds: Iterable[KindOfDay]) -> list[_Group]:
    """The kinds of a section, with those that differ in a name alone together."""
    kinds = list(kinds)
    shown = shown_as(
        Template(kind.id, (kind.event, kind.program, kind.is_muted), kind.template, kind.message_id)
        for kind in kinds
    )
    groups: dict[int, _Group] = {}
    for kind in kinds:
        one = shown[kind.id]
        groups.setdefault(one.id, (one.text, []))[1].append(kind)
    return list(groups.values())


def _row(  # noqa: PLR0913 -- all that a row is made of
    group: _Group,
    section: str,
    before: Sequence[str],
    counts: dict[int, dict[str, int]],
    causes: dict[int, str],
    first_day: str,
    zone: tzinfo,
) -> _Made:
    template, kinds = group
    one = kinds[0]
    levels = [kind.level for kind in kinds if kind.level is not None]
    found = {causes.get(kind.id, "") for kind in kinds}
    usual = [sum(counts.get(kind.id, {}).get(day, 0) for kind in kinds) for day in before]
    count = sum(kind.events for kind in kinds)
    row = KindRow(
        id=shown_id(one.id),
        section=section,
        program=one.program,
        template=REST if one.is_rest else template,
        level=min(levels, default=None),
        count=count,
        first=datetime_of(min(kind.first for kind in kinds), zone),
        last=datetime_of(max(kind.last for kind in kinds), zone),
        messages=[] if one.is_rest else [(kind.example, kind.events) for kind in kinds[:_MESSAGES]],
        different=len(kinds),
        event=one.event,
        cause=found.pop() if len(found) == 1 else "",
        is_new=len(before) >= LEARNING
        and not one.is_rest
        and min(kind.since for kind in kinds) >= first_day,
        usual=median(usual) if usual and not one.is_rest else None,
        is_muted=one.is_muted,
    )
    return row, [kind.id for kind in kinds]


def _rank(made: _Made) -> tuple[bool, bool, int, int, str]:
    """Other events: new kinds first, then by level; all: the most frequent first, the rest last."""
    row, _ = made
    if row.section != "other":
        return row.template == REST, False, 0, -row.count, row.id
    return (
        row.template == REST,
        not row.is_new,
        8 if row.level is None else row.level,
        -row.count,
        row.id,
    )


def _tell_messages(
    made: Sequence[_Made], db: sqlite3.Connection, days: Sequence[str], section: str
) -> None:
    """Put the most frequent messages into the first rows."""
    of_kind = {kind: row for row, kinds in made[:_DETAILED] for kind in kinds}
    different: dict[str, dict[int, int]] = defaultdict(dict)
    messages: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for one in top_messages(db, days, section, list(of_kind), _MESSAGES):
        row = of_kind[one.kind]
        different[row.id][one.kind] = one.different
        messages[row.id].append((one.message, one.events))
    for row, _ in made[:_DETAILED]:
        if row.id in messages and row.template != REST:
            row.different = sum(different[row.id].values())
            row.messages = sorted(messages[row.id], key=lambda one: -one[1])[:_MESSAGES]
