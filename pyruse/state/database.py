"""The state as a whole: its parts, in one SQLite database, committed together."""

from __future__ import annotations

import gc
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from pyruse.state.ban_events import BanEvents
from pyruse.state.ban_history import BanHistory
from pyruse.state.bans import StoredBans
from pyruse.state.counted_kinds import CountedKinds
from pyruse.state.counters import Counters
from pyruse.state.damage import (
    APPLICATION_ID,
    DamagedError,
    MissingError,
    error_of,
    is_damage,
)
from pyruse.state.days import Days
from pyruse.state.expectations import Expectations
from pyruse.state.faults import FaultRecords
from pyruse.state.firewalls import FirewallRecords
from pyruse.state.migrations import VERSION, migrate
from pyruse.state.offenders import Offenders
from pyruse.state.opening import MEMORY, checked_version, connect
from pyruse.state.outbox import Outbox
from pyruse.state.part import Part
from pyruse.state.positions import Positions
from pyruse.state.removal import shrink, use_increments
from pyruse.state.tables import Tables
from pyruse.state.tallies import Tallies

_LOG_LIMIT = 4 << 20
"""So long the log may stay, in bytes: after a long reader had made it grow, it is cut again."""
_CACHE_KB = 512
"""Pages that SQLite keeps in memory, in KiB. Rows are added at the end of their tables, and what is
large is in the kernel's cache: with four times as many (SQLite's default), nothing is faster."""


