"""What one counter holds for one key."""

from __future__ import annotations

from bisect import insort

from pyruse.times import FOREVER

_LARGEST = 2**62
"""The sum of what never expires is at most this: the database has no larger numbers than 2**63."""


Event = tuple[int, int, str | None]
"""A raise that counts for a time, or a value that counts: when it expires (µs since the epoch), how
much was added, the value."""


class Window:
    """Raises by any number, and different values, each for a time or for ever.

    Entries may come out of order: nothing is forgotten until `drop`, and what counts at an instant
    depends on that instant alone.
    """

    __slots__ = (
        "different", "events", "forever", "grace_until", "past", "total", "values",
    )  # fmt: skip

    def __init__(self) -> None:
        self.events: list[Event] = []
        """In the order in which they expire."""
        self.past = 0
        """So many of the events no longer count at the instant that was last turned to."""
        self.total = 0
        """The sum of ``by`` over those that do, and what counts for ever."""
        self.forever = 0
        """The part of the total that never expires."""
        self.values: dict[str, int] = {}
        """Each distinct value with the latest of its expiries."""
        self.different = 0
        """How many of the values count."""
        self.grace_until = 0

    def turn_to(self, at: int) -> None:
        """Let the events count that count at an instant, which may be before the last one."""
        events = self.events
        while self.past < len(events) and events[self.past][0] <= at:
            self._count(events[self.past], -1)
            self.past += 1
        while self.past and events[self.past - 1][0] > at:
            self.past -= 1
            self._count(events[self.past], 1)

    def _count(self, event: Event, sign: int) -> None:
        expires, by, value = event
        if value is None:
            self.total += sign * by
        elif self.values[value] == expires:
            self.different += sign

    def raise_by(self, by: int, expires: int) -> Event | None:
        """Raise it; it has been turned to the instant of that.

        :return: what has come into it; None: it counts for ever, and is in `forever` alone.
        """
        event = None
        if expires == FOREVER:
            by = min(by, _LARGEST - self.forever)
            self.forever += by
        else:
            event = self._add((expires, by, None))
        self.total += by
        return event

    def see(self, value: str, expires: int, at: int) -> Event | None:
        """Have a value count; it has been turned to this instant.

        :return: what has come into it; None: the value counts as long already.
        """
        latest = self.values.get(value, 0)
        if expires <= latest:
            return None
        self.values[value] = expires
        self.different += latest <= at
        return self._add((expires, 0, value))

    def _add(self, event: Event) -> Event:
        events = self.events
        if not events or events[-1][0] <= event[0]:  # as nearly all of them
            events.append(event)
        else:
            insort(events, event, key=_expiry)
        return event

    def drop(self, at: int) -> None:
        """Forget what no longer counts at an instant."""
        self.turn_to(at)
        for expires, _, value in self.events[: self.past]:
            if value is not None and self.values.get(value) == expires:
                del self.values[value]
        del self.events[: self.past]
        self.past = 0
        if self.grace_until <= at:
            self.grace_until = 0

    def take(self, expires: int, by: int, value: str | None) -> None:
        """Take over what the database holds, in the order in which it expires."""
        if value is not None:
            self.values[value] = expires
            self.different = len(self.values)
            self.events.append((expires, 0, value))
        else:
            self.total += by
            if expires == FOREVER:
                self.forever += by
            else:
                self.events.append((expires, by, None))

    def next_due(self) -> int:
        """When something is to be dropped."""
        due = self.events[0][0] if self.events else FOREVER
        return min(due, self.grace_until or FOREVER)

    @property
    def holds_for_ever(self) -> bool:
        """Whether anything in it never expires."""
        return bool(self.forever) or bool(self.events and self.events[-1][0] == FOREVER)

    def is_empty(self) -> bool:
        """Whether it holds nothing, and no grace lasts."""
        return not (self.events or self.forever or self.grace_until)


def _expiry(event: Event) -> int:
    return event[0]
