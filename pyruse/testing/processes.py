"""The processes that a program leaves behind, found by a mark in their environment."""

from __future__ import annotations

import os
import signal
import uuid
from contextlib import suppress
from pathlib import Path
from typing import Self

from pyruse.testing.keeper import Keeper
from pyruse.testing.waiting import wait_until

_NAME = "PYRUSE_TESTED_AS"


def has_ended(pid: int) -> bool:
    """Whether a process has ended; one that nobody has waited for yet has, too (proc(5))."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return stat.rpartition(")")[2].split()[0] in "ZX"


_KILL = """
for found in $(grep -alsF "$1" /proc/[0-9]*/environ); do
  process=${found#/proc/}
  kill -KILL ${process%/environ}
done
"""


class Mark:
    """A mark for the environment of a program: all that the program starts has the mark, too.

    At the end of the ``with`` block they are killed, or when the test's own process is killed.
    """

    def __init__(self) -> None:
        """Make one that no other program has."""
        self.environment = {_NAME: uuid.uuid4().hex}
        """The variable to be added to the program's environment."""
        self._line = f"{_NAME}={self.environment[_NAME]}"

        self._keeper: Keeper | None = None

    def __enter__(self) -> Self:
        self._keeper = self._keeper or Keeper(_KILL, self._line)
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill them.

        :raises AssertionError: some are still there after two minutes.
        """
        try:
            wait_until(self._kill)
        finally:
            if self._keeper is not None:
                self._keeper.close()
                self._keeper = None

    def processes(self) -> list[int]:
        """The processes that have the mark and have not ended."""
        found = []
        for process in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # somebody else's, or over
                if self._line.encode() in (process / "environ").read_bytes().split(b"\0"):
                    found.append(int(process.name))
        return found

    def wait(self) -> None:
        """Wait until they have ended by themselves.

        :raises AssertionError: some are still there after two minutes.
        """
        wait_until(self.processes, lambda processes: not processes)

    def _kill(self) -> bool:
        """Kill all that are there now.

        :return: whether there was none left, also of those that others start meanwhile.
        """
        left = self.processes()
        for process in left:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return not left
