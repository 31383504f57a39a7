"""Tallies: how often each event came on a day, by the fields that belong to it."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import ClassVar

from pyruse.api.tally import Tally
from pyruse.state.part import Part

MOST = 2_000
"""Of an event, so many different rows are kept of a day; further ones count as `REST`. Strangers
choose user names and paths: they must not choose how large the state is."""

Fields = tuple[tuple[str, str], ...]
"""Names and values, in an order that the event always has."""

REST: Fields = (("", ""),)
"""Stands for all the rows that are too many."""

_Row = tuple[str, str, str, Fields]
"""Day, event, host and fields."""
_DAYS_IN_MEMORY = 3


class Tallies(Part):
    """Adds up events; in memory are only those since the last commit."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS tallies (
            day TEXT NOT NULL, event TEXT NOT NULL, host TEXT NOT NULL, fields TEXT NOT NULL,
            count INTEGER NOT NULL, amount INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, PRIMARY KEY (day, event, host, fields)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._changed: dict[_Row, list[int]] = {}
        """Since the last commit: count, amount, first, last."""
        self._known: dict[str, dict[str, set[tuple[str, Fields]]]] = {}
        """By day and event, the rows that there are; of the last days alone."""
        self._db: sqlite3.Connection | None = None

    def add(  # noqa: PLR0913 -- the facts of one event
        self, day: str, event: str, host: str, fields: Fields, amount: int, time: int
    ) -> None:
        """Count an event.

        :param day: the open day that it is filed under.
        :param event: its name.
        :param host: the machine that it happened on, or nothing.
        :param fields: what it is counted apart by.
        :param amount: what adds up.
        :param time: when it happened, in microseconds since the epoch.
        """
        known = self._rows_of(day, event)
        if (host, fields) not in known:
            if len(known) < MOST:
                known.add((host, fields))
            else:
                host, fields = "", REST
        row = self._changed.get((day, event, host, fields))
        if row is None:
            self._changed[day, event, host, fields] = [1, amount, time, time]
            return
        row[0] += 1
        row[1] += amount
        if time < row[2]:
            row[2] = time
        elif time > row[3]:
            row[3] = time

    def _rows_of(self, day: str, event: str) -> set[tuple[str, Fields]]:
        events = self._known.get(day)
        if events is None:
            events = self._known[day] = {}
            if len(self._known) > _DAYS_IN_MEMORY:
                # What is not committed yet is there again with the next commit: in `_changed`.
                del self._known[min(one for one in self._known if one != day)]
        known = events.get(event)
        if known is None:
            known = events[event] = self._read_rows(day, event)
        return known

    def _read_rows(self, day: str, event: str) -> set[tuple[str, Fields]]:
        rows = {key[2:] for key in self._changed if key[:2] == (day, event)}
        if self._db is not None:
            found = self._db.execute(
                "SELECT host, fields FROM tallies WHERE day = ? AND event = ?", (day, event)
            )
            rows |= {(host, tuple(json.loads(fields).items())) for host, fields in found}
        return rows - {("", REST)}

    def load(self, db: sqlite3.Connection) -> None:
        """Nothing is read before it is needed."""
        self._db = db

    def save(self, db: sqlite3.Connection) -> None:
        """Add what came since the last commit."""
        db.executemany(
            """INSERT INTO tallies VALUES (?, ?, ?, ?, ?, ?, ?, ?)
               ON CONFLICT DO UPDATE SET count = count + excluded.count,
               amount = min(amount + excluded.amount, 9007199254740991),
               first = min(first, excluded.first), last = max(last, excluded.last)""",
            [(*key[:3], _text(key[3]), *row) for key, row in self._changed.items()],
        )

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> None:
        """Remove the days before one."""
        db.execute("DELETE FROM tallies WHERE day < ?", (day,))


def _text(fields: Fields) -> str:
    return json.dumps(dict(fields), ensure_ascii=False, separators=(",", ":"))


def tallies_of(
    db: sqlite3.Connection,
    days: Sequence[str] | None = None,
    events: Sequence[str] = (),
    host: str | None = None,
) -> Iterator[Tally]:
    """The events of some days: by day, event and number, the most frequent first.

    :param db: the committed state.
    :param days: the days; None: all.
    :param events: the names of the events; none: all.
    :param host: the machine; None: all of them.
    """
    conditions, values = _asked(days, events, host)
    where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
    query = f"""SELECT day, event, host, fields, count, amount, first, last FROM tallies
                {where} ORDER BY day, event, count DESC, host, fields"""
    for day, event, of_host, fields, *numbers in db.execute(query, values):
        of_row = json.loads(fields)
        is_rest = of_row == dict(REST)
        yield Tally(day, event, of_host, {} if is_rest else of_row, is_rest, *numbers)


def tallied_by_day(
    db: sqlite3.Connection, before: str, events: Sequence[str], host: str | None = None
) -> dict[str, int]:
    """How often some events came on each kept day before one; 0 where none of them did.

    :param db: the committed state.
    :param before: the day, ``YYYY-MM-DD``.
    :param events: the names of the events, which are added up.
    :param host: the machine; None: all of them.
    """
    found = db.execute("SELECT day FROM days WHERE day < ? ORDER BY day", (before,))
    counts = dict.fromkeys((day for (day,) in found), 0)
    conditions, values = _asked(None, events, host)
    query = f"""SELECT day, sum(count) FROM tallies
                WHERE {" AND ".join(["day < ?", *conditions])} GROUP BY day"""
    counts |= {day: count for day, count in db.execute(query, (before, *values)) if day in counts}
    return counts


def _asked(
    days: Sequence[str] | None, events: Sequence[str], host: str | None
) -> tuple[list[str], list[str]]:
    """The conditions of a query, and their values."""
    conditions: list[str] = []
    values: list[str] = []
    if days is not None:
        conditions.append(f"day IN ({', '.join('?' * len(days))})")
        values += days
    if events:
        conditions.append(f"event IN ({', '.join('?' * len(events))})")
        values += events
    if host is not None:
        conditions.append("host = ?")
        values.append(host)
    return conditions, values
