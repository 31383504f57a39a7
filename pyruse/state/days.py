"""Days: how many entries each had, its events, and whether its report is out."""

from __future__ import annotations

import sqlite3
from array import array
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from operator import itemgetter
from typing import ClassVar, NamedTuple

from pyruse.state.part import Part
from pyruse.state.removal import delete


@dataclass
class Day:
    """The totals of a day. Instants are microseconds since the epoch."""

    day: str
    """``YYYY-MM-DD``."""
    entries: int = 0
    first: int | None = None
    last: int | None = None
    reported: int | None = None
    """When its report was made, None while the day is open."""

    def saw(self, entries: int, first: int, last: int) -> None:
        """Count some more entries, the earliest and the latest of which have these instants."""
        self.entries += entries
        self.first = first if self.first is None else min(self.first, first)
        self.last = last if self.last is None else max(self.last, last)


class About(NamedTuple):
    """What an event is about, for those who group events."""

    kind: int | None
    """See `pyruse.state.counted_kinds`."""
    program: str | None
    level: int | None
    """The entry's priority, 0 (worst) to 7."""
    event: str | None
    """What the entry means, if that is known."""
    cause: str | None
    """What has caused it: the same of all events that are about the same thing."""
    weight: int | None = None
    """How much it deserves attention, 0 to 100; None: as much as its meaning says."""
    quote: str | None = None
    """The line that shows it, where the message does not."""


UNKNOWN = About(None, None, None, None, None)

Filed = tuple[
    str, str, str, str, int, str | None, str | None, int | None, str | None, int | None,
    str | None, str | None, int | None, str | None,
]  # fmt: skip
"""An event as it is kept: day, section, message, details, time, host, step, and what it is about
(`About`). No class, as there is one for each event that is reported."""


