"""Lists of networks."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.addresses import parse_address, parse_network
from pyruse.options.networks import HostName, ListFile, Networks


def test_an_address_is_in_its_networks() -> None:
    networks = Networks.parse(
        ["192.168.1.7/24", "2001:db8::/32", "203.0.113.9", "::ffff:10.0.0.0/104"]
    )
    assert len(networks) == 4
    inside = ["192.168.1.255", "2001:db8:ffff::1", "203.0.113.9", "10.255.0.1", "::ffff:10.1.2.3"]
    outside = ["192.168.2.0", "2001:db9::", "203.0.113.10", "11.0.0.0", "::1"]
    for text in inside:
        address = parse_address(text)
        assert address is not None
        assert address in networks, text
    for text in outside:
        address = parse_address(text)
        assert address is not None
        assert address not in networks, text


def test_everything_is_in_the_network_of_everything() -> None:
    networks = Networks.parse(["0.0.0.0/0"])
    assert ipaddress.ip_address("203.0.113.9") in networks
    assert ipaddress.ip_address("2001:db8::1") not in networks


@pytest.mark.parametrize("value", ["192.168.1.0/24", 5, None, {"a": "192.0.2.1"}])
def test_networks_are_a_list(value: object) -> None:
    with pytest.raises(ValueError, match=r"is no list of networks \(expected"):
        Networks.parse(value)


@pytest.mark.parametrize(
    "value",
    ["", "example.org", "192.168.1", "192.168.1.0/33", "::/129", "1.2.3.4/a", 5, None, True],
)
def test_what_is_no_network(value: object) -> None:
    with pytest.raises(ValueError, match=r"is no network \(expected an address or"):
        parse_network(value)
    if value != "example.org":
        with pytest.raises(ValueError, match=r"is no network"):
            Networks.parse(["192.0.2.1", value])


V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


@st.composite
def networks(draw: st.DrawFn) -> Any:
    address = draw(V4 | V6)
    length = draw(st.integers(0, address.max_prefixlen))
    return ipaddress.ip_network((address, length), strict=False)


@given(st.lists(networks(), max_size=8), V4 | V6, st.data())
def test_membership_is_that_of_ipaddress(
    nets: list[Any], address: Any, data: st.DataObject
) -> None:
    likely_inside = data.draw(st.booleans())
    if nets and likely_inside:
        one = data.draw(st.sampled_from(nets))
        address = one[data.draw(st.integers(0, one.num_addresses - 1))]
    inside = any(address in net for net in nets if net.version == address.version)
    assert (address in Networks(nets)) == inside


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("home.example.net", "home.example.net"),
        ("Home.Example.NET.", "home.example.net"),
        ("_a-1.xn--mnchen-3ya.example", "_a-1.xn--mnchen-3ya.example"),
    ],
)
def test_host_names(written: str, name: str) -> None:
    networks = Networks.parse(["192.0.2.0/24", written])
    assert networks.sources == [HostName(name)]
    assert [str(one) for one in networks] == ["192.0.2.0/24"]


@pytest.mark.parametrize(
    "value",
    [
        "300.1.2.3",
        "192.168.1",
        "a..b",
        ".example.org",
        "-a.example",
        "a b",
        "1",
        "x" * 64,
        "a/24",
        "router",
    ],
)
def test_what_is_no_host_name_either(value: str) -> None:
    with pytest.raises(ValueError, match="is no network"):
        Networks.parse([value])


@pytest.mark.parametrize("value", [["file:/etc/never.txt"], {"file": "/etc/never.txt"}])
def test_files(value: object) -> None:
    assert Networks.parse(value).sources == [ListFile("/etc/never.txt")]


@pytest.mark.parametrize("value", [["file:never.txt"], {"file": "never.txt"}, {"file": 1}])
def test_what_is_no_file(value: object) -> None:
    with pytest.raises(ValueError, match=r"is no path.* \(expected the path of a file from / on"):
        Networks.parse(value)


def test_what_is_learned_counts_until_something_else_is_learned() -> None:
    networks = Networks.parse(["192.0.2.0/24", "home.example.net", "file:/x"])
    home, file = networks.sources
    inside = [ipaddress.ip_address(text) for text in ("192.0.2.1", "203.0.113.5", "2001:db8::5")]
    assert [one in networks for one in inside] == [True, False, False]
    networks.learn(home, [parse_network("203.0.113.5")])
    networks.learn(file, [parse_network("2001:db8::/32")])
    assert all(one in networks for one in inside)
    networks.learn(home, [parse_network("203.0.113.6")])
    assert [one in networks for one in inside] == [True, False, True]
    found = networks.overlapping(parse_network("2001:db8::/64"))
    assert found == (parse_network("2001:db8::/32"), file)


@given(st.lists(networks(), max_size=8), networks())
def test_overlaps_are_those_of_ipaddress(nets: list[Any], network: Any) -> None:
    overlap = any(net.version == network.version and net.overlaps(network) for net in nets)
    assert Networks(nets).overlaps(network) == overlap
    assert (Networks(nets).overlapping(network) is not None) == overlap


def test_what_is_known_of_a_text_is_forgotten_when_a_name_stands_for_others() -> None:
    networks = Networks.parse(["home.example.net", "198.51.100.0/24"])
    name = networks.sources[0]
    text = "[2001:db8::7]:5060"
    assert networks.has_text("198.51.100.7:22")
    assert not networks.has_text(text)
    assert not networks.has_text("nobody")
    networks.learn(name, [parse_network("2001:db8::/32")])
    assert networks.has_text(text)
    networks.learn(name, [])
    assert not networks.has_text(text)
