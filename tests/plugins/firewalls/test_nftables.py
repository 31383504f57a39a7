"""Real packets against real rules, in network namespaces."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
import tracemalloc

import pytest

from pyruse import FirewallError, Networks, Sets, Target
from pyruse.bans.in_force import Cause
from pyruse.bans.policy import Policy
from pyruse.bans.service import Bans
from pyruse.errors import ConfigError
from pyruse.state.database import State
from pyruse.testing import wait_until
from pyruse.testing.machines import SOURCES
from pyruse.testing.namespace import NetworkNamespace
from pyruse.testing.processes import has_ended
from pyruse.times import now_us
from pyruse_plugins.firewalls.nftables import Nftables
from tests.bans.asked import request
from tests.plugins.firewalls.configured import configured

pytestmark = pytest.mark.realparts

MAIL = Sets(ipv4="ip mail banned", ipv6="ip6 mail banned")


def opened(**options):
    return configured(Nftables, "nftables", options)


@pytest.fixture
def firewall(machines, driver):
    return driver(opened(command=[*machines.server.prefix, "nft"]))


@pytest.fixture
def nft(machines):
    """Run nft on the server, as its administrator does."""
    return lambda *words: machines.server.run(["nft", *words])


def test_packets_of_the_banned_are_dropped_and_no_others(machines, firewall):
    firewall.ban("192.0.2.7", "2001:db8::6")
    assert machines.dropped() == ["192.0.2.7", "2001:db8::6"]
    assert machines.dropped(80, "udp") == ["192.0.2.7", "2001:db8::6"]


def test_a_ban_ends_by_itself(machines, firewall):
    firewall.ban("192.0.2.7", "192.0.2.6/31")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7"]
    firewall.ban("192.0.2.7", "192.0.2.6/31", seconds=1)
    wait_until(machines.dropped, lambda dropped: not dropped)


def test_banning_again_sets_the_time_anew(machines, firewall):
    firewall.ban("192.0.2.7", "2001:db8::7", seconds=1)
    firewall.ban("192.0.2.7", seconds=600)
    firewall.ban("2001:db8::7", seconds=None)
    firewall.ban("192.0.2.99", seconds=1)  # ends when the others would have ended
    wait_until(machines.dropped, lambda dropped: "192.0.2.99" not in dropped)
    assert machines.dropped() == ["192.0.2.7", "2001:db8::7"]


def test_banning_again_may_make_the_time_shorter(machines, firewall):
    firewall.ban("192.0.2.7", seconds=None)
    firewall.ban("192.0.2.7", seconds=1)
    wait_until(machines.dropped, lambda dropped: not dropped)


def test_unbanning_ends_a_ban_and_no_other(machines, firewall):
    firewall.ban("192.0.2.7", "192.0.2.6/31", "2001:db8::7")
    firewall.unban("192.0.2.6/31", "2001:db8::7", "203.0.113.9")
    assert machines.dropped() == ["192.0.2.7"]


def test_networks_may_overlap_in_any_order(machines, firewall):
    firewall.ban("192.0.2.6/31", "2001:db8::/64")
    firewall.ban("192.0.2.7", "192.0.2.0/25", "192.0.2.0/24", "2001:db8::6/127")
    firewall.unban("192.0.2.0/24", "192.0.2.0/25", "2001:db8::/64")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7", "2001:db8::6", "2001:db8::7"]


def test_ports_are_closed_to_the_banned_for_tcp_and_udp(machines, firewall):
    firewall.ban("192.0.2.7", "2001:db8::6/127", ports=(22, 443))
    assert machines.dropped(22) == ["192.0.2.7", "2001:db8::6", "2001:db8::7"]
    assert machines.dropped(22, "udp") == ["192.0.2.7", "2001:db8::6", "2001:db8::7"]
    assert machines.dropped(80) == []


def test_a_protocol_is_closed_to_the_banned(machines, firewall):
    firewall.ban("192.0.2.7", protocol="tcp")
    firewall.ban("192.0.2.6", "2001:db8::6", protocol="icmp")
    assert machines.dropped() == ["192.0.2.7"]
    assert machines.dropped(kind="udp") == []
    firewall.unban("192.0.2.7", protocol="tcp")
    assert machines.dropped() == []


def test_ranges_of_ports_are_closed_to_the_banned_for_one_protocol(machines, firewall, nft):
    firewall.ban("192.0.2.7", "2001:db8::6/127", ports=(22, "70-90"), protocol="udp")
    assert machines.dropped(80, kind="udp") == ["192.0.2.7", "2001:db8::6", "2001:db8::7"]
    assert machines.dropped(22, kind="udp") == ["192.0.2.7", "2001:db8::6", "2001:db8::7"]
    assert machines.dropped(80) == []
    firewall.reconcile("192.0.2.7", ports=(22, "70-90"), protocol="udp")
    assert machines.dropped(80, kind="udp") == ["192.0.2.7"]
    assert "set ipv4_udp_ports_22_70to90 {" in nft("list", "ruleset")


def test_bans_of_other_ports_are_kept_apart(machines, firewall):
    firewall.ban("192.0.2.7", ports=(22,))
    firewall.ban("192.0.2.7", ports=(80,))
    firewall.unban("192.0.2.7", ports=(22,))
    assert machines.dropped(22) == []
    assert machines.dropped(80) == ["192.0.2.7"]


def test_however_many_ports_there_are_the_name_of_the_set_is_short(machines, firewall, nft):
    firewall.ban("192.0.2.7", ports=tuple(range(1, 2000)))
    firewall.ban("192.0.2.7", ports=tuple(range(1, 2001)))
    names = [one["set"]["name"] for one in listed(nft, "sets") if "set" in one]
    assert len(set(names)) == 2
    assert all(len(name) < 50 for name in names)
    assert machines.dropped(22) == ["192.0.2.7"]


def test_what_is_forwarded_to_a_container_is_dropped_by_the_port_that_was_asked_for(
    machines, firewall, nft
):
    with NetworkNamespace() as container:
        machines.server.connect(container, ["10.0.0.1/24"], ["10.0.0.2/24"])
        container.run(["ip", "route", "add", "default", "via", "10.0.0.1"])
        machines.server.run(["sysctl", "-qw", "net.ipv4.ip_forward=1"])
        machines.listen(container, 8080)
        nft("add table ip nat; add chain ip nat pre { type nat hook prerouting priority -100; }")
        nft("add rule ip nat pre tcp dport 8000 dnat to 10.0.0.2:8080")
        sources = ["192.0.2.6", "192.0.2.7"]
        assert machines.dropped(8000, sources=sources) == []
        firewall.ban("192.0.2.7", ports=(8000,))
        assert machines.dropped(8000, sources=sources) == ["192.0.2.7"]


def test_rules_are_not_doubled_and_come_back_when_somebody_removed_them(machines, firewall, nft):
    firewall.ban("192.0.2.7")
    firewall.ban("192.0.2.99")
    assert sum("rule" in one for one in listed(nft, "chain inet pyruse ipv4")) == 1
    nft("flush table inet pyruse")
    firewall.ban("192.0.2.6")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7", "192.0.2.99"]


@pytest.mark.parametrize("removal", ["flush ruleset", "delete table inet pyruse"])
def test_a_table_that_somebody_removed_is_made_again_and_all_the_bans_are_asked_for(
    machines, firewall, nft, removal
):
    firewall.ban("192.0.2.7", "2001:db8::7")
    nft(removal)
    refusal = firewall.refuses("192.0.2.6", ports=(22,))
    assert refusal.emptied
    assert refusal.networks == []
    assert refusal.text == ("nftables: somebody removed its sets, so all bans are put there again")
    assert machines.dropped() == ["192.0.2.6"]


def test_all_bans_are_back_after_a_reload_of_the_rules_and_the_next_ban(machines, firewall, nft):
    bans = Bans(State(), Policy("nftables", Networks([]), set), lambda _: firewall.firewall)
    said: list[Exception] = []
    for address in ("192.0.2.7", "2001:db8::7", "192.0.2.6"):
        bans.ban(request(address), Cause(now_us()))
        if address == "192.0.2.6":
            nft("flush ruleset")
        bans.enforce(said.append)
    bans.enforcement.close()
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7", "2001:db8::7"]
    assert [str(fault) for fault in said] == [
        "nftables: somebody removed its sets, so all bans are put there again"
    ]


def test_reconciling_leaves_what_is_wanted_and_nothing_else(machines, firewall, nft):
    mail_sets(nft)
    nft("add element ip mail banned { 192.0.2.99 }")
    firewall.ban("192.0.2.6", "192.0.2.99", "2001:db8::6/127", seconds=600)
    firewall.ban("192.0.2.99", ports=(80,))
    firewall.firewall.reconcile(
        [
            *firewall.elements("192.0.2.7", seconds=None),
            *firewall.elements("192.0.2.99", seconds=60),
            *firewall.elements("192.0.2.6", seconds=60, sets=MAIL),
        ],
        [
            *firewall.elements("192.0.2.7", sets=MAIL),
            *firewall.elements("192.0.2.6", "192.0.2.6/31"),  # not there by now, as it may be
        ],
    )
    assert machines.dropped(80) == ["192.0.2.7", "192.0.2.99"]
    assert machines.dropped(22) == ["192.0.2.6", "192.0.2.7", "192.0.2.99"]
    assert re.search(r"192\.0\.2\.7,|192\.0\.2\.7 }", nft("list set inet pyruse ipv4"))
    assert "192.0.2.99 timeout 1m " in nft("list set inet pyruse ipv4")
    assert names(nft) == ["counter dropped", "set ipv4", "chain ipv4"]
    firewall.reconcile()
    assert names(nft) == ["counter dropped"]
    assert machines.dropped(22) == ["192.0.2.6", "192.0.2.99"]


def test_reconciling_with_nothing_makes_nothing(firewall, nft):
    firewall.reconcile()
    assert nft("list ruleset") == ""


def test_a_packet_count_survives_a_restart(machines, firewall, nft):
    firewall.ban("192.0.2.7")
    machines.dropped(sources=["192.0.2.7"])
    before = packets(nft)
    firewall.reconcile("192.0.2.7")
    assert packets(nft) >= before > 0


def test_a_table_of_another_make_is_replaced(machines, firewall, nft):
    nft("add table inet pyruse")
    nft("add set inet pyruse ipv4 { type ipv6_addr; }")
    nft("add chain inet pyruse mine; add rule inet pyruse mine ip6 saddr @ipv4 drop")
    firewall.reconcile("192.0.2.7", "2001:db8::6/127")
    assert machines.dropped() == ["192.0.2.7", "2001:db8::6", "2001:db8::7"]
    assert "mine" not in nft("list ruleset")


def test_what_the_administrators_sets_refuse_does_not_hold_up_reconciling(machines, firewall, nft):
    mail_sets(nft)
    firewall.ban("192.0.2.99")
    add = [
        *firewall.elements("192.0.2.7", seconds=60),
        *firewall.elements("192.0.2.4/30", "192.0.2.6", seconds=60, sets=MAIL),
    ]
    refusal = firewall.refused(lambda: firewall.firewall.reconcile(add, []))
    assert refusal.networks == ["192.0.2.4/30"]
    assert not refusal.emptied
    assert machines.dropped(22) == ["192.0.2.6", "192.0.2.7"]


def test_a_teardown_leaves_nothing_of_pyruse(machines, firewall, nft):
    mail_sets(nft)
    nft("add element ip mail banned { 192.0.2.99 }")
    firewall.ban("192.0.2.6", "2001:db8::7", ports=(80,))
    firewall.ban("192.0.2.7", sets=MAIL)
    firewall.firewall.teardown(
        [*firewall.elements("192.0.2.6"), *firewall.elements("192.0.2.7", sets=MAIL)]
    )
    assert "pyruse" not in nft("list ruleset")
    assert machines.dropped(22) == ["192.0.2.99"]
    assert machines.dropped(80) == []
    firewall.teardown()


@pytest.mark.parametrize("seconds", [3_000_000_000, 300_000_000_000, 86_400 * 36_500])
def test_very_long_bans(machines, firewall, seconds):
    firewall.ban("192.0.2.7", seconds=seconds)
    assert machines.dropped(sources=["192.0.2.7"]) == ["192.0.2.7"]


def test_the_whole_internet_is_a_network(machines, firewall):
    firewall.ban("0.0.0.0/0", "::/0", ports=(22,))
    assert machines.dropped(22) == list(SOURCES)
    assert machines.dropped(80) == []


def test_another_program_at_the_same_table_does_no_harm(machines, firewall, driver):
    firewall.ban("192.0.2.7", ports=(22,))
    other = driver(opened(command=[*machines.server.prefix, "nft"]))
    other.ban("192.0.2.6", "192.0.2.99/32")
    other.unban("192.0.2.6")
    firewall.ban("2001:db8::7")
    assert machines.dropped() == ["192.0.2.7", "192.0.2.99", "2001:db8::7"]


def test_dropped_packets_go_on_being_counted(machines, firewall, nft):
    firewall.ban("192.0.2.7")
    machines.dropped()
    before = packets(nft)
    firewall.ban("192.0.2.6")
    machines.dropped()
    assert 0 < before < packets(nft)


def test_sets_of_the_administrator_are_filled_and_no_table_is_made(machines, firewall, nft):
    mail_sets(nft)
    firewall.ban("192.0.2.7", "2001:db8::7", sets=MAIL)
    assert machines.dropped(22) == ["192.0.2.7", "2001:db8::7"]
    assert machines.dropped(80) == []
    firewall.ban("192.0.2.7", seconds=1, sets=MAIL)
    firewall.unban("2001:db8::7", sets=MAIL)
    wait_until(lambda: machines.dropped(22), lambda dropped: not dropped)
    assert "pyruse" not in nft("list tables")


def test_two_targets_may_share_a_set(machines, firewall, nft):
    mail_sets(nft)
    alone = Sets(ipv4=MAIL.ipv4)
    both = [
        *firewall.elements("192.0.2.7", seconds=1, sets=MAIL),
        *firewall.elements("192.0.2.7", seconds=600, sets=alone),
    ]
    firewall.firewall.apply(both, [])
    firewall.ban("192.0.2.99", seconds=1, sets=alone)  # ends when the other would have ended
    wait_until(lambda: machines.dropped(22), lambda dropped: "192.0.2.99" not in dropped)
    assert machines.dropped(22) == ["192.0.2.7"]
    renewed = firewall.elements("192.0.2.7", seconds=600, sets=MAIL)
    firewall.firewall.apply(renewed, both[1:])
    assert machines.dropped(22) == ["192.0.2.7"]


def test_an_interval_set_takes_networks_and_renews_them(machines, firewall, nft):
    mail_sets(nft, "flags timeout, interval;")
    firewall.ban("192.0.2.6/31", "192.0.2.99", "2001:db8::/64", seconds=1, sets=MAIL)
    firewall.ban("192.0.2.6/31", sets=MAIL)
    renewed = ["192.0.2.6", "192.0.2.7"]
    wait_until(lambda: machines.dropped(22), lambda dropped: dropped == renewed)
    refusal = firewall.refuses("192.0.2.0/24", "2001:db8::6/127", sets=MAIL)
    assert refusal.networks == ["192.0.2.0/24"]
    assert "interval overlaps with an existing one (expected no overlapping" in refusal.text
    assert machines.dropped(22) == ["192.0.2.6", "192.0.2.7", "2001:db8::6", "2001:db8::7"]


@pytest.mark.parametrize(
    ("flags", "network", "said"),
    [
        ("", "192.0.2.7", "Invalid argument (expected a set that was made with"),
        ("flags timeout;", "192.0.2.6/31", "You must add 'flags interval' to your set"),
        ("flags timeout; size 1;", "192.0.2.7", "Too many open files in system (the set is full;"),
    ],
)
def test_what_the_kernel_says_of_a_set_reaches_the_administrator(
    firewall, nft, flags, network, said
):
    mail_sets(nft, flags)
    nft("add element ip mail banned { 192.0.2.1 }")
    refusal = firewall.refuses(network, sets=MAIL)
    assert refusal.networks in ([network], [f"{network}/32"])
    assert refusal.text.startswith(f"nftables: ip mail banned: {network}: {said}")


def test_one_bad_element_does_not_hold_up_the_others(machines, firewall, nft):
    mail_sets(nft)
    missing = Sets(ipv4="ip mail nosuch")
    many = [f"198.51.{high}.{low}" for high in range(20) for low in range(256)]
    add = [
        *firewall.elements(*many, "192.0.2.7", seconds=600),
        *firewall.elements("192.0.2.6", seconds=600, sets=missing),
        *firewall.elements("192.0.2.99", "192.0.2.4/30", "192.0.2.6", seconds=600, sets=MAIL),
        *firewall.elements("2001:db8::7", seconds=600, sets=missing),
    ]
    refusal = firewall.refused(lambda: firewall.firewall.apply(add, []))
    assert refusal.networks == ["2001:db8::7/128", "192.0.2.6/32", "192.0.2.4/30"]
    assert refusal.text == (
        "nftables: 2001:db8::7: no set is named for IPv6, so nobody is banned "
        "(expected ipv6 in sets, too); "
        "ip mail nosuch: 192.0.2.6: No such file or directory (expected a set that is "
        "there); "
        "ip mail banned: 192.0.2.4/30: You must add 'flags interval' to your set declaration if "
        "you want to add prefix elements"
    )
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7", "192.0.2.99"]


def test_many_bad_elements_are_found_among_many_good_ones(firewall, nft):
    mail_sets(nft)
    bad = [f"198.51.{number}.0/25" for number in range(6)]
    good = [f"198.51.100.{number}" for number in range(200)]
    mixed = [*good[:100], *bad[:3], *good[100:150], *bad[3:], *good[150:]]
    refusal = firewall.refuses(*mixed, sets=MAIL)
    assert sorted(refusal.networks) == bad
    assert nft("list set ip mail banned").count("198.51.100.") == 200


def test_a_fault_of_everything_is_told_in_one_line(firewall):
    many = [f"198.51.{high}.{low}" for high in range(20) for low in range(256)]
    refusal = firewall.refuses(*many, sets=Sets(ipv4="ip mail nosuch"))
    assert len(refusal.networks) == len(many)
    assert " and 5119 more: No such file or directory" in refusal.text


def test_hostile_names_of_sets_are_refused_and_would_do_nothing(machines, firewall, nft):
    nft("add table ip mail")
    for name in ("ip mail banned; flush ruleset", "ip mail", "arp mail banned", "ip6 mail banned"):
        with pytest.raises(ValueError, match=r"is no set of nftables for IPv4 \(expected \"FAMILY"):
            firewall.check(sets=Sets(ipv4=name))
        refusal = firewall.refuses("192.0.2.7", sets=Sets(ipv4=name))
        assert "is no set of nftables" in refusal.text
    for name in ("};flush", 'x"}]}', "$(reboot)"):
        firewall.refuses("192.0.2.7", sets=Sets(ipv4=f"ip mail {name}"))
    assert "mail" in nft("list tables")


def test_sets_and_a_protocol_do_not_go_together(driver):
    with pytest.raises(ValueError, match="protocol and sets do not go together"):
        driver(opened()).check(sets=MAIL, protocol="tcp")


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (
            "flags timeout;",
            "takes no networks, as prefix4 and prefix6 ban (expected flags interval",
        ),
        ("flags interval;", "takes no ban that ends (expected flags timeout)"),
        (
            "flags timeout, interval; auto-merge;",
            "joins neighbours and gives them one end, so bans",
        ),
        ("flags timeout, interval;", None),
    ],
)
def test_what_is_wrong_with_a_set_of_the_administrators_is_told_before_a_ban(
    firewall, nft, flags, said
):
    nft("add table ip mail")
    nft(f"add set ip mail banned {{ type ipv4_addr; {flags} }}")
    target = Target("nftables", Sets(ipv4="ip mail banned"))
    doubts = firewall.firewall.doubts([target, Target("nftables")], [target])
    if said is None:
        assert doubts == []
    else:
        (doubt,) = doubts
        assert doubt.startswith(f"nftables: the set ip mail banned: it {said}")


def test_a_set_that_is_missing_or_of_another_type_is_told(firewall, nft):
    nft("add table ip mail; add set ip mail banned { type inet_service; flags timeout; }")
    doubts = firewall.firewall.doubts([Target("nftables", MAIL)])
    assert doubts == [
        "nftables: the set ip mail banned: its type is inet_service, so it takes no ban (expected "
        "ipv4_addr)",
        "nftables: there is no set ip6 mail banned (expected it to be there before the first ban: "
        "`nft add set ip6 mail banned { type ipv6_addr; flags timeout; }`)",
    ]


def test_what_is_missing_is_named_whatever_the_sets_are_like(machines, firewall, nft):
    mail_sets(nft, "flags timeout, interval; auto-merge;")
    ours = firewall.elements("192.0.2.6", "192.0.2.7", "192.0.2.0/25", "2001:db8::/64", "::1.2.3.4")
    theirs = firewall.elements("192.0.2.6", "192.0.2.7", "192.0.2.64/26", "2001:db8::7", sets=MAIL)
    there = [*ours, *theirs]
    firewall.firewall.apply([one._replace(seconds=600) for one in there], [])
    assert list(firewall.firewall.missing(there)) == []
    nft("delete element inet pyruse ipv4 { 192.0.2.7 }")
    nft("flush set inet pyruse ipv6_64")
    nft("flush set ip6 mail banned")
    missing = firewall.firewall.missing(there)
    assert [(str(one.network), one.target.sets) for one in missing] == [
        ("192.0.2.7/32", None), ("2001:db8::/64", None), ("2001:db8::7/128", MAIL),
    ]  # fmt: skip


@pytest.fixture
def owned(machines, driver):
    """``owned("0123456789ab")``: a firewall of this owner, in the server's network."""
    made = []

    def make(owner):
        firewall = opened(command=[*machines.server.prefix, "nft"])
        firewall.owner = owner
        made.append(firewall)
        return driver(firewall)

    yield make
    for firewall in made:
        firewall.close()


