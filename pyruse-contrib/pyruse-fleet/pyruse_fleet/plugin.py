"""The plugin: its hooks run in the main thread, or in the outbox's, and never wait."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from pyruse import (
    Ban,
    BanLabel,
    Context,
    CounterName,
    Duration,
    Observer,
    Parcel,
    Raised,
    Refused,
    Report,
    SecretFile,
    hookimpl,
    one_line,
    shortened,
    shown,
)
from pyruse_fleet import attendance, days, handing, lifted, taking
from pyruse_fleet.audit import Own, left, tell
from pyruse_fleet.clock import now_us
from pyruse_fleet.counting import Counting
from pyruse_fleet.feed import Feed
from pyruse_fleet.inbox import Back, Inbox
from pyruse_fleet.link import UNFIT, Away, Connection, Link, connect
from pyruse_fleet.session import ServerSession, Wishes
from pyruse_fleet.wire import LONGEST_LABEL, Key, key_of, key_of_listed, may_travel, row

_GATHER = Duration(milliseconds=100)
_FRESH_US = 30_000_000
"""What has waited longer is told by an audit: much may have happened since."""
_CALL_S = 20.0
_KEPT_S = 5.0
_LONG_AWAY_S = 3600.0
_AWAY = "the fleet's database is away"


@dataclass
class Fleet:
    """Share bans, counters and one report with other machines, over PostgreSQL.

    Without a `url`, it does nothing. Each machine decides for itself: it bans at once, tells
    others, and takes over what it accepts; its own `[bans] never` always wins. While the database
    is away, nothing is shared, and nothing waits.

    ```toml
    [plugins.fleet]
    url = "postgresql://web1@db.example.org/pyruse?sslmode=verify-full&sslrootcert=/etc/pyruse/fleet-ca.pem"
    password_file = "/etc/pyruse/fleet.password"
    share = ["sshd", "postfix", "manual"]
    accept = ["sshd", "postfix", "manual"]
    counters = ["sshd"]
    report = true
    ```
    """

    url: str | None = None
    """The database, as libpq has it; without a password. Each machine has a role of its own."""
    password_file: SecretFile | None = None
    """The file with the password; a certificate (`sslcert`, `sslkey` in the `url`) needs none."""
    share: list[BanLabel] = field(default_factory=list)
    """The labels of bans that this host tells others, as `pyruse bans` shows them."""
    accept: list[BanLabel] = field(default_factory=list)
    """The labels of bans that this host takes over from others."""
    counters: list[CounterName] = field(default_factory=list)
    """The names of counters that are counted over all hosts: what others have counted counts here,
    too, as soon as two hosts have seen the same. They need a `within`."""
    report: bool = False
    """Whether this host's days go into the fleet's report, and whether it may mail that: these
    hosts take turns, each to its `[email] to`."""
    quota: int = 10_000
    """So many bans a day are taken over from each host: a stolen one is not to ban everybody."""
    listen: bool = True
    """Whether the database may tell when there is something new; not through a pooler. With more
    than 300 hosts, each asks every few seconds instead."""

    def __post_init__(self) -> None:
        if self.url is not None:
            try:
                parts = conninfo_to_dict(self.url)
            except ProgrammingError as fault:
                raise ValueError(
                    f"url is not understood: {fault} (expected postgresql://…)"
                ) from None
            if "password" in parts:
                raise ValueError("url has a password (expected it in password_file)")
        if self.quota < 0:
            raise ValueError(f"quota = {self.quota} (expected 0 or more)")
        for option in ("share", "accept", "counters"):
            for name in getattr(self, option):
                if not may_travel(name):
                    raise ValueError(
                        f"{option} has {shown(shortened(name, 40))} "
                        f"(expected {LONGEST_LABEL} characters at most, and no NUL)"
                    )
        self._link: Link | None = None
        self._observer: Observer | None = None

    @hookimpl
    def on_start(self, context: Context) -> None:
        if self.url is None or context.observer is None:  # nothing is wanted, or it is a dry run
            return
        url, secret = self.url, self.password_file
        self._observer = context.observer
        self._counting = Counting(self.counters)
        accept = [str(label) for label in self.accept]  # tables hold plain texts
        self._taking = taking.Taking(accept, self._counting, self.quota)
        self._inbox = Inbox(context.wake)
        feed = Feed(
            self._taking.kept(context, now_us()),
            self._inbox,
            self._taken_over,
            accept,
            self._counting.has_counted,
        )
        wishes = Wishes(self.listen, self.report, self.report and bool(context.recipients), url)
        run = attendance.begin(context, now_us())
        self._session = ServerSession(feed, self._inbox, self._own, self._counting, wishes, run)
        self._link = Link(lambda: connect(url, secret.read() if secret else None), self._session)

    @hookimpl
    def on_stop(self) -> None:
        if self._link is not None:
            self._link.close()

    @hookimpl
    def on_wake(self, context: Context) -> None:
        if self._link is None:
            return
        now = now_us()
        if self._link.is_connected and self._counting.due_in() == 0.0:
            handing.send_again(context, now)
            if payload := self._counting.take(context, now):
                context.send(None, payload)
        if self._taking.take(self._inbox, context, now):
            context.wake()
        elif self._session.feed.waits_for_room.is_set():
            self._session.feed.waits_for_room.clear()
            self._link.rouse()

    @hookimpl
    def on_count(self, raised: Sequence[Raised], context: Context) -> None:
        if self._link is not None and self._counting.add(raised, context, now_us()):
            self._link.rouse()

    @hookimpl
    def on_ban(self, ban: Ban, context: Context) -> None:
        if self._is_shared(ban):
            context.send(None, {"ban": list(key_of(ban)), "until": ban.until}, every=_GATHER)

    @hookimpl
    def on_unban(self, ban: Ban, why: str, context: Context) -> None:
        if self._link is None or ban.grown or ban.simulated:
            return
        now, own = now_us(), ban.chain != taking.PLACE
        if why == "unbanned" and (own or lifted.was_by_hand(ban, context, now)):
            lifted.decline(ban, context, now)
        if own:
            self._taking.begin_waiting(ban, context, now)
            if why != "over" and self._is_shared(ban):
                # Also as it was called before it was made longer, perhaps by another chain.
                for label in dict.fromkeys([ban.label, *map(str, self.share)]):
                    key = key_of(ban)._replace(label=label)
                    context.send(None, {"unban": list(key)}, every=_GATHER)

    @hookimpl
    def on_day_end(self, report: Report, context: Context) -> None:
        if self.url and self.report and report.every == "day" and report.machine is None:
            payload = {"id": f"report {report.title}", "day": report.title}
            context.send(None, payload | {"report": days.told(report)})

    @hookimpl
    def contribute_to_report(self, report: Report) -> None:
        """Say that nothing is shared, if somebody has to mend it, or if that lasts for an hour."""
        if self._link is None or (since := self._session.away_since) is None:
            return
        kind, text = self._session.trouble
        if kind == "wrong" or time.time() - since > _LONG_AWAY_S:
            what = "the fleet does not have this machine" if kind == "wrong" else _AWAY
            began = datetime.fromtimestamp(since, tz=report.begin.tzinfo)
            report.attend(f"{what}: {text}", 50, time=began, cause="fleet away")

    @hookimpl
    def deliver(self, parcel: Parcel) -> None:
        """Tell others at once; where that cannot be, the next audit does, so nothing waits here."""
        if self.url is None:
            raise Refused("there is no url any more")
        if self._link is None:
            raise RuntimeError("this process shares nothing (expected the daemon)")
        if "id" in parcel.payload:
            self._hand_over(self._link, parcel.payload)
        else:
            self._tell_others(self._link, parcel)

    def _hand_over(self, link: Link, payload: dict[str, Any]) -> None:
        try:
            beyond = link.call(lambda connection: handed_over(connection, payload), _CALL_S)
            self._session.tell_beyond(beyond)
        except Away:
            back = Back(payload, Event())
            self._inbox.put(back)
            if not back.is_kept.wait(_KEPT_S):  # at a stop, say: the outbox keeps it, then
                raise RuntimeError("the fleet's database is away") from None
        except UNFIT as fault:
            said = one_line(str(fault))
            what = "that is too large, or odd"
            if "report" in payload:
                what = f"a report of {payload['day']} (expected a right clock of this machine)"
            raise Refused(f"the fleet's database does not take {what}, and says: {said}") from None

    def _tell_others(self, link: Link, parcel: Parcel) -> None:
        whole = parcel.count == len(parcel.payloads)
        if whole and parcel.attempt == 1 and now_us() - parcel.at < _FRESH_US:
            rows = [one for payload in parcel.payloads if (one := _row_of(payload))]
            try:
                beyond = link.call(lambda connection: tell(connection, parcel.id, rows), _CALL_S)
            except (Away, *UNFIT):
                pass
            else:
                self._session.tell_beyond(beyond)
                return
        self._session.want_audit()
        link.rouse()

    def _is_shared(self, ban: Ban) -> bool:
        """Whether others are told: of a ban of this host's own, that has a meaning elsewhere."""
        own = not (ban.grown or ban.simulated or ban.chain == taking.PLACE)
        return self.url is not None and own and ban.label in self.share and ban.target.sets is None

    def _own(self) -> Own:
        """This host's bans that it shares, with the seconds that are left; in any thread."""
        return {
            key_of_listed(ban): _left(ban)
            for ban in self._listed()
            if ban["chain"] != taking.PLACE
            and ban["label"] in self.share
            and not ban["grown"]
            and ban["sets"] is None
            and not ban["state"].startswith("simulated")
        }

    def _taken_over(self) -> set[Key]:
        """What is in force here as others have told it; in any thread."""
        return {key_of_listed(ban) for ban in self._listed() if ban["chain"] == taking.PLACE}

    def _listed(self) -> list[dict[str, Any]]:
        assert self._observer is not None
        return self._observer.bans()


