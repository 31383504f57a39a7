"""The positions: how far the journal of each machine is handled."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from typing import ClassVar

from pyruse.state.part import Part

Cursor = tuple[str, int]
"""A cursor, and its instant in microseconds since the epoch."""

_OLD = "*"  # of a state that knew one cursor for all machines; no machine's name


class Positions(Part):
    """A cursor for each machine, written in the transaction of what its entries caused.

    An instant alone (``t=…`` in hexadecimal) is a cursor, too: a part of libsystemd's.
    """

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS positions (
            machine TEXT PRIMARY KEY, cursor TEXT NOT NULL, time INTEGER NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS held_entries (
            machine TEXT NOT NULL, number INTEGER NOT NULL, cursor TEXT NOT NULL,
            time INTEGER NOT NULL, PRIMARY KEY (machine, number)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS sources (source TEXT PRIMARY KEY) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._positions: dict[str, Cursor] = {}
        self._held: dict[str, tuple[Cursor, ...]] = {}
        self._sources: set[str] = set()
        self._saved_held: set[str] = set()
        """The machines that have rows of held entries."""
        self._changed: set[str] = set()
        self._new_sources: set[str] = set()

    def get(self, machine: str) -> Cursor | None:
        """The cursor of the entry of a machine that was handled last, and that entry's instant.

        Where a machine is not known yet, a state of before it was told apart has one for all.
        """
        return self._positions.get(machine) or self._positions.get(_OLD)

    def machines(self) -> list[str]:
        """The machines that have a position."""
        return [machine for machine in self._positions if machine != _OLD]

    def held(self, machine: str) -> tuple[Cursor, ...]:
        """The entries before the position that are not handled: more of their lines is to come."""
        return self._held.get(machine, ())

    def update(
        self, positions: Mapping[str, Cursor], held: Mapping[str, Iterable[Cursor]] = {}
    ) -> None:
        """More entries are handled.

        :param positions: by machine.
        :param held: the entries before them that are not handled yet.
        """
        self._positions.update(positions)
        self._changed.update(positions)
        for machine in positions:
            self._held[machine] = tuple(held.get(machine, ()))

    def latest(self) -> int | None:
        """The instant of the newest entry that is handled, or None where none is."""
        return max((time_us for _, time_us in self._positions.values()), default=None)

    def follows(self, source: str) -> bool:
        """Whether a journal was followed before: what is new in it is to be read."""
        return source in self._sources or _OLD in self._positions

    def follow(self, sources: set[str]) -> None:
        """From now on, these journals are followed, and each machine in them has its position."""
        self._new_sources |= sources - self._sources
        self._sources |= sources
        if self._positions.pop(_OLD, None) is not None:
            self._changed.add(_OLD)

    def load(self, db: sqlite3.Connection) -> None:
        """Read everything."""
        for machine, cursor, time_us in db.execute("SELECT machine, cursor, time FROM positions"):
            self._positions[machine] = (str(cursor), int(time_us))
        for machine, cursor, time_us in db.execute(
            "SELECT machine, cursor, time FROM held_entries ORDER BY machine, number"
        ):
            self._held[machine] = (*self.held(machine), (str(cursor), int(time_us)))
            self._saved_held.add(machine)
        self._sources = {source for (source,) in db.execute("SELECT source FROM sources")}

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for machine in self._changed:
            known = self._positions.get(machine)
            if known is None:
                db.execute("DELETE FROM positions WHERE machine = ?", (machine,))
            else:
                db.execute("INSERT OR REPLACE INTO positions VALUES (?, ?, ?)", (machine, *known))
            if machine in self._saved_held or self.held(machine):
                db.execute("DELETE FROM held_entries WHERE machine = ?", (machine,))
                db.executemany(
                    "INSERT INTO held_entries VALUES (?, ?, ?, ?)",
                    [
                        (machine, number, *cursor)
                        for number, cursor in enumerate(self.held(machine))
                    ],
                )
        for source in self._new_sources:
            db.execute("INSERT OR IGNORE INTO sources VALUES (?)", (source,))

    def saved(self) -> None:
        """The changes are committed."""
        self._saved_held |= {machine for machine in self._changed if self.held(machine)}
        self._changed.clear()
        self._new_sources.clear()


def place_in_time(db: sqlite3.Connection, time_us: int) -> None:
    """Where no position is known any more, go on at an instant (µs since the epoch)."""
    db.execute(
        "INSERT INTO positions SELECT ?, ?, ? WHERE NOT EXISTS (SELECT 1 FROM positions)",
        (_OLD, f"t={time_us:x}", time_us),
    )
