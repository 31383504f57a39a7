"""Counters: sliding windows in entry time."""

from __future__ import annotations

import heapq
import sqlite3
from bisect import insort
from typing import ClassVar

#: When something expires that never does.
FOREVER = (1 << 63) - 1

_Place = tuple[str, str]  # counter, key


class _Window:
    """What one counter holds for one key."""

    __slots__ = ("check_at", "events", "forever", "grace_until", "total", "values")

    def __init__(self) -> None:
        self.check_at = 0
        """When the window is to be looked at next; what else says so is out of date."""
        self.events: list[tuple[int, int, str | None]] = []
        """(expires, by, distinct value), ordered by ``expires``."""
        self.total = 0
        """The sum of ``by`` over the events, and what counts for ever."""
        self.forever = 0
        """The part of the total that never expires."""
        self.values: dict[str, int] | None = None
        """Each distinct value with the latest of its expiries."""
        self.grace_until = 0

    def expire(self, now: int) -> None:
        events = self.events
        if not events or events[0][0] > now:
            return
        gone = 0
        for expires, by, value in events:
            if expires > now:
                break
            gone += 1
            if value is None:
                self.total -= by
            elif self.values is not None and self.values.get(value) == expires:
                del self.values[value]
        del events[:gone]

    def last_needed(self) -> int:
        """After this instant, nothing of the window counts any more."""
        if self.forever:
            return FOREVER
        return max(self.events[-1][0] if self.events else 0, self.grace_until)


class Counters:
    """All the counters, by name and key. Instants are microseconds since the epoch."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS counts (
            counter TEXT NOT NULL, key TEXT NOT NULL, expires INTEGER NOT NULL,
            amount INTEGER NOT NULL, value TEXT
        );
        CREATE INDEX IF NOT EXISTS counts_by_key ON counts (counter, key);
        CREATE INDEX IF NOT EXISTS counts_by_expiry ON counts (expires);
        CREATE TABLE IF NOT EXISTS graces (
            counter TEXT NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL,
            PRIMARY KEY (counter, key)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._windows: dict[_Place, _Window] = {}
        self._check_at: list[tuple[int, _Place]] = []
        """A heap: when each window should be looked at, to drop it once it is empty."""
        self._added: dict[_Place, list[tuple[str, str, int, int, str | None]]] = {}
        self._forever: set[_Place] = set()
        """Windows whose part that never expires has changed: kept as one row, not one a raise."""
        self._reset: dict[_Place, int] = {}
        """Windows that were reset since the last commit, with the end of their grace."""
        self._now = 0

    def __len__(self) -> int:
        return len(self._windows)

    def count(  # noqa: PLR0913 -- the options of one counting, all of them named by the caller
        self,
        counter: str,
        key: str,
        *,
        now: int,
        within: int | None = None,
        by: int = 1,
        distinct: str | None = None,
    ) -> int:
        """Raise a counter and return what it then holds for this key.

        :param now: the entry's instant.
        :param within: microseconds after which this raise counts no more; None: never.
        :param distinct: count different values, of which this is one, instead of raises.
        :return: 0 while a grace lasts: the counter is not raised then.
        """
        place = (counter, key)
        window = self._windows.get(place)
        if window is None:
            window = self._windows[place] = _Window()
        window.expire(now)
        if now < window.grace_until:
            return 0
        expires = FOREVER if within is None else now + within
        if distinct is not None:
            if window.values is None:
                window.values = {}
            if expires > window.values.get(distinct, 0):
                window.values[distinct] = expires
                self._add(place, window, (expires, 0, distinct))
            return len(window.values)
        window.total += by
        if within is None:
            window.forever += by
            self._forever.add(place)
        else:
            self._add(place, window, (expires, by, None))
        return window.total

    def _add(self, place: _Place, window: _Window, event: tuple[int, int, str | None]) -> None:
        insort(window.events, event, key=_expiry)
        self._added.setdefault(place, []).append((*place, *event))
        if not window.check_at:
            self._check_later(place, window)

    def _check_later(self, place: _Place, window: _Window) -> None:
        window.check_at = window.last_needed()
        if window.check_at != FOREVER:
            heapq.heappush(self._check_at, (window.check_at, place))

    def reset(self, counter: str, key: str, *, now: int, grace: int | None = None) -> None:
        """Forget what a counter holds for a key; during the grace (µs) it does not rise."""
        place = (counter, key)
        until = 0 if grace is None else now + grace
        self._reset[place] = until
        self._added.pop(place, None)
        self._forever.discard(place)
        self._windows.pop(place, None)
        if until:
            window = self._windows[place] = _Window()
            window.grace_until = until
            self._check_later(place, window)

    def expire(self, now: int) -> None:
        """Drop what no longer counts, so that keys that never come back take no memory."""
        self._now = now
        due = self._check_at
        while due and due[0][0] <= now:
            check_at, place = heapq.heappop(due)
            window = self._windows.get(place)
            if window is None or window.check_at != check_at:
                continue
            window.expire(now)
            if window.last_needed() <= now:
                del self._windows[place]
            else:
                self._check_later(place, window)

    def load(self, db: sqlite3.Connection) -> None:
        """Read what still counts."""
        for counter, key, until in db.execute("SELECT counter, key, until FROM graces"):
            self._loaded(counter, key).grace_until = until
        rows = db.execute(
            "SELECT counter, key, expires, amount, value FROM counts ORDER BY expires"
        )
        for counter, key, expires, amount, value in rows:
            window = self._loaded(counter, key)
            if value is not None:
                window.values = {} if window.values is None else window.values
                window.values[value] = expires
                window.events.append((expires, 0, value))
            else:
                window.total += amount
                if expires == FOREVER:
                    window.forever += amount
                else:
                    window.events.append((expires, amount, None))
        for place, window in self._windows.items():
            self._check_later(place, window)

    def _loaded(self, counter: str, key: str) -> _Window:
        return self._windows.setdefault((counter, key), _Window())

    def save(self, db: sqlite3.Connection) -> None:
        """Write the raises and resets since the last commit, remove what no longer counts."""
        if self._reset:
            db.executemany("DELETE FROM counts WHERE counter = ? AND key = ?", list(self._reset))
            db.executemany(
                "INSERT OR REPLACE INTO graces VALUES (?, ?, ?)",
                [(*place, until) for place, until in self._reset.items()],
            )
        for rows in self._added.values():
            db.executemany("INSERT INTO counts VALUES (?, ?, ?, ?, ?)", rows)
        for place in self._forever:
            db.execute(
                "DELETE FROM counts"
                " WHERE counter = ? AND key = ? AND expires = ? AND value IS NULL",
                (*place, FOREVER),
            )
            db.execute(
                "INSERT INTO counts VALUES (?, ?, ?, ?, NULL)",
                (*place, FOREVER, self._windows[place].forever),
            )
        if self._now:
            db.execute("DELETE FROM counts WHERE expires <= ?", (self._now,))
            db.execute("DELETE FROM graces WHERE until <= ?", (self._now,))

    def saved(self) -> None:
        """Forget what is written."""
        self._added.clear()
        self._forever.clear()
        self._reset.clear()


def _expiry(event: tuple[int, int, str | None]) -> int:
    return event[0]
