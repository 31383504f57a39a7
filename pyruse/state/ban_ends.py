"""When bans end: those of one list end together, so there is little to remember of each."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator

from pyruse.state.shared_bans import BanKey


class BanEnds:
    """The keys of bans by the instants at which they end, in microseconds since the epoch.

    A ban that is lifted, or made longer, leaves a note that is of no use: whoever takes it looks
    whether a ban of that key ends then.
    """

    def __init__(self) -> None:
        self._keys: dict[int, list[BanKey]] = {}
        self._instants: list[int] = []
        """A heap, with each instant once."""
        self._notes = 0

    def __len__(self) -> int:
        """How many notes there are, with those that are of no use."""
        return self._notes

    def fill(self, ends: Iterable[tuple[BanKey, int]]) -> None:
        """Note these ends, and no others."""
        self._keys.clear()
        self._instants.clear()
        self._notes = 0
        for key, at in ends:
            self.add(key, at)

    def add(self, key: BanKey, at: int) -> None:
        """Note that a ban of a key ends at an instant."""
        self._notes += 1
        keys = self._keys.get(at)
        if keys is None:
            self._keys[at] = [key]
            heapq.heappush(self._instants, at)
        else:
            keys.append(key)

    def pop_until(self, at: int) -> Iterator[tuple[BanKey, int]]:
        """Take out what is noted up to an instant, in the order of the ends: keys with the end.

        While it runs, ends may be added, for a later instant.
        """
        while self._instants and self._instants[0] <= at:
            end = heapq.heappop(self._instants)
            keys = self._keys.pop(end)
            self._notes -= len(keys)
            for key in keys:
                yield key, end

    def next(self, is_end: Callable[[BanKey, int], bool]) -> int | None:
        """When the first ban ends, or None where none ever does.

        :param is_end: whether a ban of a key ends at an instant: what ends at another one by now is
            forgotten.
        """
        while self._instants:
            at = self._instants[0]
            keys = self._keys[at]
            while keys and not is_end(keys[-1], at):
                keys.pop()
                self._notes -= 1
            if keys:
                return at
            del self._keys[heapq.heappop(self._instants)]
        return None
