"""What commands order of the running daemon about what leaves Pyruse."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from pyruse.daemon.control import Message, Request
from pyruse.delivery.delivery import Delivery
from pyruse.delivery.outcome import Outcome
from pyruse.state.outbox import Outbox
from pyruse.state.outbox_item import OutboxItem
from pyruse.times import Clock


class _Deliver(msgspec.Struct):
    """Let something leave at once, past the outbox, and say what became of it."""

    kind: str
    payload: dict[str, Any]


class _Change(msgspec.Struct):
    """Try items of the outbox again, or forget them."""

    retry: list[str] = []
    drop: list[str] = []


class OutboxOrders:
    """Carries them out. For the main thread."""

    def __init__(
        self,
        delivery: Delivery,
        outbox: Outbox,
        commit: Callable[[], object],
        clock: Clock,
        wake: Callable[[], None],
    ) -> None:
        """Wait for nothing yet.

        :param commit: commits the state.
        :param wake: called, in another thread, when there is something for `settle`.
        """
        self._wake = wake
        self._reports_sent: SimpleQueue[tuple[Request, Outcome]] = SimpleQueue()
        self._clock = clock
        self._delivery = delivery
        self._outbox = outbox
        self._commit = commit

    def carry_out(self, request: Request) -> bool:
        """Carry out a request; gives whether it is one of these."""
        does = {"deliver": self._deliver, "outbox": self._change}.get(
            str(request.content.get("request"))
        )
        if does is None:
            return False
        try:
            does(request)
        except msgspec.ValidationError as fault:
            request.answer({"ok": False, "fault": f"not understood: {fault}"})
        except RuntimeError as fault:  # no room for another thread
            request.answer({"ok": False, "fault": f"cannot be handled now: {fault}"})
        return True

    def _deliver(self, request: Request) -> None:
        order = msgspec.convert(request.content, _Deliver)
        now = self._clock()
        item = OutboxItem(order.kind, order.payload, now, now)
        self._delivery.attempt_now(item, partial(self._attempted, request))

    def _attempted(self, request: Request, outcome: Outcome) -> None:
        """An attempt has ended. Called in another thread."""
        if outcome.end == "sent" and outcome.item.report is not None:
            self._reports_sent.put((request, outcome))
            self._wake()
        else:
            _answer(request, outcome)

    def settle(self) -> None:
        """Keep what reports were sent, and answer those who had them sent."""
        settled = []
        while True:
            try:
                request, outcome = self._reports_sent.get_nowait()
            except Empty:
                break
            but = [one.address for one in outcome.refusals]
            self._outbox.note_sent_past(outcome.item, self._clock(), outcome.answer, but)
            settled.append((request, outcome))
        if settled:
            self._commit()
        for request, outcome in settled:
            _answer(request, outcome)

    def _change(self, request: Request) -> None:
        order = msgspec.convert(request.content, _Change)
        self._delivery.retry(order.retry)
        leaving = self._outbox.drop(order.drop)
        self._commit()
        request.answer({"ok": True, "leaving": leaving})


def _answer(request: Request, outcome: Outcome) -> None:
    request.answer({"ok": True, "outcome": outcome_data(outcome)})


def outcome_data(outcome: Outcome) -> Message:
    """What became of it, in JSON types."""
    return {
        "end": outcome.end,
        "fault": outcome.fault,
        "answer": outcome.answer,
        "refusals": [str(one) for one in outcome.refusals],
    }
