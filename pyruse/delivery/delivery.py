"""Lets items leave after a commit: log lines at once, everything else through worker threads.

The outbox belongs to the main thread. A worker gets a copy of an item, and its result comes back
through a queue; so a mail server that hangs, a slow program, or a plugin that waits for a web
service never holds up an entry.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Collection, Mapping
from queue import Empty, SimpleQueue
from typing import Protocol

from msgspec.structs import replace

from pyruse.config.settings import EmailSettings
from pyruse.delivery.attempts import Attempt, JournalLog, deliverer, log_writer, mailer, run_command
from pyruse.delivery.item_names import named
from pyruse.delivery.lanes import Lane, PluginLane
from pyruse.delivery.mail.refusals import Refusal
from pyruse.delivery.outcome import GIVEN_UP, Outcome
from pyruse.delivery.receivers import NO_RECEIVERS, Receiver, Receivers, find_heirs
from pyruse.delivery.retries import FIRST_RETRY_US, KEPT_TRYING_US, REFUSED_REPORT_US, Retries
from pyruse.options.durations import written
from pyruse.state.outbox import Outbox
from pyruse.state.outbox_item import REPORTS, SET_ASIDE, OutboxItem
from pyruse.system.privileges import keep_from_programs

_MOST_WAITING = 10_000
_MOST_CHARACTERS = 32_000_000
"""No more mails, parcels of one receiver, or programs of one step wait, and no more text of theirs:
the oldest are given up."""


_MOST_AT_ONCE = 8
"""Attempts past the outbox at the same time."""


class OnFault(Protocol):
    """Tells of a fault: its place, what is wrong, its kind, by which it is counted, how often."""

    def __call__(self, place: str, text: str, kind: str = "delivery", times: int = 1) -> None:
        """Tell."""


class Delivery:
    """Empties the outbox. All its methods are for the main thread.

    The main thread commits, calls `dispatch`, and waits; ``wake`` ends its wait when a result is
    there for `collect`, and what that changes in the outbox is committed before the next
    `dispatch`. Every item leaves at least once: twice, if Pyruse is killed before that commit.
    """

    def __init__(  # noqa: PLR0913 -- all that surrounds it
        self,
        outbox: Outbox,
        settings: EmailSettings,
        host: str,
        journal_log: JournalLog,
        on_fault: OnFault,
        wake: Callable[[], None],
        receivers: Receivers = NO_RECEIVERS,
    ) -> None:
        """Look at the outbox, and start nothing yet.

        :param host: this machine's name, for Message-IDs and the addresses of local users.
        :param journal_log: writes a line to the journal (message, level, fields); OSError if it
            cannot.
        :param on_fault: told of what did not leave: its place (``mail``, ``log``, a plugin such as
            ``action webhook``, or a step such as ``chains."ssh"[3]``), and the fault.
        :param wake: called in worker threads when there is something for `collect`.
        :param receivers: the plugins that deliver what they send.
        """
        self._outbox = outbox
        self._write_log = log_writer(journal_log)
        self._on_fault = on_fault
        self._wake = wake
        self._results: SimpleQueue[tuple[Lane, Outcome]] = SimpleQueue()
        self._mails = {
            name: Lane(name, mailer(settings, host), self._results, wake)
            for name in ("mail", REPORTS)
        }
        self._program_lanes: dict[str, Lane] = {}
        """By lane of the outbox: of each step whose programs have waited."""
        self._plugin_lanes: dict[str, PluginLane] = {}
        self._old_lanes: list[PluginLane] = []
        """Those of receivers that are gone, with a call that has not returned."""
        self._retries = Retries()
        self._at_once = threading.BoundedSemaphore(_MOST_AT_ONCE)
        """Attempts past the outbox that have not ended."""
        self._closed = False
        for item in outbox.items():
            if item.leaving:  # through a delivery before this one, which did not finish it
                outbox.give_back(item.id)
        self._receive_by(receivers)
        # A start is a good moment: what kept the mails from leaving may have been mended just now.
        outbox.retry_now()

    @property
    def busy(self) -> bool:
        """Something is being sent, or its result was not collected yet."""
        return any(lane.busy for lane in self._all_lanes().values())

    def reconfigure(
        self, settings: EmailSettings, host: str, receivers: Receivers = NO_RECEIVERS
    ) -> None:
        """Send by other settings from now on; what is being sent just now is not disturbed.

        As after a start, what failed is tried again at once.
        """
        for lane in self._mails.values():
            lane.attempt = mailer(settings, host)
        self._receive_by(receivers)
        self._retries.clear()
        self._outbox.retry_now()

    def retry(self, item_ids: Collection[str]) -> None:
        """Try these again at once, whatever they wait for."""
        self._retries.clear()
        self._outbox.retry(item_ids)

    def attempt_now(self, item: OutboxItem, done: Callable[[Outcome], None]) -> None:
        """Let an item leave past the outbox, in one attempt.

        :param item: stays as it is.
        :param done: called with the outcome, in another thread.
        :raises RuntimeError: there is no room for another thread.
        """
        lane = self._all_lanes().get(item.lane)
        if lane is None:
            fault = "nobody delivers it (expected that the daemon has the same configuration: "
            done(Outcome(item, "refused", f"{fault}systemctl reload pyruse)"))
            return
        if not self._at_once.acquire(blocking=False):
            raise RuntimeError("too many attempts have not ended yet")
        arguments = (lane.attempt, item, done)
        # A thread of its own: a plugin's call may never return.
        thread = threading.Thread(
            target=self._attempt, args=arguments, name="pyruse at once", daemon=True
        )
        try:
            thread.start()
        except RuntimeError:
            self._at_once.release()
            raise

    def _attempt(self, attempt: Attempt, item: OutboxItem, done: Callable[[Outcome], None]) -> None:
        keep_from_programs()
        try:
            done(attempt(item))
        finally:
            self._at_once.release()

    def send_now(self) -> None:
        """Send at once what waits: the clock was set back, and no instant is right any more."""
        self._retries.clear()
        self._outbox.let_go()

    def dispatch(self, now: int) -> bool:
        """Let leave what is due. To be called after each commit.

        :return: whether the outbox changed already (by log lines), to be committed some time.
        """
        if self._closed:
            return False
        changed = self._write_logs(now)
        for name in self._outbox.program_lanes():
            if name not in self._program_lanes:
                self._program_lanes[name] = Lane(name, run_command, self._results, self._wake)
        changed = self._keep_bounded() or changed
        for name, lane in self._all_lanes().items():
            while lane.is_open() and not self._retries.is_held(name, now):
                item = self._outbox.take(name, now)
                if item is None:
                    break
                try:
                    lane.hand_over(item, now)
                except RuntimeError as fault:  # no room for another thread
                    self._outbox.give_back(item.id)
                    self._retries.hold(name, now + FIRST_RETRY_US)
                    self._on_fault(_place(item), f"cannot be handled: {fault}; tried again in 30 s")
        return changed

    def collect(self, now: int) -> bool:
        """Take in what became of the items handed over.

        :return: whether the outbox changed, to be committed.
        """
        changed = False
        while True:
            try:
                lane, outcome = self._results.get_nowait()
            except Empty:
                # What is there already is not late, whenever the main thread comes to look.
                return self._give_up_waiting(now) or changed
            if not lane.take_back(outcome):
                continue
            if outcome.end == "untried":
                self._outbox.give_back(outcome.item.id)
            else:
                changed = True
                self._settle(outcome, now)

    def next_due(self) -> int | None:
        """From when on `dispatch` or `collect` has something to do, in µs since the epoch.

        None: never yet.
        """
        moments = [deadline for lane in self._calling() if (deadline := lane.deadline) is not None]
        lanes = self._all_lanes()
        for name in ("log", *lanes):
            due = self._outbox.next_due(name)
            if due is not None and (name == "log" or lanes[name].is_open()):
                moments.append(max(due, self._retries.held_until(name)))
        return min(moments, default=None)

    def close(self, timeout_s: float) -> None:
        """Wait at most so long for what was handed over; the rest leaves after the next start.

        `collect` takes in what became of it.
        """
        self._closed = True
        deadline = time.monotonic() + timeout_s
        for lane in self._all_lanes().values():
            lane.close(deadline)

    def _all_lanes(self) -> Mapping[str, Lane]:
        return {**self._mails, **self._program_lanes, **self._plugin_lanes}

    def _calling(self) -> list[PluginLane]:
        return [*self._plugin_lanes.values(), *self._old_lanes]

    def _receive_by(self, receivers: Receivers) -> None:
        """Deliver parcels by these plugins from now on, and tell of those that nobody delivers."""
        for kind in [kind for kind in self._plugin_lanes if kind not in receivers]:
            lane = self._plugin_lanes.pop(kind)
            self._old_lanes.append(lane)
            lane.close(time.monotonic())
        for kind, receiver in receivers.items():
            if kind in self._plugin_lanes:
                self._plugin_lanes[kind].attempt = deliverer(receiver)
            else:
                self._plugin_lanes[kind] = self._lane_of(receiver)
        for plugin, number in find_heirs(self._outbox, receivers).items():
            waits = "a parcel waits" if number == 1 else f"{number:,} parcels wait"
            self._on_fault(
                plugin, f"{waits} for it, and it is at work nowhere (expected it back: they leave "
                "as soon as it is there)", "nobody",
            )  # fmt: skip

    def _lane_of(self, receiver: Receiver) -> PluginLane:
        return PluginLane(receiver.plugin, deliverer(receiver), self._results, self._wake)

    def _keep_bounded(self) -> bool:
        changed = False
        for name, lane in self._all_lanes().items():
            given_up = self._outbox.give_up_oldest(
                name, number=_MOST_WAITING, size=_MOST_CHARACTERS
            )
            changed = changed or given_up > 0
            what, where, whom = "parcel", lane.name, "a receiver"
            if name in self._mails:
                what, where, whom = "mail", "mail", "their server"
            elif name in self._program_lanes:
                what, where, whom = "run of a program", name.removeprefix("command "), "a step"
            if given_up:
                self._on_fault(
                    where, f"a {what} was given up, the oldest: no more than {_MOST_WAITING:,} of "
                    f"them, and {_MOST_CHARACTERS:,} characters, wait for {whom}", GIVEN_UP,
                    given_up,
                )  # fmt: skip
        return changed

    def _give_up_waiting(self, now: int) -> bool:
        """Wait no longer for calls of plugins that have had their time."""
        changed = False
        for lane in self._calling():
            outcome = lane.give_up(now)
            if outcome is None:
                continue
            changed = True
            self._settle(outcome, now)
            if lane.stuck:
                self._on_fault(
                    lane.name,
                    "too many calls of deliver hang: nothing more is handed to it before one of "
                    "them returns, or Pyruse is restarted (expected a time limit in deliver)",
                    "hangs",
                )
        self._old_lanes = [lane for lane in self._old_lanes if lane.busy]
        return changed

    def _write_logs(self, now: int) -> bool:
        changed = False
        while not self._retries.is_held("log", now):
            item = self._outbox.take("log", now)
            if item is None:
                break
            changed = True
            self._settle(self._write_log(item), now)
        return changed

    def _settle(self, outcome: Outcome, now: int) -> None:
        """Say in the outbox what became of an item, and tell of the faults."""
        item = outcome.item
        place = _place(item)
        refused = [one for one in outcome.refusals if one.permanent]
        later = [one for one in outcome.refusals if not one.permanent]
        if outcome.end == "retry":
            if item.kind == "mail" and _tried_for(item, now) >= KEPT_TRYING_US:
                fault = f"{outcome.fault}, for 30 days now"
                self._set_aside(item, fault, f"{fault}; {named(item)}", now)
                return
            holds_up = outcome.whole_way or self._retries.holds_up(item.attempts + 1)
            delay = self._retry(item, outcome.fault, now, holds_up=holds_up)
            self._on_fault(place, f"{outcome.fault}; {named(item)} is tried again in {delay}")
        elif outcome.end == "refused":
            told = f"{outcome.fault}; {named(item)}"
            self._refused(item, outcome.fault, told, now, of_the_server=outcome.of_the_server)
        else:
            self._sent(item, outcome.answer, refused, later, now)
            if outcome.fault:
                self._on_fault(place, f"{named(item)} {outcome.fault}")

    def _sent(
        self, item: OutboxItem, answer: str, refused: list[Refusal], later: list[Refusal], now: int
    ) -> None:
        """A mail has reached all its recipients but some."""
        if item.kind == "mail":
            self._outbox.note_sent(item, now, answer, [one.address for one in refused + later])
        if refused and later:  # each goes its own way
            apart = replace(
                item, id=uuid.uuid4().hex, payload=dict(item.payload), group=None, leaving=True
            )
            self._outbox.put(apart)
            self._refused_for(apart, refused, now)
        elif refused:
            self._refused_for(item, refused, now)
        if later:
            fault = ", ".join(map(str, later))
            self._outbox.narrow(item.id, [one.address for one in later])
            delay = self._retry(item, fault, now, holds_up=False)
            text = f"{named(item)} is tried again in {delay} for {fault}"
            self._on_fault(_place(item), text)
        if not refused and not later:
            self._outbox.sent(item.id)

    def _refused_for(self, item: OutboxItem, refused: list[Refusal], now: int) -> None:
        """Some recipients are refused for good; the others have the mail."""
        self._outbox.narrow(item.id, [one.address for one in refused])
        fault = ", ".join(map(str, refused))
        told = f"{named(item)} was refused for {fault}; for them it"
        self._refused(item, fault, told, now, of_the_server=True)

    def _refused(
        self, item: OutboxItem, fault: str, told: str, now: int, *, of_the_server: bool
    ) -> None:
        """An item is refused for good; a report is worth some more attempts.

        :param told: the beginning of what is told of it.
        """
        patient = item.report is not None and of_the_server
        if patient and _tried_for(item, now) < REFUSED_REPORT_US:
            delay = self._retries.delay_refused(item.attempts + 1)
            self._outbox.failed(item.id, fault, now=now, retry_at=now + delay)
            self._on_fault(_place(item), f"{told} is tried again in {written(delay)}")
        else:
            self._set_aside(item, fault, told, now)

    def _set_aside(self, item: OutboxItem, fault: str, told: str, now: int) -> None:
        """Try an item no more, and tell of it: each one, for nobody will hear of it otherwise."""
        self._outbox.refuse(item.id, fault, now=now)
        self._on_fault(_place(item), f"{told} is set aside (see: pyruse outbox)", SET_ASIDE)

    def _retry(self, item: OutboxItem, fault: str, now: int, *, holds_up: bool) -> str:
        """Have an item tried again, ever later.

        :return: the delay in words.
        """
        delay = self._retries.delay(item.attempts + 1)
        self._outbox.failed(item.id, fault, now=now, retry_at=now + delay)
        if holds_up:
            self._retries.hold(item.lane, now + delay)
        return f"{delay // 1_000_000} s"


def _tried_for(item: OutboxItem, now: int) -> int:
    """So many microseconds have passed since it failed first."""
    return 0 if item.tried is None else now - item.tried


def _place(item: OutboxItem) -> str:
    """Where a fault of an item is told: at its step, if it is one's; else as its kind."""
    step: str = item.payload.get("step", item.kind)
    return step
