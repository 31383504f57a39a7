"""The ways out that take time: each has a worker thread, and the items handed over to it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue

from msgspec.structs import replace

from pyruse.delivery.attempts import Attempt
from pyruse.delivery.outcome import Outcome
from pyruse.errors import in_words
from pyruse.state.outbox_item import OutboxItem
from pyruse.system.workers import Worker

_AT_HAND = 10
"""So many items are with the worker, so that it has something to do while results are committed;
the others wait in the outbox, which is bounded."""
_LEFT_BEHIND = 3
"""So many calls of a plugin may hang at the same time, each in a thread that nothing can end."""


class Lane:
    """The way of the mails, or of one step's programs: their attempts end by themselves.

    After a failure that may pass, all the others come back untried: none overtakes the one that
    failed.
    """

    def __init__(
        self,
        name: str,
        attempt: Attempt,
        results: SimpleQueue[tuple[Lane, Outcome]],
        wake: Callable[[], None],
    ) -> None:
        """Start nothing yet.

        :param results: gets each outcome.
        :param wake: called in the worker thread after that.
        """
        self.attempt = attempt
        self.name = name
        """Of what it is the way: ``mail``, or a plugin such as ``action webhook``."""
        self._results = results
        self._wake = wake
        self._worker = Worker(f"pyruse {name}", self._do)
        self._blocked = threading.Event()
        self._handed_over = 0

    @property
    def busy(self) -> bool:
        """Whether items were handed over that have not come back by the main thread's count."""
        return self._handed_over > 0

    def is_open(self) -> bool:
        """Whether items may be handed over: those after a failure must have come back first."""
        if not self._handed_over:
            self._blocked.clear()
        return self._handed_over < _AT_HAND and not self._blocked.is_set()

    def hand_over(self, item: OutboxItem, now: int) -> None:
        """Have a copy of an item sent.

        :raises RuntimeError: its thread cannot be started.
        """
        self._worker.hand_over(replace(item, payload=dict(item.payload)))
        self._handed_over += 1

    def take_back(self, outcome: Outcome) -> bool:
        """Count an outcome; gives whether it still matters."""
        self._handed_over -= 1
        return True

    def close(self, deadline: float) -> None:
        """Wait for what was handed over, until an instant of `time.monotonic`."""
        self._worker.close(deadline)

    def _do(self, item: OutboxItem) -> None:
        outcome = Outcome(item, "untried") if self._blocked.is_set() else self._outcome(item)
        if outcome.end == "retry":
            self._blocked.set()
        self._results.put((self, outcome))
        self._wake()

    def _outcome(self, item: OutboxItem) -> Outcome:
        """What comes of an attempt; where it raises anything, it is made again."""
        try:
            return self.attempt(item)
        except BaseException as fault:  # noqa: BLE001 -- without an outcome, it would wait for ever
            return Outcome(item, "retry", in_words(fault))


class PluginLane(Lane):
    """The way of one receiver's parcels: one at a time, as a plugin's call may never return.

    A call that takes longer than its parcel allows counts as failed. Its thread cannot be ended,
    so it is left behind, and another one takes the next parcel, as long as not too many hang.
    """

    def __init__(
        self,
        name: str,
        attempt: Attempt,
        results: SimpleQueue[tuple[Lane, Outcome]],
        wake: Callable[[], None],
    ) -> None:
        """As of any lane."""
        super().__init__(name, attempt, results, wake)
        self._at_hand: OutboxItem | None = None
        self._deadline = 0
        self._left_behind: list[OutboxItem] = []

    @property
    def busy(self) -> bool:
        """Whether a parcel is being delivered, those not counted that are given up waiting for."""
        return self._at_hand is not None

    @property
    def stuck(self) -> bool:
        """Whether too many calls hang for another one to be begun."""
        return len(self._left_behind) >= _LEFT_BEHIND

    @property
    def deadline(self) -> int | None:
        """The instant at which `give_up` has something to do."""
        return None if self._at_hand is None else self._deadline

    def is_open(self) -> bool:
        """Whether a parcel may be handed over."""
        return not self.busy and not self.stuck

    def hand_over(self, item: OutboxItem, now: int) -> None:
        """Have a copy of a parcel delivered.

        :raises RuntimeError: its thread cannot be started.
        """
        copy = replace(item, payload=dict(item.payload))
        self._worker.hand_over(copy)
        self._at_hand = copy
        self._deadline = now + _time_limit_us(item)

    def give_up(self, now: int) -> Outcome | None:
        """Wait no longer for a call that has had its time."""
        item = self._at_hand
        if item is None:
            return None
        # Where the clock was set back, the call gets its time once more, and not a year.
        self._deadline = min(self._deadline, now + _time_limit_us(item))
        if now < self._deadline:
            return None
        self._left_behind.append(item)
        self._at_hand = None
        self._worker.close(time.monotonic())  # its thread ends when the call returns, if ever
        self._worker = Worker(f"pyruse {self.name}", self._do)
        seconds = f"{item.payload['timeout']:g}"
        return Outcome(item, "retry", f"{item.plugin}: deliver has not returned within {seconds} s")

    def take_back(self, outcome: Outcome) -> bool:
        """Count an outcome; gives whether it still matters: a late failure does not."""
        if outcome.item is self._at_hand:
            self._at_hand = None
            return True
        self._left_behind = [item for item in self._left_behind if item is not outcome.item]
        return outcome.end != "retry"

    def _do(self, item: OutboxItem) -> None:
        self._results.put((self, self._outcome(item)))
        self._wake()


def _time_limit_us(item: OutboxItem) -> int:
    seconds: float = item.payload["timeout"]
    return round(seconds * 1_000_000)
