"""Kinds of what is reported: how often each came, by day; those that come often are kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from msgspec import Struct

from pyruse.state.crowding import Crowd, Known, worse
from pyruse.state.part import Part
from pyruse.state.removal import delete_days
from pyruse.system.blake2 import blake2b
from pyruse.system.native import native

MOST = 10_000
"""So many kinds are kept. Where there are more, one gives way and counts as `OTHERS` (see
`pyruse.state.crowding`)."""
OTHERS = ""
"""The template of what stands for the kinds of a section that gave way."""
_IDS_IN_MEMORY = 20_000
_LONGEST_EXAMPLE = 500  # characters
_LONGEST_NAME = 100  # characters


_Key = tuple[str, str, str, str, str]
"""Section, event, program or nothing, template, message ID."""


class Kind(Struct):
    """What a kind is, and what came of it since the last commit."""

    section: str
    event: str
    """The meaning of the entries, or nothing."""
    program: str
    """Empty: several programs'."""
    template: str
    message_id: str
    level: int | None
    """The most severe priority (0 to 7) that one of its entries had."""
    example: str
    first: str
    """A day, as ``YYYY-MM-DD``; so is `last`."""
    last: str
    count: int
    time: int
    """When it came last, in microseconds since the epoch."""


class _Counts:
    """What changes with each event: numbers in C, where pyruse-native is installed."""

    __slots__ = ("count", "first", "last")


if not TYPE_CHECKING and (module := native()):
    _Counts = module.CountsCore


class Alike(_Counts):
    """Events that are alike in all that they are counted by, and how many came of late."""

    __slots__ = ("day", "host", "key", "kind", "level", "program")

    def __init__(  # noqa: PLR0913 -- what events are counted by
        self, kind: int, day: str, host: str, key: _Key, program: str, level: int | None
    ) -> None:
        self.kind = kind
        self.day = day
        """The open day that they are filed under."""
        self.host = host
        """The machine that they happened on, or nothing."""
        self.key = key
        self.program = program
        self.level = level
        self.first = self.last = 0
        """When the earliest came, and the last one, in microseconds since the epoch."""
        self.count = 0
        """Since they were last added up. Whoever counts one more of them moves `first` and `last`;
        the first one is told to `CountedKinds.begin`."""


def identity(section: str, event: str, program: str, template: str, message_id: str) -> int:
    """The id of a kind, the same on each machine: 48 bits."""
    parts = "\0".join((section, event, program, template, message_id))
    return int.from_bytes(blake2b(parts.encode(errors="replace"), digest_size=6).digest())