def test_two_that_run_do_not_take_each_others_bans(machines, owned, nft):
    one, two = owned("0" * 12), owned("1" * 12)
    one.reconcile("192.0.2.6")
    two.reconcile("192.0.2.7")
    one.reconcile("192.0.2.6")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7"]
    assert one.firewall.doubts([]) == []
    assert two.firewall.doubts([]) == [
        "nftables: the table inet pyruse belongs to another Pyruse that runs on this machine, so "
        "bans are in inet pyruse_2 (expected [bans.nftables] table = a name of its own, for each "
        "of them)"
    ]
    two.teardown()
    assert nft("list tables") == "table inet pyruse\n"
    assert machines.dropped() == ["192.0.2.6"]


def test_one_that_is_started_again_keeps_its_table(machines, owned, nft):
    one, two = owned("0" * 12), owned("1" * 12)
    one.reconcile("192.0.2.6")
    two.reconcile("192.0.2.7")
    one.firewall.close()
    two.firewall.close()
    owned("1" * 12).reconcile("192.0.2.99")  # the other one is not there yet
    assert machines.dropped() == ["192.0.2.6", "192.0.2.99"]
    owned("0" * 12).ban("192.0.2.7")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7", "192.0.2.99"]


def test_what_is_left_of_one_that_runs_no_more_is_taken_over(machines, owned, nft):
    one = owned("0" * 12)
    one.reconcile("192.0.2.6")
    one.firewall.close()
    owned("1" * 12).reconcile("192.0.2.7")
    assert nft("list tables") == "table inet pyruse\n"
    assert machines.dropped() == ["192.0.2.7"]


