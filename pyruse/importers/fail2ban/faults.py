"""What cannot be read, and where it stands."""

from __future__ import annotations


class Unreadable(Exception):
    """A value, a file or a jail that cannot be taken over; the rest goes on without it."""

    def __init__(self, address: str, what: str) -> None:
        """Say where it stands, and what is wrong with it."""
        super().__init__(f"{address}: {what}")
        self.address = address
        self.what = what
