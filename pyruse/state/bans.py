"""The bans in force, and what firewalls have yet to take of them."""

from __future__ import annotations

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterator
from functools import lru_cache
from operator import attrgetter
from typing import ClassVar

import msgspec
from msgspec import Struct

from pyruse.addresses import bits_of
from pyruse.api.bans import Ban
from pyruse.api.firewall import SIMULATED, Target
from pyruse.state import alike_rows
from pyruse.state.ban_ends import BanEnds
from pyruse.state.firewalls import FirewallRecord, firewall_records
from pyruse.state.part import Part
from pyruse.state.shared_bans import BanKey, SharedBans, Terms
from pyruse.times import FOREVER

WANTED, ENFORCED, LIFTED = "wanted", "enforced", "lifted"
"""How far the firewall is, in the column ``state``."""


_COLUMNS = "network, target, grown, label, chain, reason, since, until, level, state, fault"


_SPARE = 64
"""So many notes of ends that are of no use any more are kept before they are made anew."""


class Untaken:
    """What one firewall has yet to take."""

    __slots__ = ("add", "remove")

    def __init__(self) -> None:
        self.add: dict[BanKey, Ban] = {}
        """Bans to be put into the firewall."""
        self.remove: dict[BanKey, Ban] = {}
        """Bans to be taken out of it."""


