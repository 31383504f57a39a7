"""Events, as they are filed: what many have in common is written once, as their head.

A day where everything is reported has hundreds of thousands of them. So an event is its time, its
text and the number of its head; the events of a day and section are some ranges of ids. The view
``events`` shows them as a table with everything in it, for those who read (`pyruse.state.events`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import ClassVar, NamedTuple

from pyruse.state.part import Part
from pyruse.state.removal import delete

_HEADS_IN_MEMORY = 10_000
_LONGEST_HOST = 255  # characters: longer names are no machine's, and are not kept in memory
_TOGETHER = 100
"""Rows of one statement: that takes half as long as one by one."""
QUOTED = "important"
"""The section whose events have quotes."""


class Head(NamedTuple):
    """What an event has in common with others."""

    day: str
    section: str
    details: str
    """Which times the report shows."""
    step: str | None
    """Where that stands which has reported it."""
    host: str | None
    kind: int | None
    """See `pyruse.state.counted_kinds`."""
    program: str | None
    level: int | None
    """The entry's priority, 0 (worst) to 7."""
    event: str | None
    """What the entry means, if that is known."""
    cause: str | None
    """What has caused it: the same of all events that are about the same thing."""
    weight: int | None
    """How much it deserves attention, 0 to 100; None: as much as its meaning says."""


FiledEvent = tuple[int, int, str] | tuple[int, int, str, str | None]
"""The number of its head, its instant (µs since the epoch) and its message; in the section
`QUOTED`, also the line that shows it, or None where the message does."""
Values = list[int | str | None]
"""Events, value by value: a list is to be extended by each `FiledEvent`. They are never looked at
one by one, and SQLite takes them as they are."""


