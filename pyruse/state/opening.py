"""Opens the state's database: to be read by commands that need no more of the state than rows."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from pyruse.state.damage import (
    APPLICATION_ID,
    DamagedError,
    StateError,
    error_of,
    has_lost_its_file,
    wal_of,
)
from pyruse.state.migrations import VERSION

MEMORY = ":memory:"


def path_of(url: str) -> str:
    """The file of a URL such as ``sqlite:///var/lib/pyruse/state.sqlite``.

    :raises ValueError: it is no such URL.
    """
    parts = urlsplit(url)
    if parts.scheme != "sqlite" or parts.netloc or not parts.path.startswith("/"):
        raise ValueError(
            f'"{url}" is no place for the state (expected "sqlite:///PATH/state.sqlite")'
        )
    return parts.path


@contextmanager
def reading(path: str) -> Iterator[sqlite3.Connection]:
    """Read a state as it is at one instant, while a daemon may write it.

    :raises StateError: it cannot be read, or it is not Pyruse's (`DamagedError`: it is).
    """
    try:
        db = connect(path, read_only=True)
        try:
            checked_version(db, path, read_only=True)
            db.execute("BEGIN")
            yield db
            db.execute("COMMIT")
        finally:
            db.close()
    except (sqlite3.Error, OSError) as fault:
        raise error_of(path, fault) from None


def connect(path: str, *, read_only: bool) -> sqlite3.Connection:
    """Open a database, made if it is not there (unless ``read_only``).

    :raises sqlite3.Error: it cannot be opened; or an OSError.
    :raises DamagedError: it has lost its file.
    """
    if path == MEMORY:
        return sqlite3.connect(path, isolation_level=None)
    if has_lost_its_file(path):
        raise DamagedError(path, "its file is empty or gone, and its write-ahead log is not")
    if read_only:
        uri = f"{Path(path).absolute().as_uri()}?mode=ro"
        if not os.access(Path(path).parent, os.W_OK) and not os.path.exists(wal_of(path)):
            # No daemon is at work. SQLite would first make the index of a log (its page on WAL):
            # that fails for a user who may only read.
            uri += "&immutable=1"
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    if not file.exists():
        file.touch(mode=0o640)  # log lines are nobody else's business
    return sqlite3.connect(path, isolation_level=None, timeout=10)


def checked_version(db: sqlite3.Connection, path: str, *, read_only: bool) -> int:
    """The version of a database's schema.

    :raises StateError: it is not Pyruse's, or not of this Pyruse.
    """
    (application_id,) = db.execute("PRAGMA application_id").fetchone()
    (version,) = db.execute("PRAGMA user_version").fetchone()
    (tables,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if tables and application_id != APPLICATION_ID:
        raise StateError(f"{path}: not a database of Pyruse's (expected another file)")
    if version > VERSION:
        raise StateError(
            f"{path}: written by a newer Pyruse, schema {version} "
            f"(expected at most {VERSION}: upgrade Pyruse)"
        )
    if not tables and read_only:
        raise StateError(f"{path}: there is nothing in it (expected a state of Pyruse's)")
    if version < VERSION and read_only:
        raise StateError(
            f"{path}: written by an older Pyruse, schema {version} (expected {VERSION}: "
            "`pyruse run` brings it up to date when it starts)"
        )
    return int(version)
