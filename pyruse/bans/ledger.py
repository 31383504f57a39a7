"""Who is banned, until when and why. Instants are microseconds since the epoch, in entry time."""

from __future__ import annotations

import heapq
import itertools
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import ClassVar

from msgspec import Struct
from msgspec.structs import replace

from pyruse.addresses import Network, bits_of, contains, network_of, network_text
from pyruse.api.firewall import Target
from pyruse.bans import history
from pyruse.bans.growth import FOR_EVER, Aggregate, Members
from pyruse.bans.history import BanRecord
from pyruse.bans.offenders import FORGET_US, Offenders
from pyruse.bans.targets import Place, target_of_json, target_to_json


class Ban(Struct, gc=False):
    """An address or a network that is banned from a target."""

    place: Place
    """Who, and from where."""
    label: str
    """What the administrator calls it: the name of the chain, unless told otherwise."""
    since: int
    until: int | None
    """None: for ever."""
    level: int
    """How many bans of this network came before: the place in ``escalate``."""
    reason: str
    """The message of the entry that caused it, or who typed the command."""
    chain: str = ""
    """The chain that banned; empty for a command."""
    grown: bool = False
    """It is there since many in this network are banned, and for as long as they are."""

    @property
    def address(self) -> str:
        """The network as text: a single address without its prefix length."""
        return self.place.address

    @property
    def network(self) -> Network:
        """The network."""
        return self.place.network

    @property
    def target(self) -> Target:
        """From where it is banned."""
        return self.place.target

    def alive(self, now: int) -> bool:
        """Whether the ban still lasts."""
        return self.until is None or self.until > now


#: How far the firewall is, in the column ``state``.
WANTED, ENFORCED, LIFTED = "wanted", "enforced", "lifted"

#: The label of networks that are banned for the bans in them, whatever the labels of those.
AGGREGATE = "aggregate"


