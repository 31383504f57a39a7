"""The processes that a program leaves behind, found by a mark in their environment."""

from __future__ import annotations

import os
import signal
import time
import uuid
from contextlib import suppress
from pathlib import Path

_TICK = 0.01  # seconds from one look to the next
_TIME_LIMIT = 60.0  # seconds, of anything that is waited for


class Mark:
    """A mark for the environment of a program: all that the program starts has the mark, too."""

    NAME = "PYRUSE_TESTED_AS"

    def __init__(self) -> None:
        """Make one that no other program has."""
        self.environment = {self.NAME: uuid.uuid4().hex}
        """The variable to be added to the program's environment."""
        self._line = f"{self.NAME}={self.environment[self.NAME]}".encode()

    def processes(self) -> list[int]:
        """The processes that have the mark and have not ended."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # somebody else's, or over
                if self._line in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return found

    def kill(self) -> None:
        """Kill them, and those that they start meanwhile.

        :raises AssertionError: some are still there after 60 s.
        """
        self._wait(kill=True)

    def wait(self) -> None:
        """Wait until they have ended.

        :raises AssertionError: some are still there after 60 s.
        """
        self._wait(kill=False)

    def _wait(self, kill: bool) -> None:
        deadline = time.monotonic() + _TIME_LIMIT
        while left := self.processes():
            assert time.monotonic() < deadline, f"{left} have not ended within {_TIME_LIMIT:.0f} s"
            for process in left if kill else ():
                with suppress(ProcessLookupError):
                    os.kill(process, signal.SIGKILL)
            time.sleep(_TICK)
