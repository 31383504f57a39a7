"""What commands order: in JSON, since it may go through the daemon's socket."""

from __future__ import annotations

import ipaddress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.api.firewall import Firewall, FirewallError, Sets, Target
from pyruse.bans.aggregate import Aggregate, Growth
from pyruse.bans.carry_out import carry_out
from pyruse.bans.in_force import Cause
from pyruse.bans.length import FORGET_US
from pyruse.bans.orders import (
    Answer,
    BanOrder,
    Item,
    UnbanOrder,
    Where,
    in_parts,
    joined,
    message_of,
    read,
)
from pyruse.bans.policy import Policy
from pyruse.bans.service import Bans
from pyruse.errors import UserError
from pyruse.options.networks import Networks
from pyruse.state.database import State
from pyruse.times import now_us
from tests.bans.asked import request

OWN = ipaddress.ip_address("198.51.100.1")


class Wall(Firewall):
    """A firewall that may be broken, or refuse some changes."""

    def __init__(self):
        self.held = set()
        self.refusing = set()
        self.broken = False

    def check(self, target):
        if target.ports:
            raise ValueError("ports are not for this one (expected none)")

    def apply(self, add, remove):
        if self.broken:
            raise FirewallError("wall: nobody there")
        failed = [one for one in (*add, *remove) if one.address in self.refusing]
        self.held -= {one.address for one in remove if one not in failed}
        self.held |= {one.address for one in add if one not in failed}
        if failed:
            raise FirewallError(f"wall: no room, {len(failed)} times", failed)


@pytest.fixture
def wall():
    return Wall()


@pytest.fixture
def other():
    return Wall()


@pytest.fixture
def state():
    with State() as made:
        yield made


@pytest.fixture
def bans(state, wall, other):
    never = Networks([ipaddress.ip_network("192.0.2.0/24")])
    walls = {"wall": wall, "other": other}
    grow = Aggregate(Growth(24, 4))
    return Bans(state, Policy("wall", never, lambda: {OWN}, grow), walls.get)


def give(bans, order):
    """Carry out an order as if it had come through the socket."""
    wanted = read(msgspec.json.decode(msgspec.json.encode(order)))
    answer = carry_out(wanted, bans, lambda: None)
    return msgspec.json.decode(msgspec.json.encode(message_of(answer)))


def ban(*addresses, backend=None):
    where = None if backend is None else Where(backend)
    return BanOrder([Item(address, "manual", where=where) for address in addresses])


def test_bans_are_made_and_lifted(bans, wall):
    items = [Item("203.0.113.7", "manual"), Item("2001:db8::/64", "manual")]
    assert give(bans, BanOrder(items)) == {"done": ["203.0.113.7", "2001:db8::/64"]}
    assert wall.held == {"203.0.113.7", "2001:db8::/64"}
    assert give(bans, BanOrder(items[:1])) == {"unchanged": ["203.0.113.7"]}
    assert give(bans, UnbanOrder(["203.0.113.0/24"])) == {"done": ["203.0.113.7"]}
    assert give(bans, UnbanOrder(["203.0.113.0/24"])) == {"unchanged": ["203.0.113.0/24"]}
    assert give(bans, UnbanOrder(None, "other")) == {"unchanged": ["0.0.0.0/0", "::/0"]}
    assert give(bans, UnbanOrder(None))["done"] == ["2001:db8::/64"]
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


def test_what_is_over_already_is_no_ban_but_counts_as_one(bans):
    answer = give(bans, BanOrder([Item("203.0.113.7", "manual", until=now_us() - 1)]))
    assert answer == {"over": ["203.0.113.7"]}
    assert len(bans.in_force) == 0
    give(bans, ban("203.0.113.7"))
    assert [one.count for one in bans.in_force.all(now_us())] == [2]


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
    (ban,) = bans.in_force.all(now_us())
    assert ban.target == Target("wall", Sets("ip t s"))


def test_an_unban_tells_of_what_still_closes_the_address_out(bans):
    give(bans, ban("203.0.113.7", "203.0.113.0/24"))
    assert give(bans, UnbanOrder(["203.0.113.7"])) == {
        "done": ["203.0.113.7"],
        "around": [["203.0.113.7", "203.0.113.0/24"]],
    }


