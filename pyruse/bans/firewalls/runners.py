"""Where a firewall is called: at once, or in a thread of its own, so that nobody waits for it."""

from __future__ import annotations

import os
import select
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import Protocol

from pyruse.bans.firewalls.caller import Caller, Job, Result

_OLD_S = 60.0
_LOOK_S = 1.0
"""So often it is looked whether a thread has ended that said nothing at its end."""


class Runner(Protocol):
    """Has jobs done, one after another."""

    def hand_over(self, job: Job) -> None:
        """Have a job done.

        :raises RuntimeError: it cannot be done: the system has no room for another thread.
        """

    def results(self) -> list[Result]:
        """What has come of the jobs, and what was noticed, since the last call."""

    def close(self, timeout_s: float) -> None:
        """Let go of the firewall, after the job at work, but wait at most so long for that."""


class InPlace:
    """Does each job when it is handed over: for commands, which have nothing else to do."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._results: list[Result] = []

    def hand_over(self, job: Job) -> None:
        """See `Runner`."""
        self._results.append(self._caller.do(job))

    def results(self) -> list[Result]:
        """See `Runner`."""
        results, self._results = self._results, []
        if (noticed := self._caller.notice()) is not None:
            results.append(noticed)
        return results

    def close(self, timeout_s: float) -> None:
        """See `Runner`."""
        self._caller.close()


class InThread:
    """Does jobs in a thread, which sleeps until there is one or others change the firewall.

    A firewall that hangs holds up this thread alone. It is a daemon thread: whatever hangs at the
    end of Pyruse is not waited for.
    """

    def __init__(
        self,
        name: str,
        caller: Caller,
        wake: Callable[[], None],
        after: InThread | None = None,
    ) -> None:
        """Start no thread yet.

        :param name: of the firewall.
        :param caller: is used in the thread alone.
        :param wake: called, in the thread, when there are results.
        :param after: that of an earlier configuration, the thread of which ends before this one
            calls, unless that takes more than a minute.
        """
        self._caller = caller
        self._wake = wake
        self._after = after
        self._began = after is None
        """It waits for nobody (any more)."""
        self._closed = False
        self._deciding = threading.Lock()
        """Whether it begins, or is closed before."""
        self._next: InThread | None = None
        """Waits for this one."""
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._results: SimpleQueue[Result] = SimpleQueue()
        self._bell = -1
        self.thread = threading.Thread(
            target=self._run, name=f"pyruse firewall {name}", daemon=True
        )
        self._started = False

    @property
    def last(self) -> InThread | None:
        """Whom to wait for, once this one is closed; None: nobody.

        One that itself waits ends at once: so a firewall that hangs, and one reload after another,
        leave no threads behind.
        """
        if not self._began:
            return None if self._after is None else self._after.last
        return self if self.thread.is_alive() else None

    def hand_over(self, job: Job) -> None:
        """See `Runner`."""
        if not self._started:
            try:
                self._bell = os.eventfd(0, os.EFD_CLOEXEC)
            except OSError as fault:
                raise RuntimeError(str(fault.strerror)) from None
            self.thread.start()
            self._started = True
        self._jobs.put(job)
        self._ring()

    def results(self) -> list[Result]:
        """See `Runner`."""
        results: list[Result] = []
        with suppress(Empty):
            while True:
                results.append(self._results.get_nowait())
        return results

    def close(self, timeout_s: float) -> None:
        """See `Runner`."""
        if not self._started:
            return
        with self._deciding:
            self._closed = True
        self._jobs.put(None)
        self._ring()
        self.thread.join(timeout_s)

    def _ring(self) -> None:
        os.eventfd_write(self._bell, 1)

    def __del__(self) -> None:
        if self._bell >= 0:  # not before: the number would be another file's
            os.close(self._bell)

    def _run(self) -> None:
        if self._is_next():
            self._serve()
        self._caller.close()
        if self._next is not None:
            self._next._ring()

    def _is_next(self) -> bool:
        """Wait for the one before.

        :return: False: this one was closed meanwhile.
        """
        if self._after is not None:
            self._after._next = self
            deadline = time.monotonic() + _OLD_S
            while (
                not self._closed
                and self._after.thread.is_alive()
                and (left := deadline - time.monotonic()) > 0
            ):
                if select.select([self._bell], [], [], min(left, _LOOK_S))[0]:
                    os.eventfd_read(self._bell)
        with self._deciding:
            self._began = self._began or not self._closed
        if self._began:
            self._after = None
        return self._began

    def _serve(self) -> None:
        while self._do_what_is_there():
            poll = select.poll()
            poll.register(self._bell, select.POLLIN)
            watched = self._caller.descriptor()
            if watched is not None:
                poll.register(watched, select.POLLIN)
            ready = {descriptor for descriptor, _ in poll.poll()}
            if self._bell in ready:
                os.eventfd_read(self._bell)
            if watched in ready and (noticed := self._caller.notice()) is not None:
                self._give(noticed)

    def _do_what_is_there(self) -> bool:
        """Do the jobs that were handed over.

        :return: whether there may be more.
        """
        with suppress(Empty):
            while (job := self._jobs.get_nowait()) is not None:
                self._give(self._caller.do(job))
            return False
        return True

    def _give(self, result: Result) -> None:
        self._results.put(result)
        self._wake()
