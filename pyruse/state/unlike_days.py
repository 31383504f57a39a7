"""What is unlike other days, by the counts of kinds."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from typing import NamedTuple

from pyruse.kinds.merging import Template, shown_as
from pyruse.kinds.unlike import LEARNING, Difference, is_grave, unlike
from pyruse.state.kinds import KindHistory, days_with_counts, first_of_kinds, kind_history


class UnlikeKind(NamedTuple):
    """A kind that is unlike other days, or several that are shown as one."""

    id: int
    """Of the one that came most often."""
    difference: Difference
    program: str
    template: str
    section: str
    event: str
    level: int | None
    example: str
    today: int
    """How often it came."""
    usual: float
    """The median of the days before."""
    is_grave: bool
    """Whether its level is warning or worse, or a word of it says so."""
    before: list[int]
    """How often it came on each day before."""
    first: int | None
    """When it came first on the day, in microseconds since the epoch; None: it did not."""


class UnlikeDays(NamedTuple):
    """A day compared with those before it."""

    kinds: list[UnlikeKind]
    """New ones, then those that are gone, then other rates; the most severe and frequent first."""
    learning: int
    """So many days are missing before anything is unlike the others."""


_ORDER: dict[Difference, int] = {"new": 0, "gone": 1, "rate": 2}


def unlike_days(db: sqlite3.Connection, day: str) -> UnlikeDays:
    """Compare a day with those before it that are kept; kinds that are muted are left out.

    :param db: a connection to a state.
    :param day: as ``YYYY-MM-DD``.
    """
    before = [one for one in days_with_counts(db) if one < day]
    if len(before) < LEARNING:
        return UnlikeDays([], LEARNING - len(before))
    kinds = {kind.id: kind for kind in kind_history(db, day) if not kind.is_muted}
    shown = shown_as(
        Template(kind.id, (kind.section, kind.event, kind.program), kind.template, kind.message_id)
        for kind in kinds.values()
    )
    groups: dict[int, list[KindHistory]] = defaultdict(list)
    for kind in kinds.values():
        groups[shown[kind.id].id].append(kind)
    firsts = first_of_kinds(db, day)
    found = []
    for group in groups.values():
        counts: Counter[str] = Counter()
        for kind in group:
            counts.update(kind.days)
        difference = unlike(counts, day, before)
        if difference is None:
            continue
        first = max(group, key=lambda kind: (kind.days.get(day, 0), kind.events, kind.id))
        level = min((kind.level for kind in group if kind.level is not None), default=None)
        text = shown[first.id].text
        found.append(
            UnlikeKind(
                first.id,
                difference.difference,
                first.program,
                text,
                first.section,
                first.event,
                level,
                first.example,
                difference.today,
                difference.usual,
                is_grave(level, f"{text}\n{first.example}"),
                [counts[one] for one in before],
                min((firsts[kind.id] for kind in group if kind.id in firsts), default=None),
            )
        )
    return UnlikeDays(sorted(found, key=_rank), 0)


def _rank(kind: UnlikeKind) -> tuple[int, bool, int, float, int]:
    level = 8 if kind.level is None else kind.level
    return (
        _ORDER[kind.difference],
        not kind.is_grave,
        level,
        -max(kind.today, kind.usual),
        kind.id,
    )