def test_a_table_of_an_older_pyruse_is_taken_over(machines, firewall, owned, nft):
    firewall.ban("192.0.2.6")
    owned("1" * 12).reconcile("192.0.2.7")
    assert nft("list tables") == "table inet pyruse\n"
    assert machines.dropped() == ["192.0.2.7"]


def test_a_copy_of_a_state_is_another_owner(machines, owned):
    owned("0" * 12).reconcile("192.0.2.6")
    owned("0" * 12).reconcile("192.0.2.7")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7"]


def test_sets_and_ports_do_not_go_together(driver):
    with pytest.raises(ValueError, match="ports and sets do not go together"):
        driver(opened()).check(sets=MAIL, ports=(25,))


def test_a_name_of_a_table_of_its_own(machines, driver, nft):
    driver(opened(command=[*machines.server.prefix, "nft"], table="guard")).ban("192.0.2.7")
    assert machines.dropped() == ["192.0.2.7"]
    assert nft("list tables") == "table inet guard\n"


@pytest.fixture
def ready(machines):
    """Have a firewall get ready; :return: the process that waits for the next change."""

    def prepare(firewall):
        firewall.firewall.prepare()
        return firewall.firewall.program._standby._process.pid

    return prepare


def test_a_process_waits_for_the_next_change(machines, firewall, ready):
    firewall.ban("192.0.2.6")
    waiting = ready(firewall)
    assert ready(firewall) == waiting, "one is enough"
    firewall.ban("192.0.2.7")
    assert firewall.firewall.program.pids[-1] == waiting
    assert ready(firewall) != waiting
    firewall.unban("192.0.2.6")
    assert machines.dropped() == ["192.0.2.7"]
    waiting = ready(firewall)
    firewall.firewall.close()
    assert is_killed(waiting)


