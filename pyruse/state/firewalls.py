"""How far each firewall is: whether it holds what the bans say, since when it does not, and why."""

from __future__ import annotations

import os
import sqlite3
from contextlib import suppress
from pathlib import Path
from typing import ClassVar, NamedTuple

from pyruse.state.part import Part

_BOOT = Path("/proc/sys/kernel/random/boot_id")  # random(4)
_SYSTEMD = Path("/run/systemd/notify")
"""Made anew whenever a machine, or a container, is started."""


class FirewallRecord(NamedTuple):
    """How far a firewall is."""

    known: bool = True
    """Whether it holds what it has taken; if not, nobody knows what it holds."""
    since: int | None = None
    """Since when it does not hold all that it should, in µs since the epoch; None: it does."""
    fault: str = ""
    """Why it has taken nothing of what it was told last; empty: it has, or has not answered yet."""


class FirewallRecords(Part):
    """The records of firewalls, by name."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS firewalls (
            name TEXT PRIMARY KEY, known INTEGER NOT NULL, since INTEGER, fault TEXT NOT NULL,
            boot TEXT NOT NULL
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS owners (owner TEXT PRIMARY KEY) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self.owner = ""
        """Tells this state from others, so that two Pyruses do not take each other's bans: 12
        hexadecimal digits; empty: it is not loaded."""
        self._owner_is_new = False
        self._known: dict[str, FirewallRecord] = {}
        self._changed: set[str] = set()

    def put(self, name: str, record: FirewallRecord) -> None:
        """A firewall is so far now."""
        if self._known.get(name) != record:
            self._known[name] = record
            self._changed.add(name)

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._changed) or self._owner_is_new

    def load(self, db: sqlite3.Connection) -> None:
        """Read whose the bans are; what a firewall holds is to be found out anew."""
        row = db.execute("SELECT owner FROM owners").fetchone()
        self._owner_is_new = row is None
        self.owner = os.urandom(6).hex() if row is None else str(row[0])

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        if self._owner_is_new:
            db.execute("INSERT INTO owners VALUES (?)", (self.owner,))
        boot = _boot() if self._changed else ""
        db.executemany(
            "INSERT OR REPLACE INTO firewalls VALUES (?, ?, ?, ?, ?)",
            [(name, *self._known[name], boot) for name in self._changed],
        )

    def saved(self) -> None:
        """The changes are committed."""
        self._owner_is_new = False
        self._changed.clear()


def firewall_records(db: sqlite3.Connection) -> dict[str, FirewallRecord]:
    """The records of a database, by the name of the firewall.

    The kernel forgets the bans when it is started anew: then nobody knows what a firewall holds
    until Pyruse has told it.
    """
    boot = _boot()
    rows = db.execute("SELECT name, known, since, fault, boot FROM firewalls")
    return {
        name: FirewallRecord(bool(known) and of_boot == boot, since, fault)
        for name, known, since, fault, of_boot in rows
    }


def _boot() -> str:
    """What tells this run of the machine from others; empty where nothing says.

    In a container, the service has another /proc than a shell (`ProtectKernelTunables=`), with the
    host's boot ID; what systemd has made is the same for both.
    """
    with suppress(OSError):
        made = _SYSTEMD.stat()
        return f"{made.st_ino} {made.st_mtime_ns}"
    with suppress(OSError):
        return _BOOT.read_text().strip()
    return ""