class StoredBans(Part):
    """The bans, two of a key at most: one that was asked for, and one of a network that has grown.

    The firewall is to hold the one that lasts longer: that one *stands*. Who is banned, and until
    when, is decided in `pyruse.bans.in_force`.
    """

    SCHEMA: ClassVar[str] = """
        CREATE TABLE IF NOT EXISTS bans (
            network TEXT NOT NULL, target BLOB NOT NULL, grown INTEGER NOT NULL,
            label TEXT NOT NULL, chain TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL,
            until INTEGER, level INTEGER NOT NULL, state TEXT NOT NULL, fault TEXT,
            PRIMARY KEY (network, target, grown)
        ) WITHOUT ROWID;
    """

    def __init__(self) -> None:
        self.asked_for = SharedBans()
        self.grown = SharedBans()
        self.targets: set[Target] = set()
        """From where anybody is banned, or was."""
        self.lengths: set[int] = set()
        """The prefix lengths of the networks that are banned, or were."""
        self.untaken: defaultdict[str, Untaken] = defaultdict(Untaken)
        """By the name of the firewall."""
        self._faults: dict[BanKey, str] = {}
        """Why a firewall has refused what it is to hold."""
        self._ends = BanEnds()
        self._changed: dict[BanKey, None] = {}
        """In the order in which they changed: that of a list is that of the rows."""
        self._new: set[BanKey] = set()
        """Those among the changed that the database has nothing of."""
        self._settled: dict[BanKey, None] = {}
        """Those that firewalls have taken since: of them, the state alone is written."""
        self._unsettled: set[BanKey] = set()
        """Those that the database has as wanted or lifted."""

    def __len__(self) -> int:
        return len(self.asked_for) + len(self.grown)

    def all(self) -> Iterator[tuple[BanKey, Ban]]:
        """All bans, two of one key included."""
        yield from self.asked_for.items()
        yield from self.grown.items()

    def standing(self, key: BanKey) -> Ban | None:
        """The ban that the firewall is to hold: the longer one of the two."""
        asked_for = self.asked_for.get(key)
        if not self.grown.terms:  # most often: so this costs one look-up
            return asked_for
        grown = self.grown.get(key)
        if asked_for is None or grown is None:
            return asked_for or grown
        return grown if _end(grown) > _end(asked_for) else asked_for

    def put(self, key: BanKey, ban: Ban) -> None:
        """Put a ban in the place of the one of its kind; the firewall is to know."""
        before = self.standing(key)
        bans = self.grown if ban.grown else self.asked_for
        known_end = bans.end(key)
        bans[key] = ban
        if (end := bans.end(key)) not in (known_end, FOREVER):
            self._await_end(key, end)
        self.targets.add(key.target)
        self._note_length(key.network)
        self._tell(key, before, self.standing(key) if self.grown.terms else ban)

    def _note_length(self, network: str) -> None:
        _, slash, length = network.partition("/")
        if slash:
            self.lengths.add(int(length))

    def drop(self, key: BanKey, *, grown: bool) -> None:
        """Take a ban out; the firewall is to know."""
        before = self.standing(key)
        del (self.grown if grown else self.asked_for)[key]
        self._tell(key, before, self.standing(key))

    def _tell(self, key: BanKey, before: Ban | None, after: Ban | None) -> None:
        """Write a key at the next commit, and have the firewall told if another end stands now."""
        untaken = self.untaken[key.target.backend]
        if before is None and key not in self._changed and key not in untaken.remove:
            self._new.add(key)
        self._changed[key] = None
        self._faults.pop(key, None)
        if before is not None and after is not None and before.until == after.until:
            return
        if after is not None:
            untaken.add[key] = after
            untaken.remove.pop(key, None)
        elif before is not None:
            untaken.add.pop(key, None)
            untaken.remove[key] = before

    def _await_end(self, key: BanKey, end: int) -> None:
        self._ends.add(key, end)
        if len(self._ends) > 2 * len(self) + _SPARE:
            self._ends.fill(
                (key, terms.until)
                for bans in (self.asked_for, self.grown)
                for key, terms in bans.terms.items()
                if terms.until is not None
            )

    def over(self, at: int) -> Iterator[tuple[BanKey, Ban]]:
        """The bans that are over at an instant: each is to be dropped."""
        for key, end in self._ends.pop_until(at):
            for bans in (self.asked_for, self.grown):
                if bans.end(key) == end:
                    yield key, bans[key]

    def next_end(self) -> int | None:
        """When the first ban ends that there is; None: never."""
        return self._ends.next(lambda key, at: at in (self.asked_for.end(key), self.grown.end(key)))

    def stands(self, key: BanKey, ban: Ban) -> bool:
        """Whether a firewall is still to hold a ban that it was told of, with this end."""
        standing = self.standing(key)
        return standing is not None and standing.until == ban.until

    def want(self, key: BanKey, ban: Ban) -> None:
        """A firewall does not hold a ban that it was told of: it is to be told again."""
        untaken = self.untaken[key.target.backend]
        if key not in untaken.add and self.stands(key, ban):
            untaken.add[key] = ban
            self._changed[key] = None

    def refuse(self, key: BanKey, why: str) -> None:
        """A firewall has refused a ban, while it took others."""
        if self._faults.get(key) != why:
            self._faults[key] = why
            self._changed[key] = None

    def taken(self, key: BanKey) -> None:
        """A firewall is where it should be with a key."""
        self._faults.pop(key, None)
        if key not in self._unsettled:
            return
        stands = key in self.asked_for or key in self.grown
        (self._settled if stands else self._changed)[key] = None

    @property
    def has_changed(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._changed or self._settled)

    def load(self, db: sqlite3.Connection) -> None:
        """Read the bans."""
        wanted = []
        for row in stored_bans(db):
            state, fault, ban = row.state, row.fault, row.ban
            key = BanKey(ban.network, ban.target)
            self.targets.add(ban.target)
            self._note_length(ban.network)
            if state != ENFORCED:
                self._unsettled.add(key)
            if fault:
                self._faults[key] = fault
            if state == LIFTED:
                self.untaken[key.target.backend].remove[key] = ban
                continue
            bans = self.grown if ban.grown else self.asked_for
            bans[key] = ban
            if (end := bans.end(key)) < FOREVER:
                self._await_end(key, end)
            if state == WANTED:
                wanted.append(key)
        for key in wanted:
            standing = self.standing(key)
            assert standing is not None
            self.untaken[key.target.backend].add[key] = standing

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        by_network = attrgetter("network")  # the order of the rows: the quickest, if they are many
        self._save_settled(db, sorted(self._settled.keys() - self._changed.keys(), key=by_network))
        keys, rows = [], []
        asked_for, grown = self.asked_for.terms.get, self.grown.terms.get
        for key in sorted(self._changed, key=by_network):
            untaken = self.untaken[key.target.backend]
            lifted = untaken.remove.get(key)
            state = WANTED if key in untaken.add else ENFORCED if lifted is None else LIFTED
            (self._unsettled.discard if state == ENFORCED else self._unsettled.add)(key)
            if key not in self._new:
                keys.append((key.network, target_to_json(key.target)))
            fault = self._faults.get(key)
            for ban in (asked_for(key), grown(key), lifted):
                if ban is not None:
                    rows.append((key.network, (key.target, ban, state, fault)))
        db.executemany("DELETE FROM bans WHERE network = ? AND target = ?", keys)
        alike_rows.insert(db, f"INSERT INTO bans ({_COLUMNS})", rows, _values)

    def _save_settled(self, db: sqlite3.Connection, keys: list[BanKey]) -> None:
        """Write that firewalls hold what they should."""
        self._unsettled.difference_update(keys)
        by_target: dict[Target, list[str]] = {}
        for key in keys:
            by_target.setdefault(key.target, []).append(key.network)
        for target, networks in by_target.items():
            db.execute(
                f"""UPDATE bans SET state = '{ENFORCED}', fault = NULL
                    WHERE target = ? AND network IN (SELECT value FROM json_each(?))""",
                (target_to_json(target), alike_rows.as_json(networks)),
            )

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
        self._new.clear()
        self._settled.clear()


