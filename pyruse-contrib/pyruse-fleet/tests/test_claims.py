"""Each host bans what it wants to, and what others still tell; whoever lifts what."""

from __future__ import annotations

import os
import random
from datetime import UTC
from threading import Event
from typing import Any, NamedTuple

import pytest
from conftest import Fleet
from pyruse_fleet import behind, feed, lifted
from pyruse_fleet.hosts import remove
from pyruse_fleet.scope import closes
from pyruse_fleet.simulation import SimulatedHost
from pyruse_fleet.wire import Key, TakenBan, ports_in

from pyruse import datetime_of, parse_network
from pyruse.testing import wait_until

HOUR = 3600.0
SEEDS = int(os.environ.get("PYRUSE_FLEET_SEEDS", "8"))


class Point(NamedTuple):
    """What somebody may come to."""

    address: str
    port: int
    protocol: str


POINTS = [
    Point(address, port, protocol)
    for address in ("192.0.2.7", "192.0.2.9", "192.0.2.200", "2001:db8::7")
    for port in (22, 80, 443)
    for protocol in ("tcp", "udp", "sctp")
]
NETWORKS = [
    "192.0.2.7",
    "192.0.2.7",
    "192.0.2.0/28",
    "192.0.2.0/24",
    "2001:db8::7",
    "2001:db8::/64",
]
PORTS: list[tuple[int | str, ...]] = [(), (), (22,), (22, 80), ("20-25",), (443,)]


def end_of(ban: dict[str, Any], point: Point) -> str | None:
    """Until when a ban keeps somebody away from there; None: it does not. ``~``: for ever."""
    network = parse_network(ban["ip"])
    if not (
        parse_network(point.address).network_address in network
        and closes(ban["ports"], ban["protocol"], [point.port], point.protocol)
    ):
        return None
    return ban["until"] or "~"


def is_own(ban: dict[str, Any]) -> bool:
    return ban["chain"] != "plugins.fleet"


def declined(host: SimulatedHost, ban: dict[str, Any]) -> bool:
    text = ",".join(map(str, ban["ports"]))
    key = Key(ban["ip"], ban["label"], text, ban["protocol"] or "")
    taken = TakenBan(parse_network(key.network), key, ports_in(text), None)
    return lifted.is_declined(taken, host, 0)  # type: ignore[arg-type]


def waiting(host: SimulatedHost) -> list[dict[str, Any]]:
    """What others tell, behind bans of this host's own that end before."""
    return [
        {
            "ip": network, "ports": ports_in(ports), "protocol": protocol or None,
            "until": until and datetime_of(until, UTC).isoformat(),
        }
        for network in host.table("fleet behind")
        for _, _, ports, protocol, until in behind.rows(network, host, 0)  # type: ignore[arg-type]
    ]  # fmt: skip


def differences(hosts: list[SimulatedHost]) -> list[str]:
    """Where a host bans other than it wants to, or for another time."""
    found = []
    everywhere = [one.bans() for one in hosts]
    for number, host in enumerate(hosts):
        here = [*everywhere[number], *waiting(host)]
        wanted = [
            ban
            for other, bans in enumerate(everywhere)
            for ban in bans
            if is_own(ban) and (other == number or ban["label"] in host.plugin.accept)
        ]
        for point in POINTS:
            if any(not is_own_of(host, ban) and declined(host, ban) for ban in wanted
                   if end_of(ban, point)):  # fmt: skip
                continue  # somebody has lifted it here by hand
            is_until = max((end_of(ban, point) or "" for ban in here), default="")
            right = max((end_of(ban, point) or "" for ban in wanted), default="")
            if is_until[:15] != right[:15]:  # all ends are hours apart
                found.append(f"host {number}, {point}: {is_until} (expected {right})")
    return found


def is_own_of(host: SimulatedHost, ban: dict[str, Any]) -> bool:
    return is_own(ban) and ban in host.bans()