class Ledger:
    """The bans in force and the bans that were.

    At one place there may be two bans: one that was asked for, and one of a network that has grown.
    The firewall is to hold the one that lasts longer: that one *stands*.
    """

    SCHEMA: ClassVar[str] = f"""
        CREATE TABLE IF NOT EXISTS bans (
            network TEXT NOT NULL, target BLOB NOT NULL, grown INTEGER NOT NULL,
            label TEXT NOT NULL, chain TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL,
            until INTEGER, level INTEGER NOT NULL, state TEXT NOT NULL,
            PRIMARY KEY (network, target, grown)
        ) WITHOUT ROWID;
        {history.SCHEMA}
        {Offenders.SCHEMA}
    """

    def __init__(self) -> None:
        self._bans: dict[Place, Ban] = {}
        self._grown: dict[Place, Ban] = {}
        self._targets: set[Target] = set()
        """From where anybody is banned, or was."""
        self._members = Members(Aggregate())
        self._may_grow: Callable[[str], bool] = lambda network: True
        self._offenders = Offenders()
        self._wanted: dict[Place, Ban] = {}
        """Bans that the firewall has not taken yet."""
        self._lifted: dict[Place, Ban] = {}
        """Bans to be taken out of the firewall."""
        self._ends: list[tuple[int, int, Place]] = []
        """A heap: when bans end (with a number, since places do not compare)."""
        self._changed: set[Place] = set()
        self._unsettled: set[Place] = set()
        """Those that the database has as wanted or lifted."""
        self._history: list[BanRecord] = []
        self._number = itertools.count()

    def __len__(self) -> int:
        return len(self._bans) + len(self._grown)

    def ban(  # noqa: PLR0913 -- the facts of one ban, all of them named by the caller
        self,
        address: str,
        target: Target,
        durations: Sequence[int | None],
        *,
        now: int,
        label: str,
        reason: str,
        chain: str = "",
        forget: int = FORGET_US,
    ) -> Ban | None:
        """Ban an address or a network, or make its ban last longer; the longer end is kept.

        :param address: as `network_text` writes it.
        :param durations: in microseconds (None: for ever), the first for the first ban of this
            network, the next one for the next, the last one for all further bans.
        :param forget: so long after the end of its last ban, in microseconds, the network starts
            again with the first of the durations.
        :return: the ban, or None when one that lasts at least as long is in force already.
        """
        place = Place(address, target)
        known = self._bans.get(place)
        if known is not None and known.alive(now):
            place, level, since = known.place, known.level, known.since
        else:
            known = None
            level, since = self._offenders.bans(place, now), now
        duration = durations[min(level, len(durations) - 1)]
        until = None if duration is None else now + duration
        if known is not None and not _later(until, known.until):
            return None
        ban = Ban(place, label, since, until, level, reason, chain)
        self._replace(self._bans, place, ban)
        self._offenders.banned(place, level + 1, until, forget)
        self._record(ban, now)
        self._grow(self._members.around(place), now)
        return ban

    def remember(self, address: str, target: Target, bans: int, *, ended: int, now: int) -> None:
        """Take over how often somebody was banned elsewhere; the higher number counts.

        :param address: as `network_text` writes it.
        :param bans: how many there were, all of them over; one that is in force here comes on top.
        :param ended: when the last of them ended.
        """
        place = Place(address, target)
        known = self._bans.get(place)
        if known is None or not known.alive(now):
            if bans > self._offenders.bans(place, now):
                self._offenders.banned(place, bans, ended, FORGET_US)
        elif bans > known.level:
            known.level = bans
            self._changed.add(place)
            self._offenders.banned(place, bans + 1, known.until, FORGET_US)

    def unban(self, address: str, *, now: int, label: str | None = None) -> list[Ban]:
        """Lift the bans of an address, or of a network and of all in it, on every target.

        Networks that had grown are let go as there are too few bans left in them.

        :param label: only bans of this label.
        :return: the bans that were lifted, but for those of networks that had grown.
        """
        if "/" in address:
            network = network_of(address)
            inside = [ban for ban in self._bans.values() if contains(network, ban.network)]
        else:
            inside = self._of(address)
        lifted = [ban for ban in inside if label in (None, ban.label)]
        for ban in lifted:
            self._replace(self._bans, ban.place, None)
            self._offenders.lifted(ban.place, now)
        for around in {self._members.around(ban.place) for ban in lifted}:
            self._grow(around, now)
        return lifted

    def _of(self, address: str) -> list[Ban]:
        """The bans of an address or network that were asked for."""
        places = [Place(address, target) for target in self._targets]
        return [self._bans[place] for place in places if place in self._bans]

    def aggregate(self, rule: Aggregate, may_grow: Callable[[str], bool], now: int) -> None:
        """Let networks grow by this rule from now on, those that there are included.

        :param may_grow: whether a network may be banned as a whole.
        """
        self._members = Members(rule)
        self._may_grow = may_grow
        if rule != Aggregate():
            for place, ban in self._bans.items():
                self._members.add(place, ban.until)
        for place in {**self._grown, **dict.fromkeys(self._members.grown())}:
            self._grow(place, now)

    def _grow(self, place: Place | None, now: int) -> None:
        """Ban a network for as long as there are enough bans in it, or let it go."""
        if place is None:
            return
        known = self._grown.get(place)
        end = self._members.many_until(place)
        if end <= now or not self._may_grow(place.address):
            if known is not None:
                self._replace(self._grown, place, None)
            return
        until = None if end == FOR_EVER else end
        if known is not None and known.alive(now):
            if known.until != until:
                self._replace(self._grown, place, replace(known, until=until))
            return
        reason = f"{self._members.at(place)} or more bans in this network"
        ban = Ban(place, AGGREGATE, now, until, 0, reason, grown=True)
        self._replace(self._grown, place, ban)
        self._record(ban, now)

    def _replace(self, bans: dict[Place, Ban], place: Place, ban: Ban | None) -> None:
        """Put a ban in the place of another one, or (None) take it out; the firewall is to know."""
        before = self._standing(place)
        self._set(bans, place, ban)
        after = self._standing(place)
        if after is before:
            return
        if after is None:
            assert before is not None
            self._wanted.pop(place, None)
            self._lifted[place] = before
        else:
            self._wanted[place] = after
            self._lifted.pop(place, None)

    def _set(self, bans: dict[Place, Ban], place: Place, ban: Ban | None) -> None:
        known = bans.pop(place, None)
        asked_for = bans is self._bans
        if known is not None and asked_for:
            self._members.remove(place, known.until)
        if ban is not None:
            bans[place] = ban
            if asked_for:
                self._members.add(place, ban.until)
                self._targets.add(place.target)
            if ban.until is not None:
                heapq.heappush(self._ends, (ban.until, next(self._number), place))
        self._changed.add(place)

    def _standing(self, place: Place) -> Ban | None:
        """The ban that the firewall is to hold there: the longer one of the two."""
        ban, grown = self._bans.get(place), self._grown.get(place)
        if ban is None or grown is None:
            return ban or grown
        return grown if _later(grown.until, ban.until) else ban

    def _record(self, ban: Ban, now: int) -> None:
        self._history.append(
            BanRecord(
                now, ban.place.address, ban.place.target, ban.label, ban.chain, ban.reason,
                ban.since, ban.until, ban.level,
            )
        )  # fmt: skip

    def expire(self, now: int) -> None:
        """Drop the bans that are over; firewalls that do not end them are to remove them."""
        while self._ends and self._ends[0][0] <= now:
            _, _, place = heapq.heappop(self._ends)
            for bans in (self._bans, self._grown):
                ban = bans.get(place)
                if ban is not None and not ban.alive(now):
                    self._replace(bans, place, None)
        self._offenders.expire(now)

    def in_force(self, now: int) -> list[Ban]:
        """The bans that last, two of one place included."""
        return [
            ban for bans in (self._bans, self._grown) for ban in bans.values() if ban.alive(now)
        ]

    def around(self, address: str, now: int) -> list[Ban]:
        """The bans in force of networks that are broader, and contain this one."""
        network = network_of(address)
        found = [
            ban
            for prefix in range(network.prefixlen)
            for ban in self._of(network_text(network.supernet(new_prefix=prefix)))
            if ban.alive(now)
        ]
        return found + [
            ban
            for ban in self._grown.values()
            if ban.network != network and contains(ban.network, network) and ban.alive(now)
        ]

    def waiting(self, backend: str | None = None) -> tuple[list[Ban], list[Ban]]:
        """What firewalls (or one of them) are still to take: bans to add, bans to remove."""
        waiting = list(self._wanted.values()), list(self._lifted.values())
        if backend is None:
            return waiting
        add, remove = ([one for one in bans if one.target.backend == backend] for bans in waiting)
        return add, remove

    def enforced(self, added: Iterable[Ban], removed: Iterable[Ban]) -> None:
        """The firewall has taken these."""
        for bans, waiting in ((added, self._wanted), (removed, self._lifted)):
            for ban in bans:
                place = ban.place
                if waiting.get(place) is ban:
                    del waiting[place]
                    if place in self._unsettled:
                        self._changed.add(place)

    def restore(self, backend: str) -> None:
        """A firewall may know nothing any more, so it is to take every ban again."""
        for bans in (self._bans, self._grown):
            for place, ban in bans.items():
                if place.target.backend == backend:
                    self._wanted[place] = ban
        for place in self._grown.keys() & self._bans.keys() & self._wanted.keys():
            standing = self._standing(place)
            assert standing is not None
            self._wanted[place] = standing

    def history(
        self, db: sqlite3.Connection, since: int = 0, until: int = 1 << 62
    ) -> list[BanRecord]:
        """The bans of a period, in order; a ban that was made longer comes again."""
        return history.read(db, since, until)

    def remove_history(self, db: sqlite3.Connection, before: int) -> None:
        """Remove the history before an instant; how often somebody was banned is not forgotten."""
        history.remove(db, before)

    def load(self, db: sqlite3.Connection) -> None:
        """Read the bans, and how many each network has had."""
        wanted = []
        for state, ban in stored_bans(db):
            place = ban.place
            if state != ENFORCED:
                self._unsettled.add(place)
            if state == LIFTED:
                self._lifted[place] = ban
                continue
            (self._grown if ban.grown else self._bans)[place] = ban
            if ban.until is not None:
                self._ends.append((ban.until, next(self._number), place))
            if state == WANTED:
                wanted.append(place)
        heapq.heapify(self._ends)
        self._targets = {place.target for place in self._bans}
        for place in wanted:
            standing = self._standing(place)
            assert standing is not None
            self._wanted[place] = standing
        self._offenders.load(db)

    def save(self, db: sqlite3.Connection) -> None:
        """Write what changed."""
        keys, rows = [], []
        for place in self._changed:
            lifted = self._lifted.get(place)
            state = WANTED if place in self._wanted else ENFORCED if lifted is None else LIFTED
            (self._unsettled.discard if state == ENFORCED else self._unsettled.add)(place)
            address, target = place.address, target_to_json(place.target)
            keys.append((address, target))
            rows += [
                (
                    address, target, ban.grown, ban.label, ban.chain, ban.reason, ban.since,
                    ban.until, ban.level, state,
                )
                for ban in (self._bans.get(place), self._grown.get(place), lifted)
                if ban is not None
            ]  # fmt: skip
        db.executemany("DELETE FROM bans WHERE network = ? AND target = ?", keys)
        db.executemany("INSERT INTO bans VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", rows)
        history.write(db, self._history)
        self._offenders.save(db)

    def saved(self) -> None:
        """The changes are committed."""
        self._changed.clear()
        self._history.clear()
        self._offenders.saved()


def stored_bans(db: sqlite3.Connection) -> Iterator[tuple[str, Ban]]:
    """The bans of a database, each with how far the firewall is."""
    query = """SELECT network, target, grown, label, chain, reason, since, until, level, state
               FROM bans"""
    for network, target, grown, label, chain, reason, since, until, level, state in db.execute(
        query
    ):
        bits_of(network)  # a database may be damaged, and firewalls are told this text
        place = Place(network, target_of_json(target))
        yield state, Ban(place, label, since, until, level, reason, chain, bool(grown))


def _later(until: int | None, known: int | None) -> bool:
    return known is not None and (until is None or until > known)


def count_by_label(db: sqlite3.Connection, now: int) -> tuple[Counter[str], int]:
    """How many bans of each label are in force, and how many changes firewalls have yet to take."""
    labels = db.execute(
        """SELECT label, count(*) FROM bans WHERE state != ? AND (until IS NULL OR until > ?)
           GROUP BY label""",
        (LIFTED, now),
    )
    (waiting,) = db.execute("SELECT count(*) FROM bans WHERE state != ?", (ENFORCED,)).fetchone()
    return Counter(dict(labels)), waiting
