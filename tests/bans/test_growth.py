"""Networks are banned as a whole while many of their addresses are."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.api.firewall import Firewall, Target
from pyruse.bans.aggregate import Aggregate, Growth
from pyruse.bans.in_force import Cause
from pyruse.bans.policy import Policy
from pyruse.bans.service import Bans
from pyruse.errors import ConfigError
from pyruse.options.networks import Networks
from pyruse.state.database import State
from tests.bans.asked import request

SECOND = 1_000_000
NOON = 1_773_489_600 * SECOND
HERE, MAIL = Target("wall"), Target("wall", ports=(25,))
RULE = Aggregate(Growth(24, 3), Growth(64, 2))


class Wall(Firewall):
    """A firewall that holds what it is told, with the seconds that are left."""

    def __init__(self):
        self.held = {}

    def apply(self, add, remove):
        for element in remove:
            self.held.pop((str(element.network), element.target), None)
        for element in add:
            self.held[str(element.network), element.target] = element.seconds


def net(text):
    return ipaddress.ip_network(text)


def made(state, rule=RULE, never=(), tell=lambda text: None, own=set, wall=None):
    policy = Policy("wall", Networks([net(one) for one in never]), own, rule or Aggregate())
    return Bans(state, policy, {"wall": wall or Wall()}.get, tell, lambda: NOON)


@pytest.fixture
def state():
    with State() as state:
        yield state


def ban(bans, address, seconds, at=0, target=HERE):
    cause = Cause(NOON + at * SECOND, reason="Failed")
    return bans.ban(request(address, seconds, target=target), cause)


def grown(bans, at=0):
    """The networks that have grown, with the seconds after noon at which they are let go."""
    now = NOON + at * SECOND
    return {
        ban.network: ban.until and (ban.until - NOON) // SECOND
        for ban in bans.in_force.all(now)
        if ban.grown
    }


def test_the_third_ban_of_a_network_bans_all_of_it(state):
    bans = made(state)
    ban(bans, "203.0.113.7", 60)
    ban(bans, "203.0.113.8", 50)
    ban(bans, "203.0.114.9", 60)
    assert grown(bans) == {}
    ban(bans, "203.0.113.9", 70)
    assert grown(bans) == {"203.0.113.0/24": 50}, "three are banned until the first of them ends"
    assert grown(bans, at=50) == {}


def test_families_have_rules_of_their_own(state):
    bans = made(state)
    ban(bans, "2001:db8::7", 60)
    ban(bans, "2001:db8::8", None)
    assert grown(bans) == {"2001:db8::/64": 60}
    bans = made(State(), Aggregate(ipv6=Growth(64, 2)))
    for last in range(9):
        ban(bans, f"203.0.113.{last}", 60)
    assert grown(bans) == {}


def test_a_further_ban_and_a_longer_one_extend_it(state):
    bans = made(state)
    for last in (7, 8, 9):
        ban(bans, f"203.0.113.{last}", 60)
    ban(bans, "203.0.113.7", 100, at=10)
    assert grown(bans) == {"203.0.113.0/24": 60}
    ban(bans, "203.0.113.8", 100, at=11)
    ban(bans, "203.0.113.10", 100, at=12)
    assert grown(bans) == {"203.0.113.0/24": 110}


def test_for_ever_if_all_of_them_are(state):
    bans = made(state)
    for last in (7, 8, 9):
        ban(bans, f"203.0.113.{last}", None)
    assert grown(bans) == {"203.0.113.0/24": None}


def test_an_unban_of_one_may_end_it_and_the_others_stay_banned(state):
    bans = made(state)
    for last in (7, 8, 9, 10):
        ban(bans, f"203.0.113.{last}", 60)
    bans.unban("203.0.113.7", Cause(NOON))
    assert grown(bans) == {"203.0.113.0/24": 60}
    bans.unban("203.0.113.8", Cause(NOON))
    assert grown(bans) == {}
    assert len(bans.in_force.all(NOON)) == 2


def test_targets_are_counted_apart_and_broader_bans_not_at_all(state):
    bans = made(state)
    ban(bans, "203.0.113.7", 60)
    ban(bans, "203.0.113.8", 60)
    ban(bans, "203.0.113.9", 60, target=MAIL)
    ban(bans, "203.0.113.0/24", 60)
    ban(bans, "203.0.0.0/16", 60)
    assert grown(bans) == {}
    ban(bans, "203.0.113.16/28", 60)
    assert grown(bans) == {"203.0.113.0/24": 60}


@pytest.mark.parametrize("protected", ["never", "own"])
def test_a_network_with_somebody_who_is_spared_is_not_banned_and_told_of_once(state, protected):
    said: list[str] = []
    spared = ipaddress.ip_address("203.0.113.200")
    own = {spared} if protected == "own" else set()
    never = [str(spared)] if protected == "never" else []
    bans = made(state, never=never, tell=said.append, own=lambda: own)
    for last in range(9):
        ban(bans, f"203.0.113.{last}", 60)
    assert grown(bans) == {}
    assert len(bans.in_force.all(NOON)) == 9
    (text,) = said
    assert text.startswith("203.0.113.0/24 is not banned as a whole, only what was banned in it: ")


def test_the_firewall_holds_the_longer_of_two_bans_of_a_network(state):
    wall = Wall()
    bans = made(state, wall=wall)
    place = ("203.0.113.0/24", HERE)
    ban(bans, "203.0.113.0/24", 100)
    for last in (7, 8, 9):
        ban(bans, f"203.0.113.{last}", 60)
    bans.enforce(pytest.fail)
    assert wall.held[place] == 100
    for last in (7, 8, 9):
        ban(bans, f"203.0.113.{last}", 200, at=1)
    bans.enforce(pytest.fail)
    assert wall.held[place] == 201
    bans.unban("203.0.113.7", Cause(NOON))
    bans.enforce(pytest.fail)
    assert wall.held[place] == 100, "what was asked for is there still"
    bans.unban("203.0.113.0/24", Cause(NOON))
    bans.enforce(pytest.fail)
    assert wall.held == {}


def test_growing_is_no_offence_and_stands_once_in_the_history(state):
    bans = made(state)
    for last in range(9):
        ban(bans, f"203.0.113.{last}", 60 + last)
    assert ban(bans, "203.0.113.0/24", 999).count == 1
    state.commit()
    records = [one for one in state.ban_history.read(state.db) if one.ban.label == "aggregate"]
    assert [one.ban.network for one in records] == ["203.0.113.0/24"]


def test_a_restart_finds_the_same(tmp_path):
    path = str(tmp_path / "state.sqlite")
    with State(path) as state:
        bans = made(state)
        for last in (7, 8, 9):
            ban(bans, f"203.0.113.{last}", 60)
        state.commit()
    with State(path) as state:
        state.load()
        bans = made(state)
        assert grown(bans) == {"203.0.113.0/24": 60}
        ban(bans, "203.0.113.7", 90)
        ban(bans, "203.0.113.8", 90)
        ban(bans, "203.0.113.9", 80)
        assert grown(bans) == {"203.0.113.0/24": 80}
        state.commit()
    with State(path) as state:
        state.load()
        made(state).unban("203.0.113.8", Cause(NOON))
        state.commit()
    with State(path) as state:
        state.load()
        assert grown(made(state)) == {}


@pytest.mark.parametrize(
    ("rule", "networks"),
    [
        (None, {}),
        (Aggregate(Growth(24, 5)), {}),
        (Aggregate(Growth(16, 3)), {"203.0.0.0/16": 60}),
        (Aggregate(Growth(24, 2)), {"203.0.113.0/24": 60}),
    ],
)
def test_a_new_rule_holds_for_the_bans_that_there_are(state, rule, networks):
    bans = made(state)
    for last in (7, 8, 9):
        ban(bans, f"203.0.113.{last}", 60)
    bans = made(state, rule)
    bans.unban("192.0.2.1", Cause(NOON))
    assert grown(bans) == networks


def test_who_is_never_banned_by_a_new_configuration_is_let_go(state):
    bans = made(state, None)
    ban(bans, "203.0.113.7", 60)
    ban(bans, "198.51.100.7", 60)
    bans = made(state, None, never=["203.0.113.0/24"])
    bans.unban("192.0.2.1", Cause(NOON))
    assert [one.network for one in bans.in_force.all(NOON)] == ["198.51.100.7"]


def test_who_is_protected_is_let_go_and_not_all_that_is_in_the_same_network(state):
    bans = made(state, None)
    ban(bans, "203.0.113.0/24", 60)
    ban(bans, "203.0.113.8", 60)
    bans = made(state, None, never=["203.0.113.7"])
    bans.unban("192.0.2.1", Cause(NOON))
    assert [one.network for one in bans.in_force.all(NOON)] == ["203.0.113.8"]


ADDRESSES = st.sampled_from(
    [f"203.0.113.{last}" for last in range(5)]
    + ["203.0.113.8/29", "203.0.113.0/24", "203.0.114.1", "2001:db8::1", "2001:db8::2"]
)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ban", "ban", "ban", "unban", "expire"]),
        ADDRESSES,
        st.one_of(st.none(), st.integers(1, 9)),
        st.integers(0, 3),
    ),
    max_size=25,
)


@settings(deadline=None)
@given(STEPS)
def test_networks_grow_as_a_naive_model_says(steps):
    with State() as state:
        bans = made(state)
        model: dict[str, float] = {}
        now = 0
        for what, address, seconds, later in steps:
            now += later
            if what == "ban":
                ban(bans, address, seconds, at=now)
                end = float("inf") if seconds is None else now + seconds
                standing = model.get(address, 0)
                model[address] = max(end, standing if standing > now else 0)
            elif what == "unban":
                bans.unban(address, Cause(NOON + now * SECOND))
                for known in list(model):
                    one, outer = net(known), net(address)
                    if one.version == outer.version and one.subnet_of(outer):
                        del model[known]
            else:
                bans.in_force.expire(NOON + now * SECOND)
            assert grown(bans, at=now) == expected(model, now)


def expected(model, now):
    """Each network that has enough members by now, with the end of the one that is just enough."""
    found = {}
    for network, at in ((net("203.0.113.0/24"), 3), (net("2001:db8::/64"), 2)):
        ends = sorted(
            end
            for text, end in model.items()
            if end > now
            and net(text).version == network.version
            and net(text).prefixlen > network.prefixlen
            and net(text).subnet_of(network)
        )
        if len(ends) >= at:
            end = ends[-at]
            found[str(network)] = None if end == float("inf") else int(end)
    return found


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ("{ ipv4 = { prefix = 24 } }", "at: missing (expected a whole number)"),
        ("{ ipv4 = { prefix = 24, at = 1 } }", "at = 1 is not many (expected 2 or more"),
        (
            "{ ipv4 = { prefix = 32, at = 9 } }",
            "ipv4.prefix = 32 is no prefix length of networks that grow (expected 8 to 31)",
        ),
        (
            "{ ipv6 = { prefix = 8, at = 9 } }",
            "ipv6.prefix = 8 is no prefix length of networks that grow (expected 16 to 127)",
        ),
        ("{ ipv5 = {} }", "ipv5: unknown option (expected one of: ipv4, ipv6"),
        ("7", "7 is of the wrong type"),
    ],
)
def test_faulty_rules(pipeline, value, fault):
    with pytest.raises(ConfigError) as refused:
        pipeline(f"[bans]\naggregate = {value}\n[chains]\nx = []")
    assert "bans.aggregate" in str(refused.value)
    assert fault in str(refused.value)


def test_growing_by_a_configuration(pipeline):
    flow = pipeline("""
        [bans]
        aggregate = { ipv4 = { prefix = 24, at = 2 } }
        [chains]
        ssh = [ { action = "ban", ip = "ip", duration = "1h" } ]
    """)
    for last in (7, 8):
        flow.feed(ip=f"203.0.113.{last}", MESSAGE="Failed")
    assert [(one.ip, one.label, one.duration) for one in flow.bans] == [
        ("203.0.113.7", "ssh", 3600),
        ("203.0.113.8", "ssh", 3600),
        ("203.0.113.0/24", "aggregate", 3600),
    ]
