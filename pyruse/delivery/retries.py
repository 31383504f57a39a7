"""Decides when an item is tried again, and which items wait for it meanwhile."""

from __future__ import annotations

FIRST_RETRY_US = 30_000_000
"""The delay between the first and the second attempt; each further delay is twice as long."""
LONGEST_RETRY_US = 3_600_000_000
"""No delay is longer than this. Of mails alone there is a last attempt."""
KEPT_TRYING_US = 30 * 86_400_000_000
"""A mail that failed first so long ago is set aside when it fails once more."""
REFUSED_REPORT_US = 7 * 86_400_000_000
"""So long a report is tried again though the server refuses it: somebody may mend that."""
_FIRST_REFUSED_US = 3_600_000_000
_LONGEST_REFUSED_US = 12 * 3_600_000_000
_HOLDS_UP = 8
"""An item that has failed so often (for an hour) no longer holds up the others, where it may be at
fault itself."""


class Retries:
    """Delays that grow and keep the order: an item that failed holds up the items after it."""

    def __init__(self) -> None:
        self._held_until: dict[str, int] = {}
        """By kind of item: none leaves before this instant."""

    def delay(self, attempts: int) -> int:
        """So many microseconds pass after so many attempts before the next one."""
        return min(FIRST_RETRY_US << min(attempts - 1, 10), LONGEST_RETRY_US)

    def delay_refused(self, attempts: int) -> int:
        """The same, in microseconds, for a report that the server refuses: soon is no better."""
        return min(_FIRST_REFUSED_US << min(attempts - 1, 10), _LONGEST_REFUSED_US)

    def holds_up(self, attempts: int) -> bool:
        """Whether an item that has failed so often still holds up the others of its kind."""
        return attempts < _HOLDS_UP

    def hold(self, kind: str, until: int) -> None:
        """Let nothing of a kind leave before an instant."""
        self._held_until[kind] = until

    def is_held(self, kind: str, now: int) -> bool:
        """Whether nothing of a kind may leave now."""
        # An instant farther off than any retry: the clock was set back.
        return now < self.held_until(kind) <= now + LONGEST_RETRY_US

    def held_until(self, kind: str) -> int:
        """The instant before which nothing of a kind leaves; 0: it is not held."""
        return self._held_until.get(kind, 0)

    def clear(self) -> None:
        """Hold nothing any more."""
        self._held_until.clear()
