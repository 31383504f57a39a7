"""Where bans are put, and who is banned from where: as the state keeps it."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from pyruse.addresses import Network, network_of
from pyruse.api.firewall import Target


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


@lru_cache(maxsize=256)
def target_to_json(target: Target) -> bytes:
    """A target as a column of a table has it."""
    return msgspec.json.encode(target)


@lru_cache(maxsize=256)
def target_of_json(text: bytes) -> Target:
    """The target of a column."""
    return msgspec.json.decode(text, type=Target)
