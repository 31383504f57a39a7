"""The plugin: its hooks run in the main thread, or in the outbox's, and never wait."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from psycopg import ProgrammingError
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.json import Jsonb

from pyruse import Ban, Context, Duration, Observer, Parcel, SecretFile, hookimpl
from pyruse_fleet import taking
from pyruse_fleet.audit import TELL, Own, left
from pyruse_fleet.clock import now_us
from pyruse_fleet.feed import Feed
from pyruse_fleet.inbox import Inbox
from pyruse_fleet.link import Away, Connection, Link, connect
from pyruse_fleet.session import ServerSession
from pyruse_fleet.wire import Key, key_of, key_of_listed, row

_GATHER = Duration(milliseconds=100)
_FRESH_US = 30_000_000
"""What has waited longer is told by an audit: much may have happened since."""
_CALL_S = 20.0


@dataclass
class Fleet:
    """Share bans, counters and one report with other machines, over PostgreSQL.

    Without a `url`, it does nothing. Each machine decides for itself: it bans at once, tells
    others, and takes over what it accepts; its own `[bans] never` always wins. While the database
    is away, nothing is shared, and nothing waits.

    ```toml
    [plugins.fleet]
    url = "postgresql://pyruse@db.example.org/pyruse?sslmode=verify-full"
    share = ["ssh", "mail"]
    accept = ["ssh", "mail"]
    ```
    """

    url: str | None = None
    """The database, as libpq has it; without a password."""
    password_file: SecretFile | None = None
    """The file with the password; a certificate (`sslcert`, `sslkey` in the `url`) needs none."""
    share: list[str] = field(default_factory=list)
    """The labels of bans that this host tells others."""
    accept: list[str] = field(default_factory=list)
    """The labels of bans that this host takes over from others."""
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
        self._link: Link | None = None
        self._observer: Observer | None = None

    @hookimpl
    def on_start(self, context: Context) -> None:
        if self.url is None or context.observer is None:  # nothing is wanted, or it is a dry run
            return
        url, secret = self.url, self.password_file
        self._observer = context.observer
        self._taking = taking.Taking(self.accept, (), self.quota)
        self._inbox = Inbox(context.wake)
        feed = Feed(taking.kept(context, now_us()), self._inbox, self._taken_over)
        self._session = ServerSession(feed, self._inbox, self._own, listen=self.listen)
        self._link = Link(lambda: connect(url, secret.read() if secret else None), self._session)

    @hookimpl
    def on_stop(self) -> None:
        if self._link is not None:
            self._link.close()

    @hookimpl
    def on_wake(self, context: Context) -> None:
        if self._link is None:
            return
        if self._taking.take(self._inbox, context, now_us()):
            context.wake()
        else:
            self._link.rouse()

    @hookimpl
    def on_ban(self, ban: Ban, context: Context) -> None:
        if self._is_shared(ban):
            context.send(None, {"ban": list(key_of(ban)), "until": ban.until}, every=_GATHER)

    @hookimpl
    def on_unban(self, ban: Ban, why: str, context: Context) -> None:
        if why == "over":  # it is over everywhere
            return
        if self._is_shared(ban):
            context.send(None, {"unban": list(key_of(ban))}, every=_GATHER)
        elif ban.chain == taking.PLACE and why == "unbanned":
            taking.decline(key_of(ban), ban.until, context, now_us())

    @hookimpl
    def deliver(self, parcel: Parcel) -> None:
        """Tell others at once; where that cannot be, the next audit does, so nothing waits here."""
        if self._link is None:
            return
        whole = parcel.count == len(parcel.payloads)
        if whole and parcel.attempt == 1 and now_us() - parcel.at < _FRESH_US:
            rows = [one for payload in parcel.payloads if (one := _row_of(payload))]
            try:
                self._link.call(lambda connection: _tell(connection, parcel.id, rows), _CALL_S)
            except Away:
                pass
            else:
                return
        self._session.want_audit()
        self._link.rouse()

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


def _tell(connection: Connection, parcel: str, rows: list[dict[str, Any]]) -> None:
    connection.execute(TELL, (parcel, Jsonb(rows)))
