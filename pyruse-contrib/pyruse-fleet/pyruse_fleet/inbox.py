"""What the link's thread has for the main thread."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from threading import Event
from typing import Any, NamedTuple

from pyruse import Address
from pyruse_fleet.wire import Key, Position, Told

MOST = 2_000
"""While so many wait to be taken, no more are read: they are safe in the database."""


class Names(NamedTuple):
    """The hosts' names, by their numbers."""

    names: dict[int, str]
    me: int
    """The number of this host."""


class Servers(NamedTuple):
    """The addresses of the database."""

    addresses: frozenset[Address]


class Reached(NamedTuple):
    """All until here is taken."""

    position: Position


class Lift(NamedTuple):
    """A host has lifted a ban that was taken over."""

    key: Key
    left: list[Told]
    """What others tell of the same network, of what is around it, and of what is in it."""


class Alone(NamedTuple):
    """These are all the bans that other hosts tell."""

    keys: frozenset[Key]


class News(NamedTuple):
    """A line for the log."""

    text: str
    level: str


class Mailed(NamedTuple):
    """The fleet's report of a day, to be mailed by this host."""

    day: str
    subject: str
    text: str


class There(NamedTuple):
    """The database is there: what waits for it may be sent."""


class Back(NamedTuple):
    """What could not be handed over."""

    payload: dict[str, Any]
    is_kept: Event
    """Set once the state has it: the outbox may forget it then."""


Item = Told | Names | Servers | Reached | Lift | Alone | News | Mailed | There | Back


class Inbox:
    """Items in order. One thread puts, one takes: `deque` needs no lock for that."""

    def __init__(self, wake: Callable[[], None]) -> None:
        self._items: deque[Item] = deque()
        self._wake = wake

    def __len__(self) -> int:
        return len(self._items)

    def put(self, *items: Item) -> None:
        """Add items, and wake the main thread."""
        self._items.extend(items)
        self._wake()

    def rouse(self) -> None:
        """Wake the main thread."""
        self._wake()

    def take(self) -> Item | None:
        """The first one; it stays until `done`: an interrupted call finds it again."""
        return self._items[0] if self._items else None

    def done(self) -> None:
        """Forget the first one."""
        self._items.popleft()