class State:
    """Everything that outlives an entry, each part with one owner.

    One transaction holds the positions in the journal *and* everything that the entries up to there
    caused: after a crash at any instant, the next start goes on there as if nothing had happened.
    """

    def __init__(self, path: str = MEMORY, *, read_only: bool = False) -> None:
        """Open the database, made if it is not there (unless ``read_only``).

        :raises StateError: it cannot be opened, or it is not Pyruse's (`DamagedError`: it is).
        """
        self.path = path
        self.counters = Counters()
        self.tables = Tables()
        self.days = Days()
        self.tallies = Tallies()
        self.kinds = CountedKinds()
        self.bans = StoredBans()
        self.firewalls = FirewallRecords()
        self.ban_history = BanHistory()
        self.ban_events = BanEvents()
        self.offenders = Offenders()
        self.outbox = Outbox()
        self.faults = FaultRecords()
        self.expectations = Expectations()
        self.positions = Positions()
        self.parts: tuple[Part, ...] = (
            self.positions, self.counters, self.tables, self.days.events, self.days, self.tallies,
            self.kinds, self.bans, self.firewalls, self.ban_history, self.ban_events,
            self.offenders, self.outbox, self.faults, self.expectations,
        )  # fmt: skip
        try:
            self.db = connect(path, read_only=read_only)
            try:
                self._open(read_only)
            except BaseException:
                self.db.close()
                raise
        except (sqlite3.Error, OSError) as fault:
            raise error_of(path, fault) from None
        self._file = _file_at(path)

    def _open(self, read_only: bool) -> None:
        version = checked_version(self.db, self.path, read_only=read_only)
        if not read_only:
            use_increments(self.db)
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute(f"PRAGMA journal_size_limit = {_LOG_LIMIT}")
        if version < VERSION:
            schema = "".join(part.SCHEMA for part in self.parts)
            migrate(self.db, version, schema, APPLICATION_ID)
        # In WAL mode NORMAL never damages the database; after a power cut the last transactions
        # may be undone as a whole, positions and all, and are then done again.
        self.db.execute("PRAGMA synchronous = NORMAL")
        self.db.execute(f"PRAGMA cache_size = {-_CACHE_KB}")

    def load(self) -> None:
        """Read the working state of every part.

        :raises DamagedError: it cannot be read, or makes no sense.
        :raises StateError: something keeps it from being read.
        """
        # What is read here stays: the garbage collector would look at it again and again, which
        # doubles the time for thousands of bans, and stops the daemon for a moment later on.
        gc.disable()
        try:
            for part in self.parts:
                part.load(self.db)
            gc.freeze()
        except sqlite3.Error as fault:
            raise error_of(self.path, fault) from None
        except (TypeError, ValueError) as fault:  # of what SQLite takes for whole
            raise DamagedError(self.path, fault) from None
        finally:
            gc.enable()

    @property
    def has_news(self) -> bool:
        """Whether bans, or what is expected, have changed since the last commit."""
        return (
            self.bans.has_changed
            or self.firewalls.has_changed
            or self.ban_events.has_changed
            or self.expectations.has_changed
        )

    def reader(self) -> sqlite3.Connection | None:
        """Another connection, to read what is committed: for any thread, one at a time.

        :return: None: the state is in memory, and has only one.
        :raises sqlite3.Error: there is no room for it.
        """
        if self.path == MEMORY:
            return None
        uri = f"{Path(self.path).absolute().as_uri()}?mode=ro"
        db = sqlite3.connect(
            uri, uri=True, isolation_level=None, timeout=10, check_same_thread=False
        )
        db.execute(f"PRAGMA cache_size = {-_CACHE_KB}")
        return db

    @contextmanager
    def at_one_instant(self) -> Iterator[None]:
        """Read everything in the block as it is at one instant, while a daemon writes."""
        self.db.execute("BEGIN")
        try:
            yield
        finally:
            self.db.execute("COMMIT")

    def check(self) -> None:
        """Look at every page, which takes some time: 0.3 s for 100 MB that are in memory.

        :raises DamagedError: there is a fault.
        """
        (found,) = self.db.execute("PRAGMA quick_check(1)").fetchone()
        if found != "ok":
            raise DamagedError(self.path, " ".join(found.split()))

    def commit(self) -> None:
        """Write, in one transaction, what changed in every part.

        When it fails, nothing is written and nothing is forgotten: it can be called again.

        :raises DamagedError: it failed because the database is damaged.
        :raises MissingError: the file was moved or removed since it was opened.
        :raises sqlite3.Error: it failed, for want of room for instance.
        """
        if _file_at(self.path) != self._file:
            raise MissingError(
                f"{self.path}: was moved or removed while Pyruse ran (expected that this file is "
                "touched only while Pyruse is stopped)"
            )
        try:
            self._write()
        except sqlite3.Error as fault:
            if is_damage(fault):
                raise DamagedError(self.path, fault) from None
            raise
        for part in self.parts:
            part.saved()

    def _write(self) -> None:
        self.db.execute("BEGIN IMMEDIATE")
        try:
            for part in self.parts:
                part.save(self.db)
            self.db.execute("COMMIT")
        except BaseException:
            if self.db.in_transaction:
                self.db.execute("ROLLBACK")
            raise

    def expire(self, at: int) -> None:
        """Drop what no longer counts at an instant in entry time."""
        for part in self.parts:
            part.expire(at)

    def removal(self, time_us: int, day: date) -> Iterator[None]:
        """Remove what is older than it should be kept: reported days, and the history of bans.

        :return: does a slice of it each time, which takes some milliseconds.
        :raises sqlite3.Error: by the iterator: it failed.
        """
        for part in self.parts:
            yield from part.remove_before(self.db, time_us, day.isoformat())
        yield from shrink(self.db)

    def remove_before(self, time_us: int, day: date) -> None:
        """The same, all at once."""
        for _ in self.removal(time_us, day):
            pass

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close the database.

        :raises StateError: in place of SQLite's error, if one ended the block.
        """
        self.close()
        if isinstance(fault, sqlite3.Error):
            raise error_of(self.path, fault) from None

    def close(self) -> None:
        """Close the database; so does the end of a ``with`` block."""
        self.db.close()


def _file_at(path: str) -> tuple[int, int] | None:
    """Which file is there: its device and its inode (stat(2))."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
