"""Bans and unbans that plugins and the journal are yet to be told of."""

from __future__ import annotations

import sqlite3
from collections import deque
from itertools import groupby
from typing import ClassVar, Literal

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from pyruse.api.bans import Ban, UnbanReason
from pyruse.state.alike_rows import MANY, as_json
from pyruse.state.part import Part

_READ = 1_000
"""So many events are in memory at most."""

EventKind = Literal["ban", "unban"]


class BanEvent(Struct, frozen=True, gc=False):
    """A ban began or was made longer, or it is in force no longer."""

    kind: EventKind
    ban: Ban
    why: UnbanReason | None = None
    """Of an unban."""
    hops: int = 0
    """How many of Pyruse's own lines led to it, one after another."""


class BanEvents(Part):
    """Events, told in their order, after the commit that made them and at least once.

    They are written in the transaction of what made them, and removed in the one that holds what
    came of telling them: after a crash in between, they are told again.
    """

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS ban_events (
            number INTEGER PRIMARY KEY, kind TEXT NOT NULL, ban BLOB NOT NULL, why TEXT,
            hops INTEGER NOT NULL
        );
    """

    def __init__(self) -> None:
        self.wanted = False
        """Whether anybody is to be told: otherwise, nothing is kept."""
        self._new: list[BanEvent] = []
        self._db: sqlite3.Connection | None = None
        self._waiting = 0
        """How many the database has that are to be told: there may be any number of them …"""
        self._read: deque[tuple[int, BanEvent]] = deque()
        """… so these alone are in memory. Numbers may have gaps: rows of a damaged database."""
        self._told: int | None = None
        """The number of the newest event that is told, to be removed with those before it."""
        self._last = 0
        """The number of the newest event that the database has, or had."""

    def __len__(self) -> int:
        """How many are committed, and to be told."""
        return self._waiting

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._new) or self._told is not None

    def add(self, event: BanEvent) -> None:
        """Have an event told, once it is committed."""
        if self.wanted:
            self._new.append(event)

    def take(self, most: int) -> list[BanEvent]:
        """Events to be told now, the oldest ones; the next commit removes them."""
        taken: list[BanEvent] = []
        while self._waiting and len(taken) < most:
            if not self._read:
                self._read_more()
            self._told, event = self._read.popleft()
            self._waiting -= 1
            taken.append(event)
        return taken

    def _read_more(self) -> None:
        assert self._db is not None
        query = """SELECT number, kind, ban, why, hops FROM ban_events WHERE number > ?
                   ORDER BY number LIMIT ?"""
        after = self._told or 0
        for number, kind, ban, why, hops in self._db.execute(query, (after, _READ)):
            self._read.append((number, BanEvent(kind, _decoder.decode(ban), why, hops)))

    def load(self, db: sqlite3.Connection) -> None:
        """Read what was not told."""
        self._db = db
        self._told = None
        self._read.clear()
        self._waiting = 0
        for number, ban in db.execute("SELECT number, ban FROM ban_events ORDER BY number"):
            _decoder.decode(ban)  # of what is damaged, nothing is told
            self._waiting += 1
            self._last = number

    def save(self, db: sqlite3.Connection) -> None:
        """Write what is new, and remove what is told."""
        self._db = db
        if self._told is not None:
            db.execute("DELETE FROM ban_events WHERE number <= ?", (self._told,))
        number = self._last + 1
        for _, some in groupby(self._new, _but_for_the_network):
            events = list(some)
            (_insert_alike if len(events) >= MANY else _insert)(db, number, events)
            number += len(events)

    def saved(self) -> None:
        """The changes are committed: what was new is to be told."""
        self._told = None
        self._waiting += len(self._new)
        self._last += len(self._new)
        self._new.clear()


def _but_for_the_network(event: BanEvent) -> tuple[object, ...]:
    """What events have in common that differ in the network alone, as those of a list."""
    ban = event.ban
    return (
        event.kind, event.why, event.hops, ban.label, ban.since, ban.until, ban.reason, ban.chain,
        ban.count, ban.target, ban.grown,
    )  # fmt: skip


def _insert(db: sqlite3.Connection, number: int, events: list[BanEvent]) -> None:
    """Write events, numbered from ``number`` on."""
    db.executemany(
        "INSERT INTO ban_events VALUES (?, ?, ?, ?, ?)",
        [
            (at, event.kind, _encoder.encode(event.ban), event.why, event.hops)
            for at, event in enumerate(events, number)
        ],
    )


def _insert_alike(db: sqlite3.Connection, number: int, events: list[BanEvent]) -> None:
    """The same of events that differ in the network alone.

    SQLite puts the networks into the JSON of their bans: they hold nothing to be escaped.
    """
    one = events[0]
    before, after = _encoder.encode(replace(one.ban, network="")).decode().split('""', maxsplit=1)
    db.execute(
        """INSERT INTO ban_events
           SELECT ? + key, ?, CAST(? || value || ? AS BLOB), ?, ? FROM json_each(?)""",
        (
            number, one.kind, f'{before}"', f'"{after}', one.why, one.hops,
            as_json([event.ban.network for event in events]),
        ),
    )  # fmt: skip


_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Ban)
