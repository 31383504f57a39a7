"""Bans and unbans are told to plugins, and to the journal, once they are committed."""

from __future__ import annotations

from pyruse.engine.ban_lines import BanLines
from pyruse.registry.broadcasts import Broadcasts
from pyruse.state.ban_events import BanEvent, BanEvents

_SLICE = 1_000
"""Events that are told in one go: for so many calls of plugins, the daemon does nothing else."""
_MANY = 10_000
"""While more are to be told, no entry is read: what is waiting takes memory and room on the disk,
and plugins that are slower than bans come must not let it grow without bound."""


class BanNews:
    """Tells of what has happened to bans, at least once and after the commit.

    Whatever plugins do then by their context is committed together with "this is told".
    """

    def __init__(
        self, events: BanEvents, broadcasts: Broadcasts, lines: BanLines | None = None
    ) -> None:
        """Begin to tell.

        :param events: what has happened.
        :param broadcasts: the plugins.
        :param lines: writes to the journal; None: nobody does.
        """
        self._events = events
        self._broadcasts = broadcasts
        self._lines = lines

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
        events = self._events.take(most)
        if self._lines is not None:
            self._lines.write(events)
        for event in events:
            self._call(event)
        return bool(events)

    def _call(self, event: BanEvent) -> None:
        if event.kind == "ban":
            self._broadcasts.call("on_ban", ban=event.ban)
        else:
            self._broadcasts.call("on_unban", ban=event.ban, why=event.why)
