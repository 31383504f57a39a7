"""Tells the service manager: ready, reloading, stopping, alive (sd_notify(3))."""

from __future__ import annotations

import os
import time
from contextlib import suppress

from systemd import daemon

from pyruse.text import brief_line

_LONGEST_STATUS = 300
"""Characters: more is in the log."""


def ready() -> None:
    """Started, or reloaded."""
    _notify("READY=1")


def reloading() -> None:
    """The configuration is read again, from now until `ready`."""
    _notify(f"RELOADING=1\nMONOTONIC_USEC={time.monotonic_ns() // 1000}")


def status(text: str) -> None:
    """Have ``systemctl status`` show a line; an empty one is shown no more."""
    _notify(f"STATUS={brief_line(text, _LONGEST_STATUS)}")


def stopping() -> None:
    """The end has begun."""
    _notify("STOPPING=1")


def _notify(text: str) -> None:
    """Tell the service manager; sd_notify(3) recommends to go on where it does not listen."""
    with suppress(OSError):
        daemon.notify(text)


class Watchdog:
    """Tells that the main loop goes round, where the unit has ``WatchdogSec=``.

    If it does not any more, the service manager kills Pyruse and starts it again.
    """

    def __init__(self) -> None:
        """Take what the service manager wants from the environment (sd_watchdog_enabled(3))."""
        limit = os.environ.get("WATCHDOG_USEC", "")
        mine = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._interval = int(limit) / 2e6 if mine and limit.isdecimal() else 0.0
        self._next = 0.0

    def tell(self) -> None:
        """Say so, if it is time to."""
        if self._interval and time.monotonic() >= self._next:
            _notify("WATCHDOG=1")
            self._next = time.monotonic() + self._interval

    def wait_ms(self) -> int | None:
        """The longest time that the main loop may sleep; None: any time."""
        if not self._interval:
            return None
        return max(0, int((self._next - time.monotonic()) * 1000) + 1)
