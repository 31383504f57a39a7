"""The faults of each day, for `pyruse status` and for the day's report."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import ClassVar

from msgspec import Struct

from pyruse.state.part import Part
from pyruse.state.removal import delete_days


class FaultRecord(Struct):
    """How often a kind of fault happened on a day. Instants are microseconds since the epoch."""

    day: str
    """``YYYY-MM-DD``."""
    place: str
    """The step, plugin or part of Pyruse that it is about."""
    kind: str
    text: str
    """The text of the newest one, in one printable line."""
    first: int
    last: int
    count: int = 0


class FaultRecords(Part):
    """Faults by day, place and kind."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS faults (
            day TEXT NOT NULL, place TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL, count INTEGER NOT NULL,
            PRIMARY KEY (day, place, kind)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._changed: dict[tuple[str, str, str], FaultRecord] = {}

    def add(  # noqa: PLR0913 -- the facts of a fault
        self, day: str, place: str, kind: str, text: str, now: int, times: int = 1
    ) -> None:
        """A fault has happened, at this instant, so many times."""
        key = (day, place, kind)
        record = self._changed.setdefault(key, FaultRecord(*key, text, now, now))
        record.text, record.last = text, now
        record.count += times

    def load(self, db: sqlite3.Connection) -> None:
        """Nothing of the past is needed: what is new is added to it."""

    def save(self, db: sqlite3.Connection) -> None:
        """Add what happened since the last commit."""
        db.executemany(
            """INSERT INTO faults VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
               text = excluded.text, last = excluded.last, count = count + excluded.count""",
            [
                (one.day, one.place, one.kind, one.text, one.first, one.last, one.count)
                for one in self._changed.values()
            ],
        )

    def saved(self) -> None:
        """The faults are committed."""
        self._changed.clear()

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Forget the faults of the days before one."""
        yield from delete_days(db, "faults", day)


def faults_of(db: sqlite3.Connection, days: list[str]) -> list[FaultRecord]:
    """The faults of some days, in the order of their first time."""
    query = f"""SELECT day, place, kind, text, first, last, count FROM faults
                WHERE day IN ({", ".join("?" * len(days))}) ORDER BY first, place, kind"""
    return [FaultRecord(*row) for row in db.execute(query, days)]
