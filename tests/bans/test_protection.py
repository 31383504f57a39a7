"""Who is never banned, where that comes from, and what is banned instead of a whole network."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.addresses import network_of, parse_address, parse_network
from pyruse.bans.protection import Protection
from pyruse.options.networks import Networks

MACHINE = {
    ipaddress.ip_address("192.0.2.1"): "a gateway of this machine",
    ipaddress.ip_address("192.0.2.53"): "a resolver of this machine (/etc/resolv.conf)",
    ipaddress.ip_address("203.0.113.80"): "this machine's own address",
}


@pytest.fixture
def never() -> Networks:
    networks = Networks.parse(["198.51.100.0/24", "home.example.net", "file:/etc/never.txt"])
    home, file = networks.sources
    networks.learn(home, [parse_network("203.0.113.5"), parse_network("2001:db8::5")])
    networks.learn(file, [parse_network("2001:db8:7::/48")])
    return networks


@pytest.mark.parametrize(
    ("network", "why"),
    [
        ("198.51.100.7", "[bans] never has 198.51.100.0/24"),
        ("203.0.113.5", "[bans] never has 203.0.113.5, by home.example.net"),
        ("203.0.113.0/28", "[bans] never has 203.0.113.5, by home.example.net"),
        ("2001:db8:7::1", "[bans] never has 2001:db8:7::/48, by file:/etc/never.txt"),
        ("192.0.2.1", "it is a gateway of this machine"),
        ("192.0.2.0/28", "it is a gateway of this machine (192.0.2.1)"),
        ("192.0.2.53", "it is a resolver of this machine (/etc/resolv.conf)"),
        ("203.0.113.64/26", "it is this machine's own address"),
        ("192.0.2.2", None),
        ("203.0.113.6", None),
        ("2001:db8::/126", None),
    ],
)
def test_why(never: Networks, network: str, why: str | None) -> None:
    assert Protection(never, lambda: MACHINE).why(network) == why


def test_the_listing_says_where_it_comes_from(never: Networks) -> None:
    places = [f"pyruse.toml: bans.never[{number}]" for number in range(3)]
    assert Protection(never, lambda: MACHINE).listing(places) == [
        ("198.51.100.0/24", "pyruse.toml: bans.never[0]"),
        ("home.example.net (203.0.113.5, 2001:db8::5)", "pyruse.toml: bans.never[1]"),
        ("file:/etc/never.txt (2001:db8:7::/48)", "pyruse.toml: bans.never[2]"),
        ("192.0.2.1", "a gateway of this machine"),
        ("192.0.2.53", "a resolver of this machine (/etc/resolv.conf)"),
        ("203.0.113.80", "this machine's own address"),
    ]


def test_a_change_of_the_machines_addresses_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    own: list[set[Any]] = [set()]
    protection = Protection(Networks([]), lambda: own[0])
    monkeypatch.setattr("pyruse.bans.protection._KEPT_S", -1.0)
    assert not protection.has_changed()
    own[0] = {ipaddress.ip_address("203.0.113.5")}
    assert protection.has_changed()
    assert not protection.has_changed()
    assert protection.why("203.0.113.5") == "it is this machine's own address"


@pytest.mark.parametrize(
    ("wide", "address", "part"),
    [
        ("2001:db8:1::/64", "2001:db8:1::bad0", "2001:db8:1::8000/113"),
        ("2001:db8:1::/64", "2001:db8:1::11", "2001:db8:1::11"),
        ("2001:db8:1::/64", "2001:db8:1::10", None),
        ("203.0.113.0/24", "203.0.113.200", "203.0.113.128/25"),
    ],
)
def test_the_broadest_part_that_may_be_banned(wide: str, address: str, part: str | None) -> None:
    protection = Protection(Networks.parse(["2001:db8:1::10", "203.0.113.1"]), set)
    found = protection.part_of(network_of(wide), _address(address))
    assert found == (None if part is None else parse_network(part))


@given(
    st.lists(st.ip_addresses(v=4, network="203.0.113.0/24"), max_size=6),
    st.ip_addresses(v=4, network="203.0.113.0/24"),
)
def test_no_part_holds_anybody_who_is_protected(spared: list[Any], address: Any) -> None:
    protection = Protection(Networks([ipaddress.ip_network(str(one)) for one in spared]), set)
    part = protection.part_of(network_of("203.0.112.0/23"), address)
    if address in spared:
        assert part is None
        return
    assert part is not None
    assert address in part
    assert not any(one in part for one in spared)
    wider = part.supernet()
    assert wider == network_of("203.0.112.0/23") or any(one in wider for one in spared)


def _address(text: str) -> Any:
    address = parse_address(text)
    assert address is not None
    return address
