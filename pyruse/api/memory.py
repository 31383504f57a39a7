"""The memory of plugins from one entry to the next, across restarts: counters and tables.

All steps share them by name. A change is committed together with the entry that caused it. Instants
are microseconds since the epoch.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple, Protocol


class Raised(NamedTuple):
    """How much a counter was raised for a key, until when that counts."""

    counter: str
    """The name of the counter."""
    key: str
    """What is counted separately, such as an address."""
    until: int
    """The end of its time (`within`), in microseconds since the epoch."""
    by: int
    """How much was added."""


class Counters(Protocol):
    """The counters, by name and key."""

    def count(  # noqa: PLR0913 -- the options of one counting, all of them named by the caller
        self,
        counter: str,
        key: str,
        *,
        at: int,
        within: int | None = None,
        by: int = 1,
        distinct: str | None = None,
    ) -> int:
        """Raise a counter, and give what it then holds for this key; 0 while a grace lasts.

        :param counter: the name of the counter.
        :param key: what is counted separately, such as an address.
        :param at: the instant of the entry.
        :param within: microseconds after which this raise counts no more; None: never.
        :param by: how much is added.
        :param distinct: count different values, of which this is one, instead of raises.
        :raises TypeError: the key is no text.
        """

    def count_elsewhere(self, counter: str, key: str, *, at: int, until: int, by: int = 1) -> int:
        """Raise a counter by what another machine has counted; `on_count` does not tell of it.

        :param counter: the name of the counter.
        :param key: what is counted separately, such as an address.
        :param at: the instant, by this machine's clock.
        :param until: when this raise counts no more.
        :param by: how much is added.
        :return: what it then holds for this key; 0 while a grace lasts.
        :raises TypeError: the key is no text.
        """

    def held(self, counter: str, key: str, *, at: int, distinct: bool = False) -> int:
        """What a counter holds for a key, without raising it; 0 while a grace lasts.

        :param counter: the name of the counter.
        :param key: the key.
        :param at: the instant of the entry.
        :param distinct: how many different values count, instead of the sum of the raises.
        :raises TypeError: the key is no text.
        """

    def reset(self, counter: str, key: str, *, at: int, grace: int | None = None) -> None:
        """Forget what a counter holds for a key.

        :param counter: the name of the counter.
        :param key: the key.
        :param at: the instant of the entry.
        :param grace: for so many microseconds, the counter does not rise.
        :raises TypeError: the key is no text.
        """


class Table(Protocol):
    """Values under text keys, each until an instant or for ever. A value is what JSON can hold.

    100,000 values are kept, in all the tables together. Where there are more, the oldest of the
    largest table go, and the log and the report tell of it.
    """

    def get(self, key: str, *, at: int) -> Any | None:
        """The value under a key, or None where there is none, or where it has expired.

        :param key: the key.
        :param at: the instant of the entry.
        """

    def put(self, key: str, value: Any, *, until: int | None = None) -> None:
        """Remember a value.

        :param key: the key.
        :param value: what JSON can hold; None forgets the key.
        :param until: the instant at which the value expires; None: never.
        :raises TypeError: JSON cannot hold the value, or the key is no text.
        :raises ValueError: the key has more than 1,000 characters, or the value, as JSON, more than
            256 KiB.
        """

    def remove(self, key: str) -> None:
        """Forget a key; a key that is not there is no fault.

        :param key: the key.
        """

    def __iter__(self) -> Iterator[str]:
        """The keys; some of them may have expired."""

    def __len__(self) -> int:
        """The number of keys."""
