"""A part of the state: one owner of some tables.

docs/decisions/0010-one-transaction-for-cursor-and-effects.md tells why parts share a transaction.
"""

from __future__ import annotations

import sqlite3
from typing import ClassVar, Protocol


class Part(Protocol):
    """Keeps its working state in memory and writes what changed when a batch is committed."""

    SCHEMA: ClassVar[str]
    """The SQL that makes its tables (``CREATE TABLE IF NOT EXISTS …``)."""

    def load(self, db: sqlite3.Connection) -> None:
        """Read the working state, once, at start."""

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed since the last commit; the caller has begun the transaction."""

    def saved(self) -> None:
        """The transaction is committed: what was written need not be written again."""
