"""The rows of a report that stay in the state: each is read when it is asked for.

A day of attack has a million of them, and a report is made row by row. So a report holds no rows,
but sequences that read them; what people are shown of many is chosen by `ranked` and `take`.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import datetime, tzinfo
from functools import partial
from itertools import islice, starmap
from operator import itemgetter
from typing import Generic, TypeVar, overload

from msgspec import Struct

from pyruse.api.report import Line
from pyruse.system.native import native
from pyruse.times import datetime_of, iso_texts, quarter_of

T = TypeVar("T")
S = TypeVar("S")


class Candidate(Struct, frozen=True):
    """A row that may be shown."""

    id: int
    characters: int
    """Of its message."""
    events: int


class Lazy(Sequence[T]):
    """A sequence of which nothing is kept."""

    @abstractmethod
    def __iter__(self) -> Iterator[T]:
        """Read them all, one after the other."""

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> list[T]: ...
    def __getitem__(self, index: int | slice) -> T | list[T]:
        if isinstance(index, slice):
            start, stop, step = index.indices(len(self))
            if step > 0:
                return list(islice(iter(self), start, stop, step))
            return list(self)[index]
        at = range(len(self))[index]
        return next(islice(iter(self), at, None))

    def __eq__(self, other: object) -> bool:
        """Whether another sequence has the same in it, read or not."""
        if not isinstance(other, Sequence) or len(other) != len(self):
            return False
        return all(one == another for one, another in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as of a list


class Instants(Lazy[datetime]):
    """Times of one zone, which take 8 bytes each until they are asked for."""

    def __init__(self, times_us: Sequence[int], zone: tzinfo) -> None:
        """Keep instants.

        :param times_us: in microseconds since the epoch.
        :param zone: the zone of the times.
        """
        self._times = times_us
        self._zone = zone

    def __len__(self) -> int:
        return len(self._times)

    def __iter__(self) -> Iterator[datetime]:
        return (datetime_of(time_us, self._zone) for time_us in self._times)

    @overload
    def __getitem__(self, index: int) -> datetime: ...
    @overload
    def __getitem__(self, index: slice) -> list[datetime]: ...
    def __getitem__(self, index: int | slice) -> datetime | list[datetime]:
        if isinstance(index, slice):
            return [datetime_of(time_us, self._zone) for time_us in self._times[index]]
        return datetime_of(self._times[index], self._zone)

    def texts(self) -> Iterator[str]:
        """The same in ISO 8601 with their offset, which takes no datetimes."""
        return _iso_texts(self._times, self._zone)


class KeptLines(Lazy[Line]):
    """The events of the section ``other``, in memory: each is a line once it is asked for."""

    def __init__(self, events: Sequence[tuple[int, str]], zone: tzinfo) -> None:
        """Keep events.

        :param events: instants, in microseconds since the epoch, and messages.
        :param zone: the zone of the times.
        """
        self._events = events
        self._zone = zone

    def __len__(self) -> int:
        return len(self._events)

    def __iter__(self) -> Iterator[Line]:
        return starmap(self._line, self._events)

    @overload
    def __getitem__(self, index: int) -> Line: ...
    @overload
    def __getitem__(self, index: slice) -> list[Line]: ...
    def __getitem__(self, index: int | slice) -> Line | list[Line]:
        if isinstance(index, slice):
            return list(starmap(self._line, self._events[index]))
        return self._line(*self._events[index])

    def _line(self, time_us: int, message: str) -> Line:
        return Line(datetime_of(time_us, self._zone), message)

    def texts(self) -> Iterator[tuple[str, str]]:
        """Times, in ISO 8601 with their offset, and messages."""
        times = _iso_texts(map(itemgetter(0), self._events), self._zone)
        return zip(times, map(itemgetter(1), self._events), strict=True)


def _iso_texts(times_us: Iterable[int], zone: tzinfo) -> Iterator[str]:
    """Those of `iso_texts`, in C where there is such."""
    module = native()
    if module is None:
        return iso_texts(times_us, zone)
    return map(module.Clock(partial(quarter_of, zone=zone)).text, times_us)


class StoredRows(Lazy[T], Generic[T, S]):
    """The rows of a section."""

    def __init__(
        self,
        length: int,
        events: int,
        read: Callable[[], Iterator[tuple[int, S]]],
        make: Callable[[S], T],
        ranked: Callable[[int], Iterator[Candidate]],
    ) -> None:
        """Read nothing yet.

        :param length: the number of rows.
        :param events: how many events they stand for.
        :param read: gives their ids in the order of the report, and what each is made of.
        :param make: makes a row of that.
        :param ranked: gives so many, at most, of those that are worth most.
        """
        self._length = length
        self.events = events
        self._read = read
        self._make = make
        self.ranked = ranked

    def __len__(self) -> int:
        return self._length

    def __iter__(self) -> Iterator[T]:
        make = self._make
        return (make(stored) for _, stored in self._read())

    def take(self, ids: Collection[int]) -> list[T]:
        """Those of some ids, in the order of the report."""
        if not ids:
            return []
        make = self._make
        found = (make(stored) for id_, stored in self._read() if id_ in ids)
        return list(islice(found, len(ids)))
