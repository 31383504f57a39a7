"""Notices that somebody else has changed a firewall, so that Pyruse looks at it."""

from __future__ import annotations

from contextlib import suppress

from pyruse.api.firewall import Firewall, Watch

_LOOK_US = 1_000_000
"""Check a firewall that others change all the time at most this often."""


class Watching:
    """Watches one firewall, where it can be watched."""

    def __init__(self) -> None:
        self._watch: Watch | None = None
        self.look_at: int | None = None
        """When the firewall is to be looked at (µs since the epoch); None: nobody changed it."""
        self._looked_at = 0

    def begin(self, firewall: Firewall) -> None:
        """Watch from now on, unless that is so already.

        :raises Exception: whatever is wrong with the firewall.
        """
        if self._watch is None:
            self._watch = firewall.watch()

    def descriptor(self) -> int | None:
        """What becomes readable when others have changed the firewall; None: nothing does."""
        return None if self._watch is None else self._watch.fileno()

    def notice(self, now: int) -> None:
        """See whether others have changed the firewall, so that `look_is_due` some time.

        :raises Exception: whatever is wrong with the watch. It is closed then, as it might stay
            readable for ever, and the firewall is to be looked at.
        """
        if self._watch is None:
            return
        changed = True
        try:
            changed = self._watch.changed()
        except BaseException:
            self.close()
            raise
        finally:
            if changed and self.look_at is None:
                self.look_at = max(now, self._looked_at + _LOOK_US)

    def look_is_due(self, now: int) -> bool:
        """Whether the firewall is to be looked at now; if so, that is on record as done."""
        if self.look_at is None or now < self.look_at:
            return False
        self.look_at, self._looked_at = None, now
        return True

    def look_soon(self) -> None:
        """Do not put off a look any longer: somebody waits, or the clock was set back."""
        self._looked_at = 0
        if self.look_at is not None:
            self.look_at = 0

    def close(self) -> None:
        """Watch no longer."""
        if self._watch is not None:
            with suppress(Exception):  # there is nobody left to tell
                self._watch.close()
            self._watch = None
