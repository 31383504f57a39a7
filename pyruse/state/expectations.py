"""What has to happen again and again: when it last did, and for how long it was absent."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from typing import ClassVar

from msgspec import Struct

from pyruse.state.due import Due
from pyruse.state.part import Part

MOST = 10_000
"""So many keys are watched, of all expectations together."""

ExpectedKey = tuple[str, str]
"""What is expected, and of whom; of nobody in particular: an empty text."""


class Expected(Struct):
    """Something that has to happen. Instants are microseconds since the epoch."""

    name: str
    key: str
    every: int
    """Microseconds: at least so often."""
    since: int
    """When it happened last; or, if it never did, since when it is expected."""
    happened: bool = False
    """Whether it ever did."""
    absent: int | None = None
    """Since when it is overdue, once that is told; None: it is not."""

    @property
    def due(self) -> int:
        """When it has to have happened again."""
        return self.since + self.every


class Absence(Struct):
    """That something did not happen. Instants are microseconds since the epoch."""

    name: str
    key: str
    every: int
    since: int
    """When it had happened last; or, if it never had, since when it was expected."""
    happened: bool
    """Whether it ever had."""
    begin: int
    """When it was overdue."""
    end: int | None = None
    """When it happened again, or was expected no longer; None: it is absent still."""


class Expectations(Part):
    """All that is expected, by name and key."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS expected (
            name TEXT NOT NULL, key TEXT NOT NULL, every INTEGER NOT NULL, since INTEGER NOT NULL,
            happened INTEGER NOT NULL, absent INTEGER, PRIMARY KEY (name, key)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS absences (
            name TEXT NOT NULL, key TEXT NOT NULL, every INTEGER NOT NULL, since INTEGER NOT NULL,
            happened INTEGER NOT NULL, begin INTEGER NOT NULL, "end" INTEGER,
            PRIMARY KEY (name, key, begin)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._expected: dict[ExpectedKey, Expected] = {}
        self._due: Due[ExpectedKey] = Due()
        """When each is overdue; those that are absent are not in it."""
        self._changed: set[ExpectedKey] = set()
        self._ended: list[tuple[int, ExpectedKey, int]] = []
        """Absences that are over since the last commit: their ends, whose, and their begins."""
        self._new: set[ExpectedKey] = set()
        """Those that are expected since `expect` was called."""
        self._begun: list[Absence] = []
        """Absences that have begun since then."""

    def __len__(self) -> int:
        return len(self._expected)

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to be written."""
        return bool(self._changed or self._ended)

    def expect(self, every: Mapping[str, int], each: set[str], now: int) -> None:
        """Have these things be expected, and no others.

        :param every: how often, in microseconds, by name.
        :param each: the names of those that are expected of each key.
        :param now: since when those are expected that were not before.
        """
        for key in list(self._expected):
            if key[0] not in every or (key[0] in each) != bool(key[1]):
                self._remove(key, now)
        self._new = {(name, "") for name in every if name not in each} - self._expected.keys()
        for name, _ in self._new:
            self._put(Expected(name, "", every[name], now))
        for one in list(self._expected.values()):
            if one.every != every[one.name]:
                one.every = every[one.name]
                if one.absent is not None and one.due > now:
                    self._end_absence(one, now)
                self._put(one)

    def expect_earlier(self, at: int) -> None:
        """Have what is new be expected since an instant, if that is earlier: that of an entry."""
        for key in self._new:
            one = self._expected[key]
            if at < one.since and not one.happened:
                one.since = at
                self._put(one)
        self._new.clear()

    def happened(self, name: str, key: str, every: int, at: int) -> None:
        """Something has happened that is expected.

        :param name: what it is.
        :param key: of whom; of nobody in particular: an empty text.
        :param every: how often it is expected, in microseconds.
        :param at: the entry's instant.
        :raises ValueError: too much is expected already.
        """
        one = self._expected.get((name, key))
        if one is None:
            if len(self._expected) >= MOST:
                raise ValueError(
                    f"{MOST:,} keys are expected already (expected fewer: a key such as _HOSTNAME, "
                    "which nobody makes up)"
                )
            one = Expected(name, key, every, at)
        if at < one.since and one.happened:
            return
        if one.absent is not None:
            self._end_absence(one, max(at, one.absent))
        one.since, one.happened = max(at, one.since), True
        self._put(one)

    def next_due(self) -> int | None:
        """When something is overdue next, unless it happens before; None: never."""
        return self._due.next()

    def overdue(self, at: int) -> list[Absence]:
        """What has not happened until an instant, and is absent from now on: each is told once."""
        absences = []
        for key in self._due.pop_until(at):
            one = self._expected[key]
            one.absent = one.due
            self._changed.add(key)
            absences.append(Absence(one.name, one.key, one.every, one.since, one.happened, one.due))
        self._begun += absences
        return absences

    def forget_before(self, at: int) -> list[Expected]:
        """Forget the keys that were absent all the time since an instant: they are gone for good.

        :return: what they were.
        """
        gone = [one for one in self._expected.values() if one.key and one.since < at]
        gone = [one for one in gone if one.absent is not None]
        for one in gone:
            self._remove((one.name, one.key), at)
        return gone

    def _put(self, one: Expected) -> None:
        key = one.name, one.key
        self._expected[key] = one
        self._changed.add(key)
        if one.absent is None:
            self._due.set(key, one.due)

    def _remove(self, key: ExpectedKey, at: int) -> None:
        one = self._expected.pop(key)
        if one.absent is not None:
            self._end_absence(one, max(at, one.absent))
        self._due.discard(key)
        self._changed.add(key)

    def _end_absence(self, one: Expected, at: int) -> None:
        assert one.absent is not None
        self._ended.append((at, (one.name, one.key), one.absent))
        one.absent = None

    def load(self, db: sqlite3.Connection) -> None:
        """Read what is expected."""
        query = "SELECT name, key, every, since, happened, absent FROM expected"
        for name, key, every, since, happened, absent in db.execute(query):
            one = Expected(name, key, every, since, bool(happened), absent)
            self._expected[name, key] = one
            if absent is None:
                self._due.set((name, key), one.due)

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for name, key in self._changed:
            one = self._expected.get((name, key))
            if one is None:
                db.execute("DELETE FROM expected WHERE name = ? AND key = ?", (name, key))
                continue
            db.execute(
                "INSERT OR REPLACE INTO expected VALUES (?, ?, ?, ?, ?, ?)",
                (name, key, one.every, one.since, one.happened, one.absent),
            )
        db.executemany(
            "INSERT OR IGNORE INTO absences VALUES (?, ?, ?, ?, ?, ?, NULL)",
            [
                (one.name, one.key, one.every, one.since, one.happened, one.begin)
                for one in self._begun
            ],
        )
        for end, key_of_absence, begin in self._ended:
            db.execute(
                'UPDATE absences SET "end" = ? WHERE name = ? AND key = ? AND begin = ?',
                (end, *key_of_absence, begin),
            )

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
        self._begun.clear()
        self._ended.clear()

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Remove the absences that are over since long ago."""
        db.execute('DELETE FROM absences WHERE "end" < ?', (time_us,))
        yield


def expected_of(db: sqlite3.Connection) -> list[Expected]:
    """What is expected: what is absent first, then by when it is due."""
    query = """SELECT name, key, every, since, happened, absent FROM expected
               ORDER BY absent IS NULL, since + every, name, key"""
    return [
        Expected(name, key, every, since, bool(happened), absent)
        for name, key, every, since, happened, absent in db.execute(query)
    ]


def absences_of(db: sqlite3.Connection, begin: int, end: int) -> list[Absence]:
    """What was absent at some time of a period: from an instant until just before another one."""
    query = """SELECT name, key, every, since, happened, begin, "end" FROM absences
               WHERE begin < ? AND ("end" IS NULL OR "end" >= ?) ORDER BY begin, name, key"""
    return [
        Absence(name, key, every, since, bool(happened), began, ended)
        for name, key, every, since, happened, began, ended in db.execute(query, (end, begin))
    ]
