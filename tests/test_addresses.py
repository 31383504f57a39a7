"""Addresses and networks, as logs and people write them."""

from __future__ import annotations

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.addresses import (
    address_text,
    broader,
    logged_address,
    network_of,
    network_text,
    parse_address,
    parse_network,
)

V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


def network_of_any_length(address: Any) -> st.SearchStrategy[Any]:
    lengths = st.integers(0, address.max_prefixlen)
    return lengths.map(lambda length: ipaddress.ip_network((address, length), strict=False))


@given((V4 | V6).flatmap(network_of_any_length))
def test_a_network_is_read_as_it_is_written(network: Any) -> None:
    mapped = network.version == 6 and network.network_address.ipv4_mapped
    if not (mapped and network.prefixlen >= 96):
        assert parse_network(str(network)) == network


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1\n", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:c000:201]", "192.0.2.1"),
        ("::192.0.2.1", "::c000:201"),
        ("::1", "::1"),
    ],
)
def test_an_address_as_logs_write_it(text: str, address: str) -> None:
    assert str(parse_address(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "localhost", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1:22",
        "192.0.2.1/32", "[192.0.2.1", "2001:db8::1::", "٣.0.2.1", "1", None, 3221225985,
        ["192.0.2.1"], b"\xc0\0\2\1",
    ],
)  # fmt: skip
def test_what_is_no_address(text: object) -> None:
    assert parse_address(text) is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.1:22", "192.0.2.1"),
        (" 192.0.2.1:22 ", "192.0.2.1"),
        ("192.0.2.1#53", "192.0.2.1"),
        ("[192.0.2.1]:22", "192.0.2.1"),
        ("[2001:DB8::1]:22", "2001:db8::1"),
        ("[fe80::1%eth0]:22", "fe80::1"),
        ("2001:db8::1#53", "2001:db8::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:22", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6:8080", "2001:db8:1:2:3:4:5:6"),
        ("2001:db8::1:8080", "2001:db8::1:8080"),
    ],
)
def test_an_address_with_its_port(text: str, address: str) -> None:
    assert str(logged_address(text)) == address
    assert address_text(text) == address


@pytest.mark.parametrize(
    "text",
    [
        "", ":22", "192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:ssh", "192.0.2.1:22:22", "#53",
        "192.0.2.1:٣", "host:22", "192.0.2.1 :22", "192.0.2.1: 22", "192.0.2.1:-1", "a" * 101,
        None, 3221225985, ["192.0.2.1:22"], b"192.0.2.1:22",
    ],
)  # fmt: skip
def test_what_is_no_address_with_a_port(text: object) -> None:
    assert logged_address(text) is None


@given(V4 | V6)
def test_an_address_is_written_in_one_way(address: Any) -> None:
    assert address_text(str(address)) == str(parse_address(str(address)))


@given(V4 | V6)
def test_an_address_is_read_as_it_is_written(address: Any) -> None:
    expected = address if address.version == 4 else address.ipv4_mapped or address
    assert parse_address(str(address)) == expected


@given(st.text(st.sampled_from("0123456789abcdef:.[]%/ \n"), max_size=20))
def test_any_text_is_an_address_or_not(text: str) -> None:
    address = parse_address(text)
    assert address is None or parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text",
    ["203.0.113.7", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::7", "2001:db8:1:2::/64", "::1.2.3.4",
     "::/0"],
)  # fmt: skip
def test_broader_networks_are_written_as_networks_are(text: str) -> None:
    network = network_of(text)
    expected = [
        network_text(network.supernet(new_prefix=prefix)) for prefix in range(network.prefixlen)
    ]
    assert list(broader(network, range(129))) == expected
