"""What commands order: in JSON, since it may go through the daemon's socket."""

from __future__ import annotations

import ipaddress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.bans.firewall import Firewall, FirewallError, Sets, Target
from pyruse.bans.orders import BanOrder, Item, UnbanOrder, Where, execute
from pyruse.bans.service import Bans
from pyruse.errors import UserError
from pyruse.options import Networks
from pyruse.state.database import State
from pyruse.times import now_us

OWN = ipaddress.ip_address("198.51.100.1")


class Wall(Firewall):
    """A firewall that may be broken."""

    def __init__(self):
        self.held = set()
        self.broken = False

    def check(self, target):
        if target.ports:
            raise ValueError("ports are not for this one (expected none)")

    def apply(self, add, remove):
        if self.broken:
            raise FirewallError("wall: nobody there")
        self.held -= {str(element.network) for element in remove}
        self.held |= {str(element.network) for element in add}


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def bans(wall):
    with State() as state:
        never = Networks([ipaddress.ip_network("192.0.2.0/24")])
        yield Bans(state.bans, never, "wall", {"wall": wall}.get, lambda: {OWN})


def give(bans, order):
    """Execute an order as if it had come through the socket."""
    message = msgspec.json.decode(msgspec.json.encode(order))
    return msgspec.json.decode(msgspec.json.encode(execute(message, bans, now_us())))


def enforced(bans):
    faults: list[str] = []
    bans.enforce(lambda fault: faults.append(str(fault)))
    return faults


def test_bans_are_made_and_lifted(bans, wall):
    items = [Item("203.0.113.7", "manual"), Item("2001:db8::/64", "manual")]
    assert give(bans, BanOrder(items)) == {"done": ["203.0.113.7", "2001:db8::/64"]}
    assert enforced(bans) == []
    assert wall.held == {"203.0.113.7/32", "2001:db8::/64"}
    assert give(bans, BanOrder(items[:1])) == {"unchanged": ["203.0.113.7"]}
    assert give(bans, UnbanOrder(["203.0.113.0/24"])) == {"done": ["203.0.113.7"]}
    assert give(bans, UnbanOrder(["203.0.113.0/24"])) == {"unchanged": ["203.0.113.0/24"]}
    assert give(bans, UnbanOrder(None, "other")) == {"unchanged": ["0.0.0.0/0", "::/0"]}
    assert give(bans, UnbanOrder(None))["done"] == ["2001:db8::/64"]
    assert enforced(bans) == []
    assert wall.held == set()


def test_who_is_spared_is_named_and_the_others_are_banned(bans):
    texts = ["127.0.0.1", "192.0.2.9", str(OWN), "198.51.100.0/24", "0.0.0.0/0", "203.0.113.7"]
    answer = give(bans, BanOrder([Item(text, "manual") for text in texts]))
    assert answer == {
        "done": ["203.0.113.7"],
        "spared": [
            ["127.0.0.1", "it is no other machine's address"],
            ["192.0.2.9", "[bans] never has 192.0.2.0/24"],
            ["198.51.100.1", "it is this machine's own address"],
            ["198.51.100.0/24", "it is this machine's own address"],
            ["0.0.0.0/0", "it is no other machine's address"],
        ],
    }


def test_what_is_over_already_is_no_ban(bans):
    answer = give(bans, BanOrder([Item("203.0.113.7", "manual", until=now_us() - 1)]))
    assert answer == {"unchanged": ["203.0.113.7"]}
    assert len(bans.ledger) == 0


def test_a_target_is_checked(bans):
    items = [
        Item("203.0.113.7", "x", where=Where("wall", ports=[25])),
        Item("203.0.113.8", "x", where=Where("gone")),
        Item("203.0.113.9", "x", where=Where("wall", sets={"ipv4": "a; flush ruleset"})),
        Item("203.0.113.10", "x", where=Where("wall", sets={"ipv4": "ip t s", "ipv6": None})),
    ]
    answer = give(bans, BanOrder(items))
    assert answer["done"] == ["203.0.113.10"]
    assert [text for text, _ in answer["spared"]] == ["203.0.113.7", "203.0.113.8", "203.0.113.9"]
    (ban,) = bans.ledger.in_force(now_us())
    assert ban.target == Target("wall", Sets("ip t s"))


def test_an_unban_tells_of_what_still_closes_the_address_out(bans):
    give(bans, BanOrder([Item("203.0.113.7", "x"), Item("203.0.113.0/24", "x")]))
    assert give(bans, UnbanOrder(["203.0.113.7"])) == {
        "done": ["203.0.113.7"],
        "around": [["203.0.113.7", "203.0.113.0/24"]],
    }


def test_what_a_firewall_refused_is_tried_again_at_once(bans, wall):
    wall.broken = True
    give(bans, BanOrder([Item("203.0.113.7", "x")]))
    assert enforced(bans) == ["wall: nobody there"]
    assert enforced(bans) == []
    give(bans, BanOrder([Item("203.0.113.7", "x")]))
    assert enforced(bans) == ["wall: nobody there"], "an administrator waits for the answer"
    wall.broken = False
    give(bans, UnbanOrder(["203.0.113.9"]))
    assert enforced(bans) == []
    assert wall.held == {"203.0.113.7/32"}


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"order": "flush"},
        {"order": "ban", "bans": [{"network": "203.0.113.7; flush ruleset", "label": "x"}]},
        {"order": "ban", "bans": [{"network": "203.0.113.7"}]},
        {"order": "unban", "networks": 7},
    ],
)
def test_what_is_no_order_changes_nothing(bans, order):
    with pytest.raises(UserError, match="the order is not understood: "):
        execute(order, bans, now_us())
    assert len(bans.ledger) == 0


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)


@settings(deadline=None)
@given(st.sampled_from(["ban", "unban"]), st.dictionaries(
    st.sampled_from(["bans", "networks", "label"]), JSON
))  # fmt: skip
def test_nothing_that_comes_through_the_socket_is_a_bug(order, rest):
    with State() as state:
        bans = Bans(state.bans, Networks([]), "wall", {"wall": Wall()}.get, set)
        try:
            execute({"order": order, **rest}, bans, now_us())
        except UserError:
            assert len(bans.ledger) == 0
