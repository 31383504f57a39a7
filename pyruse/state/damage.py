"""Damage to the state's file: how Pyruse recognises it, and what Pyruse says of it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pyruse.errors import UserError

APPLICATION_ID = 0x50797273
""""Pyrs": marks a database as Pyruse's (SQLite's PRAGMA application_id)."""

_MARK = slice(68, 72)
"""Where the mark is in the file (sqlite.org/fileformat2.html, 1.3). A file that has lost its header
may be anybody's, and is left alone."""

_DAMAGE = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_UNREADABLE = {
    sqlite3.SQLITE_IOERR_READ, sqlite3.SQLITE_IOERR_SHORT_READ, sqlite3.SQLITE_IOERR_CORRUPTFS,
    sqlite3.SQLITE_IOERR_DATA,
}  # fmt: skip


class StateError(UserError):
    """The database cannot be used."""


class DamagedError(StateError):
    """The database is Pyruse's, but a part of it cannot be read."""

    def __init__(self, path: str, reason: object) -> None:
        super().__init__(
            f"{path}: the state is damaged: {reason} (expected a whole one: when `pyruse run` "
            "starts, it keeps what can be read of it, and sets the file aside)"
        )
        self.reason = str(reason)


class MissingError(StateError):
    """The database is no longer where it was opened: nobody would find what is written now."""


def is_damage(fault: sqlite3.Error) -> bool:
    """Whether an error of SQLite's means that the file no longer holds what was written.

    A full disk, or one that cannot be written to, is no damage.
    """
    code = getattr(fault, "sqlite_errorcode", None)
    if code is None:  # not SQLite's own, but Python's
        return "Could not decode to UTF-8" in str(fault)
    return code & 0xFF in _DAMAGE or code in _UNREADABLE


def error_of(path: str, fault: sqlite3.Error | OSError) -> StateError:
    """What is said of a fault that the database cannot be used for."""
    if isinstance(fault, sqlite3.Error) and is_damage(fault) and is_state(path):
        return DamagedError(path, fault)
    reason = fault.strerror if isinstance(fault, OSError) else fault
    if getattr(fault, "sqlite_errorcode", None) == sqlite3.SQLITE_IOERR_SHMSIZE:
        reason = "there is no room on the disk"
    return StateError(
        f"{path}: the state cannot be used: {reason} (expected a file that this user may "
        "read and write; another one is chosen by [state] url)"
    )


def is_state(path: str) -> bool:
    """Whether a file is Pyruse's, as far as can be seen without SQLite, which may not read it."""
    try:
        with Path(path).open("rb") as file:
            return file.read(_MARK.stop)[_MARK] == APPLICATION_ID.to_bytes(4)
    except OSError:
        return False


def has_lost_its_file(path: str) -> bool:
    """Whether the database is empty, or gone, but has a log, which SQLite would then remove."""
    return _size(path) <= 0 and _size(wal_of(path)) > 0


def was_not_closed(path: str) -> bool:
    """Whether the last user of the database crashed: its write-ahead log still exists."""
    return _size(wal_of(path)) > 0


def wal_of(path: str) -> str:
    """The write-ahead log of a database."""
    return f"{path}-wal"


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return -1
