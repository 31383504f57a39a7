"""Days: how many entries each had, and whether its report is out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import date
from typing import ClassVar

from msgspec import Struct

from pyruse.state.filed_events import FiledEvents, Values
from pyruse.state.part import Part
from pyruse.state.removal import delete


class Day(Struct):
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


class Days(Part):
    """Totals and notes by day, kept in the database and read when a report is made."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS days (
            day TEXT PRIMARY KEY, entries INTEGER NOT NULL, first INTEGER, last INTEGER,
            reported INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS hours (
            day TEXT NOT NULL, hour INTEGER NOT NULL, entries INTEGER NOT NULL,
            PRIMARY KEY (day, hour)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS notes (day TEXT NOT NULL, note TEXT NOT NULL);
    """

    def __init__(self) -> None:
        self.events = FiledEvents()
        """Those of the days: a part of its own."""
        self._days: dict[str, Day] = {}
        """The days that are not reported yet, or were reported since the last commit."""
        self._reported: set[str] = set()
        """The days that are reported."""
        self._today = ""
        """The day by the machine's clock, as far as it is known."""
        self.reported_until = ""
        """Days up to this one are reported already; to be read only."""
        self._changed: set[str] = set()
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
        reported = self.reported_until
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

    def file(self, day: str, section: str) -> Values:
        """What is to be extended by events of an open day and a section: see `FiledEvents`."""
        if day not in self._days:
            self._day(day)
        return self.events.file(day, section)

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
            self.reported_until = self._last_reported(day)
        if day > self.reported_until and day not in self._days:
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
        self.reported_until = self._last_reported(self._today or max(self._reported))

    def reopen(self, day: str) -> None:
        """A day's report could not be made: it is still due."""
        self._reported.discard(day)
        self.reported_until = self._last_reported(self._today or day)

    def end(self, day: str, now: int) -> None:
        """A day's report is made: what comes later is filed under the next day."""
        self._day(day).reported = now
        self._reported.add(day)
        self.reported_until = self._last_reported(self._today or max(self._reported))

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
        """Remove the days before one that are not to be reported any more."""
        self._reported = {one for one in self._reported if one >= day}
        done = "day < ? AND day NOT IN (SELECT day FROM days WHERE reported IS NULL)"
        for table in ("hours", "notes", "days"):
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
        self.reported_until = max(self._reported, default="")

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for name in self._changed:
            day = self._days[name]
            db.execute(
                "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?)",
                (name, day.entries, day.first, day.last, day.reported),
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


def hours_of(db: sqlite3.Connection, day: str) -> dict[int, int]:
    """How many entries each hour of a day had, from hour 0 on; hours without entries are not in it.

    Entries that came late, after the report of their own day, are in none.
    """
    return dict(db.execute("SELECT hour, entries FROM hours WHERE day = ?", (day,)))


def notes_of(db: sqlite3.Connection, days: list[str]) -> list[str]:
    """What the readers of these days' reports should know."""
    query = f"SELECT note FROM notes WHERE day IN ({_marks(days)}) ORDER BY rowid"
    return [note for (note,) in db.execute(query, days)]


def _marks(values: list[str]) -> str:
    return ", ".join("?" * len(values))


def _next_day(name: str) -> str:
    return date.fromordinal(date.fromisoformat(name).toordinal() + 1).isoformat()
