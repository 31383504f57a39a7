"""Small durable tables: what plugins remember from one entry to the next."""

from __future__ import annotations

import itertools
import sqlite3
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

import msgspec

from pyruse.state.due import Due
from pyruse.state.part import Part
from pyruse.text import encodable
from pyruse.times import FOREVER

_LONGEST_KEY = 1_000  # characters
_LONGEST_VALUE = 1 << 18
"""Bytes of a value as JSON: tables are in memory."""
KEPT = 100_000
"""So many values are kept, in all the tables together, some 500 bytes each beside key and value.
Where there are more, the oldest of the largest table go: whoever makes up keys washes out the table
of these keys, and no other."""


class Table:
    """Values under text keys, each until an instant (µs since the epoch) or for ever.

    Values are what JSON can hold. They survive a restart, and are written in the same transaction
    as the entries that caused them.
    """

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}
        """As JSON, which takes half the room, in the order in which they were put."""
        self._until: Due[str] = Due()
        """Until when each key is remembered; a key that is not in it, for ever."""
        self._changed: dict[str, None] = {}
        """What is to be written or, where there is no such value any more, removed; in order."""

    def get(self, key: str, *, at: int) -> Any | None:
        """The value under a key, or None when there is none, or when it has expired."""
        value = self._values.get(key)
        if value is None:
            return None
        until = self._until.get(key)
        return msgspec.json.decode(value) if until is None or until > at else None

    def put(self, key: str, value: Any, *, until: int | None = None) -> None:
        """Remember a value.

        :param key: the key, in this table.
        :param value: what JSON can hold; None forgets the key.
        :param until: an instant in entry time; None: for ever.
        :raises TypeError: JSON cannot hold the value, the key is no text, or the instant no number.
        :raises ValueError: the database cannot hold the key or the instant, or the key or the value
            is too long.
        """
        _check_text(key, "key of a table")
        if len(key) > _LONGEST_KEY:
            raise ValueError(
                f"the key has {len(key):,} characters (expected {_LONGEST_KEY:,} at most)"
            )
        if until is not None:
            if not isinstance(until, int):
                raise TypeError(f"{until!r} is no instant (expected microseconds)")
            if not -FOREVER <= until <= FOREVER:
                raise ValueError(f"until is no instant (expected {FOREVER} at most)")
        if value is None:
            self.remove(key)
            return
        encoded = msgspec.json.encode(value)
        if len(encoded) > _LONGEST_VALUE:
            raise ValueError(
                f"the value has {len(encoded):,} bytes as JSON (expected {_LONGEST_VALUE:,} at "
                "most)"
            )
        self._values.pop(key, None)  # the newest comes last, again
        self._changed.pop(key, None)
        self._changed[key] = None
        self.restore(key, encoded, until)

    def remove(self, key: str) -> None:
        """Forget a key; one that is not there is fine."""
        if self._values.pop(key, None) is not None:
            self._until.discard(key)
            self._changed[key] = None

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def expire(self, at: int) -> None:
        """Drop what has expired."""
        for key in self._until.pop_until(at):
            self.remove(key)

    def drop_oldest(self, number: int) -> None:
        """Drop the values that were put longest ago, so many of them."""
        for key in list(itertools.islice(self._values, number)):
            self.remove(key)

    def restore(self, key: str, value: bytes, until: int | None) -> None:
        """Take a value over from the database, as JSON."""
        self._values[key] = value
        if until is None:
            self._until.discard(key)
        else:
            self._until.set(key, until)

    def changes(self) -> list[tuple[str, bytes | None, int | None]]:
        """What changed since the last commit: keys, values as JSON (None: removed), instants."""
        return [(key, self._values.get(key), self._until.get(key)) for key in self._changed]

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()


class Tables(Part):
    """All the tables, by name."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS remembered (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, until INTEGER,
            UNIQUE (name, key)
        );
    """

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}
        self._dropped: Counter[str] = Counter()
        """How many values each table has lost, for want of room, since that was last told."""

    def table(self, name: str) -> Table:
        """The table of a name, made when first asked for.

        :raises TypeError: the name is no text.
        :raises ValueError: the database cannot hold it.
        """
        table = self._tables.get(name)
        if table is None:
            _check_text(name, "name of a table")
            table = self._tables[name] = Table()
        return table

    def expire(self, at: int) -> None:
        """Drop what has expired; and of what is left, what is more than can be kept."""
        for table in self._tables.values():
            table.expire(at)
        excess = sum(map(len, self._tables.values())) - KEPT
        while excess > 0:
            largest, *others = sorted(self._tables, key=self._size_of, reverse=True)
            next_size = self._size_of(others[0]) if others else 0
            dropped = min(excess, max(1, self._size_of(largest) - next_size))
            self._tables[largest].drop_oldest(dropped)
            self._dropped[largest] += dropped
            excess -= dropped

    def _size_of(self, name: str) -> int:
        return len(self._tables[name])

    def take_dropped(self) -> Counter[str]:
        """How many values were dropped for want of room since the last call, by table."""
        dropped, self._dropped = self._dropped, Counter()
        return dropped

    def load(self, db: sqlite3.Connection) -> None:
        """Read everything.

        :raises ValueError: a value is no JSON.
        """
        query = "SELECT name, key, value, until FROM remembered ORDER BY number"
        for name, key, value, until in db.execute(query):
            msgspec.json.decode(value)
            self.table(name).restore(key, value, until)

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for name, table in self._tables.items():
            for key, value, until in table.changes():
                if value is None:
                    db.execute("DELETE FROM remembered WHERE name = ? AND key = ?", (name, key))
                else:  # the newest gets the highest number
                    db.execute(
                        "INSERT OR REPLACE INTO remembered (name, key, value, until)"
                        " VALUES (?, ?, ?, ?)",
                        (name, key, value, until),
                    )

    def saved(self) -> None:
        """The changes are committed."""
        for table in self._tables.values():
            table.saved()


class _CommittedTable(Table):
    """A table as it is committed; nobody would keep what is put into it."""

    def put(self, key: str, value: Any, *, until: int | None = None) -> None:
        _refuse_change()

    def remove(self, key: str) -> None:
        _refuse_change()


def committed_table(db: sqlite3.Connection, name: str) -> Table:
    """A table as a database holds it, to be read only; in any thread.

    :param db: the committed state.
    :param name: of the table; it need not be there.
    """
    _check_text(name, "name of a table")
    table = _CommittedTable()
    query = "SELECT key, value, until FROM remembered WHERE name = ? ORDER BY number"
    for key, value, until in db.execute(query, (name,)):
        table.restore(key, value, until)
    return table


def _refuse_change() -> NoReturn:
    raise RuntimeError(
        "the table can only be read here (expected changes in on_day_end, or when an entry comes)"
    )


def _check_text(value: object, what: str) -> None:
    """Found out at the commit, it would cost the whole batch.

    :raises TypeError: it is no text.
    :raises ValueError: it is none that UTF-8 can encode.
    """
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no {what} (expected text)")
    if encodable(value) != value:
        raise ValueError(f"{value!r} is no {what} (expected text that UTF-8 can encode)")
