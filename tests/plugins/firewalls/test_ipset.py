"""Real packets against real sets and iptables rules, in network namespaces."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pyruse import Sets, Target
from pyruse.errors import ConfigError
from pyruse.testing import wait_until
from pyruse_plugins.firewalls.ipset import Ipset
from tests.plugins.firewalls.configured import configured

pytestmark = pytest.mark.realparts

DEPLOY = Path(__file__).parents[3] / "deploy"
PROGRAMS = {"command": "ipset", "iptables": "iptables", "ip6tables": "ip6tables"}


def opened(**options):
    return configured(Ipset, "ipset", options)


@pytest.fixture
def ipset(machines):
    """Run ipset on the server, as its administrator does."""
    return lambda words: machines.server.run(["ipset", *words.split()])


@pytest.fixture
def open_there(machines, driver):
    """Open the firewall of the server."""

    def open_it(**options):
        inside = {name: [*machines.server.prefix, program] for name, program in PROGRAMS.items()}
        return driver(opened(**inside, **options))

    return open_it


@pytest.fixture
def firewall(open_there):
    return open_there()


def test_packets_of_the_banned_are_dropped_and_no_others(machines, firewall):
    firewall.ban("192.0.2.7", "2001:db8::6/127")
    assert machines.dropped() == ["192.0.2.7", "2001:db8::6", "2001:db8::7"]
    assert machines.dropped(80, "udp") == ["192.0.2.7", "2001:db8::6", "2001:db8::7"]


def test_a_ban_ends_by_itself_unless_it_is_renewed(machines, firewall):
    firewall.ban("192.0.2.6", "192.0.2.7", "192.0.2.99", seconds=1)
    firewall.ban("192.0.2.7")
    firewall.ban("192.0.2.99", seconds=None)
    wait_until(machines.dropped, lambda dropped: dropped == ["192.0.2.7", "192.0.2.99"])


def test_unbanning_ends_a_ban_and_no_other_also_of_overlapping_networks(machines, firewall):
    firewall.ban("192.0.2.6/31", "192.0.2.0/24", "192.0.2.7", "2001:db8::7")
    firewall.unban("192.0.2.6/31", "192.0.2.0/24", "2001:db8::7", "203.0.113.9")
    assert machines.dropped() == ["192.0.2.7"]


def test_sets_are_made_when_they_are_first_needed(firewall, ipset):
    firewall.ban("192.0.2.7")
    assert ipset("list -n").split() == ["pyruse4"]
    firewall.ban("2001:db8::7")
    assert "family inet hashsize 1024 maxelem 1000000 timeout 0" in ipset("list pyruse4")
    assert "family inet6 hashsize 1024 maxelem 1000000 timeout 0" in ipset("list pyruse6")


def test_sets_that_are_there_are_taken_as_they_are(firewall, ipset):
    ipset("create pyruse4 hash:ip timeout 7 maxelem 50")
    firewall.ban("192.0.2.7")
    assert "192.0.2.7" in ipset("list pyruse4")


def test_sets_that_somebody_destroyed_are_made_again_and_all_the_bans_are_asked_for(
    machines, firewall, ipset
):
    firewall.ban("192.0.2.7")
    machines.server.run(["iptables", "-t", "raw", "-F"])
    ipset("destroy")
    refusal = firewall.refuses("192.0.2.6")
    assert refusal.emptied
    assert refusal.networks == []
    assert "192.0.2.6 " in ipset("list pyruse4")


def test_what_ipset_cannot_count_is_for_ever(firewall, ipset):
    firewall.ban("192.0.2.7", seconds=2_147_483)
    firewall.ban("192.0.2.99", seconds=60)
    firewall.ban("192.0.2.6", "192.0.2.99", seconds=2_147_484)
    members = ipset("list pyruse4").split("Members:")[1].split("\n")
    assert "192.0.2.6 timeout 0" in members
    assert "192.0.2.99 timeout 0" in members
    assert "192.0.2.7 timeout 0" not in members


def test_sets_of_the_administrator_are_filled(firewall, ipset):
    ipset("create mail4 hash:ip timeout 0")
    ipset("create mail6 hash:ip family inet6 timeout 0")
    firewall.ban("192.0.2.7", "2001:db8::7", sets=Sets("mail4", "mail6"))
    assert "192.0.2.7 timeout" in ipset("list mail4")
    assert "2001:db8::7 timeout" in ipset("list mail6")
    firewall.unban("192.0.2.7", "2001:db8::7", sets=Sets("mail4", "mail6"))
    assert "192.0.2.7" not in ipset("list mail4")
    assert "pyruse" not in ipset("list -n")


def test_a_set_without_timeouts_takes_bans_for_ever_and_refuses_others(firewall, ipset):
    ipset("create mail hash:ip")
    firewall.ban("192.0.2.6", seconds=None, sets=Sets("mail"))
    refusal = firewall.refuses("192.0.2.7", sets=Sets("mail"))
    assert refusal.text == (
        "ipset: mail: 192.0.2.7: Timeout cannot be used: set was created without timeout support"
    )
    assert "192.0.2.6\n" in ipset("list mail")


def test_one_bad_element_does_not_hold_up_the_others(firewall, ipset):
    ipset("create mail hash:ip timeout 0")
    add = [
        *firewall.elements("192.0.2.1", "0.0.0.0/0", "2001:db8::7", "192.0.2.2", seconds=60),
        *firewall.elements("192.0.2.3", seconds=60, sets=Sets("nosuch")),
        *firewall.elements("192.0.2.4", "2001:db8::7", seconds=60, sets=Sets("mail")),
    ]
    refusal = firewall.refused(lambda: firewall.firewall.apply(add, []))
    assert refusal.networks == ["2001:db8::7/128", "192.0.2.3/32", "0.0.0.0/0"]
    assert refusal.text == (
        "ipset: 2001:db8::7: no set is named for IPv6, so nobody is banned (expected ipv6 in sets, "
        "too); nosuch: 192.0.2.3: The set with the given name does not exist; "
        "pyruse4: 0.0.0.0/0: The value of the CIDR parameter of the IP address is invalid"
    )
    assert "192.0.2.2 timeout" in ipset("list pyruse4")
    assert "192.0.2.4 timeout" in ipset("list mail")


@pytest.mark.parametrize("name", ["two words", "a\ndestroy", "-exist", "x" * 32, "é"])
def test_hostile_names_of_sets_are_refused(driver, name):
    with pytest.raises(ValueError, match=r"is no set of ipset \(expected one word of at most 31"):
        driver(opened()).check(sets=Sets(ipv6=name))
    assert "is no set of ipset" in driver(opened()).refuses("::2", sets=Sets(ipv6=name)).text


def test_the_rules_are_made_once_and_come_back_when_somebody_removed_them(machines, firewall):
    firewall.ban("192.0.2.7")
    firewall.ban("192.0.2.6")
    assert rules(machines, "iptables") == 1
    assert rules(machines, "ip6tables") == 0
    machines.server.run(["iptables", "-t", "raw", "-F"])
    assert not firewall.firewall.intact()
    firewall.ban("192.0.2.99")
    assert firewall.firewall.intact()
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7", "192.0.2.99"]


def test_rules_may_be_left_to_the_administrator(machines, open_there, ipset):
    ipset("create pyruse4 hash:net timeout 0")
    match = ["-m", "set", "--match-set", "pyruse4", "src"]
    machines.server.run(["iptables", "-I", "INPUT", *match, "-j", "DROP"])
    firewall = open_there(rules=False)
    firewall.ban("192.0.2.7")
    assert machines.dropped() == ["192.0.2.7"]
    assert rules(machines, "iptables") == 0
    firewall.teardown("192.0.2.7")
    assert machines.dropped() == []
    assert "Number of entries: 0" in ipset("list pyruse4")


def test_a_rule_that_is_not_taken_is_told(machines, driver):
    inside = [*machines.server.prefix, "ipset"]
    firewall = driver(opened(command=inside, iptables=["/bin/false"]))
    assert firewall.refuses("192.0.2.7").text == (
        "ipset: /bin/false: failed with exit code 1 (expected the rule for the set pyruse4 to be "
        "taken; or rules = false in [bans.ipset], and a rule of yours)"
    )


def test_reconciling_leaves_what_is_wanted_and_nothing_else(machines, firewall, ipset):
    ipset("create theirs hash:net timeout 0")
    ipset("add theirs 192.0.2.1")
    firewall.ban("192.0.2.6", "192.0.2.99", "2001:db8::7", seconds=600)
    firewall.ban("192.0.2.6", sets=Sets("theirs"))
    firewall.firewall.reconcile(
        [
            *firewall.elements("192.0.2.7", "192.0.2.99", seconds=None),
            *firewall.elements("192.0.2.7", seconds=60, sets=Sets("theirs")),
        ],
        firewall.elements("192.0.2.6", "2001:db8::6"),  # not there by now, as it may be
    )
    assert machines.dropped() == ["192.0.2.7", "192.0.2.99"]
    assert "192.0.2.99 timeout 0\n" in ipset("list pyruse4")
    assert ipset("save theirs").count("add theirs 192.0.2.") == 3


def test_reconciling_with_nothing_makes_nothing(firewall, ipset):
    firewall.reconcile()
    assert ipset("list -n") == ""


def test_a_teardown_leaves_nothing_of_pyruse(machines, firewall, ipset):
    ipset("create theirs hash:net timeout 0")
    ipset("add theirs 192.0.2.1")
    firewall.ban("192.0.2.7", "2001:db8::7")
    firewall.ban("192.0.2.6", sets=Sets("theirs"))
    firewall.firewall.teardown(
        [
            *firewall.elements("192.0.2.7", "2001:db8::7"),
            *firewall.elements("192.0.2.6", sets=Sets("theirs")),
        ]
    )
    assert ipset("list -n") == "theirs\n"
    assert ipset("save theirs").count("add theirs") == 1
    assert machines.dropped() == []
    firewall.teardown()
    assert rules(machines, "iptables") == rules(machines, "ip6tables") == 0


def test_ports_are_not_for_ipset(driver):
    with pytest.raises(ValueError, match=r"ports cannot be closed by ipset \(expected no ports"):
        driver(opened()).check(ports=(22,))
    assert "ports cannot be closed" in driver(opened()).refuses("192.0.2.7", ports=(22,)).text


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"table": "x"}, ".table: unknown option (expected one of: command, rules, iptables, "),
        ({"rules": 1}, ".rules: 1 is of the wrong type (expected true or false)"),
        ({"iptables": "x"}, '.iptables: "x" is no program (expected a list: the program and its '),
    ],
)
def test_faulty_options(options, said):
    with pytest.raises(ConfigError) as caught:
        opened(**options)
    assert caught.value.faults[0].startswith(f"bans.ipset{said}")


def test_it_is_the_firewall_of_its_own_name_alone():
    assert Ipset().open_firewall("nftables") is None


def rules(machines, program):
    """How many rules there are with a set of Pyruse's."""
    return machines.server.run([program, "-t", "raw", "-S"]).count("--match-set pyruse")


