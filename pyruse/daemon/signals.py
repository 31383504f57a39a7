"""The signals that administrators send: stop, and read the configuration again."""

from __future__ import annotations

import signal

from pyruse.daemon.wake import Wake


class Signals:
    """What the signals asked for; the main loop looks here between two batches."""

    def __init__(self, wake: Wake) -> None:
        """Catch nothing yet.

        :param wake: ends the sleep of the main loop.
        """
        self._wake = wake
        self.stop = False
        """Finish what is at hand, commit it, and end."""
        self.reload = False
        """Read the configuration again."""

    def catch(self) -> None:
        """SIGTERM and SIGINT stop, SIGHUP reloads. For the main thread."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._ask_for(stop=True))
        signal.signal(signal.SIGHUP, lambda *_: self._ask_for(reload=True))
        # The kernel may give a signal to any thread, and Python runs these functions in the main
        # one alone, which may be asleep: what is written here wakes it.
        signal.set_wakeup_fd(self._wake.write_end, warn_on_full_buffer=False)

    def _ask_for(self, *, stop: bool = False, reload: bool = False) -> None:
        self.stop |= stop
        self.reload |= reload
        self._wake()
