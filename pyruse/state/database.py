"""The state as a whole: its parts, in one SQLite database, committed together."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path
from typing import Self
from urllib.parse import urlsplit

from pyruse.bans.ledger import Ledger
from pyruse.errors import UserError
from pyruse.state.counters import Counters
from pyruse.state.days import Days
from pyruse.state.outbox import Outbox
from pyruse.state.part import Part
from pyruse.state.tables import Tables

#: "Pyrs": marks a database as Pyruse's (SQLite's PRAGMA application_id).
_APPLICATION_ID = 0x50797273
_SCHEMA_VERSION = 1

_SCHEMA = """
    CREATE TABLE IF NOT EXISTS cursor (
        only INTEGER PRIMARY KEY CHECK (only = 1), cursor TEXT NOT NULL, time INTEGER NOT NULL
    );
"""

MEMORY = ":memory:"


class StateError(UserError):
    """The database cannot be used."""


class State:
    """Everything that outlives an entry, each part with one owner.

    One transaction holds the journal's cursor *and* everything that the entries up to it caused:
    after a crash at any instant, the next start resumes at the cursor as if nothing had happened.
    """

    def __init__(self, path: str = MEMORY, *, read_only: bool = False) -> None:
        """Open the database, made if it is not there (unless ``read_only``).

        :raises StateError: it cannot be opened, or it is not Pyruse's.
        """
        self.path = path
        self.counters = Counters()
        self.tables = Tables()
        self.days = Days()
        self.bans = Ledger()
        self.outbox = Outbox()
        self.cursor: tuple[str, int] | None = None
        """The journal's cursor up to which everything is handled, and that entry's instant."""
        self._parts: tuple[Part, ...] = (
            self.counters, self.tables, self.days, self.bans, self.outbox,
        )  # fmt: skip
        try:
            self.db = _connect(path, read_only)
            try:
                self._open(read_only)
            except BaseException:
                self.db.close()
                raise
        except (sqlite3.Error, OSError) as fault:
            reason = fault.strerror if isinstance(fault, OSError) else fault
            raise StateError(
                f"{path}: the state cannot be opened: {reason} (expected a file that this user may "
                "read and write; another one is chosen by [state] url)"
            ) from None

    def _open(self, read_only: bool) -> None:
        (application_id,) = self.db.execute("PRAGMA application_id").fetchone()
        (version,) = self.db.execute("PRAGMA user_version").fetchone()
        (tables,) = self.db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
        if tables and application_id != _APPLICATION_ID:
            raise StateError(f"{self.path}: not a database of Pyruse's (expected another file)")
        if version > _SCHEMA_VERSION:
            raise StateError(
                f"{self.path}: written by a newer Pyruse, schema {version} "
                f"(expected at most {_SCHEMA_VERSION}: upgrade Pyruse)"
            )
        if not tables and read_only:
            raise StateError(f"{self.path}: there is nothing in it (expected a state of Pyruse's)")
        if not tables:
            self.db.execute("PRAGMA journal_mode = WAL")
            # In one transaction: a database that is half made would be nobody's.
            self.db.executescript(
                f"""BEGIN IMMEDIATE;
                {_SCHEMA}
                {"".join(part.SCHEMA for part in self._parts)}
                PRAGMA application_id = {_APPLICATION_ID};
                PRAGMA user_version = {_SCHEMA_VERSION};
                COMMIT;"""
            )
        # In WAL mode NORMAL never damages the database; after a power cut the last transactions
        # may be undone as a whole, cursor and all, and are then done again.
        self.db.execute("PRAGMA synchronous = NORMAL")

    def load(self) -> None:
        """Read the working state of every part."""
        row = self.db.execute("SELECT cursor, time FROM cursor").fetchone()
        self.cursor = None if row is None else (row[0], row[1])
        for part in self._parts:
            part.load(self.db)

    def commit(self, cursor: tuple[str, int] | None = None) -> None:
        """Write, in one transaction, what changed in every part, and the cursor.

        When it fails, nothing is written and nothing is forgotten: it can be called again.

        :raises sqlite3.Error: it failed, for want of room for instance.
        """
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for part in self._parts:
                part.save(self.db)
            if cursor is not None:
                self.db.execute("INSERT OR REPLACE INTO cursor VALUES (1, ?, ?)", cursor)
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise
        for part in self._parts:
            part.saved()
        if cursor is not None:
            self.cursor = cursor

    def expire(self, now: int) -> None:
        """Drop what no longer counts at an instant in entry time."""
        self.counters.expire(now)
        self.tables.expire(now)
        self.bans.expire(now)

    def remove_before(self, time_us: int, day: date) -> None:
        """Remove what is older than it should be kept: reported days, and the history of bans.

        :raises sqlite3.Error: it failed.
        """
        self.days.remove(self.db, day.isoformat())
        self.bans.remove_history(self.db, time_us)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the database; so does the end of a ``with`` block."""
        self.db.close()


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


def _connect(path: str, read_only: bool) -> sqlite3.Connection:
    if path == MEMORY:
        return sqlite3.connect(path, isolation_level=None)
    if read_only:
        uri = f"{Path(path).absolute().as_uri()}?mode=ro"
        return sqlite3.connect(uri, uri=True, isolation_level=None, timeout=10)
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
    if not file.exists():
        file.touch(mode=0o640)  # log lines are nobody else's business
    return sqlite3.connect(path, isolation_level=None, timeout=10)
