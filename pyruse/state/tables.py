"""Small durable tables: what plugins remember from one entry to the next."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import Any, ClassVar

import msgspec

from pyruse.state.due import Due
from pyruse.state.part import Part
from pyruse.text import encodable
from pyruse.times import FOREVER

_LONGEST_KEY = 1_000  # characters
_LONGEST_VALUE = 1 << 18
"""Bytes of a value as JSON: tables are in memory."""


class Table:
    """Values under text keys, each until an instant (µs since the epoch) or for ever.

    Values are what JSON can hold. They survive a restart, and are written in the same transaction
    as the entries that caused them.
    """

    def __init__(self) -> None:
        self._values: dict[str, Any] = {}
        self._until: Due[str] = Due()
        """Until when each key is remembered; a key that is not in it, for ever."""
        self._changed: dict[str, bytes | None] = {}
        """What is to be written, as JSON; None: it was removed."""

    def get(self, key: str, *, at: int) -> Any | None:
        """The value under a key, or None when there is none, or when it has expired."""
        until = self._until.get(key)
        return self._values.get(key) if until is None or until > at else None

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
        self._changed[key] = encoded
        self.restore(key, value, until)

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

    def restore(self, key: str, value: Any, until: int | None) -> None:
        """Take a value over from the database."""
        self._values[key] = value
        if until is None:
            self._until.discard(key)
        else:
            self._until.set(key, until)

    def changes(self) -> list[tuple[str, bytes | None, int | None]]:
        """What changed since the last commit: keys, values as JSON (None: removed), instants."""
        return [(key, value, self._until.get(key)) for key, value in self._changed.items()]

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()


class Tables(Part):
    """All the tables, by name."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS plugin_tables (
            name TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, until INTEGER,
            PRIMARY KEY (name, key)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._tables: dict[str, Table] = {}

    def table(self, name: str) -> Table:
        """The table of a name, made when first asked for.

        :raises TypeError: the name is no text.
        :raises ValueError: the database cannot hold it.
        """
        _check_text(name, "name of a table")
        return self._tables.setdefault(name, Table())

    def expire(self, at: int) -> None:
        """Drop what has expired."""
        for table in self._tables.values():
            table.expire(at)

    def load(self, db: sqlite3.Connection) -> None:
        """Read everything."""
        for name, key, value, until in db.execute("SELECT * FROM plugin_tables"):
            self.table(name).restore(key, msgspec.json.decode(value), until)

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for name, table in self._tables.items():
            for key, value, until in table.changes():
                if value is None:
                    db.execute("DELETE FROM plugin_tables WHERE name = ? AND key = ?", (name, key))
                else:
                    db.execute(
                        "INSERT OR REPLACE INTO plugin_tables VALUES (?, ?, ?, ?)",
                        (name, key, value, until),
                    )

    def saved(self) -> None:
        """The changes are committed."""
        for table in self._tables.values():
            table.saved()


def _check_text(value: object, what: str) -> None:
    """Found out at the commit, it would cost the whole batch.

    :raises TypeError: it is no text.
    :raises ValueError: it is none that UTF-8 can encode.
    """
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no {what} (expected text)")
    if encodable(value) != value:
        raise ValueError(f"{value!r} is no {what} (expected text that UTF-8 can encode)")
