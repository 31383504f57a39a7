"""Lists of bans: those of the ecosystem, and what was exported is what is imported."""

from __future__ import annotations

import ipaddress
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.addresses import list_lines, listed_networks, text_around
from pyruse.api.bans import Ban
from pyruse.api.firewall import Sets, Target
from pyruse.bans.lists import read, restore, title, write
from pyruse.bans.orders import Item, Where
from pyruse.errors import FaultsError, UserError
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
        "192.0.2.0/24", "198.51.100.7", "2001:db8::1", "2001:db8::2", "203.0.113.0/24",
        "203.0.113.7", "fe80::1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "note",
    [
        '{"label":"x","where":{"sets":{"ipv4":"inet filter trusted"}}}',
        '{"label":"manual","before":1000000}',
        '{"label":"x","until":"2999-01-01T00:00:00Z","where":{"ports":[9]}}',
        "{not ours}",
    ],
)
@pytest.mark.parametrize("begin", ["", title("today") + "\n"])
def test_of_a_list_nothing_but_the_addresses_is_taken(note, begin):
    assert list(read(f"{begin}192.0.2.7 # {note}\n", "list", "spam", NOW)) == [
        Item("192.0.2.7", "spam", "from list", NOW)
    ]


def restored(*lines, label=None, until=None):
    return restore("\n".join([title("today"), *lines]), "list", label, until)


def test_of_an_export_the_options_win_over_what_its_lines_say():
    line = '192.0.2.7 # {"label":"x","until":"2999-01-01T00:00:00Z","reason":"r","before":3}'
    (item,) = restored(line, label="drop", until=NOW)
    assert item == Item("192.0.2.7", "drop", "r", NOW, before=3)


def test_a_line_that_was_added_to_an_export():
    assert restored("192.0.2.7") == [Item("192.0.2.7", "import", "from list")]


def test_a_list_is_no_export():
    with pytest.raises(UserError) as refused:
        restore('192.0.2.7 # {"label":"x"}\n', "list", None, None)
    assert str(refused.value) == (
        "list: is no export of Pyruse (expected what `pyruse bans --export` has printed; lists of "
        "others, and databases of fail2ban, are for --import)"
    )


@pytest.mark.parametrize(
    ("note", "fault"),
    [
        ("seen today", "list:2: the note is not understood: "),
        ('{"before":1}', "list:2: the note is not understood: "),
        ('{"label":"x","before":1000001}', "list:2: the note is not understood: "),
        (
            '{"label":"' + "x" * 201 + '"}',
            "list:2: the label has 201 characters (expected 200 at most)",
        ),
    ],
)
def test_notes_that_are_not_understood_are_told_of(note, fault):
    with pytest.raises(FaultsError) as refused:
        restored(f"192.0.2.7 # {note}")
    told = refused.value.faults
    assert told[0].startswith(fault)
    assert told[1:] == ["list: nothing was imported"]


def test_a_label_that_is_too_long_is_exported_as_one_that_can_be_restored():
    ban = Ban("192.0.2.7", "x" * 300, NOW, None, "", "", 1, Target("nftables"))
    (item,) = restored(*write([ban], "nftables"))
    assert item.label == "x" * 200


def test_lines_that_are_no_networks_are_told_of_all_at_once():
    text = "192.0.2.7\n<html>\n203.0.113.7; flush ruleset\nexample.org # a name\n"
    with pytest.raises(FaultsError) as refused:
        read(text, "list", "import", None)
    first, second, last = refused.value.faults
    assert first.startswith('list:2: "<html>" is no network (expected an address')
    assert second.startswith('list:4: "example.org " is no network')
    assert last == "list: nothing was imported"


def test_very_many_faulty_lines_are_not_all_shown():
    with pytest.raises(FaultsError) as refused:
        read("x\n" * 2000, "list", "import", None)
    told = refused.value.faults
    assert [one.partition(": ")[0] for one in told[:-2]] == [f"list:{n}" for n in range(1, 11)]
    assert told[-2:] == [
        "list: 1,990 more lines are not understood",
        "list: nothing was imported",
    ]


def test_plain_addresses_are_read_as_all_others_are():
    texts = ["1.2.3.4", " 1.2.3.4\r", "01.2.3.4", "1.2.3", "1.2.3.4.5", "1.2.3.4\0", "١.2.3.4"]
    for text in texts:
        (numbered,) = listed_networks(text)
        ((number, network, comment),) = list_lines(text)
        if isinstance(network, ValueError):
            assert str(numbered[1]) == str(network)
        else:
            assert numbered == (number, str(network.network_address), comment)
    assert [number for number, _, _ in listed_networks("\n1.2.3.4\n\nx\n")] == [2, 4]


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
    st.lists(st.integers(1, 65535) | st.just("1000-2000"), max_size=3).map(tuple),
    st.none() | st.sampled_from(["tcp", "icmp"]),
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
def test_an_export_is_restored_as_it_was(bans):
    text = "".join(f"{line}\n" for line in [title("today"), *write(bans, "nftables")])
    assert printable(text) == text
    items = restore(text, "list", None, None)
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
        assert where.protocol == ban.target.protocol


def test_networks_that_have_grown_are_left_out_since_their_members_are_not():
    target = Target("nftables")
    ban = Ban("203.0.113.0/24", "aggregate", NOW, None, "", "", 1, target, grown=True)
    assert list(write([ban], "nftables")) == []


def test_the_order_of_lines_does_not_matter():
    lines = [f"203.0.113.{last}" for last in range(9)]
    shuffled = random.Random(7).sample(lines, 9)
    assert sorted(networks("\n".join(shuffled))) == lines
