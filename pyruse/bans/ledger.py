"""Who is banned, until when and why. Instants are microseconds since the epoch, in entry time."""

from __future__ import annotations

import heapq
import ipaddress
import itertools
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from pyruse.bans.firewall import Target
from pyruse.options import Network


@dataclass
class Ban:
    """A network that is banned from a target."""

    network: Network
    target: Target
    label: str
    """What the administrator calls the reason: the name of the chain, unless told otherwise."""
    since: int
    until: int | None
    """None: for ever."""
    level: int
    """How many bans of this network came before: the place in ``escalate``."""
    reason: str
    """The message of the entry that caused it."""

    @property
    def address(self) -> str:
        """The network as text: a single address without its prefix length."""
        single = self.network.prefixlen == self.network.max_prefixlen
        return str(self.network.network_address if single else self.network)

    def alive(self, now: int) -> bool:
        """Whether the ban still lasts."""
        return self.until is None or self.until > now


_Place = tuple[Network, Target]

#: What ipset takes at most (ipset(8), timeout): a firewall may put longer bans in for ever.
_LONGEST_TIMEOUT_US = 2_147_483_000_000

#: How far the firewall is, in the column ``state``.
_WANTED, _ENFORCED, _LIFTED = "wanted", "enforced", "lifted"


class Ledger:
    """The bans in force and the bans that were."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS bans (
            network TEXT NOT NULL, target BLOB NOT NULL, label TEXT NOT NULL,
            since INTEGER NOT NULL, until INTEGER, level INTEGER NOT NULL, reason TEXT NOT NULL,
            state TEXT NOT NULL, PRIMARY KEY (network, target)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS ban_history (
            time INTEGER NOT NULL, network TEXT NOT NULL, target BLOB NOT NULL,
            label TEXT NOT NULL, until INTEGER, level INTEGER NOT NULL, reason TEXT NOT NULL
        );
        CREATE INDEX IF NOT EXISTS ban_history_by_time ON ban_history (time);
    """

    def __init__(self) -> None:
        self._bans: dict[_Place, Ban] = {}
        self._targets: dict[Network, set[Target]] = {}
        """From where each network is banned."""
        self._offences: dict[_Place, int] = {}
        """How many bans each network has had from each target."""
        self._wanted: dict[_Place, Ban] = {}
        """Bans that the firewall has not taken yet."""
        self._lifted: dict[_Place, Ban] = {}
        """Bans to be taken out of the firewall."""
        self._ends: list[tuple[int, int, _Place]] = []
        """A heap: when bans end (with a number, since networks of two families do not compare)."""
        self._changed: set[_Place] = set()
        self._history: list[tuple[int, Ban]] = []
        self._number = itertools.count()

    def __len__(self) -> int:
        return len(self._bans)

    def ban(  # noqa: PLR0913 -- the facts of one ban, all of them named by the caller
        self,
        network: Network,
        target: Target,
        durations: Sequence[int | None],
        *,
        now: int,
        label: str,
        reason: str,
    ) -> Ban | None:
        """Ban a network, or make its ban last longer; the longer end is kept.

        :param durations: in microseconds (None: for ever), the first for the first ban of this
            network, the next one for the next, the last one for all further bans.
        :return: the ban, or None when one that lasts at least as long is in force already.
        """
        place = (network, target)
        known = self._bans.get(place)
        renewed = known is not None and known.alive(now)
        level = known.level if known is not None and renewed else self._offences.get(place, 0)
        duration = durations[min(level, len(durations) - 1)]
        until = None if duration is None else now + duration
        if known is not None and renewed and not _later(until, known.until):
            return None
        since = known.since if known is not None and renewed else now
        ban = Ban(network, target, label, since, until, level, reason)
        self._keep(place, ban)
        self._wanted[place] = ban
        self._lifted.pop(place, None)
        self._history.append((now, ban))
        if not renewed:
            self._offences[place] = level + 1
        return ban

    def _keep(self, place: _Place, ban: Ban) -> None:
        self._bans[place] = ban
        self._targets.setdefault(ban.network, set()).add(ban.target)
        self._changed.add(place)
        if ban.until is not None:
            heapq.heappush(self._ends, (ban.until, next(self._number), place))

    def unban(self, network: Network, *, label: str | None = None) -> list[Ban]:
        """Lift the bans of a network and of all networks in it, on every target.

        :param label: only bans of this label.
        :return: the bans that were lifted.
        """
        inside = [network]
        if network.prefixlen < network.max_prefixlen:
            inside = [known for known in self._targets if _within(known, network)]
        lifted = [
            ban
            for known in inside
            for target in self._targets.get(known, ())
            if label in (None, (ban := self._bans[known, target]).label)
        ]
        for ban in lifted:
            place = (ban.network, ban.target)
            self._drop(place)
            self._lifted[place] = ban
        return lifted

    def _drop(self, place: _Place) -> None:
        del self._bans[place]
        network, target = place
        self._targets[network].discard(target)
        if not self._targets[network]:
            del self._targets[network]
        self._wanted.pop(place, None)
        self._changed.add(place)

    def expire(self, now: int) -> None:
        """Drop the bans that are over; the kernel has dropped all but very long ones by itself."""
        while self._ends and self._ends[0][0] <= now:
            _, _, place = heapq.heappop(self._ends)
            ban = self._bans.get(place)
            if ban is not None and ban.until is not None and not ban.alive(now):
                self._drop(place)
                if ban.until - ban.since > _LONGEST_TIMEOUT_US:
                    self._lifted[place] = ban

    def in_force(self, now: int) -> list[Ban]:
        """The bans that last."""
        return [ban for ban in self._bans.values() if ban.alive(now)]

    def waiting(self) -> tuple[list[Ban], list[Ban]]:
        """What the firewall is still to take: bans to add, bans to remove."""
        return list(self._wanted.values()), list(self._lifted.values())

    def enforced(self, added: Iterable[Ban], removed: Iterable[Ban]) -> None:
        """The firewall has taken these."""
        for bans, waiting in ((added, self._wanted), (removed, self._lifted)):
            for ban in bans:
                place = (ban.network, ban.target)
                if waiting.get(place) is ban:
                    del waiting[place]
                    self._changed.add(place)

    def restore(self) -> None:
        """At start: the firewall may know nothing any more, so it is to take every ban again."""
        self._wanted.update(self._bans)

    def history(
        self, db: sqlite3.Connection, since: int = 0, until: int = 1 << 62
    ) -> list[BanRecord]:
        """The bans of a period, in order; a ban that was made longer comes again."""
        query = """SELECT time, network, target, label, until, level, reason FROM ban_history
                   WHERE time >= ? AND time < ? ORDER BY time, rowid"""
        return [
            BanRecord(time, network, msgspec.json.decode(target, type=Target), *rest)
            for time, network, target, *rest in db.execute(query, (since, until))
        ]

    def remove_history(self, db: sqlite3.Connection, before: int) -> None:
        """Forget the history before an instant."""
        db.execute("DELETE FROM ban_history WHERE time < ?", (before,))
        self._load_offences(db)

    def load(self, db: sqlite3.Connection) -> None:
        """Read the bans, and how many each network has had."""
        for network, target, label, since, until, level, reason, state in db.execute(
            "SELECT network, target, label, since, until, level, reason, state FROM bans"
        ):
            ban = Ban(
                ipaddress.ip_network(network),
                msgspec.json.decode(target, type=Target),
                label, since, until, level, reason,
            )  # fmt: skip
            place = (ban.network, ban.target)
            if state == _LIFTED:
                self._lifted[place] = ban
                continue
            self._keep(place, ban)
            if state == _WANTED:
                self._wanted[place] = ban
        self._changed.clear()
        self._load_offences(db)

    def _load_offences(self, db: sqlite3.Connection) -> None:
        query = "SELECT network, target, max(level) FROM ban_history GROUP BY network, target"
        self._offences = {
            (ipaddress.ip_network(network), msgspec.json.decode(target, type=Target)): level + 1
            for network, target, level in db.execute(query)
        }

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        for place in self._changed:
            network, target = str(place[0]), msgspec.json.encode(place[1])
            ban = self._bans.get(place) or self._lifted.get(place)
            if ban is None:
                db.execute("DELETE FROM bans WHERE network = ? AND target = ?", (network, target))
                continue
            state = _LIFTED if place in self._lifted else _ENFORCED
            db.execute(
                "INSERT OR REPLACE INTO bans VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                (
                    network, target, ban.label, ban.since, ban.until, ban.level, ban.reason,
                    _WANTED if place in self._wanted else state,
                ),
            )  # fmt: skip
        db.executemany(
            "INSERT INTO ban_history VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (
                    time,
                    ban.address,
                    msgspec.json.encode(ban.target),
                    ban.label,
                    ban.until,
                    ban.level,
                    ban.reason,
                )
                for time, ban in self._history
            ],
        )

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
        self._history.clear()


@dataclass(frozen=True)
class BanRecord:
    """A line of the history of bans."""

    time: int
    """When the ban began, or was made longer."""
    network: str
    """An address, or a network with its prefix length."""
    target: Target
    label: str
    until: int | None
    level: int
    reason: str


def _within(network: Network, outer: Network) -> bool:
    if isinstance(network, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and network.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and network.subnet_of(outer)


def _later(until: int | None, known: int | None) -> bool:
    return known is not None and (until is None or until > known)
