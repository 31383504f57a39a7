"""The order in which items leave the outbox: by number, and none before its time."""

from __future__ import annotations

from msgspec import Struct

from pyruse.state.due import Due
from pyruse.times import FOREVER


class QueueSlot(Struct, frozen=True):
    """An item in a queue."""

    turn: int
    item_id: str


class Queue:
    """The items of one kind that wait. No call costs more for a long queue.

    An item waits for its time first, and then for its turn.
    """

    def __init__(self) -> None:
        self._later: Due[QueueSlot] = Due()
        """By the instant from which on each may leave."""
        self._ripe: Due[QueueSlot] = Due()
        """Those that may leave, by their turns."""

    def add(self, slot: QueueSlot, leaves_at: int) -> None:
        """Have an item wait until an instant (µs since the epoch), however it waited before."""
        self._ripe.discard(slot)
        self._later.set(slot, leaves_at)

    def remove(self, slot: QueueSlot) -> None:
        """Have an item wait no more; one that does not is fine."""
        self._ripe.discard(slot)
        self._later.discard(slot)

    def take(self, now: int) -> str | None:
        """Take out the first item that may leave at an instant, and give its id."""
        for slot in self._later.pop_until(now):
            self._ripe.set(slot, slot.turn)
        first = next(self._ripe.pop_until(FOREVER), None)
        return None if first is None else first.item_id

    def next(self) -> int | None:
        """When the next item may leave (0: it may already), or None where none waits."""
        return 0 if len(self._ripe) else self._later.next()
