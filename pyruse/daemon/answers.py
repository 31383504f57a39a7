"""What commands order of the running daemon, such as bans: carried out by the main loop."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from pyruse.bans import orders
from pyruse.bans.carry_out import UnderWay, begin
from pyruse.bans.firewalls.caller import Doubt
from pyruse.bans.firewalls.upkeep import OnFault
from pyruse.bans.service import Bans
from pyruse.daemon.control import Control, Message, Request
from pyruse.daemon.outbox_orders import OutboxOrders
from pyruse.errors import UserError
from pyruse.state.counted_kinds import CountedKinds

_LONGEST_S = 50.0
"""So long an answer waits for a firewall: the command waits for ten seconds more."""
_NOT_YET = "the firewall has not answered yet (expected an answer soon: see `pyruse status`)"


class _Mute(msgspec.Struct):
    """Mute kinds, or tell of them again."""

    kinds: list[tuple[int, int | None]]
    """Each with since when it is muted, in microseconds since the epoch; None: it is not."""


class _Waiting(NamedTuple):
    request: Request
    order: UnderWay
    until: float
    """An instant of `time.monotonic`."""


class Answers:
    """Carries orders out, and answers each once the firewalls have."""

    def __init__(
        self,
        control: Control,
        commit: Callable[[], object],
        kinds: CountedKinds,
        outbox: OutboxOrders,
    ) -> None:
        """Wait for nothing yet.

        :param control: has the orders.
        :param commit: commits the state.
        :param kinds: the kinds that can be muted.
        :param outbox: carries out the orders about what leaves Pyruse.
        """
        self._outbox = outbox
        self._control = control
        self._commit = commit
        self._kinds = kinds
        self._waiting: list[_Waiting] = []

    def carry_out(self, bans: Bans, on_fault: OnFault) -> None:
        """Carry out the orders that have come: at once in the state, and soon in the firewalls.

        :param bans: of the configuration at work.
        :param on_fault: told what firewalls refused; it tells `heard`.
        """
        for request in self._control.requests():
            if request.content.get("request") == "mute":
                self._mute(request)
                continue
            if self._outbox.carry_out(request):
                continue
            order = request.content.get("order")
            if request.content.get("request") != "order" or not isinstance(order, dict):
                request.answer({"ok": False, "fault": "not understood: of another version?"})
                continue
            try:
                under_way = self._begin(order, bans, on_fault)
            except UserError as fault:
                request.answer({"ok": False, "fault": str(fault)})
                continue
            until = time.monotonic() + _LONGEST_S
            self._waiting.append(_Waiting(request, under_way, until))
        self._outbox.settle()
        self._answer(bans)

    def _mute(self, request: Request) -> None:
        try:
            order = msgspec.convert(request.content, _Mute)
        except msgspec.ValidationError as fault:
            request.answer({"ok": False, "fault": f"not understood: {fault}"})
            return
        for kind, since in order.kinds:
            self._kinds.mute(kind, since)
        self._commit()
        request.answer({"ok": True})

    def _begin(self, message: Message, bans: Bans, on_fault: OnFault) -> UnderWay:
        """Begin an order.

        :raises UserError: it is not understood.
        """
        said: list[str] = []

        def report(fault: Exception) -> None:
            if not isinstance(fault, Doubt):
                said.append(str(fault))
            on_fault(fault)

        under_way = begin(orders.read(message), bans, self._commit, report)
        under_way.faults += said
        return under_way

    def heard(self, fault: str) -> None:
        """A firewall has said something: who waits for it is told."""
        for one in self._waiting:
            one.order.faults.append(fault)

    def _answer(self, bans: Bans) -> None:
        now = time.monotonic()
        for one in list(self._waiting):
            if one.order.is_known(bans) or now >= one.until:
                self._waiting.remove(one)
                self._send(one, bans, _NOT_YET)

    def finish(self, bans: Bans) -> None:
        """Answer all that wait: Pyruse stops."""
        self._outbox.settle()
        for one in self._waiting:
            self._send(one, bans, "Pyruse stops (expected at its next start)")
        self._waiting.clear()

    def _send(self, one: _Waiting, bans: Bans, otherwise: str) -> None:
        answer = orders.message_of(one.order.finish(bans, otherwise))
        one.request.answer({"ok": True, "answer": answer})

    def wait_ms(self) -> int | None:
        """How long the main loop may sleep at most; None: any time."""
        if not self._waiting:
            return None
        left = min(one.until for one in self._waiting) - time.monotonic()
        return max(0, int(left * 1000) + 1)
