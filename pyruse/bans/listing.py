"""The bans as `pyruse bans` lists them, from the state alone, while the daemon writes it."""

from __future__ import annotations

import sqlite3
from dataclasses import asdict, dataclass
from datetime import tzinfo
from typing import Any

from pyruse.addresses import Network, bits_of, contains
from pyruse.api.firewall import Target
from pyruse.bans import history
from pyruse.bans.ledger import AGGREGATE, LIFTED, WANTED, Ban, stored_bans
from pyruse.bans.targets import Place
from pyruse.times import datetime_of

#: What became of a ban.
IN_FORCE, WAITING, OVER, UNBANNED = "in force", "waiting for the firewall", "over", "unbanned"


@dataclass(frozen=True, slots=True)
class ListedBan:
    """A ban, and what became of it."""

    ban: Ban
    state: str

    def data(self, zone: tzinfo) -> dict[str, Any]:
        """The ban as JSON has it."""
        ban, target = self.ban, self.ban.target
        return {
            "ip": ban.address,
            "label": ban.label,
            "since": datetime_of(ban.since, zone).isoformat(),
            "until": None if ban.until is None else datetime_of(ban.until, zone).isoformat(),
            "before": ban.level,
            "state": self.state,
            "chain": ban.chain,
            "reason": ban.reason,
            "grown": ban.grown,
            "backend": target.backend,
            "sets": None if target.sets is None else asdict(target.sets),
            "ports": list(target.ports),
        }


def bans_in_force(
    db: sqlite3.Connection, now: int, *, label: str | None = None, inside: Network | None = None
) -> list[ListedBan]:
    """The bans in force, in the order in which they began.

    :param now: in microseconds since the epoch.
    :param label: only those of this label.
    :param inside: only those in this network.
    """
    found = [
        ListedBan(ban, WAITING if state == WANTED else IN_FORCE)
        for state, ban in stored_bans(db)
        if state != LIFTED and ban.alive(now) and _wanted(ban, label, inside)
    ]
    return sorted(found, key=_order)


def all_bans(
    db: sqlite3.Connection, now: int, *, label: str | None = None, inside: Network | None = None
) -> list[ListedBan]:
    """The bans in force, and before them those of the history that are not."""
    there = bans_in_force(db, now, label=label, inside=inside)
    known = {(one.ban.place, one.ban.grown, one.ban.since) for one in there}
    past: dict[tuple[str, Target, bool, int], ListedBan] = {}
    for record in history.read(db, 0, 1 << 62):
        ban = Ban(
            Place(record.network, record.target), record.label, record.since, record.until,
            record.level, record.reason, record.chain, record.label == AGGREGATE,
        )  # fmt: skip
        if (ban.place, ban.grown, ban.since) not in known and _wanted(ban, label, inside):
            # Of one that was made longer, the last record counts.
            key = (record.network, record.target, ban.grown, record.since)
            past[key] = ListedBan(ban, UNBANNED if ban.alive(now) else OVER)
    return sorted([*past.values(), *there], key=_order)


def _wanted(ban: Ban, label: str | None, inside: Network | None) -> bool:
    return label in (None, ban.label) and (inside is None or contains(inside, ban.network))


def _order(one: ListedBan) -> tuple[int, int, int, int]:
    return one.ban.since, *bits_of(one.ban.address)