def test_what_a_firewall_refused_is_tried_again_at_once(bans, wall):
    wall.broken = True
    refused = {"refused": {"wall: nobody there": ["203.0.113.7"]}}
    assert give(bans, ban("203.0.113.7")) == refused
    assert give(bans, ban("203.0.113.7")) == refused, "an administrator waits for the answer"
    wall.broken = False
    give(bans, UnbanOrder(["203.0.113.9"]))
    assert wall.held == {"203.0.113.7"}


def test_of_some_refused_bans_the_others_are_told_as_ever(bans, wall):
    give(bans, ban("203.0.113.6"))
    wall.refusing = {"203.0.113.7"}
    assert give(bans, ban("203.0.113.6", "203.0.113.7", "203.0.113.8", "127.0.0.1")) == {
        "done": ["203.0.113.8"],
        "unchanged": ["203.0.113.6"],
        "spared": [["127.0.0.1", "it is no other machine's address"]],
        "refused": {"wall: no room, 1 times": ["203.0.113.7"]},
    }
    assert wall.held == {"203.0.113.6", "203.0.113.8"}


def test_a_ban_that_waits_since_earlier_is_not_told_as_one_in_force(bans, wall):
    wall.refusing = {"203.0.113.7"}
    give(bans, ban("203.0.113.7"))
    answer = give(bans, ban("203.0.113.7"))
    assert answer == {"refused": {"wall: no room, 1 times": ["203.0.113.7"]}}
    wall.refusing = set()
    assert give(bans, ban("203.0.113.7")) == {"unchanged": ["203.0.113.7"]}
    assert wall.held == {"203.0.113.7"}


def test_two_firewalls_each_with_what_it_said(bans, wall, other):
    wall.broken = True
    other.refusing = {"198.18.0.7"}
    order = ban("203.0.113.7")
    order.bans += ban("198.18.0.7", "198.18.0.8", backend="other").bans
    assert give(bans, order) == {
        "done": ["198.18.0.8"],
        "refused": {
            "wall: nobody there": ["203.0.113.7"],
            "wall: no room, 1 times": ["198.18.0.7"],
        },
    }


def test_the_same_address_refused_by_another_firewall_is_another_ban(bans, other):
    other.broken = True
    give(bans, ban("203.0.113.7", backend="other"))
    assert give(bans, ban("203.0.113.7")) == {
        "done": ["203.0.113.7"],
        "faults": ["wall: nobody there"],
    }


def test_other_bans_that_are_refused_do_not_fail_an_order_but_are_told(bans, wall):
    wall.refusing = {"203.0.113.7"}
    give(bans, ban("203.0.113.7"))
    told = {"faults": ["wall: no room, 1 times"]}
    assert give(bans, ban("203.0.113.8")) == {"done": ["203.0.113.8"], **told}
    assert give(bans, UnbanOrder(["203.0.113.8"])) == {"done": ["203.0.113.8"], **told}
    assert give(bans, UnbanOrder(["203.0.113.0/24"], "x")) == {
        "unchanged": ["203.0.113.0/24"],
        **told,
    }


def test_a_removal_that_is_refused_closes_out_still_until_it_is_not(bans, wall):
    give(bans, ban("203.0.113.7", "198.18.0.7"))
    wall.refusing = {"203.0.113.7"}
    refused = {"refused": {"wall: no room, 1 times": ["203.0.113.7"]}}
    assert give(bans, UnbanOrder(["0.0.0.0/0"])) == {"done": ["198.18.0.7"], **refused}
    assert give(bans, UnbanOrder(["203.0.113.7"])) == refused
    assert give(bans, UnbanOrder(["203.0.113.0/25"])) == {
        "unchanged": ["203.0.113.0/25"],
        **refused,
    }
    assert give(bans, UnbanOrder(["203.0.113.7"], "x"))["faults"] == ["wall: no room, 1 times"]
    assert wall.held == {"203.0.113.7"}
    wall.refusing = set()
    assert give(bans, UnbanOrder(["203.0.113.7"])) == {"unchanged": ["203.0.113.7"]}
    assert wall.held == set()


def test_a_network_that_is_let_go_closes_out_still_if_that_is_refused(bans, wall):
    give(bans, ban(*(f"203.0.113.{last}" for last in (6, 7, 8, 9))))
    assert "203.0.113.0/24" in wall.held
    wall.refusing = {"203.0.113.0/24"}
    assert give(bans, UnbanOrder(["203.0.113.7"], "manual")) == {
        "done": ["203.0.113.7"],
        "refused": {"wall: no room, 1 times": ["203.0.113.0/24"]},
    }


