"""Knows what one firewall has yet to take."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from enum import Enum
from typing import NamedTuple

from pyruse.api.bans import Ban
from pyruse.state.bans import StoredBans, Untaken
from pyruse.state.shared_bans import BanKey

_RETRY_US = 10_000_000
_LONGEST_RETRY_US = 600_000_000


class Standing(Enum):
    """How far a firewall is."""

    UNKNOWN = "unknown"
    """Nobody knows what it holds: tell it of all bans in force."""
    BEHIND = "behind"
    """It does not know of some changes: tell it."""
    IN_LINE = "in line"
    """It holds what it should."""
    WAITING = "waiting for retry"
    """It has refused a change. Tell it of new changes now, and of refused ones later."""


class Telling(NamedTuple):
    """What a firewall is told of in one go."""

    add: dict[BanKey, Ban]
    remove: dict[BanKey, Ban]
    everything: bool
    """These are all the bans in force: the firewall is to hold nothing else."""

    def parted(self, keys: Collection[BanKey]) -> tuple[Telling, Telling]:
        """What is not among these keys, and what is."""
        return (
            self._replace(
                add={key: ban for key, ban in self.add.items() if key not in keys},
                remove={key: ban for key, ban in self.remove.items() if key not in keys},
            ),
            self._replace(
                add={key: ban for key, ban in self.add.items() if key in keys},
                remove={key: ban for key, ban in self.remove.items() if key in keys},
            ),
        )


class Pending:
    """How far one firewall is, and what leads from one standing to another.

    ::

        UNKNOWN ─ took ─────────────> IN_LINE ─ a ban changes ──> BEHIND
                ─ refused ──> WAITING         <─────────── took ─
        WAITING ─ retry ────> UNKNOWN or BEHIND                  ─ refused ──> WAITING
        any ──── lost ──────> UNKNOWN (after the retry, when one is waited for)
        any ──── emptied ───> UNKNOWN (at once)
    """

    def __init__(self, name: str, bans: StoredBans) -> None:
        """A firewall is UNKNOWN at first: while Pyruse did not run, anything may have happened."""
        self._name = name
        self._bans = bans
        self._known = False
        """It holds what it should, but for what it was not told of yet, or has refused."""
        self.refusals: dict[BanKey, str] = {}
        """What was refused, and what the firewall said."""
        self.retry_at: int | None = None
        """When what was refused is tried again (µs since the epoch); None: nothing was."""
        self._retry_us = _RETRY_US
        self.refused_since: int | None = None
        """Since when the firewall has refused something; None: it holds all, as far as known."""
        self.why = ""
        """What it has said last of what it has refused."""
        self.is_whole = False
        """It has taken nothing of what it was told then."""

    @property
    def known(self) -> bool:
        """Whether it holds what it has taken."""
        return self._known

    @property
    def untaken(self) -> Untaken:
        """What the firewall has yet to take, by the state."""
        return self._bans.untaken[self._name]

    @property
    def standing(self) -> Standing:
        """How far the firewall is."""
        if self.retry_at is not None:
            return Standing.WAITING
        if not self._known:
            return Standing.UNKNOWN
        untaken = self._bans.untaken[self._name]
        return Standing.BEHIND if untaken.add or untaken.remove else Standing.IN_LINE

    def telling(self) -> Telling | None:
        """What the firewall is to be told of now; None: nothing."""
        untaken = self._bans.untaken[self._name]
        match self.standing:
            case Standing.IN_LINE:
                self._retry_us = _RETRY_US
                self.refused_since = None
                return None
            case Standing.UNKNOWN:
                return Telling(self._all(), dict(untaken.remove), everything=True)
            case Standing.BEHIND:
                return Telling(dict(untaken.add), dict(untaken.remove), everything=False)
            case Standing.WAITING:
                add, remove = self._not_refused(untaken.add), self._not_refused(untaken.remove)
                return Telling(add, remove, everything=False) if add or remove else None

    def taken(self) -> dict[BanKey, Ban]:
        """The bans that the firewall holds, as far as is known."""
        add = self.untaken.add
        return {key: ban for key, ban in self._all().items() if key not in add}

    def _all(self) -> dict[BanKey, Ban]:
        """The bans that the firewall is to hold."""
        keys = [key for key, _ in self._bans.all() if key.target.backend == self._name]
        return {key: ban for key in keys if (ban := self._bans.standing(key)) is not None}

    def _not_refused(self, changes: dict[BanKey, Ban]) -> dict[BanKey, Ban]:
        return {key: ban for key, ban in changes.items() if key not in self.refusals}

    def took(self, telling: Telling) -> None:
        """The firewall has taken everything that it was told of."""
        self._settle(telling)
        self._known = self._known or telling.everything

    def refused(
        self, telling: Telling, why: str, now: int, failed: Iterable[BanKey] | None = None
    ) -> None:
        """The firewall has refused what it was told of: it is tried again, less and less often.

        What has changed while the firewall was told is left alone: the firewall is told next.

        :param telling: what the firewall was told of.
        :param why: what the firewall said.
        :param now: by the machine's clock, in microseconds since the epoch.
        :param failed: what it has refused, while it took the rest; None: it took nothing.
        """
        refused = telling
        if failed is not None:
            taken, refused = telling.parted(set(failed))
            self._known = self._known or telling.everything
            self._settle(taken)
            if not (refused.add or refused.remove):
                return
            if taken.add or taken.remove:
                self._retry_us = _RETRY_US
            for key, ban in refused.add.items():
                self._bans.want(key, ban)
                if self._bans.stands(key, ban):
                    self._bans.refuse(key, why)
        removed = self._bans.untaken[self._name].remove
        self.refusals |= {
            key: why for key, ban in refused.add.items() if self._bans.stands(key, ban)
        }
        self.refusals |= {key: why for key in refused.remove if key in removed}
        self.why, self.is_whole = why, failed is None
        if self.refused_since is None:
            self.refused_since = now
        if self.retry_at is None:
            self.retry_at = now + self._retry_us
            self._retry_us = min(2 * self._retry_us, _LONGEST_RETRY_US)

    def emptied(self) -> None:
        """The firewall has lost what it held, as it turned out when it was told of changes."""
        self._known = False
        self.retry()

    def lost(self) -> None:
        """Others have removed bans."""
        self._known = False

    def retry(self) -> None:
        """Try again at once what was refused."""
        self.refusals.clear()
        self.retry_at = None

    def _settle(self, telling: Telling) -> None:
        """The firewall is where it should be with these, but for what has changed meanwhile."""
        untaken = self._bans.untaken[self._name]
        for key, ban in telling.add.items():
            wanted = untaken.add.get(key)
            if wanted is not None and wanted.until == ban.until:
                del untaken.add[key]
                self._bans.taken(key)
        for key in telling.remove:
            if untaken.remove.pop(key, None) is not None:
                self._bans.taken(key)
