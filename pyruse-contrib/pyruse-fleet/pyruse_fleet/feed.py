"""Reads the feed, by numbers; a host that has missed too much takes a snapshot instead."""

from __future__ import annotations

import math
import random
import time
from collections import defaultdict
from collections.abc import Callable, Collection
from threading import Event
from typing import Any

from psycopg import IsolationLevel
from psycopg.types.json import Jsonb

from pyruse import network_text, parse_network
from pyruse_fleet.errors import NotTaken
from pyruse_fleet.inbox import MOST, Alone, Inbox, Item, Lift, Names, News, Reached
from pyruse_fleet.link import Connection
from pyruse_fleet.wire import (
    NOWHERE,
    Key,
    Position,
    Told,
    checked_breadth,
    checked_key,
    told_ban,
)

_PAGE = 500
MOST_BANS = 100_000
"""So many bans a snapshot has at most: all of it is in memory for a moment."""
_LIFT_AFTER_S = 600.0
"""So long after a database was restored from a backup, hosts have told again what it had lost."""

NEXT = "SELECT * FROM fleet.news(%s::pg_snapshot, %s, %s)"
_LAST = """
    SELECT seq, mark, pg_current_snapshot()::text FROM fleet.feed ORDER BY seq DESC LIMIT 1
"""
_BANS = """
    SELECT host, network::text, label, ports, protocol, until IS NULL,
        extract(epoch FROM until - clock_timestamp())::float8
    FROM fleet.bans
    WHERE host <> %s AND label = ANY(%s) AND (until IS NULL OR until > clock_timestamp())
    ORDER BY since DESC LIMIT %s
"""
_LEFT = """
    SELECT lifted::text, host, network::text, label, ports, protocol, until IS NULL,
        extract(epoch FROM until - clock_timestamp())::float8
    FROM (
        SELECT lifted, bans.*
        FROM unnest(%(lifted)s::cidr[]) AS lifted
            CROSS JOIN LATERAL generate_series(
                CASE family(lifted) WHEN 4 THEN 16 ELSE 32 END, masklen(lifted)) AS length
            JOIN fleet.bans ON network = set_masklen(lifted, length)
        UNION ALL
        (SELECT lifted, bans.*
        FROM unnest(%(lifted)s::cidr[]) AS lifted JOIN fleet.bans
            ON network > lifted AND network <= host(broadcast(lifted))::cidr
        WHERE masklen(lifted) < CASE family(lifted) WHEN 4 THEN 32 ELSE 128 END
            AND host <> %(me)s AND label = ANY(%(accept)s)
            AND (until IS NULL OR until > clock_timestamp())
        LIMIT %(most)s)
    ) AS found JOIN fleet.hosts ON id = host
    WHERE host <> %(me)s AND removed IS NULL AND label = ANY(%(accept)s)
        AND (until IS NULL OR until > clock_timestamp())
"""
"""What others tell of networks that were lifted, of those around them, and of those in them."""
_MOST_LEFT = 5_000
"""So many in lifted networks are looked at; a snapshot has the others, some minutes later."""


