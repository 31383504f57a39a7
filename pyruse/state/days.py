"""The days: how many entries each had, what was reported of it, and whether its report is out."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, tzinfo
from itertools import groupby
from typing import ClassVar

from pyruse.report.model import SECTIONS, Details, Line, Report, Row, Section, Times, shown_times
from pyruse.times import datetime_of


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


class Days:
    """Report events and totals by day, kept in the database and read when a report is made."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS days (
            day TEXT PRIMARY KEY, entries INTEGER NOT NULL, first INTEGER, last INTEGER,
            reported INTEGER
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS events (
            day TEXT NOT NULL, section TEXT NOT NULL, message TEXT NOT NULL, details TEXT NOT NULL,
            time INTEGER NOT NULL, host TEXT
        );
        CREATE INDEX IF NOT EXISTS events_by_day ON events (day, section);
        CREATE TABLE IF NOT EXISTS notes (day TEXT NOT NULL, note TEXT NOT NULL);
    """

    def __init__(self) -> None:
        self._days: dict[str, Day] = {}
        """The days that are not reported yet, and the last one that is."""
        self._reported_until = ""
        self._changed: set[str] = set()
        self._events: list[tuple[str, str, str, str, int, str | None]] = []
        self._notes: list[tuple[str, str]] = []

    def open_day(self, day: date) -> str:
        """The day under which something of this day is filed.

        It is the day itself, unless its report is out already (an entry came late): then it is
        the next one, so that nothing is reported under no day.
        """
        name = day.isoformat()
        if name <= self._reported_until:
            later = [other for other in self._days if other > self._reported_until]
            return min(later, default=_next_day(self._reported_until))
        return name

    def saw(self, day: str, entries: int, first: int, last: int) -> None:
        """Count the entries of an open day."""
        self._day(day).saw(entries, first, last)

    def add(  # noqa: PLR0913 -- the facts of one event
        self,
        day: str,
        section: Section,
        message: str,
        details: Details,
        time: int,
        host: str | None,
    ) -> None:
        """File an event under an open day."""
        if day not in self._days:
            self._day(day)
        self._events.append((day, section, message, details, time, host))

    def note(self, day: str, text: str) -> None:
        """Tell the reader of a day's report something about it."""
        self._notes.append((day, text))

    def unreported(self) -> list[str]:
        """The days whose report is due once they have ended, in order."""
        return sorted(name for name, day in self._days.items() if day.reported is None)

    def begin(self, day: str) -> None:
        """Open a day, so that it gets its report also when nothing happens on it."""
        if day > self._reported_until:
            self._day(day)

    def end(self, day: str, now: int) -> None:
        """A day's report is made: what comes later is filed under the next day."""
        self._day(day).reported = now
        self._reported_until = max(self._reported_until, day)

    def _day(self, name: str) -> Day:
        self._changed.add(name)
        return self._days.setdefault(name, Day(name))

    def remove(self, db: sqlite3.Connection, before: str) -> None:
        """Remove the reported days before one, with their events."""
        for statement in (
            "DELETE FROM events WHERE day < ?",
            "DELETE FROM notes WHERE day < ?",
            "DELETE FROM days WHERE day < ? AND reported IS NOT NULL",
        ):
            db.execute(statement, (before,))

    def load(self, db: sqlite3.Connection) -> None:
        """Read the days that are not reported yet."""
        for row in db.execute(
            """SELECT day, entries, first, last, reported FROM days WHERE reported IS NULL
               OR day = (SELECT max(day) FROM days WHERE reported IS NOT NULL)"""
        ):
            day = Day(*row)
            self._days[day.day] = day
            if day.reported is not None:
                self._reported_until = max(self._reported_until, day.day)

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for name in self._changed:
            day = self._days[name]
            db.execute(
                "INSERT OR REPLACE INTO days VALUES (?, ?, ?, ?, ?)",
                (name, day.entries, day.first, day.last, day.reported),
            )
        if self._events:
            db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", self._events)
        if self._notes:
            db.executemany("INSERT INTO notes VALUES (?, ?)", self._notes)

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
        self._events.clear()
        self._notes.clear()
        for name in [
            name
            for name, day in self._days.items()
            if day.reported is not None and name != self._reported_until
        ]:
            del self._days[name]


def kept_days(db: sqlite3.Connection) -> list[Day]:
    """The days that the database holds, in order."""
    query = "SELECT day, entries, first, last, reported FROM days ORDER BY day"
    return [Day(*row) for row in db.execute(query)]


def fill(report: Report, db: sqlite3.Connection, days: list[Day], zone: tzinfo) -> None:
    """Put what the database holds of some days into a report."""
    names = [day.day for day in days]
    report.entries = sum(day.entries for day in days)
    first = min((day.first for day in days if day.first is not None), default=None)
    last = max((day.last for day in days if day.last is not None), default=None)
    report.first = None if first is None else datetime_of(first, zone)
    report.last = None if last is None else datetime_of(last, zone)
    marks = ", ".join("?" * len(names))
    report.notes += [
        note
        for (note,) in db.execute(
            f"SELECT note FROM notes WHERE day IN ({marks}) ORDER BY rowid", names
        )
    ]
    hosts = db.execute(
        f"SELECT DISTINCT host FROM events WHERE day IN ({marks}) AND host IS NOT NULL", names
    )
    report.hosts = sorted({host for (host,) in hosts}) or report.hosts
    for section in SECTIONS[:2]:
        rows = db.execute(
            f"""SELECT message, details, time FROM events
                WHERE day IN ({marks}) AND section = ? ORDER BY message, details, time""",
            (*names, section),
        )
        getattr(report, section).extend(_rows(rows, zone))
    report.other += [
        Line(datetime_of(time, zone), message)
        for time, message in db.execute(
            f"""SELECT time, message FROM events
                WHERE day IN ({marks}) AND section = 'other' ORDER BY time, rowid""",
            names,
        )
    ]


def _rows(events: sqlite3.Cursor, zone: tzinfo) -> Iterator[Row]:
    for message, of_message in groupby(events, key=lambda event: event[0]):
        row = Row(message, 0)
        for details, of_details in groupby(of_message, key=lambda event: event[1]):
            times = [datetime_of(time, zone) for _, _, time in of_details]
            row.count += len(times)
            row.details.append(Times(details, len(times), shown_times(details, times)))
        yield row


def _next_day(name: str) -> str:
    return date.fromordinal(date.fromisoformat(name).toordinal() + 1).isoformat()
