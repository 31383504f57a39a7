"""Who is banned, until when and why.

All instants here are microseconds since the epoch and named ``at``: a step's ban begins at the time
of its entry, whatever the clock says meanwhile (see `pyruse.bans`).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from msgspec.structs import replace

from pyruse.addresses import broader_texts, contains, network_of
from pyruse.api.bans import Ban, BanRequest, UnbanReason
from pyruse.bans import length
from pyruse.bans.growth import Growth
from pyruse.state.ban_events import BanEvent
from pyruse.state.database import State
from pyruse.state.shared_bans import BanKey


class Cause(NamedTuple):
    """What leads to a ban: an entry in a chain, or an order."""

    at: int
    """When it happened; the ban begins then."""
    chain: str = ""
    """The name of the chain; empty for an order."""
    reason: str = ""
    """The message of the entry, or who typed the command."""
    hops: int = 0
    """How many of Pyruse's own lines led to it, one after another (``PYRUSE_HOPS``)."""


class InForce:
    """The bans in force: those that were asked for, and networks that have grown."""

    def __init__(self, state: State) -> None:
        """Take over the bans of a state, which is loaded."""
        self._bans = state.bans
        self._history = state.ban_history
        self._offenders = state.offenders
        self._events = state.ban_events
        self.growth = Growth(state)

    def __len__(self) -> int:
        return len(self._bans)

    def ban(self, key: BanKey, request: BanRequest, cause: Cause) -> Ban | None:
        """Ban an address or a network, or make its ban last longer; the later end is kept.

        :param key: whom, and from where.
        :param request: says how long.
        :param cause: what led to the ban, and when.
        :return: the ban, or None when one that lasts at least as long is in force already.
        """
        at = cause.at
        known = self._bans.asked_for.get(key)
        if known is not None and known.alive(at):
            since, before = known.since, known.count - 1
        else:
            if known is not None:
                self._events.add(BanEvent("unban", known, "over"))
            known, since, before = None, at, self._offenders.bans(key, at)
        until = length.end(request.durations, before, at)
        if known is not None and not length.is_later(until, known.until):
            return None
        label = request.label or cause.chain
        ban = Ban(
            key.network, label, since, until, cause.reason, cause.chain, before + 1, key.target
        )
        self._replace(key, ban)
        self._offenders.banned(key, ban.count, until, length.forget_us(request.forget))
        self._history.add(ban, at)
        self._events.add(BanEvent("ban", ban, hops=cause.hops))
        self.growth.review(key, at)
        return ban

    def look_up(self, keys: list[BanKey]) -> None:
        """Many are to be banned: so what is known of them is read at once."""
        self._offenders.look_up(keys)

    def remember(self, key: BanKey, bans: int, *, ended: int, at: int) -> None:
        """Take over how often somebody was banned elsewhere; the higher number counts.

        :param key: whom, and from where.
        :param bans: how many there were, all of them over; one that is in force here comes on top.
        :param ended: when the last of them ended.
        :param at: when that is told.
        """
        known = self._bans.asked_for.get(key)
        if known is None or not known.alive(at):
            if bans > self._offenders.bans(key, at):
                self._offenders.banned(key, bans, ended, length.FORGET_US)
        elif bans >= known.count:
            self._replace(key, replace(known, count=bans + 1))
            self._offenders.banned(key, bans + 1, known.until, length.FORGET_US)

    def unban(
        self,
        network: str,
        cause: Cause,
        *,
        label: str | None = None,
        why: UnbanReason = "unbanned",
        simulated: bool = False,
    ) -> list[Ban]:
        """Lift the bans of an address, or of a network and of all in it, on every target.

        Networks that had grown are let go as there are too few bans left in them.

        :param network: as `network_text` writes it.
        :param cause: what led to that, and when.
        :param label: only bans of this label.
        :param why: what plugins are told.
        :param simulated: only bans that are simulated.
        :return: the bans that were lifted, but for those of networks that had grown.
        """
        lifted = [
            ban
            for _, ban in self._inside(network)
            if (label is None or ban.label == label) and (ban.simulated or not simulated)
        ]
        self.lift(lifted, cause, why)
        return lifted

    def lift(self, bans: Iterable[Ban], cause: Cause, why: UnbanReason = "unbanned") -> int:
        """Lift exactly these, as far as they are in force: one that was made longer is the same.

        Networks that had grown are let go as there are too few bans left in them.

        :param bans: what was asked for: of networks that have grown, none.
        :param cause: what led to that, and when.
        :param why: what plugins are told.
        :return: how many were lifted.
        """
        lifted = [key for ban in bans if (key := self._key_of(ban)) is not None]
        for key in lifted:
            ban = self._bans.asked_for[key]
            self._replace(key, None)
            self._offenders.lifted(key, cause.at)
            if ban.alive(cause.at):
                self._events.add(BanEvent("unban", ban, why, cause.hops))
            else:
                self._events.add(BanEvent("unban", ban, "over"))
        for key in lifted:
            self.growth.review(key, cause.at)
        return len(lifted)

    def _key_of(self, ban: Ban) -> BanKey | None:
        """By what a ban is kept; None: it is not in force any more, or another one in its place."""
        key = BanKey(ban.network, ban.target)
        known = self._bans.asked_for.get(key)
        same = known is not None and (known.since, known.label, known.chain) == (
            ban.since, ban.label, ban.chain,
        )  # fmt: skip
        return key if same and not ban.grown else None

    def _inside(self, network: str) -> list[tuple[BanKey, Ban]]:
        """The bans that were asked for of an address, or of a network and of all in it."""
        if "/" not in network:
            return self._of(network)
        outer = network_of(network)
        return [
            (key, ban)
            for key, ban in self._bans.asked_for.items()
            if contains(outer, network_of(key.network))
        ]

    def _of(self, network: str) -> list[tuple[BanKey, Ban]]:
        """The bans that were asked for of exactly this network."""
        keys = [BanKey(network, target) for target in self._bans.targets]
        return [(key, ban) for key in keys if (ban := self._bans.asked_for.get(key)) is not None]

    def _replace(self, key: BanKey, ban: Ban | None) -> None:
        """Put a ban that was asked for in the place of the one before; None: there is none now."""
        if self.growth.counts:
            self.growth.replaced(key, self._bans.asked_for.get(key), ban)
        if ban is None:
            self._bans.drop(key, grown=False)
        else:
            self._bans.put(key, ban)

    def expire(self, at: int) -> None:
        """Drop the bans that are over; firewalls that do not end them are to remove them."""
        for key, ban in self._bans.over(at):
            if ban.grown:
                self._bans.drop(key, grown=True)
            else:
                self._replace(key, None)
            self._events.add(BanEvent("unban", ban, "over"))

    def all(self, at: int) -> list[Ban]:
        """The bans that last, two of one key included."""
        return [ban for _, ban in self._bans.all() if ban.alive(at)]

    def on(self, address: str, at: int) -> list[Ban]:
        """The bans in force of an address, and of networks that contain it."""
        if not len(self._bans):
            return []
        own = [ban for _, ban in self._of(address) if ban.alive(at)]
        return own + self.around(address, at)

    def around(self, network: str, at: int) -> list[Ban]:
        """The bans in force of networks that are broader, and contain this one."""
        found = [
            ban
            for outer in broader_texts(network, tuple(sorted(self._bans.lengths)))
            for _, ban in self._of(outer)
            if ban.alive(at)
        ]
        if not self._bans.grown:
            return found
        inner = network_of(network)
        return found + [
            ban
            for key, ban in self._bans.grown.items()
            if key.network != network and contains(network_of(key.network), inner) and ban.alive(at)
        ]
