"""A host without a Pyruse, for tests and the bench; the plugin is the real one."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Sequence
from queue import SimpleQueue
from threading import RLock, Thread
from typing import Any

from pyruse import (
    Address,
    Ban,
    BanRequest,
    Mail,
    Network,
    Parcel,
    Raised,
    Refused,
    Target,
    network_around,
    network_text,
    parse_network,
    ports_of,
)
from pyruse_fleet.clock import now_us
from pyruse_fleet.plugin import Fleet

_HERE = Target("nftables")


class Table(dict[str, Any]):
    """A table of a state, without expiry."""

    def get(self, key: str, default: Any = None, *, at: int = 0) -> Any:
        """A value."""
        return super().get(key, default)

    def put(self, key: str, value: Any, *, until: int | None = None) -> None:
        """Remember a value."""
        self[key] = value

    def remove(self, key: str) -> None:
        """Forget a key."""
        self.pop(key, None)


class Main:
    """The main loops of many hosts, in one thread."""

    def __init__(self) -> None:
        self._calls: SimpleQueue[Callable[[], object] | None] = SimpleQueue()
        self._thread = Thread(target=self._run, daemon=True)
        self._thread.start()

    def ask(self, call: Callable[[], object]) -> None:
        """Have something called."""
        self._calls.put(call)

    def close(self) -> None:
        """End the thread."""
        self._calls.put(None)
        self._thread.join()

    def _run(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


class SimulatedHost:
    """A host: its bans, its outbox, and as much of a `Context` and an `Observer` as is used."""

    chain = ""
    step = "plugins.fleet"
    dry_run = False

    def __init__(
        self,
        main: Main,
        plugin: Fleet,
        never: frozenset[str] = frozenset(),
        tables: dict[str, Table] | None = None,
    ) -> None:
        """Start the plugin.

        :param main: calls it.
        :param never: whom this host does not ban.
        :param tables: its state, of a host that was there before.
        """
        self.plugin = plugin
        self.recipients: list[str] = []
        self.mails: list[Mail] = []
        self.lines: list[str] = []
        self.counted: dict[tuple[str, str], int] = {}
        self.banned_at: dict[str, float] = {}
        """When a network was banned that others have told, by the clock of this process."""
        self._main = main
        self._never = never
        self._bans: dict[tuple[str, Target], Ban] = {}
        self._tables: dict[str, Table] = tables or {}
        self._lock = RLock()
        self._parcels: SimpleQueue[Parcel | None] = SimpleQueue()
        self._delivering: Thread | None = None
        self.tried: list[str] = []
        self.waiting = 0
        """So many parcels are not delivered."""
        self.refused: list[str] = []
        """Why parcels were given up."""
        plugin.on_start(self)  # type: ignore[arg-type]

    @property
    def observer(self) -> SimulatedHost:
        """Itself."""
        return self

    @property
    def counters(self) -> SimulatedHost:
        """Itself."""
        return self

    def close(self) -> None:
        """Stop the plugin."""
        self._parcels.put(None)
        self.plugin.on_stop()

    def own_ban(
        self,
        network: str,
        label: str = "ssh",
        seconds: float | None = 3600.0,
        *,
        ports: Sequence[int | str] = (),
        protocol: str | None = None,
    ) -> None:
        """Ban, as a chain of this host does."""
        target = Target("nftables", None, ports_of(ports), protocol)
        self._main.ask(lambda: self._put(network, label, seconds, "", "chains.ssh", target))

    def own_unban(self, network: str, label: str | None = "ssh", *, own: bool = False) -> None:
        """Lift the bans of exactly this network, as a command on this host does.

        :param label: those of this label; None: all of them.
        :param own: those alone that this host has made itself.
        """
        self._main.ask(lambda: self._drop(
            lambda ban: ban.network == network and label in (None, ban.label)
            and not (own and ban.chain == self.step), "unbanned",
        ))  # fmt: skip

    def expire(self) -> None:
        """Drop what is over, as the daemon does by itself."""
        now = now_us()
        self._main.ask(lambda: self._drop(lambda ban: not ban.alive(now), "over"))

    def raised(self, counter: str, key: str, by: int = 1, within: float = 600.0) -> None:
        """Count, as a chain of this host does."""
        one = Raised(counter, key, now_us() + round(within * 1e6), by)

        def count() -> None:
            self.counted[counter, key] = self.counted.get((counter, key), 0) + by
            self.plugin.on_count([one], self)  # type: ignore[arg-type]

        self._main.ask(count)

    def _put(  # noqa: PLR0913 -- what a ban consists of
        self,
        network: str,
        label: str,
        seconds: float | None,
        reason: str,
        chain: str,
        target: Target = _HERE,
    ) -> bool:
        """As `InForce.ban`: there is one ban of a network and its target; the later end is kept."""
        now, key = now_us(), (network, target)
        until = None if seconds is None else now + round(seconds * 1e6)
        with self._lock:
            known = self._bans.get(key)
            if known and not known.alive(now):
                self._tell("on_unban", ban=known, why="over")
                known = None
            if known and (known.until is None or (until is not None and known.until >= until)):
                return False
            since = known.since if known else now
            ban = Ban(network, label, since, until, reason, chain, 1, target)
            self._bans[key] = ban
        self._tell("on_ban", ban=ban)
        return True

    def _drop(self, which: Callable[[Ban], bool], why: str) -> int:
        with self._lock:
            dropped = [(key, ban) for key, ban in self._bans.items() if which(ban)]
            for key, _ in dropped:
                del self._bans[key]
        for _, ban in dropped:
            self._tell("on_unban", ban=ban, why=why)
        return len(dropped)

    def _tell(self, hook: str, **arguments: Any) -> None:
        """Later, as the daemon does after a commit."""
        self._main.ask(lambda: getattr(self.plugin, hook)(**arguments, context=self))

    @property
    def networks(self) -> set[str]:
        """Who is banned here."""
        return {one["ip"] for one in self.bans()}

    def bans(self) -> list[dict[str, Any]]:
        """As `Observer.bans`."""
        now = now_us()
        with self._lock:
            alive = [ban for ban in self._bans.values() if ban.alive(now)]
        return [
            {
                "ip": ban.network, "label": ban.label, "chain": ban.chain, "grown": False,
                "until": _written(ban.until), "state": "in force", "sets": None,
                "ports": list(ban.target.ports), "protocol": ban.target.protocol,
            }
            for ban in alive
        ]  # fmt: skip

    # --- What a context does.

    def wake(self) -> None:
        """As `Context.wake`."""
        self._main.ask(lambda: self.plugin.on_wake(self))  # type: ignore[arg-type]

    def table(self, name: str) -> Table:
        """As `Context.table`."""
        return self._tables.setdefault(name, Table())

    def send(self, entry: None, payload: Any, *, every: Any = None, timeout: Any = None) -> None:
        """Have it delivered, in a thread of this host's own, one after the other."""
        self.waiting += 1
        self._parcels.put(Parcel(uuid.uuid4().hex, [payload], 1, now_us(), 1))
        if self._delivering is None:
            self._delivering = Thread(target=self._deliver, daemon=True)
            self._delivering.start()

    def _deliver(self) -> None:
        while (parcel := self._parcels.get()) is not None:
            try:
                self.plugin.deliver(parcel)
            except Refused as why:
                self.refused.append(str(why))
            self.waiting -= 1

    def ban(self, entry: None, request: BanRequest) -> bool:
        """As `Context.ban`."""
        network = network_text(network_around(request.address, request.prefix4, request.prefix6))
        self.tried.append(network)
        if network in self._never:
            return False
        (lasts,) = request.durations
        seconds = None if lasts is None else lasts.us / 1e6
        target = request.target or _HERE
        label, reason = request.label or "", request.reason or ""
        if not self._put(network, label, seconds, reason, self.step, target):
            return False
        self.banned_at.setdefault(network, time.monotonic())
        return True

    def spared(self, address: Address | Network) -> str | None:
        """As `Context.spared`."""
        network = parse_network(str(address))
        here = (one for one in self._never if _in(parse_network(one), network))
        return next((f"[bans] never has {one}" for one in here), None)

    def bans_of(self, entry: None, address: Address) -> list[Ban]:
        """As `Context.bans_of`."""
        now = now_us()
        with self._lock:
            bans = [ban for ban in self._bans.values() if ban.alive(now)]
        return [ban for ban in bans if address in parse_network(ban.network)]

    def lift(self, ban: Ban) -> bool:
        """As `Context.lift`."""
        same = ban.network, ban.target, ban.since, ban.label, ban.chain

        def is_it(one: Ban) -> bool:
            return (one.network, one.target, one.since, one.label, one.chain) == same

        return bool(self._drop(is_it, "unbanned"))

    def count_elsewhere(self, counter: str, key: str, *, at: int, until: int, by: int) -> int:
        """As `Counters.count_elsewhere`."""
        self.counted[counter, key] = self.counted.get((counter, key), 0) + by
        return self.counted[counter, key]

    def log(self, entry: None, message: str, level: str, **_: Any) -> None:
        """Keep a line that somebody is to read."""
        if level != "info":
            self.lines.append(message)

    def report(self, entry: None, section: str, message: str, **_: Any) -> None:
        """Keep an event."""
        self.lines.append(message)

    def mail(self, entry: None, mail: Mail) -> None:
        """Keep a mail."""
        self.mails.append(mail)

    def ban_target(self, **options: Any) -> Target:
        """As `Context.ban_target`."""
        ports = ports_of(options.get("ports", ()))
        return Target("nftables", None, ports, options.get("protocol"))


def _in(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.subnet_of(outer)  # type: ignore[arg-type]


def _written(until: int | None) -> str | None:
    if until is None:
        return None
    from datetime import UTC, datetime

    return datetime.fromtimestamp(until / 1e6, UTC).isoformat()
