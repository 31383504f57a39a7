"""Counters: sliding windows in entry time."""

from __future__ import annotations

import itertools
import sqlite3
from bisect import insort
from contextlib import suppress
from typing import Any, ClassVar

from pyruse.api.memory import Raised
from pyruse.state.due import Due
from pyruse.state.part import Part
from pyruse.state.plain_windows import MOST, PlainWindows, counting
from pyruse.times import FOREVER

_LONGEST_KEY = 1_000
"""Characters of a key, or of a distinct value: strangers must not fill the memory with them."""

_LARGEST = 2**62
"""The sum of what never expires is at most this: the database has no larger numbers than 2**63."""

KEPT = 100_000
"""So many windows are kept in memory, some 800 bytes each; more are in the database alone. Whoever
attacks may have millions of addresses."""
PLAIN_FOR_ONE = 12
"""So many plain windows count as one of the others."""

_FOR_EVER = f"counter = ? AND key = ? AND expires = {FOREVER}"
"""Of a query: what never expires, which has an index of its own."""

CounterKey = tuple[str, str]
"""The name of a counter, and what is counted separately in it, such as an address."""


class _Window:
    """What one counter holds for one key.

    Entries may come out of order: nothing is forgotten until `drop`, and what counts at an instant
    depends on that instant alone.
    """

    __slots__ = (
        "different", "events", "forever", "grace_until", "past", "total", "values",
    )  # fmt: skip

    def __init__(self) -> None:
        self.events: list[tuple[int, int, str | None]] = []
        """(expires, by, distinct value), ordered by ``expires``."""
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

    def _count(self, event: tuple[int, int, str | None], sign: int) -> None:
        expires, by, value = event
        if value is None:
            self.total += sign * by
        elif self.values[value] == expires:
            self.different += sign

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

    def is_empty(self) -> bool:
        return not (self.events or self.forever or self.grace_until)


