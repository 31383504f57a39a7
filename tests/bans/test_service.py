from __future__ import annotations

import ipaddress

import pytest

from pyruse.addresses import network_around, network_text, text_around
from pyruse.api.firewall import Firewall, FirewallError, Target
from pyruse.bans.in_force import Cause
from pyruse.bans.own_addresses import own_addresses
from pyruse.bans.policy import Policy
from pyruse.bans.service import Bans
from pyruse.options.networks import Networks
from pyruse.state.database import State
from tests.bans.asked import request

SECOND = 1_000_000


class Wall(Firewall):
    """A firewall that keeps what it is given, but for what it is told to refuse."""

    def __init__(self) -> None:
        self.held: dict[str, int | None] = {}
        self.refusing: set[str] = set()
        self.broken = False
        self.lost = False
        self.calls = 0

    def check(self, target) -> None:
        if target.ports:
            raise ValueError("ports are not for this one (expected none)")

    def apply(self, add, remove) -> None:
        self.calls += 1
        if self.broken:
            raise FirewallError("wall: nobody there")
        failed = [element for element in (*add, *remove) if str(element.network) in self.refusing]
        for element in remove:
            if element not in failed:
                self.held.pop(str(element.network), None)
        for element in add:
            if element not in failed:
                self.held[str(element.network)] = element.seconds
        lost, self.lost = self.lost, False
        if failed or lost:
            raise FirewallError("wall: no", failed, emptied=lost)


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def clock():
    """The machine's clock, in a list of one item: microseconds since the epoch."""
    return [1_773_489_600 * SECOND]


@pytest.fixture
def bans(wall, clock):
    never = Networks([net("198.51.100.0/24"), net("2001:db8:1::/48")])
    opener = {"wall": wall}.get
    policy = Policy("wall", never, own_addresses)
    return Bans(State(), policy, opener, clock=lambda: clock[0])


def net(text):
    return ipaddress.ip_network(text)


def ban(bans, clock, *addresses, seconds=600, backend="wall"):
    for address in addresses:
        bans.ban(request(address, seconds, target=Target(backend)), Cause(clock[0]))


def nothing_waits(bans):
    untaken = bans.stored.untaken["wall"]
    return not untaken.add and not untaken.remove


def enforced(bans):
    """Enforce; what was said about it."""
    faults: list[Exception] = []
    bans.enforce(faults.append)
    return [str(fault) for fault in faults]


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("127.0.0.1", "it is no other machine's address"),
        ("::1", "it is no other machine's address"),
        ("0.0.0.0", "it is no other machine's address"),
        ("224.0.0.251", "it is no other machine's address"),
        ("ff02::fb", "it is no other machine's address"),
        ("198.51.100.7", "[bans] never has 198.51.100.0/24"),
        ("198.51.0.0/16", "[bans] never has 198.51.100.0/24"),
        ("198.51.100.128/25", "[bans] never has 198.51.100.0/24"),
        ("2001:db8:1:2::/64", "[bans] never has 2001:db8:1::/48"),
        ("203.0.113.7", None),
        ("2001:db8:2::7", None),
    ],
)
def test_who_is_never_banned(bans, clock, network, why):
    assert bans.spared(network) == why
    ban(bans, clock, network)
    assert len(bans.in_force) == (1 if why is None else 0)


def test_this_machine_is_never_banned(bans):
    assert ipaddress.ip_address("127.0.0.1") in own_addresses()
    for address in own_addresses():
        for prefix4, prefix6 in ((32, 128), (24, 64)):
            assert bans.spared(text_around(address, prefix4, prefix6)) is not None


def test_bans_and_unbans_reach_the_firewall_with_the_seconds_that_are_left(bans, clock, wall):
    ban(bans, clock, "203.0.113.6", "203.0.113.7", "203.0.113.8")
    ban(bans, clock, "203.0.113.9", seconds=None)
    bans.unban("203.0.113.8", Cause(clock[0]))
    clock[0] += 100 * SECOND + 1
    assert enforced(bans) == []
    assert wall.held == {"203.0.113.6/32": 500, "203.0.113.7/32": 500, "203.0.113.9/32": None}
    bans.unban("203.0.113.6", Cause(clock[0]))
    assert enforced(bans) == []
    assert list(wall.held) == ["203.0.113.7/32", "203.0.113.9/32"]


def test_nothing_to_do_calls_no_firewall(bans, clock, wall):
    ban(bans, clock, "203.0.113.7")
    enforced(bans)
    enforced(bans)
    assert wall.calls == 1


