"""What is due when: keys, each with an instant in microseconds since the epoch."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterator
from itertools import count
from typing import Generic, TypeVar

from pyruse.times import FOREVER

K = TypeVar("K", bound=Hashable)

_SPARE = 64
"""So many looks that are no longer needed are kept before the heap is made anew."""


class Due(Generic[K]):
    """Keys with the instant at which each is due. `set` and `pop_until` cost O(log n) a key.

    A key that is set again and again, each time for later, costs one entry in the heap: the heap
    says when to *look* at a key, and a look that comes too early is put off.
    """

    def __init__(self) -> None:
        self._at: dict[K, int] = {}
        self._looks: dict[K, int] = {}
        """When each key is looked at next. Ignore what else the heap says."""
        self._heap: list[tuple[int, int, K]] = []
        """With a number, as keys need not compare."""
        self._numbers = count()

    def __len__(self) -> int:
        return len(self._at)

    def __contains__(self, key: object) -> bool:
        return key in self._at

    def get(self, key: K) -> int | None:
        """When a key is due, or None where it is not among them."""
        return self._at.get(key)

    def set(self, key: K, at: int) -> None:
        """Have a key be due at an instant, and at no other; FOREVER: never."""
        self._at[key] = at
        if at < self._looks.get(key, FOREVER):
            self._look(key, at)

    def discard(self, key: K) -> None:
        """Forget a key; one that is not there is fine."""
        if self._at.pop(key, None) is not None and len(self._heap) > 2 * len(self._at) + _SPARE:
            self._rebuild()

    def clear(self) -> None:
        """Forget all keys."""
        self._at.clear()
        self._rebuild()

    def pop_until(self, now: int) -> Iterator[K]:
        """Take out the keys that are due at an instant, in the order in which they are due.

        While it runs, keys may be set, for a later instant too.
        """
        while self._heap and self._heap[0][0] <= now:
            key = self._pop_look()
            if key is not None and self._at[key] <= now:
                del self._at[key]
                yield key
            elif key is not None:
                self._look(key, self._at[key])

    def next(self) -> int | None:
        """When the first key is due, or None where none ever is."""
        while self._heap:
            at, _, key = self._heap[0]
            if self._at.get(key) == at:
                return at
            if (stale := self._pop_look()) is not None:
                self._look(stale, self._at[stale])
        return None

    def _look(self, key: K, at: int) -> None:
        if at < FOREVER:
            self._looks[key] = at
            heapq.heappush(self._heap, (at, next(self._numbers), key))

    def _pop_look(self) -> K | None:
        """The key of the first look, or None where that look is of no use any more."""
        at, _, key = heapq.heappop(self._heap)
        if self._looks.get(key) != at:
            return None
        del self._looks[key]
        return key if key in self._at else None

    def _rebuild(self) -> None:
        self._looks = {key: at for key, at in self._at.items() if at < FOREVER}
        self._heap = [(at, next(self._numbers), key) for key, at in self._looks.items()]
        heapq.heapify(self._heap)