def test_the_state_has_the_bans_before_a_firewall_has(bans, wall, state):
    held = []

    def commit():
        state.commit()
        held.append((set(wall.held), state.db.execute("SELECT state FROM bans").fetchall()))

    carry_out(ban("203.0.113.7"), bans, commit)
    assert held == [(set(), [("wanted",)]), ({"203.0.113.7"}, [("enforced",)])]


def test_whoever_reports_faults_is_told_of_all(bans, wall, other):
    wall.refusing, other.broken = {"203.0.113.7"}, True
    give(bans, ban("203.0.113.8", backend="other"))
    faults = []
    carry_out(ban("203.0.113.7"), bans, lambda: None, lambda fault: faults.append(str(fault)))
    assert sorted(faults) == ["wall: no room, 1 times", "wall: nobody there"]


class TestBansBefore:
    """How many bans came before, by what another program knows."""

    @pytest.fixture
    def counts(self, bans):
        """``counts("203.0.113.7")``: of the ban in force, and all of which is remembered."""

        def read(address):
            before = [
                ban.count - 1 for ban in bans.in_force.all(now_us()) if ban.network == address
            ]
            bans.unban(address, Cause(now_us()))
            again = bans.ban(request(address, 1), Cause(now_us()))
            return *before, again.count - 1

        return read

    def test_the_next_ban_goes_on_there(self, bans, counts):
        give(bans, BanOrder([Item("203.0.113.7", "x", before=2)]))
        assert counts("203.0.113.7") == (2, 3)

    @pytest.mark.parametrize("first", [0, 1])
    def test_in_whatever_order_they_come(self, bans, counts, first):
        soon, later = now_us() + 10**9, now_us() + 10**10
        items = [
            Item("203.0.113.7", "ssh", until=later, before=1),
            Item("203.0.113.7", "mail", until=soon, before=4),
        ]
        give(bans, BanOrder([items[first], items[1 - first]]))
        assert counts("203.0.113.7") == (4, 5)

    @pytest.mark.parametrize("first", [0, 1])
    def test_those_that_are_over_came_before_the_one_that_lasts(self, bans, counts, first):
        items = [
            Item("203.0.113.7", "ssh", before=1),
            Item("203.0.113.7", "mail", until=now_us() - 10**9, before=4),
        ]
        give(bans, BanOrder([items[first], items[1 - first]]))
        assert counts("203.0.113.7") == (5, 6)

    def test_an_import_that_is_repeated_counts_once(self, bans, counts):
        items = [
            Item("203.0.113.7", "x", before=2),
            Item("203.0.113.8", "x", until=now_us() - 10**9, before=2),
        ]
        for _ in range(3):
            give(bans, BanOrder(items))
        assert counts("203.0.113.7") == (2, 3)
        assert counts("203.0.113.8") == (3,)

    def test_a_ban_of_our_own_that_lasts_longer_gets_the_number(self, bans, counts):
        give(bans, ban("203.0.113.7"))
        item = Item("203.0.113.7", "x", until=now_us() + 10**9, before=2)
        assert give(bans, BanOrder([item])) == {"unchanged": ["203.0.113.7"]}
        assert counts("203.0.113.7") == (2, 3)

    def test_a_higher_number_of_our_own_stays(self, bans, counts):
        for _ in range(4):
            give(bans, ban("203.0.113.7"))
            give(bans, UnbanOrder(["203.0.113.7"]))
        give(bans, BanOrder([Item("203.0.113.7", "x", until=now_us() - 1, before=1)]))
        assert counts("203.0.113.7") == (4,)

    def test_what_is_over_for_longer_than_it_is_remembered_does_not_count(self, bans, counts):
        ended = now_us() - FORGET_US - 1
        give(bans, BanOrder([Item("203.0.113.7", "x", until=ended, before=9)]))
        assert counts("203.0.113.7") == (0,)

    def test_who_is_never_banned_is_not_remembered(self, bans, counts):
        answer = give(bans, BanOrder([Item("192.0.2.7", "x", until=1, before=9)]))
        assert answer == {"spared": [["192.0.2.7", "[bans] never has 192.0.2.0/24"]]}

    def test_it_survives_a_restart(self, tmp_path, wall):
        path = str(tmp_path / "state.sqlite")
        counts = []
        for order in (
            BanOrder([Item("203.0.113.7", "x", until=now_us() - 1, before=2)]),
            BanOrder([Item("203.0.113.7", "x", before=4)]),
            BanOrder([]),
        ):
            with State(path) as state:
                state.load()
                bans = Bans(state, Policy("wall", Networks([]), set), {"wall": wall}.get)
                carry_out(order, bans, state.commit)
                counts += [ban.count for ban in bans.in_force.all(now_us())]
        assert counts == [5, 5]


