"""The bans as `pyruse bans` lists them, from the state alone, while the daemon writes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Hashable
from datetime import tzinfo
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import asdict

from pyruse.addresses import Network, bits_of, contains, network_of
from pyruse.api.bans import Ban
from pyruse.api.firewall import SIMULATED as NOT_A_FIREWALL
from pyruse.state.ban_history import BanHistory
from pyruse.state.bans import ENFORCED, BanRow, stored_bans
from pyruse.state.firewalls import FirewallRecord, firewall_records
from pyruse.times import datetime_of

IN_FORCE, WAITING, REFUSED = "in force", "waiting for the firewall", "refused"
OVER, UNBANNED, SIMULATED = "over", "unbanned", "simulated, not in force"
"""What became of a ban."""


class BanView(Struct, frozen=True, gc=False):
    """A ban, and what became of it."""

    ban: Ban
    state: str
    waiting_since: int | None = None
    """Since when it is not in force though it should be, in microseconds since the epoch."""
    fault: str = ""
    """Why the firewall has refused it."""

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
            "waiting_since": None
            if self.waiting_since is None
            else datetime_of(self.waiting_since, zone).isoformat(),
            "fault": self.fault or None,
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
    records = firewall_records(db)
    is_all = label is None and inside is None
    found = [
        row for row in stored_bans(db, lasting=now) if is_all or _wanted(row.ban, label, inside)
    ]
    found.sort(key=attrgetter("bits"))  # after one another, as either is quick alone
    found.sort(key=attrgetter("ban.since"))
    others = {NOT_A_FIREWALL, *(name for name, one in records.items() if not one.known)}
    return [
        BanView(row.ban, IN_FORCE)
        if row.state == ENFORCED and row.ban.target.backend not in others
        else _not_in_force(row, records)
        for row in found
    ]


def _not_in_force(row: BanRow, records: dict[str, FirewallRecord]) -> BanView:
    """A ban that should be in force, and is not, as far as known."""
    ban = row.ban
    if ban.simulated:
        return BanView(ban, SIMULATED)
    firewall = records.get(ban.target.backend, FirewallRecord())
    since = max(ban.since, firewall.since or 0)
    fault = row.fault or firewall.fault
    return BanView(ban, REFUSED if fault else WAITING, since, fault)


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
