"""What this host does over its connection, turn by turn; all of it in the link's thread."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Sequence
from threading import Event
from typing import NamedTuple

from pyruse import __version__, one_line, shortened
from pyruse_fleet import report
from pyruse_fleet.attendance import Attendance
from pyruse_fleet.audit import Own, Unfit, audit
from pyruse_fleet.counting import Counting
from pyruse_fleet.faults import Kind, Trouble, trouble
from pyruse_fleet.feed import Feed
from pyruse_fleet.inbox import Inbox, Mailed, News, Servers, There
from pyruse_fleet.link import CHANNEL, Connection
from pyruse_fleet.servers import addresses_of

LISTENERS = 300
"""Up to so many hosts listen; more of them ask again and again (see docs/fleet.md)."""
_SEEN_S = 60.0
_LISTENED_S = 30.0
"""Whoever listens asks so often all the same: a hint may be lost."""
_ASKS_PER_S = 150.0
"""So often all the hosts together ask, where they do not listen."""
_HINTED_PER_S = 300.0
"""So often all the hosts together read what a hint is about."""
_HELD_S = 180
"""So long a host has a role that it does not ask for again: then it is taken for dead."""
_UPKEEP_S = 3600.0
_FLUSH_S = 1.0
_DAY_S = 86_400.0
_LONGEST_SHOWN = 100  # characters
_LATEST_S = 3600.0
_AUDIT_S = 6 * 3600.0
_AUDITS_PAUSE = 5
"""So many times as long as an audit has taken, there is none: of 100,000 bans, it takes seconds."""
_PATIENCE_S: dict[Kind, float] = {"away": 30.0, "wait": 300.0, "wrong": 0.0}
"""An absence that is shorter is not told of …"""
_AT_FIRST_S = 3.0
"""… but at the start: there, the url may be wrong."""


class Wishes(NamedTuple):
    """What a host wants of the fleet, besides bans and counters."""

    listen: bool
    """The database may give hints."""
    report: bool
    """Its days go into the fleet's report."""
    mail: bool
    """It may mail that."""
    url: str
    """The database."""