def test_a_waiting_process_that_somebody_killed_is_not_missed(machines, firewall, ready):
    os.kill(ready(firewall), signal.SIGKILL)
    firewall.ban("192.0.2.7")
    killed = ready(firewall)
    os.kill(killed, signal.SIGKILL)
    assert is_killed(killed)
    assert ready(firewall) != killed
    firewall.ban("192.0.2.6")
    assert machines.dropped() == ["192.0.2.6", "192.0.2.7"]


def test_more_changes_than_the_waiting_process_can_be_told_of(machines, firewall, ready):
    ready(firewall)
    firewall.ban(*(f"198.51.{high}.{low}" for high in range(20) for low in range(256)))
    ready(firewall)
    firewall.ban("192.0.2.7")
    assert machines.dropped() == ["192.0.2.7"]


def test_the_waiting_process_says_what_is_refused(firewall, ready):
    ready(firewall)
    refusal = firewall.refuses("192.0.2.7", sets=Sets(ipv4="ip mail nosuch"))
    assert refusal.text.startswith("nftables: ip mail nosuch: 192.0.2.7: No such file or directory")


def test_a_program_that_hangs_is_killed_with_all_that_it_started(tmp_path, driver, over_once):
    over_once((tmp_path / "pid").exists)
    firewall = opened(command=[str(hanging_nft(tmp_path))])
    object.__setattr__(firewall.program, "time_limit", 0.3)
    with pytest.raises(FirewallError, match=r"no answer in 0\.3 s, so it was killed") as caught:
        driver(firewall).ban("192.0.2.7")
    assert caught.value.failed is None
    (child,) = (tmp_path / "pid").read_text().split()
    assert is_killed(child)