class CountedKinds(Part):
    """Counts kinds by day and host; what is known is read when the first one comes."""

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS kinds (
            id INTEGER PRIMARY KEY, section TEXT NOT NULL, event TEXT NOT NULL,
            program TEXT NOT NULL, template TEXT NOT NULL, message_id TEXT NOT NULL, level INTEGER,
            example TEXT NOT NULL, first TEXT NOT NULL, last TEXT NOT NULL, count INTEGER NOT NULL,
            time INTEGER NOT NULL
        );
        CREATE TABLE IF NOT EXISTS kind_counts (
            kind INTEGER NOT NULL, day TEXT NOT NULL, host TEXT NOT NULL, count INTEGER NOT NULL,
            first INTEGER NOT NULL, last INTEGER NOT NULL, PRIMARY KEY (kind, day, host)
        ) WITHOUT ROWID;
        CREATE INDEX IF NOT EXISTS kind_counts_by_day ON kind_counts (day);
        CREATE TABLE IF NOT EXISTS muted_kinds (id INTEGER PRIMARY KEY, since INTEGER NOT NULL);
    """

    def __init__(self) -> None:
        self._db: sqlite3.Connection | None = None
        self._ids: dict[_Key, int] = {}
        self._known: Crowd | None = None
        """The kinds that are kept; None: not read yet."""
        self._came: list[Alike] = []
        """What came, before it is added up in what follows."""
        self._touched: dict[int, Kind] = {}
        self._counts: dict[int, dict[tuple[str, str], list[int]]] = {}
        """Since the last commit, by kind, day and host: count, first, last."""
        self._gone: dict[int, str] = {}
        """The kinds that gave way since the last commit, each with its section."""
        self._muted: dict[int, int | None] = {}
        """Since the last commit: since when, or None of those that are not muted any more."""

    def alike(  # noqa: PLR0913 -- what events are counted by
        self,
        day: str,
        host: str,
        section: str,
        event: str,
        program: str,
        template: str,
        level: int | None,
        message_id: str = "",
        is_of_program: bool = True,
    ) -> Alike:
        """What events are counted by; it may be kept, and none of them is counted yet.

        :param day: the open day that they are filed under.
        :param host: the machine that they happened on, or nothing.
        :param section: of the report.
        :param event: what they mean, or nothing.
        :param program: which program's entries they are.
        :param template: their text without what changes.
        :param level: the entries' priority.
        :param message_id: the entries' MESSAGE_ID, or nothing.
        :param is_of_program: whether the same template of another program is another kind.
        """
        key = (section, event, program if is_of_program else "", template, message_id)
        kind = self._ids.get(key)
        if kind is None:
            if len(self._ids) >= _IDS_IN_MEMORY:
                self._ids.clear()
            kind = self._ids[key] = identity(*key)
        return Alike(kind, day, host, key, program[:_LONGEST_NAME], level)

    def begin(self, alike: Alike, example: str, time: int) -> None:
        """The first of some events comes since their counts were added up: it is counted here.

        :param alike: what they are counted by.
        :param example: its text.
        :param time: when it happened, in microseconds since the epoch.
        """
        if self._known is None:
            self._known = self._read()
        kind, level = alike.kind, alike.level
        section, event, program, template, message_id = alike.key
        if kind not in self._known.kinds:
            if len(self._known.kinds) >= MOST:
                self._make_room()
            self._known.add(kind, Known(0, time, level, section, program))
        if kind not in self._touched:
            self._touched[kind] = Kind(
                section, event, alike.program, template, message_id, level,
                example[:_LONGEST_EXAMPLE], alike.day, alike.day, 0, time,
            )  # fmt: skip
        alike.count = 1
        alike.first = alike.last = time
        self._came.append(alike)

    def _add_up(self) -> None:
        """Bring all the counts up to date."""
        for alike in self._came:
            kind, count, last = alike.kind, alike.count, alike.last
            alike.count = 0
            assert self._known is not None
            row = self._known.kinds[kind]
            row.count += count
            row.time = max(row.time, last)
            row.level = worse(row.level, alike.level)
            self._count(kind, (alike.day, alike.host), count, alike.first, last)
            touched = self._touched[kind]
            touched.count += count
            touched.time = max(touched.time, last)
            touched.level = worse(touched.level, alike.level)
            if touched.program != alike.program:
                touched.program = ""
            touched.first = min(touched.first, alike.day)
            touched.last = max(touched.last, alike.day)
        self._came.clear()

    def _count(self, kind: int, where: tuple[str, str], count: int, first: int, last: int) -> None:
        counts = self._counts.setdefault(kind, {})
        row = counts.get(where)
        if row is None:
            counts[where] = [count, first, last]
            return
        row[0] += count
        row[1] = min(row[1], first)
        row[2] = max(row[2], last)

    def _make_room(self) -> None:
        """Have the least of the kinds give way."""
        assert self._known is not None
        self._add_up()  # how often each came says which is the least
        kind, row = self._known.pop_least()
        self._gone[kind] = row.section
        self._touched.pop(kind, None)
        for (day, host), (count, first, last) in self._counts.pop(kind, {}).items():
            self._count_others(row.section, day, host, count, first, last)

    def _count_others(  # noqa: PLR0913 -- the facts of a row
        self, section: str, day: str, host: str, count: int, first: int, last: int
    ) -> None:
        others = _others(section)
        self._count(others, (day, host), count, first, last)
        touched = self._touched.get(others)
        if touched is None:
            self._touched[others] = _new_others(section, day, last)
            touched = self._touched[others]
        touched.count += count
        touched.time = max(touched.time, last)
        touched.first, touched.last = min(touched.first, day), max(touched.last, day)

    def mute(self, kind: int, since: int | None) -> None:
        """Tell no more that a kind is unlike other days; None: tell of it again."""
        self._muted[kind] = since

    def _read(self) -> Crowd:
        known = Crowd()
        if self._db is None:
            return known
        query = """SELECT id, count, time, level, section, event, program, template, message_id
                   FROM kinds WHERE template != ''"""
        for kind, count, time, level, section, event, program, *text in self._db.execute(query):
            # A kind may be several programs', though one alone has written it so far.
            is_of_program = kind == identity(section, event, program, *text)
            known.add(kind, Known(count, time, level, section, program if is_of_program else ""))
        return known

    def load(self, db: sqlite3.Connection) -> None:
        """Nothing is read before it is needed."""
        self._db = db

    def save(self, db: sqlite3.Connection) -> None:
        """Add what came since the last commit."""
        self._add_up()
        for kind, section in self._gone.items():
            _fold(db, kind, section)
        if self._touched:
            db.executemany(_ADD_KIND, [(kind, *_row(one)) for kind, one in self._touched.items()])
            db.executemany(
                """INSERT INTO kind_counts VALUES (?, ?, ?, ?, ?, ?)
                   ON CONFLICT DO UPDATE SET count = count + excluded.count,
                   first = min(first, excluded.first), last = max(last, excluded.last)""",
                [
                    (kind, *where, *row)
                    for kind, rows in self._counts.items()
                    for where, row in rows.items()
                ],
            )
        for kind, since in self._muted.items():
            db.execute("DELETE FROM muted_kinds WHERE id = ?", (kind,))
            if since is not None:
                db.execute("INSERT INTO muted_kinds VALUES (?, ?)", (kind, since))

    def saved(self) -> None:
        """The changes are committed."""
        self._touched.clear()
        self._counts.clear()
        self._gone.clear()
        self._muted.clear()

    def remove_before(self, db: sqlite3.Connection, time_us: int, day: str) -> Iterator[None]:
        """Remove the counts of the days before one, and the kinds that did not come since."""
        yield from delete_days(db, "kind_counts", day)
        old = [kind for (kind,) in db.execute("SELECT id FROM kinds WHERE last < ?", (day,))]
        for kind in old:
            if kind not in self._touched:
                db.execute("DELETE FROM kinds WHERE id = ?", (kind,))
                if self._known is not None:
                    self._known.discard(kind)
                yield


_ADD_KIND = """
    INSERT INTO kinds VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET
        program = CASE WHEN program = excluded.program THEN program ELSE '' END,
        level = CASE WHEN level IS NULL OR excluded.level < level THEN excluded.level
                     ELSE level END,
        first = min(first, excluded.first), last = max(last, excluded.last),
        count = count + excluded.count, time = max(time, excluded.time)
