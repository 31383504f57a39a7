"""How Pyruse is doing: what the running daemon says of itself, and what the state holds."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable
from typing import Any

from msgspec import Struct, field

from pyruse.config.settings import Settings
from pyruse.daemon.control import Message, ask
from pyruse.daemon.status.mail_health import MailHealth, mail_health
from pyruse.entry.decoding import Decoder
from pyruse.errors import UserError
from pyruse.journal.position import Position
from pyruse.journal.selection import Selection
from pyruse.options.keys import in_words
from pyruse.state.bans import count_by_label, count_simulated
from pyruse.state.days import Day, kept_days
from pyruse.state.expectations import Expected, expected_of
from pyruse.state.faults import FaultRecord, faults_of
from pyruse.state.opening import reading
from pyruse.state.outbox import Outbox
from pyruse.state.outbox_item import OutboxItem
from pyruse.state.positions import Positions

_COUNTED = 100_000
"""Entries: so many are counted of those that are not handled yet."""
_DEAF_US = 60_000_000
"""journald tells of an entry within 250 ms; nobody who hears takes a minute."""


class Status(Struct):
    """Instants are microseconds since the epoch."""

    daemon: Message | None = None
    """What the daemon says (see `Activity.data`); None: it does not run, or cannot be asked."""
    daemon_fault: str = ""
    """Why it cannot be asked."""
    config_faults: list[str] = field(default_factory=list)
    """What is wrong with the settings, as they are on the disk."""
    last_handled: int | None = None
    """The instant of the last entry handled."""
    last_logged: int | None = None
    """The instant of the newest entry of the journal."""
    behind: int | None = None
    """How many entries are not handled yet, 100,000 at most; None: that is not known."""
    journal_fault: str = ""
    """Why the journal cannot be read."""
    today: Day | None = None
    last_report: Day | None = None
    waiting: list[OutboxItem] = field(default_factory=list)
    """What is to leave Pyruse."""
    set_aside: list[OutboxItem] = field(default_factory=list)
    """What can never leave it."""
    bans: Counter[str] = field(default_factory=Counter)
    """The bans in force, by label."""
    simulated: int = 0
    """How many bans are simulated."""
    simulated_chains: list[str] = field(default_factory=list)
    """Chains that are only simulated, as ``[engine] simulate`` names them."""
    unenforced: int = 0
    """How many changes the firewalls have not taken yet."""
    mail: MailHealth = field(default_factory=MailHealth)
    """Whether mails leave."""
    faults: list[FaultRecord] = field(default_factory=list)
    """Those of today and yesterday."""

    expected: list[Expected] = field(default_factory=list)
    """What has to happen: what is absent first, then by when it is due."""
    oldest_unhandled: int | None = None
    """The instant of the oldest entry that is not handled yet; None: there is none."""
    now: int = 0
    """When this was found out."""

    @property
    def lag_us(self) -> int | None:
        """How old the oldest entry is that is not handled yet; 0: there is none, None: unknown."""
        if self.behind is None:
            return None
        return 0 if self.oldest_unhandled is None else max(0, self.now - self.oldest_unhandled)

    @property
    def is_deaf(self) -> bool:
        """The daemon runs, has handled nothing for a minute, and there are older entries."""
        if self.daemon is None or not self.lag_us or self.lag_us < _DEAF_US:
            return False
        for_a_minute = self.now - self.daemon["since"] > _DEAF_US
        return for_a_minute and not self.daemon["per_second"]["minute"]

    @property
    def firewalls(self) -> list[Message]:
        """The firewalls that do not hold what they should, as the daemon says (see `Trouble`)."""
        return [] if self.daemon is None else self.daemon.get("firewalls", [])

    @property
    def refused_reload(self) -> Message | None:
        """The last reload, where it was refused (see `Activity.refused`)."""
        return None if self.daemon is None else self.daemon.get("refused_reload")

    @property
    def is_well(self) -> bool:
        """The daemon runs as it is configured, handles what is logged; bans and mails are taken."""
        if self.daemon is None or self.daemon.get("held_up_by") or self.refused_reload:
            return False
        return not self.is_deaf and not self.firewalls and self.mail.is_well

    def data(self) -> dict[str, Any]:
        """The status in JSON types."""
        return {
            "running": self.daemon is not None or bool(self.daemon_fault),
            "well": self.is_well,
            "daemon": self.daemon,
            "configuration": {"faults": self.config_faults, "refused_reload": self.refused_reload},
            "journal": {
                "behind": self.behind,
                "lag_us": self.lag_us,
                "last_handled": self.last_handled,
                "last_logged": self.last_logged,
                "fault": self.journal_fault or None,
            },
            "entries_today": self.today.entries if self.today else 0,
            "last_report": self.last_report
            and {"day": self.last_report.day, "made": self.last_report.reported},
            "mail": self.mail.data(),
            "outbox": {
                "waiting": dict(Counter(item.family for item in self.waiting)),
                "set_aside": [
                    {
                        "kind": item.family,
                        "subject": item.payload.get("subject"),
                        "to": item.payload.get("to"),
                        "created": item.created,
                        "fault": item.error,
                    }
                    for item in self.set_aside
                ],
            },
            "bans": {
                "in_force": self.bans.total(),
                "by_label": dict(self.bans),
                "unenforced": self.unenforced,
            },
            "expected": [
                {
                    "name": one.name, "key": in_words(one.key), "every_us": one.every,
                    "last": one.since if one.happened else None,
                    "due": one.due, "absent": one.absent is not None,
                }
                for one in self.expected
            ],
            "simulated": {"bans": self.simulated, "chains": self.simulated_chains},
            "faults": [
                {
                    "day": one.day, "place": one.place, "text": one.text,
                    "first": one.first, "last": one.last, "count": one.count,
                }
                for one in self.faults
            ],
        }  # fmt: skip


def status(
    settings: Settings, path: str, now: int, daemon: Callable[[], Message | None] | None = None
) -> Status:
    """Look at a state, at its daemon, and at the journal of the configuration.

    :param settings: the sections of the configuration.
    :param path: the path of the state.
    :param now: by the machine's clock, in microseconds since the epoch.
    :param daemon: gives what the daemon says; by default, it is asked through its socket.
    :raises StateError: the state cannot be read.
    """
    found = Status(now=now, config_faults=settings.faults)
    try:
        found.daemon = ask(path, {"request": "status"}) if daemon is None else daemon()
    except UserError as fault:
        found.daemon_fault = str(fault)
    with reading(path) as db:
        positions = Positions()
        positions.load(db)
        _read(found, db, settings, now)
    found.last_handled = positions.latest()
    if found.last_handled is not None:
        _compare(found, settings, positions)
    return found


def _read(found: Status, db: sqlite3.Connection, settings: Settings, now: int) -> None:
    """Read the state."""
    calendar = settings.report.calendar
    today = calendar.day_of(now)
    yesterday = calendar.day_of(calendar.start_of(today) - 1)
    days = kept_days(db)
    found.today = next((day for day in days if day.day == today.isoformat()), None)
    found.last_report = next((day for day in reversed(days) if day.reported is not None), None)
    outbox = Outbox()
    outbox.load(db)
    for item in outbox.items():
        (found.set_aside if item.refused else found.waiting).append(item)
    pid = None if found.daemon is None else found.daemon["pid"]
    found.mail = mail_health(settings.email, db, outbox.items(), now, pid)
    found.bans, found.unenforced = count_by_label(db, now)
    found.simulated = count_simulated(db, now)
    found.simulated_chains = settings.engine.simulate
    found.expected = expected_of(db)
    found.faults = faults_of(db, [yesterday.isoformat(), today.isoformat()])


def _compare(found: Status, settings: Settings, positions: Positions) -> None:
    """See how far the journal has gone on since."""
    try:
        journal = Selection.of(settings.journal).open(Decoder(), to_seek=True)
    except UserError as fault:
        found.journal_fault = str(fault)
        return
    try:
        last = journal.last()
        found.last_logged = None if last is None else last.time_us
        known = {
            name: Position(*position, positions.held(name))
            for name in journal.machines
            if (position := positions.get(name)) is not None
        }
        journal.resume(known, lambda machine: machine.reader.seek_head())
        found.behind = 0
        for entry in journal.entries(_COUNTED):
            found.behind += 1
            if found.oldest_unhandled is None or entry.time_us < found.oldest_unhandled:
                found.oldest_unhandled = entry.time_us
    finally:
        journal.close()