def test_a_ban_of_the_past_that_is_over_by_now_is_not_enforced(bans, clock, wall):
    ban(bans, clock, "203.0.113.7", seconds=10)
    clock[0] += 10 * SECOND
    assert enforced(bans) == []
    assert wall.held == {}
    assert nothing_waits(bans)


def test_a_firewall_that_fails_is_asked_again_later(bans, clock, wall):
    wall.broken = True
    ban(bans, clock, "203.0.113.7")
    assert enforced(bans) == ["wall: nobody there"]
    assert enforced(bans) == []
    assert bans.enforcement.next_due() == clock[0] + 10 * SECOND
    clock[0] += 10 * SECOND
    wall.broken = False
    assert enforced(bans) == []
    assert wall.held == {"203.0.113.7/32": 590}
    assert bans.enforcement.next_due() is None


def test_what_is_refused_holds_up_nothing_else(bans, clock, wall):
    wall.refusing = {"203.0.113.7/32"}
    ban(bans, clock, "203.0.113.6", "203.0.113.7")
    assert enforced(bans) == ["wall: no"]
    assert list(wall.held) == ["203.0.113.6/32"]
    clock[0] += 3 * SECOND
    ban(bans, clock, "203.0.113.8")
    assert enforced(bans) == []
    assert list(wall.held) == ["203.0.113.6/32", "203.0.113.8/32"]
    clock[0] += 7 * SECOND
    wall.refusing.clear()
    assert enforced(bans) == []
    assert "203.0.113.7/32" in wall.held


def test_further_refusals_do_not_put_off_the_next_attempt(bans, clock, wall):
    wall.refusing = {"203.0.113.7/32", "203.0.113.8/32"}
    ban(bans, clock, "203.0.113.7")
    enforced(bans)
    retry = bans.enforcement.next_due()
    clock[0] += 9 * SECOND
    ban(bans, clock, "203.0.113.8")
    assert enforced(bans) == ["wall: no"]
    assert bans.enforcement.next_due() == retry


def test_a_removal_that_is_refused_is_tried_again(bans, clock, wall):
    ban(bans, clock, "203.0.113.7")
    enforced(bans)
    wall.refusing = {"203.0.113.7/32"}
    bans.unban("203.0.113.7", Cause(clock[0]))
    assert enforced(bans) == ["wall: no"]
    wall.refusing.clear()
    clock[0] += 10 * SECOND
    assert enforced(bans) == []
    assert wall.held == {}


def test_a_firewall_that_lost_its_bans_gets_them_all_again_at_once(bans, clock, wall):
    ban(bans, clock, "203.0.113.6", "203.0.113.7")
    enforced(bans)
    wall.held.clear()
    wall.lost = True
    ban(bans, clock, "203.0.113.8")
    assert enforced(bans) == ["wall: no"]
    assert sorted(wall.held) == ["203.0.113.6/32", "203.0.113.7/32", "203.0.113.8/32"]
    assert nothing_waits(bans)


def test_a_bug_of_a_firewall_is_contained(bans, clock, wall):
    wall.held = None
    ban(bans, clock, "203.0.113.7")
    (fault,) = enforced(bans)
    assert fault.startswith("wall: TypeError: ")
    assert fault.endswith(" (a fault of the plugin)")
    assert bans.enforcement.next_due() is not None


def test_a_ban_of_a_firewall_that_is_there_no_more_is_told_of_and_holds_up_no_other(
    bans, clock, wall
):
    ban(bans, clock, "203.0.113.6", backend="gone")
    ban(bans, clock, "203.0.113.7")
    (fault,) = enforced(bans)
    assert 'there is no firewall "gone" (expected one that an installed plugin has' in fault
    assert list(wall.held) == ["203.0.113.7/32"]


def test_targets_are_checked(bans):
    assert bans.target(None, None, []) == Target("wall")
    with pytest.raises(ValueError, match="ports are not for this one"):
        bans.target(None, None, [22])
    with pytest.raises(ValueError, match='there is no firewall "nftabels"'):
        bans.target("nftabels", None, [])


@pytest.mark.parametrize(
    ("address", "network"),
    [("203.0.113.7", "203.0.113.0/28"), ("2001:db8::7:8", "2001:db8::/64")],
)
def test_the_network_around_an_address(address, network):
    around = network_around(ipaddress.ip_address(address), 28, 64)
    assert around == net(network)
    assert text_around(ipaddress.ip_address(address), 28, 64) == network_text(around)


@pytest.mark.parametrize(
    ("address", "text"),
    [("203.0.113.7", "203.0.113.7"), ("2001:db8:0::7", "2001:db8::7"), ("::1.2.3.4", "::102:304")],
)
def test_a_single_address_is_written_without_its_prefix_length(address, text):
    assert text_around(ipaddress.ip_address(address), 32, 128) == text
