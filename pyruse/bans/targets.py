"""Where bans are put, and who is banned from where: as the state keeps it."""

from __future__ import annotations

from functools import lru_cache
from socket import AF_INET, AF_INET6, inet_pton

import msgspec

from pyruse.api.firewall import Target, network_of
from pyruse.options.types import Network


class Place(msgspec.Struct, frozen=True, cache_hash=True, gc=False):
    """Who is banned from where: what tells bans apart.

    Networks are kept as text: of many thousands, most are never more than looked up and written,
    and to make an object of `ipaddress` takes ten times as long.
    """

    address: str
    """Or a network, as `network_text` writes it."""
    target: Target

    @property
    def network(self) -> Network:
        """The network."""
        return network_of(self.address)


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


@lru_cache(maxsize=256)
def target_to_json(target: Target) -> bytes:
    """A target as a column of a table has it."""
    return msgspec.json.encode(target)


@lru_cache(maxsize=256)
def target_of_json(text: bytes) -> Target:
    """The target of a column."""
    return msgspec.json.decode(text, type=Target)