class Feed:
    """Where this host is in the feed, and what it hands over to the main thread."""

    def __init__(
        self,
        position: Position,
        inbox: Inbox,
        taken_over: Callable[[], set[Key]],
        accept: Collection[str],
        has_counted: Callable[[str, str], bool],
    ) -> None:
        """Begin where the last run ended.

        :param taken_over: gives what is in force here as others have told it.
        :param accept: the labels of bans that are taken over.
        :param has_counted: says whether this host may have counted a key.
        """
        self._has_counted = has_counted
        self._accept = frozenset(accept)
        self.position = position
        self._inbox = inbox
        self._taken_over = taken_over
        self._names: dict[int, str] = {}
        self._lift_at: float | None = None
        self.waits_for_room = Event()
        """The inbox is full: whoever empties it rouses the link."""
        self.restored = False
        """The database has not what it had: this host has to tell it again."""

    def read(self, connection: Connection, me: int) -> bool:
        """Hand over what has come since.

        :return: whether there is more.
        """
        if self._lift_at is not None and time.monotonic() >= self._lift_at:
            self._lift_at = None
            self._take_snapshot(connection, me, lift=True)
            return True
        if len(self._inbox) > MOST:
            self.waits_for_room.set()
            return False
        if self.position == NOWHERE:
            self._begin_anew(connection, me)
            return True
        seq, mark, taken = self.position
        rows = connection.execute(NEXT, (taken, seq, _PAGE)).fetchall()
        if not rows or rows[0][1:3] != (seq, mark):
            self._begin_anew(connection, me)
            return True
        self._hand_over(connection, me, rows[0][0], [Told(*row) for _, *row in rows[1:]])
        return len(rows) > _PAGE

    def lift_in(self) -> float:
        """After how many seconds `read` has something to lift."""
        return math.inf if self._lift_at is None else max(0.0, self._lift_at - time.monotonic())

    def _hand_over(self, connection: Connection, me: int, reached: str, rows: list[Told]) -> None:
        if not rows:
            return
        others = [row for row in rows if row.kind == "count" or row.host != me]
        lifts = {row.seq: key for row in others if (key := self._lifted(row)) is not None}
        left = self._left(connection, me, {key.network for key in lifts.values()})
        hosts = {row.host for row in (*rows, *(row for rest in left.values() for row in rest))}
        self._know(connection, me, hosts)
        items: list[Item] = []
        for row in others:
            key = lifts.get(row.seq)
            items.append(row if key is None else Lift(key, left[key.network]))
        # What this host has counted was its own business, until others have counted the same.
        counted = {(row.counter or "", row.key or "") for row in rows if row.host != me and row.key}
        if wanted := [list(one) for one in sorted(counted) if self._has_counted(*one)]:
            connection.execute("SELECT fleet.spread(%s)", (Jsonb(wanted),))
        last = max(rows, key=lambda row: row.seq)
        known = self.position if self.position.seq > last.seq else last
        self.position = Position(known.seq, known.mark, reached)
        self._inbox.put(*items, Reached(self.position))

    def _lifted(self, row: Told) -> Key | None:
        """The ban that a row lifts, if this host may have taken it over."""
        if row.kind != "unban" or row.label not in self._accept:
            return None
        try:
            key = checked_key(row.network, row.label, row.ports, row.protocol)
            checked_breadth(parse_network(key.network))
        except NotTaken:
            return None
        return key

    def _left(
        self, connection: Connection, me: int, networks: set[str]
    ) -> defaultdict[str, list[Told]]:
        """What others tell, though somebody has lifted his ban of these networks."""
        found: defaultdict[str, list[Told]] = defaultdict(list)
        if networks:
            known = {
                "lifted": sorted(networks), "me": me, "accept": sorted(self._accept),
                "most": _MOST_LEFT,
            }  # fmt: skip
            rows = connection.execute(_LEFT, known).fetchall()
            if len(rows) >= _MOST_LEFT and self._lift_at is None:
                self._lift_at = time.monotonic() + _LIFT_AFTER_S * random.uniform(1, 1.2)
            for lifted, *row in rows:
                found[network_text(parse_network(lifted))].append(_told(tuple(row)))
        return found

    def _begin_anew(self, connection: Connection, me: int) -> None:
        """Take a snapshot: this host is new, was away for too long, or the database was restored.

        A restored one lacks what hosts have told since the backup, until they tell it again: so
        nothing is lifted for a while that it does not know of.
        """
        (first,) = connection.execute("SELECT min(seq) FROM fleet.feed").fetchone() or (None,)
        behind = first is not None and self.position.seq < first
        self.restored = self.restored or not (behind or self.position == NOWHERE)
        if self.restored:
            self._lift_at = time.monotonic() + _LIFT_AFTER_S * random.uniform(1, 1.2)
        self._take_snapshot(connection, me, lift=not self.restored)

    def _take_snapshot(self, connection: Connection, me: int, *, lift: bool) -> None:
        there: set[Key] = set()
        connection.isolation_level = IsolationLevel.REPEATABLE_READ
        try:
            with connection.transaction():
                last = connection.execute(_LAST).fetchone() or NOWHERE
                wanted = (me, sorted(self._accept), MOST_BANS)
                rows = connection.execute(_BANS, wanted).fetchall()
        finally:
            connection.isolation_level = None
        self._know(connection, me, {row[0] for row in rows})
        bans: list[Told] = []
        for row in rows:
            told = _told(row)
            try:
                there.add(checked_key(told.network, told.label, told.ports, told.protocol))
            except NotTaken:
                continue
            bans.append(told)
        if len(rows) == MOST_BANS:
            text = f"the fleet has more than {MOST_BANS:,} bans: the newest of them are taken over"
            self._inbox.put(News(text, "warning"))
        elif lift:
            self._put_lifts(connection, me, self._taken_over() - there, there)
        self.position = Position(*last)
        self._inbox.put(*bans, Reached(self.position))

    def _put_lifts(
        self, connection: Connection, me: int, lifted: set[Key], there: set[Key]
    ) -> None:
        """Have lifted what nobody tells any more."""
        keys = sorted(lifted)
        for begin in range(0, len(keys), _PAGE):
            some = keys[begin : begin + _PAGE]
            left = self._left(connection, me, {key.network for key in some})
            self._know(connection, me, {told.host for one in left.values() for told in one})
            self._inbox.put(*(Lift(key, left[key.network]) for key in some))
        self._inbox.put(Alone(frozenset(there)))

    def _know(self, connection: Connection, me: int, hosts: set[int]) -> None:
        """Hand over the names of hosts, where there are new ones."""
        if hosts - self._names.keys():
            rows = connection.execute("SELECT id, name FROM fleet.hosts")
            self._names = {number: str(name) for number, name in rows}
            self._inbox.put(Names(self._names, me))


def _told(row: tuple[Any, ...]) -> Told:
    host, *key, for_ever, lasts = row
    return told_ban(host, Key(*key), None if for_ever else lasts)
