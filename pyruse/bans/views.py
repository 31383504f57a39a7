"""The bans as `pyruse bans` lists them, from the state alone, while the daemon writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable
from dataclasses import asdict, dataclass
from datetime import tzinfo
from typing import Any

from pyruse.addresses import Network, bits_of, contains, network_of
from pyruse.api.bans import Ban
from pyruse.state.ban_history import BanHistory
from pyruse.state.bans import LIFTED, WANTED, stored_bans
from pyruse.times import datetime_of

IN_FORCE, WAITING, OVER, UNBANNED = "in force", "waiting for the firewall", "over", "unbanned"
"""What became of a ban."""


@dataclass(frozen=True, slots=True)
class BanView:
    """A ban, and what became of it."""

    ban: Ban
    state: str

    def data(self, zone: tzinfo) -> dict[str, Any]:
        """The ban as JSON has it."""
        ban, target = self.ban, self.ban.target
        return {
            "ip": ban.network,
            "label": ban.label,
            "since": datetime_of(ban.since, zone).isoformat(),
            "until": None if ban.until is None else datetime_of(ban.until, zone).isoformat(),
            "before": ban.count - 1,
            "state": self.state,
            "chain": ban.chain,
            "reason": ban.reason,
            "grown": ban.grown,
            "backend": target.backend,
            "sets": None if target.sets is None else asdict(target.sets),
            "ports": list(target.ports),
            "protocol": target.protocol,
        }


def bans_in_force(
    db: sqlite3.Connection, now: int, *, label: str | None = None, inside: Network | None = None
) -> list[BanView]:
    """The bans in force, in the order in which they began.

    :param db: of the state.
    :param now: in microseconds since the epoch.
    :param label: give bans with this label only.
    :param inside: give bans inside this network only.
    """
    found = [
        BanView(ban, WAITING if state == WANTED else IN_FORCE)
        for state, ban in stored_bans(db)
        if state != LIFTED and ban.alive(now) and _wanted(ban, label, inside)
    ]
    return sorted(found, key=_order)


def all_bans(
    db: sqlite3.Connection, now: int, *, label: str | None = None, inside: Network | None = None
) -> list[BanView]:
    """The bans in force, and before them those of the history that are not."""
    there = bans_in_force(db, now, label=label, inside=inside)
    known = {_identity(one.ban) for one in there}
    past: dict[Hashable, BanView] = {}
    for _, ban in BanHistory.read(db):
        if _identity(ban) not in known and _wanted(ban, label, inside):
            # Of one that was made longer, the last record counts.
            past[_identity(ban)] = BanView(ban, UNBANNED if ban.alive(now) else OVER)
    return sorted([*past.values(), *there], key=_order)


def _identity(ban: Ban) -> Hashable:
    """What is the same in all the records of one ban."""
    return ban.network, ban.target, ban.grown, ban.since


def _wanted(ban: Ban, label: str | None, inside: Network | None) -> bool:
    return label in (None, ban.label) and (
        inside is None or contains(inside, network_of(ban.network))
    )


def _order(one: BanView) -> tuple[int, int, int, int]:
    return one.ban.since, *bits_of(one.ban.network)
