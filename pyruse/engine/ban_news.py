"""Bans and unbans are told to plugins, and to the journal, once they are committed."""

from __future__ import annotations

import time
from collections.abc import Callable

from pyruse.engine.ban_lines import BanLines
from pyruse.registry.broadcasts import Broadcasts
from pyruse.state.ban_events import BanEvent, BanEvents

_SLICE = 1_000
"""Events that are told in one go: for so many calls of plugins, the daemon does nothing else …"""
_SLICE_S = 0.5
"""… and for so long: then it looks whether it is to stop."""
_MANY = 10_000
"""While more are to be told, no entry is read: what is waiting takes memory and room on the disk,
and plugins that are slower than bans come must not let it grow without bound."""


class BanNews:
    """Tells of what has happened to bans, at least once and after the commit.

    Whatever plugins do then by their context is committed together with "this is told".
    """

    def __init__(
        self,
        events: BanEvents,
        broadcasts: Broadcasts,
        lines: BanLines | None = None,
        lead: Callable[[int | None], object] = lambda hops: None,
    ) -> None:
        """Begin to tell.

        :param events: what has happened.
        :param broadcasts: the plugins.
        :param lines: writes to the journal; None: nobody does.
        :param lead: told the hops of the event that the plugins hear of: what they do then has this
            as its cause. None: they have heard.
        """
        self._lead = lead
        self._events = events
        self._broadcasts = broadcasts
        self._lines = lines
        self.told = 0
        """How many events were told, the one that is being told included."""

    @property
    def waiting(self) -> int:
        """How many events are committed, and to be told."""
        return len(self._events)

    @property
    def too_many(self) -> bool:
        """Whether these are to be told before anything else happens."""
        return len(self._events) > _MANY

    def start(self, version: str, chains: int, firewall: str, bans: int) -> None:
        """Tell that Pyruse has started (see `BanLines.start`)."""
        if self._lines is not None:
            self._lines.start(version, chains, firewall, bans)

    def tell(self, most: int = _SLICE) -> bool:
        """Tell of the oldest events; a commit is to follow.

        :param most: how many at most.
        :return: whether there was anything to tell.
        """
        told: list[BanEvent] = []
        end = time.monotonic() + _SLICE_S
        while len(told) < most and time.monotonic() < end and (events := self._events.take(1)):
            told += events
            self.told += 1
            self._call(events[0])
        if self._lines is not None and told:
            self._lines.write([event for event in told if not event.ban.simulated])
        return bool(told)

    def _call(self, event: BanEvent) -> None:
        if event.ban.simulated:
            return
        self._lead(event.hops)
        try:
            if event.kind == "ban":
                self._broadcasts.call("on_ban", ban=event.ban)
            else:
                self._broadcasts.call("on_unban", ban=event.ban, why=event.why)
        finally:
            self._lead(None)