def test_an_order_of_another_version_is_understood_as_far_as_it_is_known(bans):
    item = {"network": "203.0.113.7", "label": "x", "colour": "red"}
    assert give(bans, {"order": "ban", "bans": [item], "haste": 1}) == {"done": ["203.0.113.7"]}
    answer = {"done": ["203.0.113.7"], "mood": "good"}
    assert msgspec.convert(answer, Answer) == Answer(done=["203.0.113.7"])


def test_there_is_no_firewall(state):
    bans = Bans(state, Policy("gone", Networks([]), set), lambda name: None)
    ((network, why),) = give(bans, ban("203.0.113.7"))["spared"]
    assert network == "203.0.113.7"
    assert why.startswith('there is no firewall "gone" (expected one that')


@pytest.mark.parametrize(
    "order",
    [
        {},
        {"order": "flush"},
        {"order": "ban", "bans": [{"network": "203.0.113.7; flush ruleset", "label": "x"}]},
        {"order": "ban", "bans": [{"network": "203.0.113.7"}]},
        {"order": "ban", "bans": [{"network": "203.0.113.7", "label": "x", "until": 1 << 63}]},
        {"order": "ban", "bans": [{"network": "203.0.113.7", "label": "x", "before": 1 << 62}]},
        {"order": "ban", "bans": [{"network": "203.0.113.7", "label": "x", "before": -1}]},
        {"order": "unban", "networks": 7},
    ],
)
def test_what_is_no_order(order):
    with pytest.raises(UserError, match="the order is not understood: "):
        read(order)


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
        bans = Bans(state, Policy("wall", Networks([]), set), {"wall": Wall()}.get)
        try:
            wanted = read({"order": order, **rest})
        except UserError:
            return
        carry_out(wanted, bans, state.commit)


def test_a_long_order_goes_in_parts_and_has_one_answer():
    networks = [f"10.{number >> 8}.{number & 255}.1" for number in range(25_000)]
    parts = [message_of(part) for part in in_parts(BanOrder([Item(one, "x") for one in networks]))]
    assert [len(part["bans"]) for part in parts] == [5_000] * 5
    assert [item["network"] for part in parts for item in part["bans"]] == networks
    lifted = [message_of(part) for part in in_parts(UnbanOrder(networks, "x"))]
    assert (len(lifted), len(lifted[-1]["networks"]), lifted[-1]["label"]) == (5, 5_000, "x")
    for whole in (UnbanOrder(None), UnbanOrder([]), BanOrder([])):
        assert in_parts(whole) == [whole]
    answer = joined(
        [
            Answer(["10.0.0.1"], refused={"no": ["10.0.0.2"]}, faults=["a"]),
            Answer(["10.0.0.3"], refused={"no": ["10.0.0.4"], "why": ["10.0.0.5"]}, faults=["a"]),
        ]
    )
    assert answer == Answer(
        ["10.0.0.1", "10.0.0.3"],
        refused={"no": ["10.0.0.2", "10.0.0.4"], "why": ["10.0.0.5"]},
        faults=["a"],
    )


def test_what_is_known_of_many_is_looked_up_at_once(bans, state):
    order = BanOrder([Item(f"203.0.113.{number}", "x") for number in range(1, 100)])
    carry_out(BanOrder(order.bans[::2]), bans, state.commit)
    carry_out(UnbanOrder(None), bans, state.commit)
    seen = []
    state.db.set_trace_callback(lambda query: seen.append("FROM offenders" in query))
    carry_out(order, bans, state.commit)
    state.db.set_trace_callback(None)
    assert sum(seen) == 0  # one by one, they are read by this
    counts = {key.network: one.count for key, one in state.bans.asked_for.items()}
    assert counts == {f"203.0.113.{number}": 1 + number % 2 for number in range(1, 100)}
