"""What a state has that a command may be about: to be chosen from while the command is typed."""

from __future__ import annotations

import sqlite3

_MOST = 200


def networks(db: sqlite3.Connection, beginning: str) -> list[str]:
    """Networks that are banned, the first ones whose text begins so."""
    query = """SELECT DISTINCT network FROM bans WHERE network >= ? AND network < ?
               AND state != '{LIFTED}' ORDER BY network LIMIT ?"""
    return [row[0] for row in db.execute(query, (beginning, f"{beginning}\U0010ffff", _MOST))]


def labels(db: sqlite3.Connection) -> list[str]:
    """The labels of bans."""
    query = "SELECT DISTINCT label FROM bans WHERE state != '{LIFTED}' ORDER BY label LIMIT ?"
    return [row[0] for row in db.execute(query, (_MOST,))]


def days(db: sqlite3.Connection) -> list[str]:
    """The days that are kept, the newest first."""
    return [row[0] for row in db.execute("SELECT day FROM days ORDER BY day DESC")]


def machines(db: sqlite3.Connection) -> list[str]:
    """The names of machines that events came from."""
    query = "SELECT DISTINCT host FROM kind_counts WHERE host != '' ORDER BY host LIMIT ?"
    return [row[0] for row in db.execute(query, (_MOST,))]


def kinds(db: sqlite3.Connection) -> list[tuple[int, str]]:
    """The kinds that came most often, by their ids, with their texts."""
    query = "SELECT id, template FROM kinds ORDER BY count DESC LIMIT ?"
    return [(row[0], row[1]) for row in db.execute(query, (_MOST,))]


def outbox_items(db: sqlite3.Connection) -> list[tuple[str, str]]:
    """The ids of what is in the outbox, with what was wrong with it last, the newest first."""
    query = "SELECT id, coalesce(error, kind) FROM outbox ORDER BY number DESC LIMIT ?"
    return [(row[0], row[1]) for row in db.execute(query, (_MOST,))]
