"""What hosts share: bans, unbans and counters, each host by its own rules."""

from __future__ import annotations

import operator
import time
from datetime import datetime
from functools import partial

import pytest
from conftest import Fleet
from pyruse_fleet import session
from pyruse_fleet.simulation import SimulatedHost

from pyruse.testing import wait_until


def wait_for(host: SimulatedHost, networks: set[str]) -> None:
    """Wait until these, and no others, are banned."""
    wait_until(lambda: host.networks, lambda now: now == networks)


def test_bans_longer_bans_and_unbans_reach_everybody_within_a_second(fleet: Fleet) -> None:
    a, b, c = (fleet.simulated(name) for name in "abc")
    a.own_ban("192.0.2.7", seconds=60)
    b.own_ban("2001:db8:7::/64")
    for one in (a, b, c):
        wait_until(
            lambda one=one: one.networks, lambda now: now == {"192.0.2.7", "2001:db8:7::/64"}
        )
    a.own_ban("192.0.2.7", seconds=7200)
    wait_until(lambda: {one["ip"]: one["until"] for one in c.bans()}["192.0.2.7"], _is_in_an_hour)
    a.own_unban("192.0.2.7")
    for one in (a, b, c):
        wait_for(one, {"2001:db8:7::/64"})
    told = fleet.ask("SELECT kind, count(*) FROM fleet.feed GROUP BY kind ORDER BY kind")
    assert told == [("ban", 3), ("begin", 1), ("unban", 1)], "nothing is told twice"


def _is_in_an_hour(text: str) -> bool:
    return datetime.fromisoformat(text).timestamp() > time.time() + 3600


def test_a_ban_that_two_hosts_have_made_ends_when_both_have_lifted_it(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name, accept=[]) for name in "ab")
    c = fleet.simulated("c")
    for one in (a, b):
        one.own_ban("192.0.2.7")
    wait_until(lambda: fleet.ask("SELECT count(*) FROM fleet.bans"), lambda now: now == [(2,)])
    wait_until(lambda: c.networks)
    a.own_unban("192.0.2.7")
    a.own_ban("192.0.2.8")
    wait_for(c, {"192.0.2.7", "192.0.2.8"})
    b.own_unban("192.0.2.7")
    wait_for(c, {"192.0.2.8"})


def test_who_is_never_banned_here_is_not_and_what_is_not_accepted_is_not_taken(
    fleet: Fleet,
) -> None:
    a = fleet.simulated("a", share=["ssh", "mail"])
    b = fleet.simulated("b", never=frozenset({"192.0.2.1"}))
    a.own_ban("192.0.2.1")
    a.own_ban("192.0.2.2", "mail")
    a.own_ban("192.0.2.3", "secret")
    a.own_ban("192.0.2.4")
    wait_for(b, {"192.0.2.4"})
    wait_until(lambda: sorted(b.tried), lambda now: now == ["192.0.2.1", "192.0.2.4"])
    told = {str(one) for (one,) in fleet.ask("SELECT host(network) FROM fleet.bans")}
    assert told == {"192.0.2.1", "192.0.2.2", "192.0.2.4"}


def test_what_is_lifted_here_by_hand_is_not_taken_over_again(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    a.own_ban("192.0.2.7")
    wait_until(lambda: b.networks)
    b.own_unban("192.0.2.7")
    wait_until(lambda: b.networks, lambda now: not now)
    a.own_ban("192.0.2.7", seconds=7200)
    a.own_ban("192.0.2.8")
    wait_for(b, {"192.0.2.8"})
    assert a.networks == {"192.0.2.7", "192.0.2.8"}


def test_a_host_that_is_new_or_was_away_has_what_is_in_force(fleet: Fleet) -> None:
    a = fleet.simulated("a")
    for number in range(1, 21):
        a.own_ban(f"192.0.2.{number}")
    wait_until(lambda: fleet.ask("SELECT count(*) FROM fleet.bans"), lambda now: now == [(20,)])
    b = fleet.simulated("b")
    wait_until(lambda: b.networks, lambda now: len(now) == 20)
    b.plugin.on_stop()
    a.own_unban("192.0.2.1")
    a.own_ban("198.51.100.1")
    wait_until(lambda: fleet.ask("SELECT max(seq) FROM fleet.feed"), lambda now: now >= [(23,)])
    fleet.ask("DELETE FROM fleet.feed WHERE seq < 23")  # as after some days
    b.plugin.on_start(b)  # type: ignore[arg-type]
    wait_until(lambda: b.networks, lambda now: "198.51.100.1" in now and "192.0.2.1" not in now)
    assert len(b.networks) == 20


def test_a_host_that_has_read_all_is_behind_for_no_moment_longer(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "_SEEN_S", 3600.0)
    a = fleet.simulated("a")
    for number in range(1, 4):
        a.own_ban(f"192.0.2.{number}")
    wait_until(lambda: fleet.ask("SELECT max(seq) FROM fleet.feed"), lambda now: now == [(4,)])
    b = fleet.simulated("b")
    wait_for(b, {f"192.0.2.{number}" for number in range(1, 4)})
    wait_until(lambda: fleet.ask("SELECT read FROM fleet.hosts WHERE name = 'b'") == [(4,)])


@pytest.mark.parametrize("before", [["mail", "ssh"], ["mail"], []])
def test_a_change_of_what_is_accepted_goes_for_what_is_in_force_too(
    fleet: Fleet, before: list[str]
) -> None:
    networks = {"ssh": "192.0.2.1", "mail": "192.0.2.2", "web": "192.0.2.3"}
    a = fleet.simulated("a", share=list(networks))
    b = fleet.simulated("b", accept=before)
    for label, network in networks.items():
        a.own_ban(network, label)
    wait_until(lambda: b.table("fleet").get("position", [0])[0], lambda now: now >= 4)
    wait_for(b, {networks[label] for label in before})
    b.own_ban("198.51.100.1", "mail")
    b.plugin.on_stop()
    b.plugin.accept = ["web"]
    b.plugin.on_start(b)  # type: ignore[arg-type]
    wait_for(b, {"192.0.2.3", "198.51.100.1"})
    assert a.networks == set(networks.values())


def counts(one: SimulatedHost) -> int:
    """What a host holds of the attacker that all see."""
    return one.counted.get(("ssh", "192.0.2.9"), 0)


def test_who_tries_each_host_once_is_counted_over_all_of_them(fleet: Fleet) -> None:
    hosts = [fleet.simulated(name) for name in "abcde"]
    told = "SELECT coalesce(sum(number), 0) FROM fleet.counts"
    for number, one in enumerate(hosts, 1):
        one.raised("ssh", "192.0.2.9")
        wait_until(partial(fleet.ask, told), partial(operator.eq, [(number,)]))
        # One host alone sees nothing unusual; from the second one on, all know.
        for other in hosts if number > 1 else [one]:
            wait_until(partial(counts, other), partial(operator.eq, number))


def test_what_one_host_counts_alone_is_in_nobodys_feed(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    for _ in range(3):
        a.raised("ssh", "192.0.2.9", by=2)
    a.raised("other", "192.0.2.9")
    wait_until(lambda: fleet.ask("SELECT sum(number) FROM fleet.counts"), lambda now: now == [(6,)])
    assert fleet.ask("SELECT * FROM fleet.feed WHERE kind <> 'begin'") == []
    assert b.counted == {}