class Days(Part):
    """Report events and totals by day, kept in the database and read when a report is made."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS days (
            day TEXT PRIMARY KEY, entries INTEGER NOT NULL, first INTEGER, last INTEGER,
            reported INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS events (
            day TEXT NOT NULL, section TEXT NOT NULL, message TEXT NOT NULL, details TEXT NOT NULL,
            time INTEGER NOT NULL, host TEXT, step TEXT, kind INTEGER, program TEXT, level INTEGER,
            event TEXT, cause TEXT, weight INTEGER, quote TEXT
        );
        CREATE INDEX IF NOT EXISTS events_by_day ON events (day, section);
        CREATE TABLE IF NOT EXISTS hours (
            day TEXT NOT NULL, hour INTEGER NOT NULL, entries INTEGER NOT NULL,
            PRIMARY KEY (day, hour)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS notes (day TEXT NOT NULL, note TEXT NOT NULL);
    """

    def __init__(self) -> None:
        self._days: dict[str, Day] = {}
        """The days that are not reported yet, or were reported since the last commit."""
        self._reported: set[str] = set()
        """The days that are reported."""
        self._today = ""
        """The day by the machine's clock, as far as it is known."""
        self._reported_until = ""
        """Days up to this one are reported already."""
        self._changed: set[str] = set()
        self._events: list[Filed] = []
        self._hours: dict[tuple[str, int], int] = {}
        """Entries by day and hour, since the last commit."""
        self._notes: list[tuple[str, str]] = []

    def open_day(self, day: date) -> str:
        """The day under which something of this day is filed.

        Give the day itself, unless its report is out (an entry came late): then the next open
        day, so that each event is in a report.
        """
        return self.open_name(day.isoformat())

    def open_name(self, name: str) -> str:
        """The same of the name of a day, ``YYYY-MM-DD``."""
        reported = self._reported_until
        if name > reported:
            return name
        later = [one for one in self.unreported() if reported < one <= (self._today or one)]
        return min(later, default=_next_day(reported))

    def saw(self, day: str, entries: int, first: int, last: int, hour: int | None = None) -> None:
        """Count the entries of an open day.

        :param day: as ``YYYY-MM-DD``.
        :param entries: how many they are.
        :param first: when the earliest came, in microseconds since the epoch …
        :param last: … and the latest.
        :param hour: of the day in which all of them came, from 0 on; None: they are of another day.
        """
        self._day(day).saw(entries, first, last)
        if hour is not None:
            self._hours[day, hour] = self._hours.get((day, hour), 0) + entries

    def add(  # noqa: PLR0913 -- the facts of one event
        self,
        day: str,
        section: str,
        message: str,
        details: str,
        time: int,
        host: str | None,
        step: str | None = None,
        about: About = UNKNOWN,
    ) -> None:
        """File an event under an open day; the step is where that stands which has reported it."""
        self.file((day, section, message, details, time, host, step, *about))

    def file(self, event: Filed) -> None:
        """The same of an event whose facts are together: those of `add` in their order."""
        if event[0] not in self._days:
            self._day(event[0])
        self._events.append(event)

    def note(self, day: str, text: str) -> None:
        """Tell the reader of a day's report something about it."""
        self._notes.append((day, text))

    def unreported(self) -> list[str]:
        """The days whose report is due once they have ended, in order."""
        return sorted(
            name
            for name, day in self._days.items()
            if day.reported is None and name not in self._reported
        )

    def begin(self, day: str) -> None:
        """Which day it is by the clock; it gets its report also when nothing happens on it.

        It may be an earlier day than the last time: the clock was set back.
        """
        if day != self._today:
            self._today = day
            self._reported_until = self._last_reported(day)
        if day > self._reported_until and day not in self._days:
            self._day(day)

    def ahead(self, latest: date) -> list[str]:
        """The unreported days that the clock showed before it was set back: they have ended.

        :param latest: the last day that entries may be of now.
        """
        name = max(self.open_day(latest), latest.isoformat())
        return [other for other in self.unreported() if other > name]

    def close(self, day: str) -> None:
        """A day's report is being made: what comes later is filed under the next day.

        That is not kept: the next start makes the report anew, if it was not finished (`end`).
        """
        self._reported.add(day)
        self._reported_until = self._last_reported(self._today or max(self._reported))

    def reopen(self, day: str) -> None:
        """A day's report could not be made: it is still due."""
        self._reported.discard(day)
        self._reported_until = self._last_reported(self._today or day)

    def end(self, day: str, now: int) -> None:
        """A day's report is made: what comes later is filed under the next day."""
        self._day(day).reported = now
        self._reported.add(day)
        self._reported_until = self._last_reported(self._today or max(self._reported))

    def _last_reported(self, today: str) -> str:
        """The last reported day up to this one, or those after it that are reported without a gap.

        Days to come may be reported: the clock was ahead for a while.
        """
        last = max((day for day in self._reported if day <= today), default="")
        while last and (following := _next_day(last)) in self._reported:
            last = following
        return last

    def _day(self, name: str) -> Day:
        self._changed.add(name)
        return self._days.setdefault(name, Day(name))

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Remove the days before one that are not to be reported any more, with their events."""
        self._reported = {one for one in self._reported if one >= day}
        done = "day < ? AND day NOT IN (SELECT day FROM days WHERE reported IS NULL)"
        for table in ("events", "hours", "notes", "days"):
            if table in ("days", "hours"):  # few, and without row IDs
                db.execute(f"DELETE FROM {table} WHERE {done}", (day,))
            else:
                yield from delete(db, table, done, (day,))

    def load(self, db: sqlite3.Connection) -> None:
        """Read the days that are not reported yet, and the names of those that are."""
        query = "SELECT day, entries, first, last, reported FROM days WHERE reported IS NULL"
        self._days = {day.day: day for day in (Day(*row) for row in db.execute(query))}
        names = db.execute("SELECT day FROM days WHERE reported IS NOT NULL")
        self._reported = {name for (name,) in names}
        self._reported_until = max(self._reported, default="")

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for name in self._changed:
            day = self._days[name]
            db.execute(
                "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?)",
                (name, day.entries, day.first, day.last, day.reported),
            )
        if self._events:
            db.executemany(
                "INSERT INTO events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                self._events,
            )
        if self._hours:
            db.executemany(
                """INSERT INTO hours VALUES (?, ?, ?)
                   ON CONFLICT DO UPDATE SET entries = entries + excluded.entries""",
                [(*key, entries) for key, entries in self._hours.items()],
            )
        if self._notes:
            db.executemany("INSERT INTO notes VALUES (?, ?)", self._notes)

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
        self._events.clear()
        self._hours.clear()
        self._notes.clear()
        self._days = {name: day for name, day in self._days.items() if day.reported is None}


def kept_days(db: sqlite3.Connection) -> list[Day]:
    """The days that the database holds, in order."""
    query = "SELECT day, entries, first, last, reported FROM days ORDER BY day"
    return [Day(*row) for row in db.execute(query)]


def days_before(db: sqlite3.Connection, day: str, limit: int) -> list[Day]:
    """The last days before one that had entries, in order.

    :param db: a connection to a state.
    :param day: as ``YYYY-MM-DD``.
    :param limit: so many at most.
    """
    query = """SELECT day, entries, first, last, reported FROM days
               WHERE day < ? AND entries > 0 ORDER BY day DESC LIMIT ?"""
    return [Day(*row) for row in db.execute(query, (day, limit))][::-1]


class Event(NamedTuple):
    """An event that was reported."""

    message: str
    details: str
    """The details mode: which of the times the report shows."""
    time: int


class MessageTimes(NamedTuple):
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
        first = 0
        for _, details, time, number in of_message:
            if details not in times:
                times[details] = array("q")
            times[details].append(time)
            first = min(first, number) if first else number
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
    query = f"""SELECT time, rowid, message FROM events
                WHERE day IN ({_marks(days)}) AND section = ?"""
    rows = db.execute(query, (*days, section)).fetchall()
    rows.sort()  # most are in order, which Python makes use of
    return [(time, message) for time, _, message in rows]


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


@dataclass(frozen=True)
class Summary:
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


def hours_of(db: sqlite3.Connection, day: str) -> dict[int, int]:
    """How many entries each hour of a day had, from hour 0 on; hours without entries are not in it.

    Entries that came late, after the report of their own day, are in none.
    """
    return dict(db.execute("SELECT hour, entries FROM hours WHERE day = ?", (day,)))


def notes_of(db: sqlite3.Connection, days: list[str]) -> list[str]:
    """What the readers of these days' reports should know."""
    query = f"SELECT note FROM notes WHERE day IN ({_marks(days)}) ORDER BY rowid"
    return [note for (note,) in db.execute(query, days)]


def hosts_of(db: sqlite3.Connection, days: list[str]) -> list[str]:
    """The machines that the events of these days came from, by name."""
    query = f"""SELECT DISTINCT host FROM events
                WHERE day IN ({_marks(days)}) AND host IS NOT NULL ORDER BY host"""
    return [host for (host,) in db.execute(query, days)]


def _marks(values: list[str]) -> str:
    return ", ".join("?" * len(values))


def _next_day(name: str) -> str:
    return date.fromordinal(date.fromisoformat(name).toordinal() + 1).isoformat()