class FiledEvents(Part):
    """Takes events, and writes those of a commit by day and section."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS event_heads (
            id INTEGER PRIMARY KEY, day TEXT NOT NULL, section TEXT NOT NULL,
            details TEXT NOT NULL, step TEXT, host TEXT, kind INTEGER, program TEXT, level INTEGER,
            event TEXT, cause TEXT, weight INTEGER
        );
        CREATE INDEX IF NOT EXISTS event_heads_by_day ON event_heads (day, section);
        CREATE TABLE IF NOT EXISTS event_texts (
            id INTEGER PRIMARY KEY, head INTEGER NOT NULL, time INTEGER NOT NULL,
            message TEXT NOT NULL, quote TEXT
        );
        CREATE TABLE IF NOT EXISTS event_ranges (
            first INTEGER PRIMARY KEY, last INTEGER NOT NULL, day TEXT NOT NULL,
            section TEXT NOT NULL
        );
        CREATE INDEX IF NOT EXISTS event_ranges_by_day ON event_ranges (day, section);
        CREATE VIEW IF NOT EXISTS events AS
            SELECT text.id AS rowid, range.first AS range, range.day AS day,
                   range.section AS section, message, coalesce(details, 'ALL') AS details, time,
                   host, step, kind, program, level, event, cause, weight, quote
            FROM event_ranges AS range
            CROSS JOIN event_texts AS text ON text.id BETWEEN range.first AND range.last
            LEFT JOIN event_heads AS head ON head.id = text.head;
    """

    def __init__(self) -> None:
        self._heads: dict[Head, int] = {}
        self._new: list[tuple[object, ...]] = []
        """Heads that are not committed yet, each behind its number."""
        self._next = 1
        """The number of the next head."""
        self._files: dict[tuple[str, str], Values] = {}
        """The events since the last commit, by day and section. Whoever has asked for one of these
        lists may keep it until days are removed: lists are emptied, and stay."""

    def head(self, head: Head) -> int:
        """The number of a head; the same head may have several."""
        number = self._heads.get(head)
        if number is None:
            if len(self._heads) >= _HEADS_IN_MEMORY:
                self._heads.clear()
            number = self._next
            self._next += 1
            if head.host is None or len(head.host) <= _LONGEST_HOST:
                self._heads[head] = number
            self._new.append((number, *head))
        return number

    def file(self, day: str, section: str) -> Values:
        """What is to be extended by the events of an open day and a section, now and later on.

        It may be kept until `remove_before` is called.
        """
        return self._files.setdefault((day, section), [])

    def load(self, db: sqlite3.Connection) -> None:
        """Find out which numbers are free."""
        (last,) = db.execute("SELECT coalesce(max(id), 0) FROM event_heads").fetchone()
        self._next = last + 1

    def save(self, db: sqlite3.Connection) -> None:
        """Write the events since the last commit."""
        if not self._new and not any(self._files.values()):
            return
        marks = ", ".join("?" * (1 + len(Head._fields)))
        db.executemany(f"INSERT INTO event_heads VALUES ({marks})", self._new)
        query = "SELECT first, last, day, section FROM event_ranges ORDER BY first DESC LIMIT 1"
        first, end, *before = db.execute(query).fetchone() or (0, 0)
        (last,) = db.execute("SELECT coalesce(max(id), 0) FROM event_texts").fetchone()
        if last != end:  # those behind that range are removed, or a rescue has lost the range
            last, before = max(last, end), []
        for (day, section), values in self._files.items():
            if not values:
                continue
            names = ("head", "time", "message", "quote")[: 4 if section == QUOTED else 3]
            _insert(db, last + 1, names, values)
            if before != [day, section]:
                first, before = last + 1, [day, section]
            last += len(values) // len(names)
            db.execute(
                "INSERT OR REPLACE INTO event_ranges VALUES (?, ?, ?, ?)",
                (first, last, day, section),
            )

    def saved(self) -> None:
        """The events are committed."""
        self._new.clear()
        for values in self._files.values():
            values.clear()

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Remove the events of the days before one that are not to be reported any more."""
        done = "day < ? AND day NOT IN (SELECT day FROM days WHERE reported IS NULL)"
        query = f"SELECT first, last FROM event_ranges WHERE {done}"
        for first, last in db.execute(query, (day,)).fetchall():
            yield from delete(db, "event_texts", "id BETWEEN ? AND ?", (first, last))
            db.execute("DELETE FROM event_ranges WHERE first = ?", (first,))
        yield from delete(db, "event_heads", done, (day,))
        self._forget_before(db, day)

    def _forget_before(self, db: sqlite3.Connection, day: str) -> None:
        """Know nothing any more of the days before one, but for those still to report.

        Should the clock be set back behind them, they begin anew.
        """
        open_days = {one for (one,) in db.execute("SELECT day FROM days WHERE reported IS NULL")}
        for place, values in list(self._files.items()):
            if place[0] < day and place[0] not in open_days and not values:
                del self._files[place]
        self._heads = {
            head: number
            for head, number in self._heads.items()
            if head.day >= day or head.day in open_days
        }


def _insert(db: sqlite3.Connection, first: int, names: tuple[str, ...], values: Values) -> None:
    """Write events, with ids from this one on.

    :param names: of the columns that each has a value of.
    """
    # SQLite numbers those behind the first one by itself, which is quicker; and so are many rows of
    # one statement.
    columns = len(names)
    row = f"({', '.join('?' * columns)})"
    insert = f"INSERT INTO event_texts ({', '.join(names)}) VALUES {row}"
    db.execute(
        f"INSERT INTO event_texts (id, {', '.join(names)}) VALUES (?, {row[1:]}",
        (first, *values[:columns]),
    )
    many = insert + f", {row}" * (_TOGETHER - 1)
    step = columns * _TOGETHER
    rest = columns + (len(values) - columns) // step * step
    for at in range(columns, rest, step):
        db.execute(many, values[at : at + step])
    db.executemany(insert, zip(*[iter(values[rest:])] * columns, strict=True))


def mend(db: sqlite3.Connection) -> None:
    """Have events shown of which a page of heads or ranges is lost.

    Without its head, an event has its day, section, time and text; without its range, its head
    says of which day and section it is.

    :param db: of which some rows are lost.
    """
    db.execute(
        """INSERT INTO event_ranges
           SELECT min(id), max(id), day, section FROM (
               SELECT text.id AS id, day, section, text.id - row_number() OVER (
                          PARTITION BY day, section ORDER BY text.id) AS island
               FROM event_texts AS text JOIN event_heads AS head ON head.id = text.head
               WHERE text.id > coalesce((SELECT last FROM event_ranges WHERE first <= text.id
                                         ORDER BY first DESC LIMIT 1), 0))
           GROUP BY day, section, island"""
    )
    # A new head may get the number.
    db.execute("UPDATE event_texts SET head = 0 WHERE head NOT IN (SELECT id FROM event_heads)")
