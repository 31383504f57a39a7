"""Counters: sliding windows in entry time."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from itertools import chain
from operator import itemgetter
from typing import ClassVar

from pyruse.api.memory import Raised
from pyruse.state.part import Part
from pyruse.state.window import Window
from pyruse.state.windows import Windows
from pyruse.times import FOREVER

KEPT = 100_000
"""So many windows are kept in memory, some 800 bytes each; more are in the database alone. Whoever
attacks may have millions of addresses."""
PLAIN_FOR_ONE = 12
"""So many plain windows count as one of the others."""

_FOR_EVER = f"counter = ? AND key = ? AND expires = {FOREVER}"
"""Of a query: what never expires, which has an index of its own."""


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
        self.left_until = 0
        """Until then, some windows may be in the database alone; 0: all are in memory."""
        self._counters: dict[str, Windows] = {}
        self.raised: list[Raised] | None = None
        """What counters were raised by, in order, for whoever wants to know and empties the list;
        None: nobody does. What counts for ever, or by different values, is not in it."""
        self._is_indexed = False
        """Whether the database has an index of keys: while not all is in memory."""
        self._dropped_until = 0
        """Since the last commit, what had expired at this instant was dropped."""

    def __len__(self) -> int:
        return sum(len(one.plain.windows) + len(one.others) for one in self._counters.values())

    def _is_full(self) -> bool:
        plain = sum(len(one.plain.windows) for one in self._counters.values())
        return len(self) - plain + plain / PLAIN_FOR_ONE > KEPT

    def _of(self, counter: str) -> Windows:
        known = self._counters.get(counter)
        if known is None:
            known = self._counters[counter] = Windows(counter, self)
        return known

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
        windows = self._counters.get(counter) or self._of(counter)
        return windows.count(key, at, within, by, distinct)

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
        return self._of(counter).held(key, at, distinct=distinct)

    def reset(self, counter: str, key: str, *, at: int, grace: int | None = None) -> None:
        """Forget what a counter holds for a key; during the grace (µs) it does not rise.

        :raises TypeError: the key is no text.
        """
        self._of(counter).reset(key, at, grace)

    def expire(self, at: int) -> None:
        """Drop what no longer counts: the same in memory as, at the next commit, on disk.

        So counting goes on after a restart as it would have without it.
        """
        self._dropped_until = max(self._dropped_until, at)
        if self.left_until <= at:
            self.left_until = 0
        for one in self._counters.values():
            one.drop(at)

    def load(self, db: sqlite3.Connection) -> None:
        """Read what still counts, unless it is more than is kept in memory."""
        self._db = db
        query = "SELECT 1 FROM sqlite_schema WHERE name = 'counts_by_key'"
        self._is_indexed = db.execute(query).fetchone() is not None
        self.left_until = self._last_end(db)
        if self._are_too_many(db):
            with suppress(sqlite3.OperationalError):  # of who only reads
                self._index(db)
            return
        self.left_until = 0
        for counter, key, until in db.execute("SELECT counter, key, until FROM graces"):
            self._of(counter).take_grace(key, until)
        rows = db.execute(
            "SELECT counter, key, expires, amount, value FROM counts ORDER BY expires"
        )
        for counter, key, expires, amount, value in rows:
            self._of(counter).take(key, expires, amount, value)

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

    def fetched(self, counter: str, key: str) -> Window:
        """A window that is not in memory, with what the database holds of it."""
        window = Window()
        if self._db is None or key in self._of(counter).resets:
            return window
        rows = self._db.execute(
            """SELECT expires, amount, value, 0 FROM counts WHERE counter = ? AND key = ?
               UNION ALL SELECT until, 0, NULL, 1 FROM graces WHERE counter = ? AND key = ?""",
            (counter, key, counter, key),
        )
        for expires, amount, value, is_grace in sorted(rows, key=itemgetter(0)):
            if expires <= self._dropped_until:
                continue  # it goes at the next commit
            if is_grace:
                window.grace_until = expires
            else:
                window.take(expires, amount, value)
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
        counters = self._counters.values()
        resets = [(one.name, key, until) for one in counters for key, until in one.resets.items()]
        if resets:
            keys = [(counter, key) for counter, key, _ in resets]
            if self._is_indexed or self.left_until:
                db.executemany("DELETE FROM counts WHERE counter = ? AND key = ?", keys)
            else:
                db.executemany(
                    "DELETE FROM counts WHERE expires = ? AND counter = ? AND key = ?",
                    chain.from_iterable(one.gone for one in counters),
                )
                db.executemany(
                    f"DELETE FROM counts WHERE {_FOR_EVER}",
                    chain.from_iterable(one.gone_for_ever for one in counters),
                )
            db.executemany("DELETE FROM graces WHERE counter = ? AND key = ?", keys)
            db.executemany("INSERT INTO graces VALUES (?, ?, ?)", [one for one in resets if one[2]])
        rows = chain.from_iterable(one.rows() for one in counters)
        db.executemany("INSERT INTO counts VALUES (?, ?, ?, ?, ?)", rows)
        for one in counters:
            for key, amount in one.risen_for_ever():
                db.execute(
                    f"DELETE FROM counts WHERE {_FOR_EVER} AND value IS NULL", (one.name, key)
                )
                db.execute(
                    "INSERT INTO counts VALUES (?, ?, ?, ?, NULL)",
                    (one.name, key, FOREVER, amount),
                )
        if self._is_indexed and not self.left_until:
            db.execute("DROP INDEX IF EXISTS counts_by_key")

    def saved(self) -> None:
        """Forget what is written."""
        for one in self._counters.values():
            one.saved()
        self._dropped_until = 0
        self._is_indexed = self._is_indexed and bool(self.left_until)
        if self._db is not None and self._is_full():
            self._leave(self._db)

    def _leave(self, db: sqlite3.Connection) -> None:
        """Forget the plain windows, and of the others those that came first: all are written."""
        try:
            self._index(db)
            left_until = self._last_end(db)
        except sqlite3.Error:
            # No room on the disk, for instance: they stay, and the next commit tries again. All is
            # committed already: who heard of a fault now would commit the other parts twice.
            return
        others = sum(len(one.others) for one in self._counters.values())
        too_many = max(0, others - KEPT // 2)
        for one in self._counters.values():
            one.leave(-(-len(one.others) * too_many // others) if others else 0)
        self.left_until = left_until

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
