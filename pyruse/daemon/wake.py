"""What ends the main loop's sleep before its time."""

from __future__ import annotations

import os
import select
from contextlib import suppress


class Wake:
    """A pipe that the main loop listens to while it sleeps.

    To call it ends the sleep, or the next one. It may be called in any thread, and by the handlers
    of signals.
    """

    def __init__(self) -> None:
        self._read, self.write_end = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def __call__(self) -> None:
        """End the sleep."""
        with suppress(BlockingIOError):  # the pipe is full of wakes
            os.write(self.write_end, b".")

    def fileno(self) -> int:
        """The descriptor that becomes readable when the sleep is to end."""
        return self._read

    def sleep(self, timeout_ms: int) -> None:
        """Sleep for so long, or until a wake."""
        select.select([self._read], [], [], timeout_ms / 1000)
        self.clear()

    def clear(self) -> None:
        """Forget the wakes until now: the main loop is awake."""
        with suppress(BlockingIOError):
            while os.read(self._read, 4096):
                pass