def test_what_a_program_says_without_end_is_not_kept(tmp_path, driver):
    flooding = [sys.executable, "-c", "import sys; sys.stderr.write('no\\n' * 10**7); sys.exit(1)"]
    tracemalloc.start()
    try:
        refusal = driver(opened(command=flooding)).refuses("192.0.2.7")
        assert tracemalloc.get_traced_memory()[1] < 15_000_000  # of the 30 MB
    finally:
        tracemalloc.stop()
    assert refusal.text.startswith("nftables: inet pyruse ipv4: 192.0.2.7: no")


def test_a_program_that_is_missing_is_named(driver):
    said = driver(opened(command=["no-such-nft"])).refuses("192.0.2.7").text
    assert said == (
        "no-such-nft: No such file or directory (expected the firewall's program: install it, or "
        "tell where it is by the option command)"
    )


def test_what_a_failing_program_says_is_made_harmless(driver):
    code = "import sys; sys.exit('\\x1b[31mno\\npermission')"
    said = driver(opened(command=[sys.executable, "-c", code])).refuses("192.0.2.7").text
    assert said == "nftables: inet pyruse ipv4: 192.0.2.7: \\x1b[31mno permission"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"tabel": "x"},
            '.tabel: unknown option (expected one of: command, table; did you mean "table"?)',
        ),
        ({"table": "a b"}, '.table: "a b" is no name of a table (expected letters, digits and '),
        ({"table": 7}, ".table: 7 is no name of a table (expected"),
        ({"command": "nft"}, '.command: "nft" is no program (expected a list: the program and'),
        ({"command": []}, ".command: [] is no program (expected a list"),
        ({"command": ["nft", 1]}, '.command: ["nft", 1] is no program (expected a list'),
    ],
)
def test_faulty_options(options, said):
    with pytest.raises(ConfigError) as caught:
        opened(**options)
    assert caught.value.faults[0].startswith(f"bans.nftables{said}")


