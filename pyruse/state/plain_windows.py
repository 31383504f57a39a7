"""Windows of a counter that hold raises by one, each for a time, and nothing else: most do."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, deque
from collections.abc import Iterator
from heapq import heappop, heappush

MOST = 16
"""Raises of such a window: with more, a tuple that is made anew for each costs more than a list."""

Expiries = tuple[int, ...]
"""When each raise of a window expires, in order (microseconds since the epoch)."""


class PlainWindows:
    """The plain windows of one counter, by key: whoever attacks may have a million addresses.

    Some 220 bytes each. Nothing is forgotten until `drop`: entries may come out of order.
    """

    __slots__ = ("_instants", "_keys", "_late", "_written", "windows")

    def __init__(self) -> None:
        self.windows: dict[str, Expiries] = {}
        self._written: dict[str, Expiries] = {}
        """What the database has of those that have changed since the last commit."""
        self._instants: deque[int] = deque()
        """When raises expire, each as late as the one before or later …"""
        self._keys: deque[str] = deque()
        """… and their keys. Two queues take a quarter of one with pairs."""
        self._late: list[tuple[int, str]] = []
        """A heap of what expires before the raise that came last: expiry and key."""

    def add(self, key: str, expires: int, known: Expiries) -> Expiries:
        """Add a raise to a window.

        :param key: whose window it is.
        :param expires: when the raise expires.
        :param known: what the window holds; empty: there is none.
        :return: the window as it is now.
        """
        if not known or expires >= known[-1]:
            window = (*known, expires)
        else:
            at = bisect_right(known, expires)
            window = (*known[:at], expires, *known[at:])
        self.windows[key] = window
        instants = self._instants
        if not instants or expires >= instants[-1]:
            instants.append(expires)
            self._keys.append(key)
        else:
            heappush(self._late, (expires, key))
        self._written.setdefault(key, known)
        return window

    def take(self, key: str, expires: int) -> None:
        """Take over what the database holds, in the order in which it expires."""
        self.add(key, expires, self.windows.get(key, ()))
        del self._written[key]

    def pop(self, key: str) -> tuple[Expiries, Expiries]:
        """Take out a window; one that is not there is an empty one.

        :return: what it holds, and what the database has of that.
        """
        window = self.windows.pop(key, ())
        return window, self._written.pop(key, window)

    def clear(self) -> None:
        """Forget all windows, which are written."""
        self.windows.clear()
        self._instants.clear()
        self._keys.clear()
        self._late.clear()

    def drop(self, at: int) -> None:
        """Forget the raises that no longer count at an instant."""
        while self._instants and self._instants[0] <= at:
            self._instants.popleft()
            self._shorten(self._keys.popleft(), at)
        while self._late and self._late[0][0] <= at:
            self._shorten(heappop(self._late)[1], at)

    def _shorten(self, key: str, at: int) -> None:
        window = self.windows.get(key)
        if window is None or window[0] > at:
            return  # it has lost that before
        if key in self._written:
            self._written[key] = _after(self._written[key], at)
        if rest := _after(window, at):
            self.windows[key] = rest
        else:
            del self.windows[key]

    def unwritten(self) -> Iterator[tuple[str, int]]:
        """The raises that the database does not have yet: the key, and when each expires."""
        for key, written in self._written.items():
            for expires in beyond(self.windows.get(key, ()), written):
                yield key, expires

    def saved(self) -> None:
        """All is written."""
        self._written.clear()


def counting(window: Expiries, at: int) -> int:
    """How many raises of a window count at an instant."""
    return len(window) if window[0] > at else len(window) - bisect_right(window, at)


def beyond(window: Expiries, written: Expiries) -> Expiries:
    """What a window has that is not written."""
    if window[: len(written)] == written:  # as nearly always
        return window[len(written) :]
    return tuple((Counter(window) - Counter(written)).elements())


def _after(window: Expiries, at: int) -> Expiries:
    return window[bisect_right(window, at) :]
