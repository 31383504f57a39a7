"""Where bans are put, and who is banned from where: as the state keeps it."""

from __future__ import annotations

import ipaddress
from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton

import msgspec

from pyruse.bans.firewall import Target
from pyruse.options import Network


class Place:
    """Who is banned from where: what tells bans apart.

    Its hash is remembered: a ban is looked up in many dictionaries, and networks and targets take
    ten times as long to hash.
    """

    __slots__ = ("_hash", "network", "target")

    def __init__(self, network: Network, target: Target) -> None:
        self.network = network
        self.target = target
        self._hash = hash((int(network.network_address), network.prefixlen, target))

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Place):
            return NotImplemented
        return self.network == other.network and self.target == other.target

    def __repr__(self) -> str:
        return f"Place({self.network}, {self.target})"


@lru_cache(maxsize=256)
def target_to_json(target: Target) -> bytes:
    """A target as a column of a table has it."""
    return msgspec.json.encode(target)


@lru_cache(maxsize=256)
def target_of_json(text: bytes) -> Target:
    """The target of a column."""
    return msgspec.json.decode(text, type=Target)


def network_of_text(text: str) -> Network:
    """The network of a column, in half the time of `ipaddress.ip_network`: there may be many.

    :raises ValueError: it is none.
    """
    address, _, prefix = text.partition("/")
    try:
        if ":" in address:
            return ipaddress.IPv6Network((inet_pton(AF_INET6, address), int(prefix or 128)))
        return ipaddress.IPv4Network((inet_pton(AF_INET, address), int(prefix or 32)))
    except OSError:
        raise ValueError(f"{text!r} is no network") from None
