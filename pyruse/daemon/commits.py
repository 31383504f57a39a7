"""Committing what a batch led to, for as long as it takes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from pyruse.daemon.signals import Signals
from pyruse.daemon.status.activity import Activity
from pyruse.daemon.wake import Wake
from pyruse.errors import UserError
from pyruse.state.database import State
from pyruse.system.log import tell
from pyruse.system.service_manager import Watchdog

_RETRY_MS = 5_000
"""When the state could not be written: a full disk, most likely."""
_INFO = 6  # syslog(3)


class Commits:
    """Commits a state again and again until it succeeds: no entry is read before that."""

    def __init__(  # noqa: PLR0913 -- all that goes on while it waits for room on a disk
        self,
        state: State,
        activity: Activity,
        signals: Signals,
        wake: Wake,
        watchdog: Watchdog,
        on_fault: Callable[[str], object],
    ) -> None:
        """Commit nothing yet.

        :param state: what is committed.
        :param activity: says meanwhile that the daemon is held up.
        :param signals: a stop ends the attempts.
        :param wake: ends the sleep between two attempts.
        :param watchdog: is told that the daemon is alive.
        :param on_fault: told of each attempt that failed.
        """
        self._state = state
        self._activity = activity
        self._signals = signals
        self._wake = wake
        self._watchdog = watchdog
        self._on_fault = on_fault

    def __call__(self) -> None:
        """Commit.

        :raises UserError: it did not succeed until the stop. Nothing is lost then: the next start
            reads the same entries again.
        :raises StateError: the database is damaged or gone (see `pyruse.state.rescue`).
        """
        while True:
            try:
                self._state.commit()
                if self._activity.held_up_by:
                    self._activity.held_up_by = ""
                    tell("the state can be written again: nothing is lost", _INFO, {})
                    self._wake()  # the sleeps have taken the wakes that were for the main loop
                return
            except sqlite3.Error as fault:
                self._activity.held_up_by = f"the state cannot be written: {fault}"
                self._on_fault(f"cannot be written: {fault}")
                if self._signals.stop:
                    raise UserError(
                        f"{self._state.path}: cannot be written: {fault} (expected room on the "
                        "disk; the entries will be read again at the next start)"
                    ) from None
            self._watchdog.tell()
            self._wake.sleep(_RETRY_MS)