def _values(alike: tuple[Target, Ban | Terms, str, str | None]) -> tuple[object, ...]:
    """What the rows of bans have in common that are alike but for their networks."""
    target, ban, state, fault = alike
    return (
        target_to_json(target), ban.grown, ban.label, ban.chain, ban.reason, ban.since, ban.until,
        ban.count - 1, state, fault,
    )  # fmt: skip


def _end(ban: Ban) -> int:
    return FOREVER if ban.until is None else ban.until


class BanRow(Struct, frozen=True, gc=False):
    """A ban as the database has it."""

    state: str
    """How far the firewall is."""
    fault: str
    """Why the firewall has refused it; empty: it has not, as far as known."""
    ban: Ban
    bits: tuple[int, int, int]
    """The version of IP, the number and the prefix length of its network."""


def stored_bans(db: sqlite3.Connection, *, lasting: int | None = None) -> Iterator[BanRow]:
    """The bans of a database, each with how far the firewall is.

    :param db: a connection to a state.
    :param lasting: leave out what is lifted, or over at this instant; None: leave out nothing.
    """
    query = f"SELECT {_COLUMNS} FROM bans"
    values: tuple[object, ...] = ()
    if lasting is not None:
        query += " WHERE state != ? AND (until IS NULL OR until > ?)"
        values = LIFTED, lasting
    for (
        network,
        target,
        grown,
        label,
        chain,
        reason,
        since,
        until,
        level,
        state,
        fault,
    ) in db.execute(query, values):
        bits = bits_of(network)  # a database may be damaged, and firewalls are told this text
        ban = Ban(
            network, label, since, until, reason, chain, level + 1, target_of_json(target),
            bool(grown),
        )  # fmt: skip
        yield BanRow(state, fault or "", ban, bits)


def count_by_label(db: sqlite3.Connection, now: int) -> tuple[Counter[str], int]:
    """How many bans of each label are in force, and how many changes firewalls have yet to take.

    What is over by now, or is lifted, and what a firewall that nobody knows anything of may hold,
    is not in force; nor is what is only simulated.
    """
    records = firewall_records(db)
    labels: Counter[str] = Counter()
    waiting = 0
    rows = db.execute(
        """SELECT label, target, state, until IS NULL OR until > ? AS lasts, count(*) FROM bans
           GROUP BY label, target, state, lasts""",
        (now,),
    )
    for label, target, state, lasts, number in rows:
        backend = target_of_json(target).backend
        if backend == SIMULATED:
            continue
        record = records.get(backend, FirewallRecord())
        if state != ENFORCED or (lasts and not record.known):
            waiting += number
        elif lasts:
            labels[label] += number
    return labels, waiting


def count_simulated(db: sqlite3.Connection, now: int) -> int:
    """How many bans are simulated."""
    rows = db.execute(
        """SELECT target, count(*) FROM bans WHERE state != ? AND (until IS NULL OR until > ?)
           GROUP BY target""",
        (LIFTED, now),
    )
    return sum(number for target, number in rows if target_of_json(target).backend == SIMULATED)


@lru_cache(maxsize=256)
def target_to_json(target: Target) -> bytes:
    """A target as a column of a table has it.

    Without a protocol, it is the same text as before there were any: that text is a key.
    """
    columns = msgspec.to_builtins(target)
    if target.protocol is None:
        del columns["protocol"]
    return msgspec.json.encode(columns)


@lru_cache(maxsize=256)
def target_of_json(text: bytes) -> Target:
    """The target of a column."""
    return msgspec.json.decode(text, type=Target)