def test_it_is_the_firewall_of_its_own_name_alone():
    assert Nftables().open_firewall("ipset") is None


def listed(nft, what):
    return json.loads(nft("-j", f"list {what}"))["nftables"]


def names(nft):
    """What is in Pyruse's table."""
    parts = [dict(one) for one in listed(nft, "table inet pyruse")]
    return [
        f"{kind} {one[kind]['name']}"
        for one in parts
        for kind in ("counter", "set", "chain")
        if kind in one
    ]


def is_killed(pid):
    """Wait for the end of a process that is nobody's child any more."""
    return wait_until(lambda: has_ended(int(pid)))


def hanging_nft(folder):
    """A program that starts another one, and waits for it for a long time."""
    hanging = folder / "nft"
    script = "sleep 1000 & echo $! > {0}/pid.new; mv {0}/pid.new {0}/pid; wait"
    hanging.write_text(f"#!/bin/sh\n{script.format(folder)}\n")
    hanging.chmod(0o755)
    return hanging


def packets(nft):
    (counter,) = (one["counter"] for one in listed(nft, "counters") if "counter" in one)
    return counter["packets"]


def mail_sets(nft, flags="flags timeout;"):
    """Sets of the administrator's, with rules that close port 22 to who is in them."""
    for family, version in (("ip", 4), ("ip6", 6)):
        nft(f"add table {family} mail")
        nft(f"add set {family} mail banned {{ type ipv{version}_addr; {flags} }}")
        nft(f"add chain {family} mail in {{ type filter hook input priority 0; }}")
        nft(f"add rule {family} mail in tcp dport 22 {family} saddr @banned drop")