"""


def _row(kind: Kind) -> tuple[str | int | None, ...]:
    return (
        kind.section, kind.event, kind.program, kind.template, kind.message_id, kind.level,
        kind.example, kind.first, kind.last, kind.count, kind.time,
    )  # fmt: skip


def _fold(db: sqlite3.Connection, kind: int, section: str) -> None:
    """Count what is stored of a kind as others."""
    others = _others(section)
    counts = db.execute("SELECT day, count, last FROM kind_counts WHERE kind = ?", (kind,))
    rows = counts.fetchall()
    if rows:
        db.execute(
            """INSERT INTO kind_counts
               SELECT ?, day, host, count, first, last FROM kind_counts WHERE kind = ?
               ON CONFLICT DO UPDATE SET count = count + excluded.count,
               first = min(first, excluded.first), last = max(last, excluded.last)""",
            (others, kind),
        )
        db.execute("DELETE FROM kind_counts WHERE kind = ?", (kind,))
        days = [day for day, _, _ in rows]
        rest = _new_others(section, min(days), max(last for _, _, last in rows))
        rest.last = max(days)
        rest.count = sum(count for _, count, _ in rows)
        db.execute(_ADD_KIND, (others, *_row(rest)))
    db.execute("DELETE FROM kinds WHERE id = ?", (kind,))


def _new_others(section: str, day: str, time: int) -> Kind:
    return Kind(section, "", "", OTHERS, "", None, "", day, day, 0, time)


def _others(section: str) -> int:
    return identity(section, "", "", OTHERS, "")
