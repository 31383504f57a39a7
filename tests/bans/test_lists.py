"""Lists of bans: those of the ecosystem, and what was exported is what is imported."""

from __future__ import annotations

import ipaddress
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.addresses import text_around
from pyruse.api.bans import Ban
from pyruse.api.firewall import Sets, Target
from pyruse.bans.lists import read, write
from pyruse.bans.orders import Item, Where
from pyruse.errors import UserError
from pyruse.text import printable

NOW = 1_773_489_600_000_000


def networks(text):
    return [item.network for item in read(text, "list", "import", None)]


def test_lists_of_the_ecosystem():
    text = (
        "\ufeff; Spamhaus DROP List\r\n"
        "192.0.2.0/24 ; SBL256894\r\n"
        "\r\n"
        "# FireHOL\n"
        "  203.0.113.7\t# seen today\n"
        "203.0.113.9/24\n"
        "2001:db8::1\n"
        "::ffff:198.51.100.7\n"
        "[2001:db8::2]\n"
        "fe80::1%eth0"
    )
    assert networks(text) == [
        "192.0.2.0/24", "203.0.113.7", "203.0.113.0/24", "2001:db8::1", "198.51.100.7",
        "2001:db8::2", "fe80::1",
    ]  # fmt: skip


def test_where_a_line_says_nothing_the_options_do():
    assert read("192.0.2.7 # {not ours}\n", "list", "spam", NOW) == [
        Item("192.0.2.7", "spam", "from list", NOW)
    ]


def test_lines_that_are_no_networks_are_told_of_all_at_once():
    text = "192.0.2.7\n<html>\n203.0.113.7; flush ruleset\nexample.org # a name\n"
    with pytest.raises(UserError) as refused:
        read(text, "list", "import", None)
    assert 'list:2: "<html>" is no network (expected an address' in str(refused.value)
    assert 'list:4: "example.org " is no network' in str(refused.value)
    assert str(refused.value).endswith("; so nothing was imported")


def test_very_many_faulty_lines_are_not_all_shown():
    with pytest.raises(UserError) as refused:
        read("x\n" * 1000, "list", "import", None)
    assert "list:10: " in str(refused.value)
    assert "list:11: " not in str(refused.value)
    assert "and 990 more lines" in str(refused.value)


@settings(deadline=None)
@given(st.text(alphabet=st.characters(codec="utf-8")))
def test_no_text_is_too_strange(text):
    try:
        items = read(text, "list", "import", None)
    except UserError:
        return
    for item in items:
        ipaddress.ip_network(item.network)


SETS = st.builds(Sets, st.just("ip mail banned"), st.none() | st.just("ip6 mail banned"))
TARGETS = st.builds(
    Target,
    st.sampled_from(["nftables", "other"]),
    st.none() | SETS,
    st.lists(st.integers(1, 65535), max_size=3).map(tuple),
)
WORDS = st.text(alphabet=st.characters(codec="utf-8"), max_size=30)
NETWORKS = st.builds(
    text_around,
    # IPv4 written in IPv6 becomes IPv4.
    st.ip_addresses(v=4) | st.ip_addresses(v=6, network="2001:db8::/32"),
    st.integers(0, 32), st.integers(0, 128),
)  # fmt: skip
BANS = st.builds(
    Ban,
    NETWORKS,
    WORDS,
    st.just(NOW),
    st.none() | st.integers(0, 1 << 52),
    WORDS,
    st.just(""),
    st.integers(1, 1001),
    TARGETS,
)  # fmt: skip


@settings(deadline=None)
@given(st.lists(BANS, max_size=5))
def test_an_export_is_imported_as_it_was(bans):
    text = "".join(f"{line}\n" for line in write(bans, "nftables"))
    assert printable(text) == text
    items = read(text, "list", "import", 7)
    assert [(item.network, item.label, item.reason, item.until, item.before) for item in items] == [
        (ban.network, ban.label, ban.reason, ban.until, ban.count - 1) for ban in bans
    ]
    for item, ban in zip(items, bans, strict=True):
        where = item.where or Where("nftables")
        sets = None if ban.target.sets is None else {
            "ipv4": ban.target.sets.ipv4, "ipv6": ban.target.sets.ipv6
        }  # fmt: skip
        assert (where.backend, where.sets) == (ban.target.backend, sets)
        assert tuple(where.ports) == ban.target.ports


def test_networks_that_have_grown_are_left_out_since_their_members_are_not():
    target = Target("nftables")
    ban = Ban("203.0.113.0/24", "aggregate", NOW, None, "", "", 1, target, grown=True)
    assert list(write([ban], "nftables")) == []


def test_the_order_of_lines_does_not_matter():
    lines = [f"203.0.113.{last}" for last in range(9)]
    shuffled = random.Random(7).sample(lines, 9)
    assert sorted(networks("\n".join(shuffled))) == lines