class Counters(Part):
    """All the counters, by name and key. Instants are microseconds since the epoch.

    Windows are looked for in memory, and then, if there are more than fit there, in the database.
    """

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS counts (
            counter TEXT NOT NULL, key TEXT NOT NULL, expires INTEGER NOT NULL,
            amount INTEGER NOT NULL, value TEXT
        );
        CREATE INDEX IF NOT EXISTS counts_for_ever ON counts (counter, key)
            WHERE expires = 9223372036854775807;
        CREATE INDEX IF NOT EXISTS counts_by_expiry ON counts (expires);
        CREATE TABLE IF NOT EXISTS graces (
            counter TEXT NOT NULL, key TEXT NOT NULL, until INTEGER NOT NULL,
            PRIMARY KEY (counter, key)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        self._left_until = 0
        """Until then, some windows may be in the database alone; 0: all are in memory."""
        self._windows: dict[CounterKey, _Window] = {}
        """Those in memory, in the order in which they got there …"""
        self._plain = PlainWindows()
        """… but for those that are here: no key has a window in both."""
        self._due: Due[CounterKey] = Due()
        """When something is to be dropped from each window."""
        self._added: dict[CounterKey, list[tuple[str, str, int, int, str | None]]] = {}
        self._forever: set[CounterKey] = set()
        """Those whose part that never expires has changed: kept as one row, not one a raise."""
        self._reset: dict[CounterKey, int] = {}
        """Windows that were reset since the last commit, with the end of their grace, or 0."""
        self.raised: list[Raised] | None = None
        """What counters were raised by, in order, for whoever wants to know and empties the list;
        None: nobody does. What counts for ever, or by different values, is not in it."""
        self._gone: list[tuple[int, str, str]] = []
        """The raises of these windows that the database may have: when each expires, and its key.
        By that they are found, as an index of keys would cost each raise twice as much."""
        self._is_indexed = False
        """Whether the database has such an index nevertheless: while not all is in memory."""
        self._dropped_until = 0
        """Since the last commit, what had expired at this instant was dropped."""

    def __len__(self) -> int:
        return len(self._windows) + len(self._plain)

    def _is_full(self) -> bool:
        return len(self._windows) + len(self._plain) / PLAIN_FOR_ONE > KEPT

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
        """Raise a counter and return what it then holds for this key.

        :param counter: the name of the counter.
        :param key: what is counted separately, such as an address.
        :param at: the entry's instant.
        :param within: microseconds after which this raise counts no more; None: never.
        :param by: how much is added.
        :param distinct: count different values, of which this is one, instead of raises.
        :return: 0 while a grace lasts: the counter is not raised then.
        :raises TypeError: the key is no text.
        """
        counter_key = _checked(counter, key)
        window = self._windows.get(counter_key)
        if window is None:
            if by == 1 and distinct is None and within is not None:
                held = self._count_plainly(counter_key, at, at + within)
                if held is not None:
                    return held
            window = self._made(counter_key)
        if at < window.grace_until:
            return 0
        window.turn_to(at)
        expires = FOREVER if within is None else at + within
        if distinct is not None:
            if len(distinct) > _LONGEST_KEY:
                distinct = _short(distinct)
            latest = window.values.get(distinct, 0)
            if expires > latest:
                window.values[distinct] = expires
                window.different += latest <= at
                self._add(counter_key, window, (expires, 0, distinct))
            return window.different
        if within is None:
            by = min(by, _LARGEST - window.forever)
            window.forever += by
            self._forever.add(counter_key)
        else:
            self._add(counter_key, window, (expires, by, None))
        window.total += by
        return window.total

    def _count_plainly(self, counter_key: CounterKey, at: int, expires: int) -> int | None:
        """Raise a counter by one whose window is plain; None: it must be another one."""
        known = self._plain.get(*counter_key)
        if known is None:
            if self._left_until:
                return None
        elif len(known) >= MOST:
            return None
        window = self._plain.add(*counter_key, expires, known)
        self._note(counter_key, (expires, 1, None))
        return counting(window, at)

    def _made(self, counter_key: CounterKey) -> _Window:
        """The window of a key that has none, or a plain one."""
        window = _Window()
        if expiries := self._plain.pop(*counter_key):
            for expires in expiries:
                window.take(expires, 1, None)
            self._drop_later(counter_key, window)
        elif self._left_until:
            window = self._fetched(counter_key)
        self._windows[counter_key] = window
        return window

    def count_elsewhere(self, counter: str, key: str, *, at: int, until: int, by: int = 1) -> int:
        """Raise a counter by what another machine has counted: it is not among what was raised.

        :param counter: the name of the counter.
        :param key: what is counted separately, such as an address.
        :param at: the instant, by this machine's clock.
        :param until: when this raise counts no more.
        :param by: how much is added.
        :return: what it then holds for this key; 0 while a grace lasts.
        :raises TypeError: the key is no text.
        """
        raised, self.raised = self.raised, None
        try:
            return self.count(counter, key, at=at, within=max(0, until - at), by=by)
        finally:
            self.raised = raised

    def held(self, counter: str, key: str, *, at: int, distinct: bool = False) -> int:
        """What a counter holds for a key, without raising it; 0 while a grace lasts.

        :param counter: the name of the counter.
        :param key: what is counted separately, such as an address.
        :param at: the entry's instant.
        :param distinct: how many different values count, instead of the sum of the raises.
        :raises TypeError: the key is no text.
        """
        counter_key = _checked(counter, key)
        window = self._windows.get(counter_key)
        if window is None and (plain := self._plain.get(*counter_key)) is not None:
            return 0 if distinct else counting(plain, at)
        if window is None and self._left_until:
            window = self._fetched(counter_key)
            if window.is_empty():
                window = None  # whoever asks for what is not there must not fill the memory
            else:
                self._windows[counter_key] = window
        if window is None or at < window.grace_until:
            return 0
        window.turn_to(at)
        return window.different if distinct else window.total

    def _add(
        self, counter_key: CounterKey, window: _Window, event: tuple[int, int, str | None]
    ) -> None:
        events = window.events
        if not events or events[-1][0] <= event[0]:  # as nearly all of them
            events.append(event)
        else:
            insort(events, event, key=_expiry)
        self._note(counter_key, event)
        if events[0] is event:  # most come behind others, and change nothing
            self._drop_later(counter_key, window)

    def _note(self, counter_key: CounterKey, event: tuple[int, int, str | None]) -> None:
        """Have an event written at the next commit, and told."""
        self._added.setdefault(counter_key, []).append((*counter_key, *event))
        if self.raised is not None and event[2] is None:
            self.raised.append(Raised(*counter_key, event[0], event[1]))

    def _drop_later(self, counter_key: CounterKey, window: _Window) -> None:
        if (due := window.next_due()) < FOREVER:
            self._due.set(counter_key, due)

    def reset(self, counter: str, key: str, *, at: int, grace: int | None = None) -> None:
        """Forget what a counter holds for a key; during the grace (µs) it does not rise.

        :raises TypeError: the key is no text.
        """
        counter_key = _checked(counter, key)
        until = 0 if grace is None else at + grace
        plain = self._plain.pop(*counter_key)
        known = self._windows.pop(counter_key, None)
        if not plain and known is None and not until and not self._left_until:
            return  # who logs in has seldom failed: there is nothing, in the database neither
        self._reset[counter_key] = until
        self._added.pop(counter_key, None)
        self._forever.discard(counter_key)
        self._gone += [(expires, *counter_key) for expires in plain]
        if known is not None:
            self._gone += [(expires, *counter_key) for expires, _, _ in known.events]
        if until:
            window = self._windows[counter_key] = _Window()
            window.grace_until = until
            self._due.set(counter_key, until)
        else:
            self._due.discard(counter_key)

    def expire(self, at: int) -> None:
        """Drop what no longer counts: the same in memory as, at the next commit, on disk.

        So counting goes on after a restart as it would have without it.
        """
        self._dropped_until = max(self._dropped_until, at)
        if self._left_until <= at:
            self._left_until = 0
        for counter_key in self._due.pop_until(at):
            window = self._windows[counter_key]
            window.drop(at)
            self._unwrite(counter_key, at)
            if 0 < self._reset.get(counter_key, 0) <= at:
                self._reset[counter_key] = 0
            if window.is_empty():
                del self._windows[counter_key]
            else:
                self._drop_later(counter_key, window)
        for counter_key in self._plain.drop(at):
            self._unwrite(counter_key, at)

    def _unwrite(self, counter_key: CounterKey, at: int) -> None:
        if counter_key in self._added:
            self._added[counter_key] = [row for row in self._added[counter_key] if row[2] > at]

    def load(self, db: sqlite3.Connection) -> None:
        """Read what still counts, unless it is more than is kept in memory."""
        self._db = db
        query = "SELECT 1 FROM sqlite_schema WHERE name = 'counts_by_key'"
        self._is_indexed = db.execute(query).fetchone() is not None
        self._left_until = self._last_end(db)
        if self._are_too_many(db):
            with suppress(sqlite3.OperationalError):  # of who only reads
                self._index(db)
            return
        self._left_until = 0
        for counter, key, until in db.execute("SELECT counter, key, until FROM graces"):
            self._loaded(counter, key).grace_until = until
        names: dict[str, str] = {}
        plain, windows = self._plain, self._windows
        rows = db.execute(
            "SELECT counter, key, expires, amount, value FROM counts ORDER BY expires"
        )
        for counter, key, expires, amount, value in rows:
            name = names.setdefault(counter, counter)  # one text for all its keys
            known = plain.get(name, key)
            if (
                value is None
                and amount == 1
                and expires < FOREVER
                and (known is None or len(known) < MOST)
                and (known is not None or (name, key) not in windows)
            ):
                plain.add(name, key, expires, known)
            else:
                self._loaded(name, key).take(expires, amount, value)
        for counter_key, window in self._windows.items():
            self._drop_later(counter_key, window)

    @staticmethod
    def _are_too_many(db: sqlite3.Connection) -> bool:
        """Whether the database has more windows than fit in memory, if each is of one raise."""
        plain, others = db.execute(
            f"""SELECT total(is_plain), total(NOT is_plain) FROM (
                    SELECT value IS NULL AND amount = 1 AND expires < {FOREVER} AS is_plain
                    FROM counts LIMIT ?)""",
            (KEPT * PLAIN_FOR_ONE + 1,),
        ).fetchone()
        return bool(others + plain / PLAIN_FOR_ONE > KEPT)

    def _loaded(self, counter: str, key: str) -> _Window:
        """The window of a key, which is no plain one."""
        return self._windows.get((counter, key)) or self._made((counter, key))

    def _fetched(self, counter_key: CounterKey) -> _Window:
        """A window that is not in memory, with what the database holds of it."""
        window = _Window()
        if self._db is None or counter_key in self._reset:
            return window
        rows = self._db.execute(
            """SELECT expires, amount, value, 0 FROM counts WHERE counter = ? AND key = ?
               UNION ALL SELECT until, 0, NULL, 1 FROM graces WHERE counter = ? AND key = ?""",
            (*counter_key, *counter_key),
        )
        for expires, amount, value, is_grace in sorted(rows, key=_expiry):
            if expires <= self._dropped_until:
                continue  # it goes at the next commit
            if is_grace:
                window.grace_until = expires
            else:
                window.take(expires, amount, value)
        self._drop_later(counter_key, window)
        return window

    def _last_end(self, db: sqlite3.Connection) -> int:
        """When the last of what the database holds expires; 0: it holds nothing."""
        (last,) = db.execute(
            "SELECT max((SELECT ifnull(max(expires), 0) FROM counts),"
            " (SELECT ifnull(max(until), 0) FROM graces))"
        ).fetchone()
        return int(last)

    def save(self, db: sqlite3.Connection) -> None:
        """Write the raises and resets since the last commit, remove what was dropped."""
        if self._dropped_until:
            db.execute("DELETE FROM counts WHERE expires <= ?", (self._dropped_until,))
            db.execute("DELETE FROM graces WHERE until <= ?", (self._dropped_until,))
        if self._reset:
            keys = list(self._reset)
            if self._is_indexed or self._left_until:
                db.executemany("DELETE FROM counts WHERE counter = ? AND key = ?", keys)
            else:
                db.executemany(
                    "DELETE FROM counts WHERE expires = ? AND counter = ? AND key = ?", self._gone
                )
                db.executemany(f"DELETE FROM counts WHERE {_FOR_EVER}", keys)
            db.executemany("DELETE FROM graces WHERE counter = ? AND key = ?", keys)
            db.executemany(
                "INSERT INTO graces VALUES (?, ?, ?)",
                [(*counter_key, until) for counter_key, until in self._reset.items() if until],
            )
        rows = itertools.chain.from_iterable(self._added.values())
        db.executemany("INSERT INTO counts VALUES (?, ?, ?, ?, ?)", rows)
        for counter_key in self._forever:
            db.execute(f"DELETE FROM counts WHERE {_FOR_EVER} AND value IS NULL", counter_key)
            db.execute(
                "INSERT INTO counts VALUES (?, ?, ?, ?, NULL)",
                (*counter_key, FOREVER, self._windows[counter_key].forever),
            )
        if self._is_indexed and not self._left_until:
            db.execute("DROP INDEX IF EXISTS counts_by_key")

    def saved(self) -> None:
        """Forget what is written."""
        self._added.clear()
        self._forever.clear()
        self._reset.clear()
        self._gone.clear()
        self._dropped_until = 0
        self._is_indexed = self._is_indexed and bool(self._left_until)
        if self._db is not None and self._is_full():
            self._leave(self._db)

    def _leave(self, db: sqlite3.Connection) -> None:
        """Forget the plain windows, and those of the others that came first: all are written."""
        try:
            self._index(db)
        except sqlite3.OperationalError:
            return  # no room on the disk, for instance: they stay, and the next commit tries again
        self._plain.clear()
        too_many = max(0, len(self._windows) - KEPT // 2)
        for counter_key in list(itertools.islice(self._windows, too_many)):
            del self._windows[counter_key]
            self._due.discard(counter_key)
        self._left_until = self._last_end(db)

    def _index(self, db: sqlite3.Connection) -> None:
        """Have windows be found that are not in memory. Of 100,000, it takes a tenth of a second.

        :raises sqlite3.OperationalError: it failed.
        """
        if not self._is_indexed:
            db.execute("CREATE INDEX IF NOT EXISTS counts_by_key ON counts (counter, key)")
            self._is_indexed = True


def live_keys(db: sqlite3.Connection, at: int) -> dict[str, int]:
    """For how many keys each counter of a database holds something at an instant."""
    query = """SELECT counter, count(DISTINCT key) FROM counts WHERE expires > ?
               GROUP BY counter ORDER BY counter"""
    return dict(db.execute(query, (at,)))


def _checked(counter: str, key: object) -> CounterKey:
    if not isinstance(key, str):  # the database would refuse it, and with it the whole batch
        raise TypeError(f"{key!r} is no key of a counter (expected text)")
    return counter, key if len(key) <= _LONGEST_KEY else _short(key)


def _short(text: str) -> str:
    """A text that strangers made long, by its beginning and a number that tells it from others."""
    import hashlib  # it loads OpenSSL, 4 MB, and few keys are long

    digest = hashlib.sha256(text.encode(errors="replace")).hexdigest()[:32]
    return f"{text[:_LONGEST_KEY]}… {digest}"


def _expiry(event: tuple[Any, ...]) -> int:
    expires: int = event[0]
    return expires
