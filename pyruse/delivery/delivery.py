"""What leaves Pyruse after a commit: log lines at once, mails and programs through worker threads.

The outbox belongs to the main thread. A worker gets a copy of an item, and its result comes back
through a queue; so a mail server that hangs, or a slow program, never holds up an entry.
"""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from queue import Empty, SimpleQueue
from typing import Any, Literal, NamedTuple

from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.outcome import MailError, Refusal
from pyruse.delivery.mail.transport import send
from pyruse.state.outbox import Item, Outbox
from pyruse.system.programs import run_program
from pyruse.system.workers import Worker
from pyruse.text import one_line, shortened

_FIRST_RETRY_US = 30_000_000
_LONGEST_RETRY_US = 3_600_000_000
#: A mail that has failed so often (for an hour) no longer holds up the others, where it may be at
#: fault itself.
_HOLDS_UP = 8
_LONGEST_NAME = 200  # characters of a subject or a command, in a report of a fault
_LONGEST_REASON = 300
_NAMED = 5  # of the mails that cannot be sent


class _Result(NamedTuple):
    """What became of an item."""

    item: Item
    end: Literal["sent", "retry", "refused", "untried"] = "sent"
    fault: str = ""
    refusals: tuple[Refusal, ...] = ()
    whole_way: bool = False
    """Of a retry: no other item of its kind could have left either."""


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
        journal_log: Callable[[str, int, Mapping[str, object]], None],
        on_fault: Callable[[str, str], None],
        wake: Callable[[], None],
    ) -> None:
        """Look at the outbox, and start nothing yet.

        :param host: this machine's name, for Message-IDs and the addresses of local users.
        :param journal_log: writes a line to the journal (message, level, fields); OSError if it
            cannot.
        :param on_fault: told of what did not leave: its place (``mail``, ``log`` or a step such as
            ``chains."ssh"[3]``) and the fault.
        :param wake: called in worker threads when there is something for `collect`.
        """
        self._outbox = outbox
        self._journal_log = journal_log
        self._on_fault = on_fault
        self._results: SimpleQueue[_Result] = SimpleQueue()
        self._lanes = {
            "mail": _Lane("mail", _mailer(settings, host), self._results, wake),
            "command": _Lane("command", _run_command, self._results, wake),
        }
        self._held_until: dict[str, int] = {}
        """By kind: nothing of it leaves before this instant, so that its order is kept."""
        self._closed = False
        for item in outbox.items():
            if item.leaving:  # through a delivery before this one, which did not finish it
                outbox.give_back(item.id)
        # A start is a good moment: what kept the mails from leaving may have been mended just now.
        outbox.retry_now()

    @property
    def busy(self) -> bool:
        """Something is being sent, or its result was not collected yet."""
        return any(lane.handed_over for lane in self._lanes.values())

    def reconfigure(self, settings: EmailSettings, host: str) -> None:
        """Send by other settings from now on; a mail that is being sent just now is not disturbed.

        As after a start, what failed is tried again at once.
        """
        self._lanes["mail"].work = _mailer(settings, host)
        self._held_until.clear()
        self._outbox.retry_now()

    def send_now(self) -> None:
        """Send at once what waits: the clock was set back, and no instant is right any more."""
        self._held_until.clear()
        self._outbox.let_go()

    def dispatch(self, now: int) -> bool:
        """Let leave what is due. To be called after each commit.

        :return: whether the outbox changed already (by log lines), to be committed some time.
        """
        if self._closed:
            return False
        changed = self._write_logs(now)
        for kind, lane in self._lanes.items():
            if self._is_held(kind, now) or not lane.is_open():
                continue
            while (item := self._outbox.take(kind, now)) is not None:
                try:
                    lane.hand_over(item)
                except RuntimeError as fault:  # no room for another thread
                    self._outbox.give_back(item.id)
                    self._held_until[kind] = now + _FIRST_RETRY_US
                    self._on_fault(kind, f"cannot be handled: {fault}; tried again in 30 s")
                    break
        return changed

    def collect(self, now: int) -> bool:
        """Take in what became of the items handed over.

        :return: whether the outbox changed, to be committed.
        """
        changed = False
        while True:
            try:
                result = self._results.get_nowait()
            except Empty:
                return changed
            self._lanes[result.item.kind].handed_over -= 1
            if result.end == "untried":
                self._outbox.give_back(result.item.id)
            else:
                changed = True
                self._settle(result, now)

    def next_due(self) -> int | None:
        """From when on `dispatch` has something to do, in µs since the epoch; None: never yet."""
        moments = []
        for kind in ("log", *self._lanes):
            due = self._outbox.next_due(kind)
            if due is not None and (kind == "log" or self._lanes[kind].is_open()):
                moments.append(max(due, self._held_until.get(kind, 0)))
        return min(moments, default=None)

    def close(self, timeout_s: float) -> None:
        """Wait at most so long for what was handed over; the rest leaves after the next start.

        `collect` takes in what became of it.
        """
        self._closed = True
        deadline = time.monotonic() + timeout_s
        for lane in self._lanes.values():
            lane.close(deadline)

    def _is_held(self, kind: str, now: int) -> bool:
        # An instant farther off than any retry: the clock was set back.
        return now < self._held_until.get(kind, 0) <= now + _LONGEST_RETRY_US

    def _write_logs(self, now: int) -> bool:
        changed = False
        while not self._is_held("log", now):
            item = self._outbox.take("log", now)
            if item is None:
                break
            changed = True
            self._settle(self._written(item), now)
        return changed

    def _written(self, item: Item) -> _Result:
        line = item.payload
        try:
            self._journal_log(line["message"], line["level"], line["fields"])
        except OSError as fault:
            return _Result(item, "retry", f"the journal took no line: {fault}", whole_way=True)
        except Exception as fault:  # noqa: BLE001 -- one bad line must not stop the daemon for good
            return _Result(item, "refused", f"the journal can take no such line: {fault!r}")
        return _Result(item)

    def _settle(self, result: _Result, now: int) -> None:
        """Say in the outbox what became of an item, and tell of the faults."""
        item = result.item
        place = item.payload.get("step", item.kind)
        refused = [str(one) for one in result.refusals if one.permanent]
        later = [one.address for one in result.refusals if not one.permanent]
        if refused:
            self._on_fault(place, f"{named(item)} was refused for {', '.join(refused)}")
        if result.end == "retry":
            holds_up = result.whole_way or item.attempts + 1 < _HOLDS_UP
            delay_s = self._retry(item, result.fault, now, holds_up=holds_up)
            self._on_fault(place, f"{result.fault}; {named(item)} is tried again in {delay_s} s")
        elif result.end == "refused":
            self._outbox.refuse(item.id, result.fault, now=now)
            self._on_fault(place, f"{result.fault}; {named(item)} is set aside")
        elif later:
            fault = ", ".join(str(one) for one in result.refusals if not one.permanent)
            self._outbox.narrow(item.id, later)
            delay_s = self._retry(item, fault, now, holds_up=False)
            self._on_fault(place, f"{named(item)} is tried again in {delay_s} s for {fault}")
        else:
            self._outbox.sent(item.id)
            if result.fault:
                self._on_fault(place, f"{named(item)} {result.fault}")

    def _retry(self, item: Item, fault: str, now: int, *, holds_up: bool) -> int:
        """Have an item tried again, ever later.

        :return: in how many seconds.
        """
        delay = min(_FIRST_RETRY_US << min(item.attempts, 10), _LONGEST_RETRY_US)
        self._outbox.failed(item.id, fault, retry_at=now + delay)
        if holds_up:
            self._held_until[item.kind] = now + delay
        return delay // 1_000_000


