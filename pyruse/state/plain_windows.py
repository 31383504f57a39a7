"""Windows of counters that hold raises by one, each for a time, and nothing else: most do."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Iterator
from heapq import heappop, heappush

MOST = 16
"""Raises of such a window: with more, a tuple that is made anew for each costs more than a list."""

Expiries = tuple[int, ...]
"""When each raise of a window expires, in order (microseconds since the epoch)."""


class _OfCounter:
    """The windows of one counter, and the order in which their raises expire."""

    __slots__ = ("instants", "keys", "windows")

    def __init__(self) -> None:
        self.windows: dict[str, Expiries] = {}
        self.instants: deque[int] = deque()
        """When raises expire, each as late as the one before or later …"""
        self.keys: deque[str] = deque()
        """… and their keys. Two queues take a quarter of one with pairs."""


class PlainWindows:
    """The plain windows of all counters: whoever attacks may have a million addresses.

    Some 220 bytes each. Nothing is forgotten until `drop`: entries may come out of order.
    """

    def __init__(self) -> None:
        self._counters: dict[str, _OfCounter] = {}
        self._late: list[tuple[int, str, str]] = []
        """A heap of what expires before the raise that came last: expiry, counter, key."""

    def __len__(self) -> int:
        return sum(len(one.windows) for one in self._counters.values())

    def get(self, counter: str, key: str) -> Expiries | None:
        """The expiries of a window, or None where there is no such window."""
        one = self._counters.get(counter)
        return None if one is None else one.windows.get(key)

    def add(self, counter: str, key: str, expires: int, known: Expiries | None) -> Expiries:
        """Add a raise to a window.

        :param counter: the name of the counter.
        :param key: what is counted separately in it.
        :param expires: when the raise expires.
        :param known: what `get` gives for the window.
        :return: the window as it is now.
        """
        one = self._counters.get(counter)
        if one is None:
            one = self._counters[counter] = _OfCounter()
        if known is None:
            window: Expiries = (expires,)
        elif expires >= known[-1]:
            window = (*known, expires)
        else:
            at = bisect_right(known, expires)
            window = (*known[:at], expires, *known[at:])
        one.windows[key] = window
        instants = one.instants
        if not instants or expires >= instants[-1]:
            instants.append(expires)
            one.keys.append(key)
        else:
            heappush(self._late, (expires, counter, key))
        return window

    def pop(self, counter: str, key: str) -> Expiries:
        """Take out a window; one that is not there is an empty one."""
        one = self._counters.get(counter)
        return () if one is None else one.windows.pop(key, ())

    def clear(self) -> None:
        """Forget all windows."""
        self._counters.clear()
        self._late.clear()

    def drop(self, at: int) -> Iterator[tuple[str, str]]:
        """Forget the raises that no longer count at an instant.

        :return: the counters and keys of windows that lose some.
        """
        for counter, one in self._counters.items():
            instants = one.instants
            while instants and instants[0] <= at:
                instants.popleft()
                key = one.keys.popleft()
                if _shorten(one.windows, key, at):
                    yield counter, key
        while self._late and self._late[0][0] <= at:
            _, counter, key = heappop(self._late)
            if _shorten(self._counters[counter].windows, key, at):
                yield counter, key


def counting(window: Expiries, at: int) -> int:
    """How many raises of a window count at an instant."""
    return len(window) if window[0] > at else len(window) - bisect_right(window, at)


def _shorten(windows: dict[str, Expiries], key: str, at: int) -> bool:
    """Have a window lose what expires until an instant; False: it has lost it before."""
    window = windows.get(key)
    if window is None or window[0] > at:
        return False
    if rest := window[bisect_right(window, at) :]:
        windows[key] = rest
    else:
        del windows[key]
    return True
