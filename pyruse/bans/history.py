"""The bans that were, for reports and lists. Nothing is decided by them."""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

from pyruse.api.firewall import Target
from pyruse.bans.targets import target_of_json, target_to_json

SCHEMA = """
    CREATE TABLE IF NOT EXISTS ban_history (
        time INTEGER NOT NULL, network TEXT NOT NULL, target BLOB NOT NULL, label TEXT NOT NULL,
        chain TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
        level INTEGER NOT NULL
    );
    CREATE INDEX IF NOT EXISTS ban_history_by_time ON ban_history (time);
"""


class BanRecord(NamedTuple):
    """A line of the history: a ban began, or was made longer. Instants as in `Ban`."""

    time: int
    """When that was."""
    network: str
    """An address, or a network with its prefix length."""
    target: Target
    label: str
    chain: str
    reason: str
    since: int
    """When the ban began: the same in all the records of one ban."""
    until: int | None
    level: int


def read(db: sqlite3.Connection, since: int, until: int) -> list[BanRecord]:
    """The records of a period, in order."""
    query = """SELECT time, network, target, label, chain, reason, since, until, level
               FROM ban_history WHERE time >= ? AND time < ? ORDER BY time, rowid"""
    return [
        BanRecord(time, network, target_of_json(target), *rest)
        for time, network, target, *rest in db.execute(query, (since, until))
    ]


def write(db: sqlite3.Connection, records: list[BanRecord]) -> None:
    """Add records."""
    db.executemany(
        "INSERT INTO ban_history VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [(*one[:2], target_to_json(one.target), *one[3:]) for one in records],
    )


def remove(db: sqlite3.Connection, before: int) -> None:
    """Forget the records before an instant."""
    db.execute("DELETE FROM ban_history WHERE time < ?", (before,))
