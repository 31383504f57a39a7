"""Reading the kinds of what was reported, with the counts of the days that are kept.

All of these read the views of one machine's events, where there are such (`host_views`).
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from pyruse.state.counted_kinds import OTHERS


class KindOfDay(NamedTuple):
    """A kind, and how often it came on some days. Instants are microseconds since the epoch."""

    id: int
    program: str
    """Empty: of several programs."""
    template: str
    message_id: str
    level: int | None
    """The most severe priority that it ever had."""
    event: str
    """What it means, or nothing."""
    section: str
    events: int
    first: int
    last: int
    example: str
    """The text that came first."""
    since: str
    """The day that it was seen first, as ``YYYY-MM-DD``."""
    is_muted: bool

    @property
    def is_rest(self) -> bool:
        """Whether it stands for the kinds that were too many."""
        return self.template == OTHERS


class KindHistory(NamedTuple):
    """A kind, and how often it came on each of the days that are kept."""

    id: int
    program: str
    template: str
    message_id: str
    level: int | None
    event: str
    section: str
    example: str
    since: str
    is_muted: bool
    days: dict[str, int]
    """Only days on which it came, in order."""

    @property
    def events(self) -> int:
        """How often it came on these days."""
        return sum(self.days.values())


class EventsOfKind(NamedTuple):
    """The events of a section that are of one kind and have one cause."""

    kind: int
    cause: str
    event: str
    program: str
    level: int | None
    events: int
    messages: int
    """How many different ones."""
    first: int
    last: int
    message: str
    """The first one."""
    id: int
    """Of the first event (its rowid)."""


class TopMessage(NamedTuple):
    """A message that many events of a kind have."""

    kind: int
    different: int
    """So many different messages the kind has."""
    message: str
    events: int


def kinds_of_day(
    db: sqlite3.Connection, days: Sequence[str], section: str | None = None
) -> list[KindOfDay]:
    """The kinds that came on some days, the most frequent first.

    :param db: a connection to a state.
    :param days: as ``YYYY-MM-DD``.
    :param section: None: of all sections.
    """
    of_section = "" if section is None else "AND kinds.section = ?"
    query = f"""SELECT kinds.id, program, template, message_id, level, event, section,
                       sum(kind_counts.count) AS number, min(kind_counts.first),
                       max(kind_counts.last), example, kinds.first,
                       kinds.id IN (SELECT id FROM muted_kinds)
                FROM kind_counts JOIN kinds ON kinds.id = kind_counts.kind
                WHERE kind_counts.day IN ({_marks(days)}) {of_section}
                GROUP BY kinds.id ORDER BY number DESC, kinds.id"""
    values = (*days, *(() if section is None else (section,)))
    rows = db.execute(query, values)
    return [KindOfDay._make((*facts, bool(is_muted))) for *facts, is_muted in rows]


def kind_history(
    db: sqlite3.Connection, day: str | None = None, since: str = ""
) -> Iterator[KindHistory]:
    """Every kind that is kept, with its counts by day, in the order of the ids.

    :param db: a connection to a state.
    :param day: what came after this day is left out; None: nothing is.
    :param since: what came before this day is left out.
    """
    query = f"""SELECT kinds.id, program, template, message_id, level, event, section, example,
                       kinds.first, kinds.id IN (SELECT id FROM muted_kinds), kind_counts.day,
                       sum(kind_counts.count)
                FROM kind_counts JOIN kinds ON kinds.id = kind_counts.kind
                WHERE template != '' AND kind_counts.day >= ?
                {"" if day is None else "AND kind_counts.day <= ?"}
                GROUP BY kinds.id, kind_counts.day ORDER BY kinds.id, kind_counts.day"""
    rows = db.execute(query, (since,) if day is None else (since, day))
    for _, of_kind in groupby(rows, key=itemgetter(0)):  # it is ordered by this
        several = list(of_kind)
        *facts, is_muted, _, _ = several[0]
        days = {one: count for *_, one, count in several}
        yield KindHistory._make((*facts, bool(is_muted), days))


def counts_before(
    db: sqlite3.Connection, days: Sequence[str], section: str
) -> dict[int, dict[str, int]]:
    """How often each kind of a section came on each of some days."""
    query = f"""SELECT kind, day, sum(count) FROM kind_counts
                WHERE day IN ({_marks(days)}) AND kind IN (SELECT id FROM kinds WHERE section = ?)
                GROUP BY kind, day"""
    counts: dict[int, dict[str, int]] = {}
    for kind, day, count in db.execute(query, (*days, section)):
        counts.setdefault(kind, {})[day] = count
    return counts


def section_counts(db: sqlite3.Connection, days: Sequence[str], section: str) -> dict[str, int]:
    """How many events a section had on each of some days; not those on which it had none."""
    query = f"""SELECT day, sum(count) FROM kind_counts
                WHERE day IN ({_marks(days)}) AND kind IN (SELECT id FROM kinds WHERE section = ?)
                GROUP BY day"""
    return dict(db.execute(query, (*days, section)))


def first_of_kinds(db: sqlite3.Connection, day: str) -> dict[int, int]:
    """When each kind came first on a day, in microseconds since the epoch."""
    query = "SELECT kind, min(first) FROM kind_counts WHERE day = ? GROUP BY kind"
    return dict(db.execute(query, (day,)))


def days_with_counts(db: sqlite3.Connection) -> list[str]:
    """The days whose kinds are kept, in order: as many as Pyruse has learned from."""
    return [day for (day,) in db.execute("SELECT DISTINCT day FROM kind_counts ORDER BY day")]


def events_by_kind(db: sqlite3.Connection, days: Sequence[str], section: str) -> list[EventsOfKind]:
    """The events of a section on some days, by kind and cause, the most frequent first.

    Events that an older Pyruse has filed have no kind (0): each message is one.
    """
    query = f"""SELECT coalesce(kind, 0) AS of_kind, coalesce(cause, ''), coalesce(event, ''),
                       coalesce(min(program), ''), min(level), count(*) AS number,
                       count(DISTINCT message), min(time), max(time), message, min(rowid)
                FROM events WHERE day IN ({_marks(days)}) AND section = ?
                GROUP BY of_kind, cause, event, CASE WHEN kind IS NULL THEN message END
                ORDER BY number DESC, min(time), min(rowid)"""
    return [EventsOfKind._make(row) for row in db.execute(query, (*days, section))]


def top_messages(
    db: sqlite3.Connection, days: Sequence[str], section: str, kinds: Sequence[int], limit: int
) -> Iterator[TopMessage]:
    """The most frequent messages of some kinds on some days, read at once.

    :param db: a connection to a state.
    :param days: as ``YYYY-MM-DD``.
    :param section: of the report.
    :param kinds: their ids.
    :param limit: so many of each at most.
    """
    query = f"""
        SELECT kind, different, message, number FROM (
            SELECT kind, message, count(*) AS number, count(*) OVER of_kind AS different,
                   row_number() OVER (PARTITION BY kind ORDER BY count(*) DESC, min(rowid)) AS turn
            FROM events WHERE day IN ({_marks(days)}) AND section = ?
            AND kind IN (SELECT value FROM json_each(?))
            GROUP BY kind, message WINDOW of_kind AS (PARTITION BY kind))
        WHERE turn <= ? ORDER BY kind, turn"""
    values = (*days, section, json.dumps(list(kinds)), limit)
    return (TopMessage._make(row) for row in db.execute(query, values))


def causes_of_kinds(db: sqlite3.Connection, days: Sequence[str], section: str) -> dict[int, str]:
    """What the kinds of a section are about, of those that have one cause on some days."""
    query = f"""SELECT kind, min(cause) FROM event_heads
                WHERE day IN ({_marks(days)}) AND section = ? AND kind IS NOT NULL AND cause != ''
                GROUP BY kind HAVING min(cause) = max(cause)"""
    return dict(db.execute(query, (*days, section)))


def messages_of_kind(
    db: sqlite3.Connection, days: Sequence[str], section: str, kind: int, limit: int
) -> list[tuple[str, int]]:
    """The most frequent messages of a kind, each with how often it came."""
    query = f"""SELECT message, count(*) AS number FROM events
                WHERE day IN ({_marks(days)}) AND section = ? AND kind = ?
                GROUP BY message ORDER BY number DESC, min(rowid) LIMIT ?"""
    return list(db.execute(query, (*days, section, kind, limit)))


def count_others(db: sqlite3.Connection) -> int:
    """How many events were of kinds that were too many to be kept."""
    query = """SELECT coalesce(sum(kind_counts.count), 0)
               FROM kind_counts JOIN kinds ON kinds.id = kind_counts.kind WHERE template = ''"""
    (events,) = db.execute(query).fetchone()
    return int(events)


def is_kind(db: sqlite3.Connection, kind: int) -> bool:
    """Whether a kind of this id is kept."""
    return db.execute("SELECT 1 FROM kinds WHERE id = ?", (kind,)).fetchone() is not None


def is_muted(db: sqlite3.Connection, kind: int) -> bool:
    """Whether a kind of this id is muted, though it may not have come for long."""
    return db.execute("SELECT 1 FROM muted_kinds WHERE id = ?", (kind,)).fetchone() is not None


def shown_id(kind: int) -> str:
    """The id of a kind as people see it: 12 hexadecimal digits."""
    return f"{kind:012x}"


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