# As after some days: nobody finds the row there that he has read last.
_FORGET = """
    WITH last AS (INSERT INTO fleet.feed (seq, host, kind)
        VALUES (nextval('fleet.feed_seq'), 0, 'begin') RETURNING seq)
    DELETE FROM fleet.feed WHERE seq < (SELECT seq FROM last)
"""


class Town:
    """Hosts that ban, lift, restart and are away, by chance."""

    def __init__(self, fleet: Fleet, seed: int) -> None:
        self.fleet = fleet
        self.random = random.Random(seed)
        self.done: list[str] = []
        # Not all of them accept all of it.
        accepted = [["ssh", "mail"], ["ssh", "mail"], ["ssh"], []]
        self.hosts = [
            fleet.simulated(name, share=["ssh", "mail"], accept=accept, counters=[])
            for name, accept in zip("abcd", accepted, strict=True)
        ]
        self.stopped: set[int] = set()
        self.hours = 0

    def act(self) -> None:
        what = self.random.choice(["ban"] * 5 + ["unban"] * 4 + ["restart", "lift all", "forget"])
        number = self.random.randrange(len(self.hosts))
        host, network = self.hosts[number], self.random.choice(NETWORKS)
        if what == "ban":
            which = self.random.randrange(len(PORTS))
            # A ban of a host keeps its label, however often it is made longer.
            label = ("ssh", "mail")[(number + which) % 2]
            protocol = self.random.choice([None, None, "tcp", "udp"])
            self.hours += 1
            hours: int | None = self.random.choice([self.hours, 200 - self.hours, None])
            seconds = None if hours is None else hours * HOUR
            host.own_ban(network, label, seconds, ports=PORTS[which], protocol=protocol)
            what = f"ban {network} {label} {PORTS[which]} {protocol} for {hours} h"
        elif what == "unban":
            label = self.random.choice(["ssh", "mail"])
            host.own_unban(network, label, own=True)
            what = f"unban {network} {label}"
        elif what == "lift all":
            host.own_unban(network, None)
            what = f"lift {network}"
        elif what == "restart":
            if number in self.stopped:
                self.stopped.remove(number)
                host.plugin.on_start(host)  # type: ignore[arg-type]
            else:
                self.stopped.add(number)
                host.plugin.on_stop()
        else:
            self.fleet.ask(_FORGET)
            self.fleet.ask("NOTIFY pyruse_fleet")
        self.done.append(f"{number}: {what}")

    def settle(self) -> None:
        """Wait until all is told, and taken."""
        for number in self.stopped:
            self.hosts[number].plugin.on_start(self.hosts[number])  # type: ignore[arg-type]
        self.stopped.clear()
        wait_until(self._unsettled, lambda found: not found)

    def _unsettled(self) -> list[str]:
        """What is yet to happen."""
        called = Event()
        self.fleet.main.ask(called.set)
        called.wait()
        return [
            f"host {number}: {what}"
            for number, one in enumerate(self.hosts)
            for what, holds in {
                f"{one.waiting} wait": one.waiting,
                f"not connected: {one.plugin._session.trouble}": not one.plugin._link.is_connected,  # type: ignore[union-attr]
                "no audit yet": one.plugin._session._audit_wanted.is_set(),
                "has not read all": self._news(number),
            }.items()
            if holds
        ]

    def _news(self, number: int) -> bool:
        """Whether there is something that a host has not taken."""
        position = self.hosts[number].table("fleet").get("position")
        if position is None:
            return True
        seq, _, taken = position
        found = self.fleet.ask(
            "SELECT seq FROM fleet.news(%s::pg_snapshot, %s, 9)", taken, seq, user="abcd"[number]
        )
        return found != [(seq,)]


@pytest.mark.parametrize("seed", range(SEEDS))
def test_each_host_bans_what_it_wants_and_what_others_still_tell(fleet: Fleet, seed: int) -> None:
    town = Town(fleet, seed)
    for _ in range(4):
        for _ in range(town.random.randrange(1, 12)):
            town.act()
            if town.random.random() < 0.3:
                town.settle()
        town.settle()
        assert differences(town.hosts) == [], "\n".join(town.done)


