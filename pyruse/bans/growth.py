"""Who else is banned: where many addresses of one network are, all of it is."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from pyruse.api.bans import Ban
from pyruse.bans.aggregate import Aggregate
from pyruse.bans.members import Members
from pyruse.state.ban_events import BanEvent
from pyruse.state.ban_history import AGGREGATE
from pyruse.state.database import State
from pyruse.state.shared_bans import BanKey
from pyruse.times import FOREVER


class Growth:
    """Networks that are banned for as long as enough of their addresses are."""

    def __init__(self, state: State) -> None:
        """No network grows before `follow` tells how."""
        self._bans = state.bans
        self._history = state.ban_history
        self._events = state.ban_events
        self._members = Members(Aggregate())
        self._may_grow: Callable[[BanKey], bool] = lambda key: True

    def follow(self, rule: Aggregate, may_grow: Callable[[BanKey], bool], at: int) -> None:
        """Let networks grow by this rule from now on, those that there are included.

        :param rule: how networks grow; `Aggregate()`: not at all.
        :param may_grow: whether a network may be banned as a whole.
        :param at: when that is, in microseconds since the epoch.
        """
        self._members = Members(rule)
        self._may_grow = may_grow
        if rule != Aggregate():
            for key, ban in self._bans.asked_for.items():
                self._members.add(key, ban.until)
        for key in dict.fromkeys([*self._bans.grown, *self._members.grown()]):
            self._grow(key, at)

    @property
    def counts(self) -> bool:
        """Whether networks grow at all."""
        return self._members.count_any

    def replaced(self, key: BanKey, before: Ban | None, after: Ban | None) -> None:
        """Count a ban that was asked for anew, or (None) no longer; `review` is to follow."""
        if before is not None:
            self._members.remove(key, before.until)
        if after is not None:
            self._members.add(key, after.until)

    def review(self, key: BanKey, at: int) -> None:
        """See whether the network around a ban that changed is still, or newly, to be banned."""
        around = self._members.around(key) if self._members.count_any else None
        if around is not None:
            self._grow(around, at)

    def _grow(self, key: BanKey, at: int) -> None:
        """Ban a network for as long as there are enough bans in it, or let it go."""
        known = self._bans.grown.get(key)
        end = self._members.many_until(key)
        if end <= at or not self._may_grow(key):
            if known is not None:
                self._bans.drop(key, grown=True)
                self._events.add(BanEvent("unban", known, "few" if known.alive(at) else "over"))
            return
        until = None if end == FOREVER else end
        if known is not None and known.alive(at):
            if known.until != until:
                self._bans.put(key, replace(known, until=until))
            return
        if known is not None:
            self._events.add(BanEvent("unban", known, "over"))
        reason = f"{self._members.at(key)} or more bans in this network"
        ban = Ban(key.network, AGGREGATE, at, until, reason, "", 1, key.target, grown=True)
        self._bans.put(key, ban)
        self._history.add(ban, at)
        self._events.add(BanEvent("ban", ban))
