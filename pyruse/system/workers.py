"""Worker threads for slow jobs, so that no entry ever waits for a mail server or a program."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from pyruse.system.privileges import keep_from_programs

Job = TypeVar("Job")


class Worker(Generic[Job]):
    """One thread that does jobs one after the other, in order. It is started by the first job.

    Programs that it runs do not get Pyruse's capabilities.
    """

    def __init__(self, name: str, work: Callable[[Job], None]) -> None:
        """Start no thread yet.

        :param work: does a job, in the thread; contains all errors.
        """
        self._name = name
        self._work = work
        self._jobs: SimpleQueue[Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._dropping = False

    def start(self) -> None:
        """Start the thread if there is none yet.

        :raises RuntimeError: the system has no room for another thread.
        """
        if self._thread is None:
            # A daemon: what hangs at the end of Pyruse is not waited for.
            thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            thread.start()
            self._thread = thread

    def hand_over(self, job: Job) -> None:
        """Have a job done after those handed over before."""
        self.start()
        self._jobs.put(job)

    def close(self, deadline: float) -> None:
        """End the thread, after its jobs but not after an instant of `time.monotonic`.

        A job that is not done by then goes on in the background; the jobs after it are dropped.
        """
        if self._thread is None:
            return
        self._jobs.put(None)
        self._thread.join(max(0.0, deadline - time.monotonic()))
        self._dropping = True

    def _run(self) -> None:
        keep_from_programs()
        while (job := self._jobs.get()) is not None and not self._dropping:
            self._work(job)
