"""Counts what a running daemon has done so far, for `pyruse status`."""

from __future__ import annotations

import os
import time
import weakref
from collections import deque
from collections.abc import Sequence
from typing import Any

from pyruse.bans.firewalls.upkeep import Trouble
from pyruse.bans.protection import Protected
from pyruse.chains.traffic import Traffic
from pyruse.system.native import at_work
from pyruse.version import VERSION

_MINUTES = 60
_MOST_PROTECTED = 100


class Activity:
    """Counts what is handled. `data` may be called in any thread."""

    def __init__(self, since: int) -> None:
        """Begin with nothing handled.

        :param since: when the daemon started, in microseconds since the epoch.
        """
        self._since = since
        self._started = time.monotonic()
        self._entries = 0
        self._minutes: deque[tuple[int, int]] = deque(maxlen=_MINUTES)
        """The newest minutes in which entries came (of `time.monotonic`), and how many came."""
        self._version = VERSION
        # Kept open: who asks when there are no descriptors left is answered all the same.
        self._memory = os.open("/proc/self/statm", os.O_RDONLY | os.O_CLOEXEC)
        weakref.finalize(self, os.close, self._memory)
        self.held_up_by = ""
        """What the daemon waits for at the moment instead of reading on, such as room on a disk."""
        self.firewalls: list[Trouble] = []
        """The firewalls that do not hold what they should."""
        self.refused: dict[str, Any] | None = None
        """The last reload, where it was refused: ``at``, in microseconds since the epoch, and its
        ``faults``."""
        self.traffic: Traffic | None = None
        """Counts what the chains see, where that is wanted."""
        self._protected: list[dict[str, str]] = []

    def handled(self, entries: int) -> None:
        """So many entries more are handled."""
        self._entries += entries
        minute = int(time.monotonic() // 60)
        if self._minutes and self._minutes[-1][0] == minute:
            self._minutes[-1] = (minute, self._minutes[-1][1] + entries)
        else:
            self._minutes.append((minute, entries))

    def protect(self, protected: Sequence[Protected]) -> None:
        """These are never banned, from now on."""
        shown = [one._asdict() for one in protected[:_MOST_PROTECTED]]
        if more := len(protected) - len(shown):
            shown.append({"what": f"{more:,} more", "where": "see `pyruse check -v`"})
        self._protected = shown

    def _rate(self, minutes: int) -> float:
        """Entries a second in the last whole minutes, and since."""
        now = time.monotonic()
        first = max(0, int(now // 60) - minutes)
        begin = max(first * 60, self._started)
        entries = sum(count for minute, count in list(self._minutes) if minute >= first)
        return entries / max(1.0, now - begin)

    def data(self) -> dict[str, Any]:
        """For people and programs; in JSON types."""
        traffic = self.traffic  # a reload may come in between
        pages = int(os.pread(self._memory, 200, 0).split()[1])  # proc(5): the resident ones
        return {
            "pid": os.getpid(),
            "version": self._version,
            "native": at_work(),
            "since": self._since,
            "entries": self._entries,
            "per_second": {"minute": self._rate(1), "hour": self._rate(_MINUTES - 1)},
            "cpu_seconds": time.process_time(),
            "memory_bytes": pages * os.sysconf("SC_PAGE_SIZE"),
            "held_up_by": self.held_up_by,
            "firewalls": [trouble._asdict() for trouble in self.firewalls],
            "refused_reload": self.refused,
            "protected": self._protected,
            "chains": None if traffic is None else traffic.data(),
            "chains_since": None if traffic is None else traffic.since,
        }