def _left(ban: dict[str, Any]) -> float | None:
    if ban["until"] is None:
        return None
    return datetime.fromisoformat(ban["until"]).timestamp() - time.time()


def _row_of(payload: dict[str, Any]) -> dict[str, Any] | None:
    """What the database is told; None: it is over meanwhile."""
    if "unban" in payload:
        return row("unban", Key(*payload["unban"]))
    lasts = left(payload["until"])
    if lasts is not None and lasts <= 0:
        return None
    return row("ban", Key(*payload["ban"]), lasts)


def handed_over(connection: Connection, payload: dict[str, Any]) -> int:
    """Hand over what was counted, a day, or that the fleet's report of a day is mailed.

    :return: how much of it was beyond this host's quota.
    """
    beyond = 0
    if "counts" in payload:
        now = now_us()
        rows = [
            [counter, key, (until - now) / 1e6, number]
            for counter, key, until, number in payload["counts"]
            if until > now
        ]
        found = connection.execute(
            "SELECT fleet.count_up(%s, %s)", (payload["id"], Jsonb(rows))
        ).fetchone()
        beyond = 0 if found is None else int(found[0])
        keys = [[counter, key] for counter, key, *_ in rows]
        connection.execute("SELECT fleet.spread(%s)", (Jsonb(keys),))
    elif "report" in payload:
        report = Jsonb(payload["report"])
        connection.execute("SELECT fleet.report(%s::date, %s)", (payload["day"], report))
    else:
        connection.execute("SELECT fleet.has_mailed(%s::date)", (payload["mailed"],))
    return beyond
