"""The hour that the entries at hand are of."""

from __future__ import annotations


class Hour:
    """What of the day an entry need not be asked for, as long as it is of the same hour.

    The engine counts its entries here. A reader that leads entries by itself, by the look-ups of
    `pyruse.chains.table`, counts here, too: those that go nowhere, or are filed on their way, and
    have an instant from `begin` on and before `end` need not be given to the engine, once
    `reached`, `first`, `last` and `skipped` say that they were there.
    """

    __slots__ = ("begin", "end", "first", "last", "reached", "skipped")

    def __init__(self, begin: int = 0, end: int = 0, first: int = 0) -> None:
        self.begin = begin
        """Microseconds since the epoch, as all instants here."""
        self.end = end
        """The end of the hour or, if that is earlier, of the day, or when something may be overdue.
        The next entry after it is the engine's."""
        self.first = first
        """The earliest instant of an entry …"""
        self.last = 0
        """… and the latest one, of those that are not counted in the state yet."""
        self.reached = 0
        """The instant of the entry handled last."""
        self.skipped = 0
        """Entries that the engine was not given, and has not counted yet."""
