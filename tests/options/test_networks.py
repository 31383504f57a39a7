"""Lists of networks."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.addresses import parse_address, parse_network
from pyruse.options.networks import Networks


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