@pytest.mark.parametrize("drop_in", [True, False], ids=["with ipset.conf", "the unit alone"])
def test_what_the_unit_and_its_drop_in_allow_is_enough_for_iptables(machines, driver, drop_in):
    files = ["pyruse.service", *(["ipset.conf"] if drop_in else [])]
    lines = "\n".join((DEPLOY / file).read_text() for file in files)
    allowed = re.findall("^AmbientCapabilities=CAP_(\\w+)$", lines, re.MULTILINE)
    rights = ",".join(f"+{name.lower()}" for name in allowed)
    as_service = [
        *machines.server.prefix, "setpriv", "--reuid=nobody", "--clear-groups",
        f"--inh-caps={rights}", f"--ambient-caps={rights}",
    ]  # fmt: skip
    firewall = driver(
        opened(**{option: [*as_service, program] for option, program in PROGRAMS.items()})
    )
    if drop_in:
        firewall.ban("192.0.2.7", "2001:db8::7")
        assert machines.dropped() == ["192.0.2.7", "2001:db8::7"]
    else:
        said = firewall.refuses("192.0.2.7").text
        assert "Can't open socket to ipset" in said
        assert "(expected the capability CAP_NET_RAW, from the drop-in ipset.conf" in said


@pytest.fixture
def owned(open_there):
    """``owned("0123456789ab")``: a firewall of this owner, on the server."""
    made = []

    def make(owner, **options):
        one = open_there(**options)
        one.firewall.owner = owner
        made.append(one.firewall)
        return one

    yield make
    for firewall in made:
        firewall.close()


