"""Tallies: how often each event came on a day, by the fields that belong to it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

import msgspec
from msgspec import Struct, field

from pyruse.api.tally import Tally
from pyruse.state.part import Part
from pyruse.state.removal import delete_days

MOST = 2_000
"""Of an event, so many different rows are kept of a day. Strangers choose user names and paths:
they must not choose how large the state is."""
NEWCOMERS = 1_000
"""So many more may come until the lightest rows are added up, so that what comes often stays."""
RESERVED = 100
"""Of what strangers cannot choose, such as a service or the status of a request, so many rows stay
whatever comes of the others."""
REMAINDERS = 200
"""In so many rows is added up what gave way."""
HOSTS = 1_000
"""For so many machines, the events of a day are counted apart."""

CHOSEN = frozenset(
    {
        "claim", "command", "exe", "from", "ip", "name", "path", "port", "relay", "target", "to",
        "uid", "user",
    }
)  # fmt: skip
"""The fields whose values strangers may choose, except for the user root."""

Fields = Mapping[str, str]
"""Values by the names of the fields, in an order that the event always has."""

Key = tuple[str, ...]
"""By which a row is known: the host, then the names of the fields, then their values."""

LONGEST = 200
"""Characters of a value."""

REST = ""
"""The field, without a value, that those rows begin with which stand for rows that gave way."""
_LARGEST = (1 << 53) - 1
_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(dict[str, str])
_DAYS_IN_MEMORY = 3


class EventOfDay(Struct):
    """One event on one day: all its rows."""

    rows: dict[Key, list[int]] = field(default_factory=dict)
    """Count, amount, first, last; and count and amount as far as they are in the totals. Whoever
    has asked for it may keep it: rows that are not in memory any more are not in it either."""
    remainders: dict[Key, list[int]] = field(default_factory=dict)
    """The same of the rows that stand for others."""
    changed: set[Key] = field(default_factory=set)
    """Since the last commit."""
    gone: set[Key] = field(default_factory=set)
    """Those that gave way since the last commit."""
    totals: dict[str, list[int]] = field(default_factory=dict)
    """Count and amount by host, since the last commit, of those."""
    hosts: set[str] = field(default_factory=set)
    lanes: dict[Key, Key] = field(default_factory=dict)
    """In which row each one would be added up, as far as that was asked."""

    def add(self, key: Key, amount: int, time: int) -> None:
        """Count an event.

        :param key: of its row, of texts of a length that the state may keep.
        :param amount: what adds up.
        :param time: when it happened, in microseconds since the epoch.
        """
        if key not in self.rows:
            if len(self.rows) >= MOST + NEWCOMERS:
                _make_room(self)
            self.rows[key] = [0, 0, time, time, 0, 0]
            _counted_as(self, key[0])
        self.add_again(key, amount, time)

    def add_again(self, key: Key, amount: int, time: int) -> bool:
        """The same where there is a row already: quick, as most are. pyruse-native does it, too.

        :return: whether there is one; else nothing is done.
        """
        row = self.rows.get(key)
        if row is None:
            return False
        if row[4] == row[0]:
            self.changed.add(key)
        row[0] += 1
        if amount:
            row[1] += amount
        if time > row[3]:
            row[3] = time
        elif time < row[2]:
            row[2] = time
        return True


class Tallies(Part):
    """Adds up events; in memory are the rows of the last days."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS tallies (
            day TEXT NOT NULL, event TEXT NOT NULL, host TEXT NOT NULL, fields TEXT NOT NULL,
            count INTEGER NOT NULL, amount INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, PRIMARY KEY (day, event, host, fields)
        ) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS tally_totals (
            day TEXT NOT NULL, event TEXT NOT NULL, host TEXT NOT NULL, count INTEGER NOT NULL,
            amount INTEGER NOT NULL, PRIMARY KEY (day, event, host)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self._known: dict[str, dict[str, EventOfDay]] = {}
        """By day and name."""
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
        self.event(day, event).add(key_of(host, fields), amount, time)

    def event(self, day: str, event: str) -> EventOfDay:
        """The rows of an event on an open day."""
        events = self._known.get(day)
        if events is None:
            events = self._known[day] = {}
        here = events.get(event)
        if here is None:
            here = events[event] = self._read(day, event)
        return here

    def _read(self, day: str, event: str) -> EventOfDay:
        here = EventOfDay()
        if self._db is None:
            return here
        query = """SELECT host, fields, count, amount, first, last FROM tallies
                   WHERE day = ? AND event = ?"""
        for host, text, *numbers in self._db.execute(query, (day, event)):
            fields = _DECODER.decode(text)
            rows = here.remainders if fields.get(REST) == "" else here.rows
            rows[key_of(host, fields)] = [*numbers, *numbers[:2]]
        query = "SELECT host FROM tally_totals WHERE day = ? AND event = ?"
        here.hosts.update(host for (host,) in self._db.execute(query, (day, event)))
        return here

    def load(self, db: sqlite3.Connection) -> None:
        """Nothing is read before it is needed."""
        self._db = db

    def save(self, db: sqlite3.Connection) -> None:
        """Write what has changed since the last commit."""
        self._db = db  # what is forgotten in memory is read again
        of_days = ((day, *item) for day, events in self._known.items() for item in events.items())
        for day, event, here in of_days:
            if not here.changed:
                continue
            db.executemany(
                "DELETE FROM tallies WHERE day = ? AND event = ? AND host = ? AND fields = ?",
                [(day, event, *_written(key)) for key in here.gone - here.changed],
            )
            db.executemany(
                f"INSERT OR REPLACE INTO tallies VALUES (?, ?, ?, ?, ?, min(?, {_LARGEST}), ?, ?)",
                [(day, event, *_written(key), *_row(here, key)[:4]) for key in here.changed],
            )
            db.executemany(
                f"""INSERT INTO tally_totals VALUES (?, ?, ?, ?, min(?, {_LARGEST}))
                    ON CONFLICT DO UPDATE SET count = count + excluded.count,
                    amount = min(amount + excluded.amount, {_LARGEST})""",
                [(day, event, host, *total) for host, total in _totals(here).items()],
            )

    def saved(self) -> None:
        """The changes are committed."""
        for events in self._known.values():
            for here in events.values():
                for key in here.changed:
                    row = _row(here, key)
                    row[4:] = row[:2]
                here.changed.clear()
                here.gone.clear()
                here.totals.clear()
        for day in sorted(self._known)[:-_DAYS_IN_MEMORY]:
            for here in self._known.pop(day).values():
                here.rows.clear()

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Remove the days before one."""
        yield from delete_days(db, "tallies", day)
        yield from delete_days(db, "tally_totals", day)


def _counted_as(here: EventOfDay, host: str) -> str:
    """The machine that the events of one are counted for."""
    if host not in here.hosts and len(here.hosts) >= HOSTS:
        host = ""
    here.hosts.add(host)
    return host


def _totals(here: EventOfDay) -> dict[str, list[int]]:
    """Count and amount by host since the last commit: what the rows do not have in common with it.

    They are not counted event by event, as each entry is an event.
    """
    totals = {host: total.copy() for host, total in here.totals.items()}
    for key in here.changed:
        _add_to_totals(here, totals, key[0], _row(here, key))
    return totals


def _add_to_totals(
    here: EventOfDay, totals: dict[str, list[int]], host: str, row: list[int]
) -> None:
    if row[4] != row[0]:
        total = totals.setdefault(_counted_as(here, host), [0, 0])
        total[0] += row[0] - row[4]
        total[1] += row[1] - row[5]


def _row(here: EventOfDay, key: Key) -> list[int]:
    row = here.rows.get(key)
    return here.remainders[key] if row is None else row


def _add(row: list[int], other: list[int]) -> None:
    for at in (0, 1, 4, 5):
        row[at] += other[at]
    row[2] = min(row[2], other[2])
    row[3] = max(row[3], other[3])


def _make_room(here: EventOfDay) -> None:
    """Add up the lightest rows.

    Of a service, of a status, of root and the like, some stay at first: a flood of one does not
    hide the others.
    """
    lanes = here.lanes
    for key in here.rows.keys() - lanes.keys():
        lanes[key] = _lane(key)
    left = Counter(lanes.values())
    # By the number, then by time: of those that came once, the latest stay.
    lightest = sorted(here.rows, key=lambda key: (here.rows[key][0], here.rows[key][3]))
    too_many = len(here.rows) - MOST
    for reserved in (RESERVED, 0):
        for key in lightest:
            if too_many == 0:
                return
            lane = lanes.get(key)
            if lane is not None and left[lane] > reserved:
                del lanes[key]
                left[lane] -= 1
                too_many -= 1
                _give_way(here, key, lane)


def _give_way(here: EventOfDay, key: Key, lane: Key) -> None:
    row = here.rows.pop(key)
    _add_to_totals(here, here.totals, key[0], row)
    row[4:] = row[:2]
    here.changed.discard(key)
    here.gone.add(key)
    if lane not in here.remainders and len(here.remainders) >= REMAINDERS:
        lane = key_of("", {REST: ""})
    remainder = here.remainders.get(lane)
    if remainder is None:
        here.remainders[lane] = row
    else:
        _add(remainder, row)
    here.changed.add(lane)


def _lane(key: Key) -> Key:
    """What a row has in common with others: all but what strangers choose."""
    host, fields = _parts(key)
    kept = {
        name: value
        for name, value in fields.items()
        if name not in CHOSEN or (name, value) == ("user", "root")
    }
    return key_of(host, {REST: "", **kept})


def key_of(host: str, fields: Fields) -> Key:
    """By which the row of some fields is known."""
    return host, *fields, *fields.values()


def _parts(key: Key) -> tuple[str, Fields]:
    """The host and the fields of a row."""
    values = 1 + len(key) // 2
    return key[0], dict(zip(key[1:values], key[values:], strict=True))


def _written(key: Key) -> tuple[str, str]:
    host, fields = _parts(key)
    return host, _ENCODER.encode(fields).decode()


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
        of_row = _DECODER.decode(fields)
        is_rest = of_row.pop(REST, None) is not None
        yield Tally(day, event, of_host, of_row, is_rest, *numbers)


def tallies_before(
    db: sqlite3.Connection, before: str, events: Sequence[str], host: str | None = None
) -> Iterator[Tally]:
    """Some events of the kept days before one: the last day first, each as by `tallies_of`.

    :param db: the committed state.
    :param before: the day, ``YYYY-MM-DD``.
    :param events: their names.
    :param host: the machine; None: all of them.
    """
    conditions, values = _asked(None, events, host)
    query = f"""SELECT DISTINCT day FROM tally_totals
                WHERE {" AND ".join(["day < ?", *conditions])} ORDER BY day DESC"""
    # Day by day: so the rows of other events are never looked at.
    for (day,) in db.execute(query, (before, *values)).fetchall():
        yield from tallies_of(db, [day], events, host)


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
    query = f"""SELECT day, sum(count) FROM tally_totals
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
