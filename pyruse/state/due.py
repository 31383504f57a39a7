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

    A heap says when to *look* at a key. A key that is set again and again, each time for later,
    costs one look: a look that comes too early is put off. Looks that are of no use any more stay
    in the heap until they come up, or until they are a third of it.
    """

    def __init__(self) -> None:
        self._at: dict[K, int] = {}
        self._put_off: dict[K, int] = {}
        """When those keys are looked at that are due later. The others are looked at when due."""
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
        known = self._at.get(key)
        self._at[key] = at
        if known is None:
            self._look(key, at)
        elif at != known:
            look = self._put_off.pop(key, known)
            if at > look:
                self._put_off[key] = look
            elif at < look:
                self._look(key, at)
                self._tidy()

    def fill(self, at: dict[K, int]) -> None:
        """Have these keys be due, and no others: for many, in a fraction of the time of `set`."""
        self._at = at
        self._rebuild()

    def discard(self, key: K) -> None:
        """Forget a key; one that is not there is fine."""
        if self._at.pop(key, None) is not None:
            self._put_off.pop(key, None)
            self._tidy()

    def clear(self) -> None:
        """Forget all keys."""
        self._at.clear()
        self._rebuild()

    def pop_until(self, now: int) -> Iterator[K]:
        """Take out the keys that are due at an instant, in the order in which they are due.

        While it runs, keys may be set, for a later instant too.
        """
        while (first := self._first()) is not None and first[0] <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._at[key]
            yield key

    def next(self) -> int | None:
        """When the first key is due, or None where none ever is."""
        first = self._first()
        return None if first is None else first[0]

    def _first(self) -> tuple[int, int, K] | None:
        """The first look at a key that is due then; the looks before it are done with."""
        while self._heap:
            first = self._heap[0]
            look, _, key = first
            at = self._at.get(key)
            if at == look:
                return first
            heapq.heappop(self._heap)
            if at is not None and self._put_off.get(key) == look:
                del self._put_off[key]
                self._look(key, at)
        return None

    def _look(self, key: K, at: int) -> None:
        if at < FOREVER:
            heapq.heappush(self._heap, (at, next(self._numbers), key))

    def _tidy(self) -> None:
        if len(self._heap) > len(self._at) * 3 // 2 + _SPARE:
            self._rebuild()

    def _rebuild(self) -> None:
        self._put_off.clear()
        self._heap.clear()  # first: of 100,000 keys, both would take 10 MB more
        self._heap += [
            (at, next(self._numbers), key) for key, at in self._at.items() if at < FOREVER
        ]
        heapq.heapify(self._heap)
