"""The history of bans, for reports and lists only: it decides nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from pyruse.api.bans import Ban
from pyruse.api.firewall import Target
from pyruse.state import alike_rows
from pyruse.state.bans import target_of_json, target_to_json
from pyruse.state.part import Part
from pyruse.state.removal import delete
from pyruse.times import FOREVER

AGGREGATE = "aggregate"
"""The label of networks that are banned because many of their addresses are."""


class BanRecord(NamedTuple):
    """A line of the history."""

    at: int
    """When the ban began, or was made longer, in microseconds since the epoch."""
    ban: Ban
    """As it was then; `Ban.since` is the same in all the records of one ban."""


class BanHistory(Part):
    """What each ban was when it began, and each time that it was made longer."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS ban_history (
            time INTEGER NOT NULL, network TEXT NOT NULL, target BLOB NOT NULL, label TEXT NOT NULL,
            chain TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
            level INTEGER NOT NULL
        );
        CREATE INDEX IF NOT EXISTS ban_history_by_time ON ban_history (time);
    """

    def __init__(self) -> None:
        self._new: list[tuple[int, Ban]] = []

    def add(self, ban: Ban, at: int) -> None:
        """Note that a ban began, or was made longer, at an instant."""
        self._new.append((at, ban))

    def load(self, db: sqlite3.Connection) -> None:
        """Nothing is kept in memory."""

    def save(self, db: sqlite3.Connection) -> None:
        """Write what is new."""
        rows = [
            (
                ban.network,
                (at, ban.target, ban.label, ban.chain, ban.reason, ban.since, ban.until, ban.count),
            )
            for at, ban in self._new
        ]
        columns = "network, time, target, label, chain, reason, since, until, level"
        alike_rows.insert(db, f"INSERT INTO ban_history ({columns})", rows, _values)

    def saved(self) -> None:
        """What was new is committed."""
        self._new.clear()

    @staticmethod
    def read(db: sqlite3.Connection, since: int = 0, until: int = FOREVER) -> list[BanRecord]:
        """The records of a period, in order; a ban that was made longer comes again."""
        query = """SELECT time, network, target, label, chain, reason, since, until, level
                   FROM ban_history WHERE time >= ? AND time < ? ORDER BY time, rowid"""
        return [
            BanRecord(
                at,
                Ban(
                    network, label, began, end, reason, chain, level + 1,
                    target_of_json(target), label == AGGREGATE,
                ),
            )
            for at, network, target, label, chain, reason, began, end, level in db.execute(
                query, (since, until)
            )
        ]  # fmt: skip

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Remove the records before an instant; how often somebody was banned is kept apart."""
        yield from delete(db, "ban_history", "time < ?", (time_us,))


def _values(alike: tuple[int, Target, str, str, str, int, int | None, int]) -> tuple[object, ...]:
    """What the rows have in common that are alike but for their networks."""
    at, target, label, chain, reason, since, until, count = alike
    return at, target_to_json(target), label, chain, reason, since, until, count - 1


def bans_begun(db: sqlite3.Connection, since: int, until: int) -> int:
    """How many bans began in a period; one that was only made longer had begun before.

    :param db: a connection to a state.
    :param since: the first instant, in microseconds since the epoch.
    :param until: the first instant after it.
    """
    query = "SELECT count(*) FROM ban_history WHERE time >= ? AND time < ? AND since = time"
    count: int = db.execute(query, (since, until)).fetchone()[0]
    return count