def told(fleet: Fleet, host: str) -> set[tuple[str, str, str]]:
    """What the database has of a host's bans."""
    query = """SELECT host(network), label, ports FROM fleet.bans JOIN fleet.hosts ON id = host
        WHERE name = %s"""
    return set(fleet.ask(query, host))


def closed(host: SimulatedHost) -> set[tuple[str, str, tuple[int, ...]]]:
    return {(one["ip"], one["label"], tuple(one["ports"])) for one in host.bans()}


def test_a_ban_of_some_ports_hides_no_ban_of_all_and_each_is_lifted_by_itself(
    fleet: Fleet,
) -> None:
    a, b = (fleet.simulated(name, accept=[]) for name in "ab")
    c = fleet.simulated("c")
    some, every = ("192.0.2.7", "ssh", (22,)), ("192.0.2.7", "ssh", ())
    a.own_ban("192.0.2.7", seconds=2 * HOUR, ports=[22])
    wait_until(lambda: closed(c), lambda now: now == {some})
    b.own_ban("192.0.2.7", seconds=HOUR)
    wait_until(lambda: closed(c), lambda now: now == {some, every})
    a.own_unban("192.0.2.7")
    wait_until(lambda: closed(c), lambda now: now == {every})
    assert told(fleet, "b") == {("192.0.2.7", "ssh", "")}
    assert c.table("fleet declined") == c.table("fleet lifted") == {}, "nobody lifted it by hand"


def test_what_another_host_tells_under_another_label_stays_if_that_is_accepted(
    fleet: Fleet,
) -> None:
    a, b = (fleet.simulated(name, share=["ssh", "mail"], accept=[]) for name in "ab")
    c = fleet.simulated("c", accept=["ssh", "mail"])
    d = fleet.simulated("d", accept=["ssh"])
    a.own_ban("192.0.2.0/24", "ssh", 2 * HOUR)
    wait_until(lambda: c.networks and d.networks)
    b.own_ban("192.0.2.7", "mail", HOUR)
    wait_until(lambda: told(fleet, "b"))
    a.own_unban("192.0.2.0/24")
    wait_until(lambda: closed(c), lambda now: now == {("192.0.2.7", "mail", ())})
    wait_until(lambda: d.networks, lambda now: not now)


def test_a_ban_that_was_made_longer_under_another_label_is_lifted_as_a_whole(
    fleet: Fleet,
) -> None:
    both = ["ssh", "mail"]
    a, b = (fleet.simulated(name, share=both, accept=both) for name in "ab")
    a.own_ban("192.0.2.7", "ssh", HOUR)
    a.own_ban("192.0.2.7", "mail", 2 * HOUR)
    a.own_ban("192.0.2.8", "ssh", HOUR)
    wait_until(lambda: closed(b), lambda now: ("192.0.2.7", "mail", ()) in now and len(now) == 2)
    a.own_unban("192.0.2.7", "mail")
    wait_until(lambda: b.networks, lambda now: now == {"192.0.2.8"})
    wait_until(lambda: told(fleet, "a"), lambda now: now == {("192.0.2.8", "ssh", "")})


def test_of_a_network_with_very_many_in_it_the_rest_comes_by_a_snapshot(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "_MOST_LEFT", 5)
    monkeypatch.setattr(feed, "_LIFT_AFTER_S", 1.0)
    a, b = (fleet.simulated(name, accept=[]) for name in "ab")
    c = fleet.simulated("c")
    a.own_ban("192.0.2.0/24", seconds=2 * HOUR)
    wait_until(lambda: c.networks)
    inner = {f"192.0.2.{number}" for number in range(1, 21)}
    for network in sorted(inner):
        b.own_ban(network)
    wait_until(lambda: len(told(fleet, "b")) == 20)
    assert c.networks == {"192.0.2.0/24"}
    a.own_unban("192.0.2.0/24")
    wait_until(lambda: c.networks, lambda now: now == inner)