class _Lane:
    """The way of the mails, or of the commands: a worker thread, and what it was handed over.

    After a failure that may pass, all the others come back untried: none overtakes the one that
    failed.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[Item], _Result],
        results: SimpleQueue[_Result],
        wake: Callable[[], None],
    ) -> None:
        self.work = work
        self._results = results
        self._wake = wake
        self._worker = Worker(f"pyruse {name}", self._do)
        self._blocked = threading.Event()
        self.handed_over = 0
        """So many items were handed over and did not come back by the main thread's count."""

    def is_open(self) -> bool:
        """Whether items may be handed over: those after a failure must have come back first."""
        if not self.handed_over:
            self._blocked.clear()
        return not self._blocked.is_set()

    def hand_over(self, item: Item) -> None:
        """Have a copy of an item sent.

        :raises RuntimeError: its thread cannot be started.
        """
        self._worker.hand_over(replace(item, payload=dict(item.payload)))
        self.handed_over += 1

    def close(self, deadline: float) -> None:
        self._worker.close(deadline)

    def _do(self, item: Item) -> None:
        result = _Result(item, "untried") if self._blocked.is_set() else self.work(item)
        if result.end == "retry":
            self._blocked.set()
        self._results.put(result)
        self._wake()


def _mailer(settings: EmailSettings, host: str) -> Callable[[Item], _Result]:
    def send_mail(item: Item) -> _Result:
        # Python's email package takes long to import, and most runs send no mail.
        from pyruse.delivery.mail.message import compose

        try:
            message = compose(item, settings, host)
        except Exception as fault:  # noqa: BLE001 -- what cannot be composed now never can
            reason = str(fault) if isinstance(fault, ValueError) else repr(fault)
            return _Result(item, "refused", reason)
        try:
            return _Result(item, refusals=tuple(send(message, settings)))
        except MailError as fault:
            end: Literal["refused", "retry"] = "refused" if fault.permanent else "retry"
            return _Result(item, end, str(fault), whole_way=fault.whole_way)
        except Exception as fault:  # noqa: BLE001 -- no mail is lost by a fault of ours
            return _Result(item, "retry", f"it cannot be sent: {fault!r}")

    return send_mail


def _run_command(item: Item) -> _Result:
    payload = item.payload
    stdin = None
    if "parts" in payload:
        from pyruse.delivery.mail.message import text_of  # as rare as mail, and as slow to import

        stdin = text_of(payload).encode()
    try:
        done = run_program(payload["command"], timeout=payload["timeout"], stdin=stdin)
    except FileNotFoundError:
        return _Result(item, fault="is not there (expected a program that can be run)")
    except Exception as fault:  # noqa: BLE001 -- one bad command must not stop the others
        reason = fault.strerror if isinstance(fault, OSError) else fault
        return _Result(item, fault=f"cannot be run: {reason} (expected a program that can be run)")
    return _Result(item, fault=done.fault or "")


def lost_mails(items: list[Item]) -> str:
    """What the reader of a report should know of mails that are set aside, one at least."""
    number = "a mail" if len(items) == 1 else f"{len(items)} mails"
    told = [
        f"{named(item)} ({shortened(one_line(item.error or ''), _LONGEST_REASON)})"
        for item in items[:_NAMED]
    ]
    if len(items) > _NAMED:
        told.append(f"and {len(items) - _NAMED} more")
    return f"{number} could not be sent: {', '.join(told)}"


def named(item: Item) -> str:
    """What the administrator knows an item by."""
    payload: dict[str, Any] = item.payload
    if item.kind == "command":
        command = one_line(shlex.join(payload["command"])) or "an empty command"
        return shortened(command, _LONGEST_NAME)
    text = payload.get("subject") or payload.get("message") or ""
    return f'the {item.kind} "{shortened(one_line(text), _LONGEST_NAME)}"'