def test_two_that_run_do_not_take_each_others_bans(machines, owned, ipset):
    one, two = owned("0" * 12), owned("1" * 12)
    one.reconcile("192.0.2.6")
    two.reconcile("192.0.2.7")
    one.reconcile("192.0.2.6")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7"]
    (doubt,) = two.firewall.doubts([])
    assert "so bans are in pyruse4_2 and pyruse6_2" in doubt
    one.firewall.close()
    two.firewall.close()
    again = owned("1" * 12)
    again.reconcile("192.0.2.99")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.99"], "what it had, also when it is alone"
    again.teardown()
    assert sorted(ipset("list -n").split()) == ["pyruse4", f"pyruse_{'0' * 12}"]


def test_with_rules_of_the_administrators_a_second_one_says_why_not(owned):
    owned("0" * 12, rules=False).reconcile("192.0.2.6")
    second = owned("1" * 12, rules=False)
    refusal = second.refused(lambda: second.reconcile("192.0.2.7"))
    assert "belong to another Pyruse that runs on this machine" in refusal.text


def test_what_is_left_of_one_that_runs_no_more_is_taken_over(machines, owned, ipset):
    one = owned("0" * 12)
    one.reconcile("192.0.2.6")
    one.firewall.close()
    owned("1" * 12).reconcile("192.0.2.7")
    assert machines.dropped() == ["192.0.2.7"]
    assert sorted(ipset("list -n").split()) == ["pyruse4", f"pyruse_{'1' * 12}"]


def test_what_is_wrong_with_a_set_of_the_administrators_is_told(firewall, ipset):
    ipset("create ports bitmap:port range 0-9 timeout 0")
    ipset("create addresses hash:ip")
    ipset("create right hash:net timeout 0")
    for name, said in (
        ("ports", ["its type is bitmap:port, so it takes no ban (expected hash:net)"]),
        ("addresses", ["its type is hash:ip, which takes each address of a network by itself, as "
                       "prefix4 and prefix6 ban (expected hash:net)",
                       "it takes no ban that ends (expected timeout 0)"]),
        ("right", []),
    ):  # fmt: skip
        target = Target("ipset", Sets(ipv4=name))
        doubts = firewall.firewall.doubts([target], [target])
        assert doubts == [f"ipset: the set {name}: {one}" for one in said]
    (doubt,) = firewall.firewall.doubts([Target("ipset", Sets(ipv6="nosuch"))])
    assert doubt.startswith("ipset: there is no set nosuch (expected it to be there before the")
