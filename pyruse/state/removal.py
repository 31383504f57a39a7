"""Removing what is old, a slice at a time: after the day of a flood, that would take minutes.

Each slice is a transaction of its own. Whatever is left by an end of Pyruse goes with the next day.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_ROWS = 200
_PAGES = 500
_WORTH_SHRINKING = 8 << 20
"""A file of this size (bytes) is made smaller once more than half of it is empty."""
_QUICK = 32 << 20
"""Bytes that are in use, in a database of an older Pyruse, which are written anew within a second
or two."""
_INCREMENTAL = 2
"""Of ``PRAGMA auto_vacuum``: empty pages are given back on demand."""

Slices = Iterator[None]
"""Does a slice of some work each time."""


def delete(db: sqlite3.Connection, table: str, where: str, parameters: tuple[Any, ...]) -> Slices:
    """Delete rows of a table that has row IDs, some at a time."""
    query = f"""DELETE FROM {table} WHERE rowid IN
                (SELECT rowid FROM {table} WHERE {where} LIMIT {_ROWS})"""
    while db.execute(query, parameters).rowcount:
        yield


def delete_days(db: sqlite3.Connection, table: str, before: str) -> Slices:
    """Delete the rows before a day of a table whose rows of one day are bounded, day by day."""
    query = f"SELECT min(day) FROM {table}"
    while (day := db.execute(query).fetchone()[0]) is not None and day < before:
        db.execute(f"DELETE FROM {table} WHERE day = ?", (day,))
        yield


def use_increments(db: sqlite3.Connection) -> None:
    """Have empty pages given back in slices: in a new database, or one of an older Pyruse.

    That one has to be written anew for it, once, which holds up everything. So it is done at a
    start, and only if it is quick: after a flood, at the first start after that is forgotten.
    """
    pages = _pragma(db, "page_count")
    used = (pages - _pragma(db, "freelist_count")) * _pragma(db, "page_size")
    if _pragma(db, "auto_vacuum") == _INCREMENTAL or used > _QUICK:
        return
    db.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
    if pages:
        with suppress(sqlite3.OperationalError):  # no room for it now, or somebody reads
            db.execute("VACUUM")


def shrink(db: sqlite3.Connection) -> Slices:
    """Give room back to the disk where a flood, which is forgotten now, had taken it.

    Otherwise, empty pages are used again, and the file keeps its size; so it does where pages
    cannot be given back in slices (see `use_increments`).
    """
    pages, free = _pragma(db, "page_count"), _pragma(db, "freelist_count")
    if free * 2 <= pages or pages * _pragma(db, "page_size") <= _WORTH_SHRINKING:
        return
    while (
        _pragma(db, "auto_vacuum") == _INCREMENTAL and (free := _pragma(db, "freelist_count")) > 0
    ):
        db.execute(f"PRAGMA incremental_vacuum({_PAGES})").fetchall()
        if _pragma(db, "freelist_count") >= free:
            return
        yield


def _pragma(db: sqlite3.Connection, name: str) -> int:
    return int(db.execute(f"PRAGMA {name}").fetchone()[0])
