"""IP addresses and networks: read as logs and people write them, and written the same way."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_ntoa, inet_ntop, inet_pton
from typing import Any

from pyruse.text import late_pattern, shown

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_COMMENT = late_pattern(r"[#;]")
_APART = tuple(
    (int(network.network_address), int(network.netmask))
    for network in map(ipaddress.IPv6Network, ("fe80::/10", "64:ff9b::/96"))
)
"""Where neighbours in a network are strangers to each other: link-local addresses, by which all
machines of a link find each other, and all of IPv4 behind a translator (RFC 6052)."""


def parse_network(value: Any) -> Network:
    """A network such as ``192.168.1.0/24``, or an address as a network of one.

    Host bits may be set; an IPv4 network written in IPv6 (``::ffff:…``) becomes an IPv4 one.

    :raises ValueError: it is neither.
    """
    try:
        if not isinstance(value, str):
            raise ValueError
        network = ipaddress.ip_network(value.strip(), strict=False)
    except ValueError:
        raise ValueError(
            f'{shown(value)} is no network (expected an address or "192.168.1.0/24", '
            '"2001:db8::/32")'
        ) from None
    if isinstance(network, ipaddress.IPv6Network) and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def list_lines(text: str) -> Iterator[tuple[int, Network | ValueError, str]]:
    """The lines of a list: an address or network each, comments after ``#`` or ``;``.

    :param text: all of the list.
    :return: of each line that is not empty: its number; what stands there, or why it is no network;
        and the comment.
    """
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        value, *comment = _COMMENT.split(line, maxsplit=1)
        if value.strip():
            network: Network | ValueError
            try:
                network = parse_listed(value)
            except ValueError as fault:
                network = fault
            yield number, network, comment[0] if comment else ""


def listed_networks(text: str) -> Iterator[tuple[int, str | ValueError, str]]:
    """The same as `list_lines`, each network as `network_text` writes it.

    Most lines of long lists are IPv4 addresses: these take a tenth of the time, and hardly any
    memory.
    """
    number, begin = 0, 1 if text.startswith("\ufeff") else 0
    while begin <= len(text):
        end = text.find("\n", begin)
        line, begin = (text[begin:], len(text) + 1) if end < 0 else (text[begin:end], end + 1)
        number += 1
        address = plain_ipv4(line.strip())
        if address is not None:
            yield number, address, ""
            continue
        for _, network, comment in list_lines(line):
            if isinstance(network, ValueError):
                yield number, network, comment
            else:
                yield number, network_text(network), comment


def plain_ipv4(text: str) -> str | None:
    """The address that a text without anything else is, as `network_text` writes it, or None."""
    try:
        return inet_ntoa(inet_pton(AF_INET, text))
    except (OSError, ValueError):
        return None


def parse_listed(value: str) -> Network:
    """A network or an address, also one with a zone or in brackets.

    :raises ValueError: it is neither.
    """
    address = parse_address(value)
    return parse_network(value) if address is None else network_around(address, 32, 128)


def unmapped(address: Address) -> Address:
    """The IPv4 address of one that is written in IPv6 (``::ffff:…``); any other, as it is."""
    return address if address.version == 4 else address.ipv4_mapped or address


def network_around(address: Address, prefix4: int, prefix6: int) -> Network:
    """The network of this prefix length that an address is in."""
    address = unmapped(address)
    # Of a number: of an address, ipaddress would make text, and parse that.
    if address.version == 4:
        return ipaddress.IPv4Network((int(address), prefix4), strict=False)
    return ipaddress.IPv6Network((int(address), prefix6), strict=False)


@lru_cache(maxsize=4096)
def text_around(address: Address, prefix4: int, prefix6: int) -> str:
    """The network of those that an address shares its fate with, as people write it.

    That is the network of this prefix length. But a link-local IPv6 address, and one that stands
    for an IPv4 address (``64:ff9b::…``), is alone: its network is all the machines of a link, or of
    the world.
    """
    address = unmapped(address)
    if (prefix4 if address.version == 4 else prefix6) == address.max_prefixlen or _is_apart(
        address
    ):
        return _text(address)
    return network_text(network_around(address, prefix4, prefix6))


def _is_apart(address: Address) -> bool:
    number = int(address)
    return address.version == 6 and any(number & mask == first for first, mask in _APART)


def _text(address: Address) -> str:
    """The same as ``str(address)`` in a fifth of the time."""
    if address.version == 4:
        return inet_ntoa(address.packed)
    text = inet_ntop(AF_INET6, address.packed)
    return str(address) if "." in text else text  # the last groups as IPv4: ipaddress does not


def contains(outer: Network, network: Network) -> bool:
    """Whether a network is inside of another one, or the same."""
    if isinstance(network, ipaddress.IPv4Network):
        return isinstance(outer, ipaddress.IPv4Network) and network.subnet_of(outer)
    return isinstance(outer, ipaddress.IPv6Network) and network.subnet_of(outer)


def network_text(network: Network) -> str:
    """A network as people write it: a single address without its prefix length."""
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)


def broader(network: Network, lengths: Iterable[int]) -> Iterator[str]:
    """The networks that contain another one, as `network_text` writes them.

    :param network: the one inside of them.
    :param lengths: those of the prefixes of networks to give, where they are broader.
    """
    address, bits = network.network_address, network.max_prefixlen
    version, value = type(address), int(address)
    for prefix in lengths:
        if prefix < network.prefixlen:
            rest = bits - prefix
            yield f"{_text(version(value >> rest << rest))}/{prefix}"


@lru_cache(maxsize=4096)
def broader_texts(network: str, lengths: tuple[int, ...]) -> tuple[str, ...]:
    """The same as `broader` of what `network_text` wrote, remembered.

    :raises ValueError: it is no network.
    """
    return tuple(broader(network_of(network), lengths))


def parse_address(value: Any) -> Address | None:
    """The address that a text is, or None where it is none.

    White space and brackets around it are taken off, and so is a zone (``fe80::1%eth0``,
    RFC 4007); an IPv4 address written in IPv6 (``::ffff:1.2.3.4``, RFC 4291 §2.5.5.2) is an
    IPv4 address.
    """
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS:
        return None
    return _parsed(value)


def logged_address(value: Any) -> Address | None:
    """The address that a text is, or None where it is none: as programs log it, with its port.

    That is ``203.0.113.7:5060``, ``[2001:db8::7]:5060`` or ``203.0.113.7#53`` (named), and all that
    `parse_address` reads. An IPv6 address before a port needs its brackets where the whole would be
    another address.
    """
    if not isinstance(value, str) or len(value) > _LONGEST_ADDRESS:
        return None
    address = _parsed(value)
    if address is not None:
        return address
    with_port = _WITH_PORT.fullmatch(value.strip())
    if with_port is None or int(with_port["port"]) > _HIGHEST_PORT:
        return None
    return _parsed(with_port["address"])


_WITH_PORT = late_pattern(r"(?P<address>\S+)[:#](?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65535
_LONGEST_ADDRESS = 100
"""Characters, with zone, brackets, port and white space: RFC 4291 needs 45."""


@lru_cache(maxsize=4096)
def _parsed(text: str) -> Address | None:
    """Several steps ask for the address of one entry, and who attacks comes again."""
    text = text.strip()
    if text.startswith("[") and text.endswith("]"):
        text = text[1:-1]
    text = text.partition("%")[0]
    try:
        # As strict as ipaddress, in a third of the time.
        if ":" not in text:
            return ipaddress.IPv4Address(inet_pton(AF_INET, text))
        address = ipaddress.IPv6Address(inet_pton(AF_INET6, text))
    except (OSError, ValueError):
        return None
    return unmapped(address)


@lru_cache(maxsize=4096)
def address_text(value: str | None) -> str | None:
    """An address as Pyruse writes it, or None where a text is none (see `logged_address`)."""
    address = logged_address(value)
    return None if address is None else _text(address)


def network_of(address: str) -> Network:
    """The network of what `network_text` wrote.

    :raises ValueError: it is none.
    """
    return ipaddress.ip_network(address)


def bits_of(address: str) -> tuple[int, int, int]:
    """The version of IP, the number and the prefix length of what `network_text` wrote.

    :raises ValueError: it is no network.
    """
    if "/" in address:
        network = network_of(address)
        return network.version, int(network.network_address), network.prefixlen
    try:
        if ":" in address:
            return 6, int.from_bytes(inet_pton(AF_INET6, address), "big"), 128
        return 4, int.from_bytes(inet_pton(AF_INET, address), "big"), 32
    except OSError:
        raise ValueError(f"{address!r} is no address") from None
