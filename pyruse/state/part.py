"""A part of the state: one owner of some tables.

docs/decisions/0010-one-transaction-for-cursor-and-effects.md tells why parts share a transaction.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar


class Part(ABC):
    """Keeps its working state in memory and writes what changed when a batch is committed."""

    SCHEMA: ClassVar[str]
    """The SQL that makes its tables (``CREATE TABLE IF NOT EXISTS …``)."""

    @abstractmethod
    def load(self, db: sqlite3.Connection) -> None:
        """Read the working state, once, at start."""

    @abstractmethod
    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed since the last commit; the caller has begun the transaction."""

    @abstractmethod
    def saved(self) -> None:
        """The transaction is committed: what was written need not be written again."""

    def expire(self, at: int) -> None:  # noqa: B027 -- most parts have nothing that expires
        """Drop what no longer counts at an instant of the entries (µs since the epoch)."""

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Remove what is over, and older than it is to be kept (``[state] keep``).

        Each step of the iterator is a slice that takes some milliseconds (see
        `pyruse.state.removal`): most parts keep nothing that is over.

        :param db: the database.
        :param time_us: what is older goes, in microseconds since the epoch.
        :param day: the day of that instant, as ``YYYY-MM-DD``: the days before it go.
        :raises sqlite3.Error: it failed.
        """
        yield from ()