class ServerSession:
    """The session of a host (see `pyruse_fleet.link.Session`)."""

    def __init__(  # noqa: PLR0913 -- all that a turn needs
        self,
        feed: Feed,
        inbox: Inbox,
        own: Callable[[], Own],
        counting: Counting,
        wishes: Wishes,
        attendance: Attendance,
    ) -> None:
        """Begin without a connection.

        :param feed: what is read.
        :param inbox: takes what is for the main thread.
        :param own: gives this host's bans that it shares.
        :param counting: says when what was counted is to leave.
        :param wishes: what this host wants.
        :param attendance: of this run of the daemon.
        """
        self._attendance = attendance
        self.feed = feed
        self._inbox = inbox
        self._own = own
        self._counting = counting
        self._wishes = wishes
        self.me = 0
        self.hosts = 1
        self.away_since: float | None = time.time()
        """Since when there is no connection, by this machine's clock."""
        self.trouble = Trouble("away", "there was no connection yet")
        """Why, or why there was none the last time."""
        self._told: Trouble | None = None
        self._was_there = False
        self._has_caught_up = False
        self._audit_wanted = Event()
        self._audit_at = 0.0
        self._no_audit_before = 0.0
        self._seen_at = 0.0
        self._upkeep_at = 0.0
        self._beyond_at = 0.0
        self._unfit_at = 0.0
        self._read_at = 0.0

    def want_audit(self) -> None:
        """Have what is in force here compared with what the database has; in any thread."""
        self._audit_wanted.set()

    def tell_beyond(self, beyond: int) -> None:
        """Tell, once a day, that this host has told more than it may; in any thread."""
        now = time.monotonic()
        if beyond and now >= self._beyond_at:
            self._beyond_at = now + _DAY_S
            text = "the fleet does not hear of all that this host tells: its quota is used up"
            self._inbox.put(News(f"{text} (expected less, or `add-host --quota`)", "warning"))

    def _tell_unfit(self, unfit: Sequence[Unfit]) -> None:
        """Tell, once a day, of bans that the database does not take."""
        now = time.monotonic()
        if unfit and now >= self._unfit_at:
            self._unfit_at = now + _DAY_S
            network, label, why = unfit[0]
            one = f"{network} ({shortened(one_line(label), _LONGEST_SHOWN)})"
            more = f", and {len(unfit) - 1:,} more," if len(unfit) > 1 else ""
            text = f"the ban of {one}{more} is not told to the fleet: its database does not take it"
            said = shortened(why, _LONGEST_SHOWN)
            self._inbox.put(News(f"{text}, and says: {said} (expected fewer ports)", "warning"))

    @property
    def listens(self) -> bool:
        """Whether hints come; where there are too many hosts, they ask instead."""
        return self._wishes.listen and self.hosts <= LISTENERS

    def begin(self, connection: Connection) -> None:
        """Listen first: what is committed after that, is hinted at; the rest is read."""
        self._has_caught_up = False
        self._attendance.claim(connection)
        self._be_seen(connection)
        self._inbox.put(Servers(addresses_of(self._wishes.url, connection)))
        if self.listens:
            connection.execute(f"LISTEN {CHANNEL}")
        self._audit(connection)
        if self._told is not None:
            self._inbox.put(News("the fleet's database is there again", "notice"))
        elif not self._was_there:
            others = "alone so far" if self.hosts == 1 else f"one of {self.hosts:,} hosts"
            self._inbox.put(News(f"this machine takes part in the fleet, {others}", "info"))
        self.away_since, self._told, self._was_there = None, None, True
        self._inbox.put(There())

    def turn(self, connection: Connection) -> float:
        """Read the feed, and do what is due.

        :return: seconds until there is something to do again, if nothing rouses before.
        """
        now = time.monotonic()
        if now >= self._seen_at + _SEEN_S:
            self._attendance.claim(connection)
            self._be_seen(connection)
            self._look_after_report(connection)
        if now >= self._upkeep_at:
            self._upkeep_at = now + _UPKEEP_S * random.uniform(0.5, 1)
            connection.execute("SELECT fleet.keep_up()")
        if now >= self._audit_at + _AUDIT_S or (
            self._audit_wanted.is_set() and now >= self._no_audit_before
        ):
            self._audit(connection)
        if (soonest := self._read_at + self._spacing()) > now:
            return min(soonest - now, self._flush(), self._audit_in())
        self._read_at = now
        more = self.feed.read(connection, self.me)
        if self.feed.restored:
            self.feed.restored = False
            self._audit(connection)
            self._inbox.put(News("the fleet's database was restored: it is told anew", "warning"))
        if more:
            return self._spacing()
        if not self._has_caught_up:  # else `status` calls it behind for a minute
            self._has_caught_up = True
            self._be_seen(connection)
        return min(self._interval(), self._flush(), self.feed.lift_in(), self._audit_in())

    def _audit_in(self) -> float:
        if not self._audit_wanted.is_set():
            return math.inf
        return max(0.0, self._no_audit_before - time.monotonic())

    def _flush(self) -> float:
        """Have the main thread send what was counted; gives the seconds until there is more."""
        due = self._counting.due_in()
        if due == 0.0:
            self._inbox.rouse()
            return _FLUSH_S
        return _LATEST_S if due is None else due

    def end(self, connection: Connection) -> None:
        """Let the next run begin at once."""
        self._attendance.leave(connection)

    def lost(self, fault: Exception) -> None:
        """Tell of an absence, once it lasts, or at once, if somebody has to mend something."""
        self.trouble = trouble(fault, self._wishes.url)
        kind, text = self.trouble
        if self.away_since is None:
            self.away_since = time.time()
        if self._told is not None and (self._told == self.trouble or kind != "wrong"):
            return
        patience = _PATIENCE_S[kind]
        if kind == "away" and not self._was_there:
            patience = _AT_FIRST_S
        if time.time() - self.away_since >= patience:
            self._told = self.trouble
            if kind == "wrong":
                self._inbox.put(News(f"plugins.fleet: {text}: nothing is shared meanwhile", "err"))
            else:
                text = f"the fleet's database is away: {text}: nothing is shared meanwhile"
                self._inbox.put(News(text, "warning"))

    def _be_seen(self, connection: Connection) -> None:
        self._seen_at = time.monotonic()
        found = connection.execute(
            "SELECT * FROM fleet.be_seen(%s, %s, %s)",
            (self.feed.position.seq, __version__, self._wishes.report),
        ).fetchone()
        assert found is not None
        self.me, self.hosts = found

    def _look_after_report(self, connection: Connection) -> None:
        """Mail the fleet's report, where this host has that role, and one is due."""
        if not self._wishes.mail or connection.execute(
            "SELECT fleet.hold(%s, %s)", ("report", _HELD_S)
        ).fetchone() != (True,):
            return
        (day,) = connection.execute("SELECT fleet.due_report()").fetchone() or (None,)
        if day is not None:
            fleet = report.read(connection, day)
            self._inbox.put(Mailed(day.isoformat(), report.subject(fleet), report.text(fleet)))

    def _audit(self, connection: Connection) -> None:
        self._audit_wanted.clear()  # before the state is read: who wants it later gets another one
        self._audit_at = time.monotonic()
        beyond, unfit = audit(connection, self.me, self._own)
        ended = time.monotonic()
        self._no_audit_before = ended + _AUDITS_PAUSE * (ended - self._audit_at)
        self.tell_beyond(beyond)
        self._tell_unfit(unfit)

    def _spacing(self) -> float:
        """How long after the last look the next one may come."""
        return min(1.0, max(0.05, self.hosts / _HINTED_PER_S))

    def _interval(self) -> float:
        seconds = _LISTENED_S if self.listens else max(2.0, self.hosts / _ASKS_PER_S)
        return seconds * random.uniform(0.75, 1.25)
