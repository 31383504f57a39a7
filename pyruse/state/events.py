"""Reading the events of days, as their reports show them."""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter

from msgspec import Struct

from pyruse.times import FOREVER


class Event(Struct, frozen=True):
    """An event that was reported."""

    message: str
    details: str
    """The details mode: which of the times the report shows."""
    time: int


class MessageTimes(Struct, frozen=True):
    """All the events of a section that have one message."""

    message: str
    times: dict[str, array[int]]
    """By details mode, the instants in order."""
    id: int
    """Of the first one that was filed."""


def events_by_message(
    db: sqlite3.Connection, days: list[str], section: str
) -> Iterator[MessageTimes]:
    """The events of a section on some days, one message at a time, in the order of the messages."""
    query = f"""SELECT message, details, time, rowid FROM events
                WHERE day IN ({_marks(days)}) AND section = ?
                ORDER BY message, details, time, rowid"""
    rows = db.execute(query, (*days, section))
    for message, of_message in groupby(rows, key=itemgetter(0)):  # it is ordered by this
        times: dict[str, array[int]] = {}
        first, mode, add = FOREVER, "", None
        for _, details, time, number in of_message:
            if details != mode or add is None:
                mode, times[details] = details, array("q")
                add = times[details].append
            add(time)
            if number < first:  # noqa: PLR1730 -- a call less for each event
                first = number
        yield MessageTimes(message, times, first)


def events_in_time(
    db: sqlite3.Connection, days: list[str], section: str
) -> Iterator[tuple[int, Event]]:
    """The events of a section on some days, by time, each with its id."""
    query = f"""SELECT rowid, message, details, time FROM events
                WHERE day IN ({_marks(days)}) AND section = ? ORDER BY time, rowid"""
    return ((number, Event(*row)) for number, *row in db.execute(query, (*days, section)))


def times_and_messages(
    db: sqlite3.Connection, days: list[str], section: str
) -> list[tuple[int, str]]:
    """The same, all at once, without ids: instants and messages."""
    query = f"""SELECT time, message FROM events
                WHERE day IN ({_marks(days)}) AND section = ? ORDER BY day, range, rowid"""
    rows: list[tuple[int, str]] = db.execute(query, (*days, section)).fetchall()
    rows.sort(key=itemgetter(0))  # most are in order, which Python makes use of
    return rows


def count_messages(db: sqlite3.Connection, days: list[str], section: str) -> tuple[int, int]:
    """How many different messages a section has on some days, and how many events."""
    query = f"""SELECT count(DISTINCT message), count(*) FROM events
                WHERE day IN ({_marks(days)}) AND section = ?"""
    messages, events = db.execute(query, (*days, section)).fetchone()
    return messages, events


# Of which people are shown a part, if they are too many: the rows of each step take turns, so that
# nobody who multiplies those of one pushes out another's.


def messages_in_turn(
    db: sqlite3.Connection, days: list[str], section: str, limit: int
) -> Iterator[tuple[int, int, int]]:
    """Messages of a section: of each step the most frequent one first, then the next ones.

    :return: of each its id, its number of characters, and how many events have it.
    """
    query = f"""SELECT id, characters, events FROM (
                    SELECT *, row_number() OVER (
                        PARTITION BY step ORDER BY events DESC, last DESC, id) AS turn
                    FROM (SELECT min(rowid) AS id, min(step) AS step, count(*) AS events,
                                 length(message) AS characters, max(time) AS last
                          FROM events WHERE day IN ({_marks(days)}) AND section = ?
                          GROUP BY message))
                ORDER BY turn, events DESC, last DESC, id LIMIT ?"""
    return iter(db.execute(query, (*days, section, limit)))


def events_in_turn(
    db: sqlite3.Connection, days: list[str], section: str, limit: int
) -> Iterator[tuple[int, int, int]]:
    """Events of a section: of each step, and each first word, the first one, then the next ones.

    :return: as of `messages_in_turn`.
    """
    query = f"""SELECT id, characters, 1 FROM (
                    SELECT rowid AS id, length(message) AS characters, time, row_number() OVER (
                        PARTITION BY step, substr(message, 1, instr(substr(message, 1, 40), ' '))
                        ORDER BY time, rowid) AS turn
                    FROM events WHERE day IN ({_marks(days)}) AND section = ?)
                ORDER BY turn, time, id LIMIT ?"""
    return iter(db.execute(query, (*days, section, limit)))


class Summary(Struct, frozen=True):
    """All the events of a day with one message and details mode. Instants as in `Day`."""

    details: str
    count: int
    first: int
    last: int


# These add up in SQLite, which lets other threads run meanwhile: the daemon's main loop, above all.


def latest_by_message(
    db: sqlite3.Connection, days: list[str], section: str, limit: int
) -> Iterator[tuple[str, list[Summary]]]:
    """Those messages of a section on some days that came last, with their events, by text."""
    query = f"""WITH mine AS (SELECT * FROM events WHERE day IN ({_marks(days)}) AND section = ?)
               SELECT message, details, count(*), min(time), max(time) FROM mine
               WHERE message IN (SELECT message FROM mine
                                 GROUP BY message ORDER BY max(time) DESC, message LIMIT ?)
               GROUP BY message, details ORDER BY message, details"""
    rows = db.execute(query, (*days, section, limit))
    for message, of_message in groupby(rows, key=itemgetter(0)):  # it is ordered by this
        yield message, [Summary(*row) for _, *row in of_message]


def latest_events(db: sqlite3.Connection, days: list[str], section: str, limit: int) -> list[Event]:
    """The last events of a section on some days, by time."""
    query = f"""SELECT message, details, time FROM events
                WHERE day IN ({_marks(days)}) AND section = ?
                ORDER BY time DESC, rowid DESC LIMIT ?"""
    return [Event(*row) for row in db.execute(query, (*days, section, limit))][::-1]


def count_events(db: sqlite3.Connection, days: list[str]) -> Counter[str]:
    """How many events each section has on some days."""
    query = f"SELECT section, count(*) FROM events WHERE day IN ({_marks(days)}) GROUP BY section"
    return Counter(dict(db.execute(query, days)))


def hosts_of(db: sqlite3.Connection, days: list[str]) -> list[str]:
    """The machines that the events of these days came from, by name."""
    query = f"""SELECT DISTINCT host FROM event_heads
                WHERE day IN ({_marks(days)}) AND host IS NOT NULL ORDER BY host"""
    return [host for (host,) in db.execute(query, days)]


def _marks(values: list[str]) -> str:
    return ", ".join("?" * len(values))