def test_a_host_that_was_removed_keeps_no_ban_of_others_from_being_lifted(fleet: Fleet) -> None:
    a, c = fleet.simulated("a", accept=[]), fleet.simulated("c")
    gone = fleet.simulated("gone", accept=[])
    for one in (gone, a):
        one.own_ban("192.0.2.7", seconds=HOUR)
    wait_until(lambda: told(fleet, "a") and told(fleet, "gone") and c.networks)
    with fleet.server.connection(database=fleet.database) as connection:
        remove(connection, "gone", lift=False)
    a.own_unban("192.0.2.7")
    wait_until(lambda: c.networks, lambda now: not now)


def test_a_ban_of_its_own_is_not_forgotten_when_others_ban_for_longer_and_lift_it(
    fleet: Fleet,
) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    a.own_ban("192.0.2.7", seconds=HOUR)
    wait_until(lambda: b.networks)
    b.own_ban("192.0.2.7", seconds=2 * HOUR)
    wait_until(lambda: waiting(a))
    b.own_unban("192.0.2.7")
    wait_until(lambda: waiting(a), lambda now: not now)
    assert [is_own(ban) for ban in a.bans()] == [True]
    assert told(fleet, "a") == {("192.0.2.7", "ssh", "")}


def test_what_others_ban_for_longer_goes_on_when_a_ban_of_its_own_is_over(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    b.plugin.on_stop()
    a.own_ban("192.0.2.7", seconds=2)
    b.own_ban("192.0.2.7", seconds=HOUR)
    b.plugin.on_start(b)  # type: ignore[arg-type]
    wait_until(lambda: waiting(a))
    wait_until(
        lambda: (a.expire(), [is_own(ban) for ban in a.bans()])[1], lambda now: now == [False]
    )
    b.own_unban("192.0.2.7")
    wait_until(lambda: a.networks, lambda now: not now)


def test_what_is_lifted_here_by_hand_stays_so_whoever_tells_it(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name, share=["ssh", "mail"], accept=[]) for name in "ab")
    c = fleet.simulated("c", accept=["ssh", "mail"])
    a.own_ban("192.0.2.7", "ssh", 2 * HOUR)
    wait_until(lambda: c.networks)
    c.own_unban("192.0.2.7")
    b.own_ban("192.0.2.7", "mail", HOUR, ports=[25])
    b.own_ban("192.0.2.8", "mail", HOUR)
    wait_until(lambda: c.networks, lambda now: now == {"192.0.2.8"})


def test_a_ban_for_ever_is_for_ever_everywhere_and_is_told_once(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    a.own_ban("192.0.2.7", seconds=None)
    wait_until(lambda: [one["until"] for one in b.bans()], lambda now: now == [None])
    assert fleet.ask("SELECT until FROM fleet.bans") == [(None,)]
    a.plugin._session.want_audit()
    a.plugin._link.rouse()  # type: ignore[union-attr]
    a.own_ban("192.0.2.8")
    wait_until(lambda: "192.0.2.8" in b.networks)
    wait_until(lambda: not a.plugin._session._audit_wanted.is_set())
    assert fleet.ask("SELECT count(*) FROM fleet.feed WHERE kind = 'ban'") == [(2,)]


@pytest.mark.parametrize(
    ("wide", "narrow", "covered"),
    [
        (((), None), ((22,), "tcp"), True),
        (((22,), None), ((), None), False),
        (((22, 80), None), ((22,), "udp"), True),
        (((22, 80), None), ((22,), "sctp"), False),
        ((("20-25", 26, 27), "tcp"), (("21-27",), "tcp"), True),
        ((("20-25", 27), "tcp"), (("21-27",), "tcp"), False),
        (((22,), "tcp"), ((22,), None), False),
        (((), "tcp"), ((22,), "tcp"), True),
        (((), "tcp"), ((22,), None), False),
    ],
)
def test_what_closes_all_of_it(wide: Any, narrow: Any, covered: bool) -> None:
    assert closes(*wide, *narrow) is covered
