"""Spares who is never banned: this machine, special addresses, and the networks of `[bans]`."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable

from pyruse.addresses import Address, Network, bits_of, network_of
from pyruse.options.networks import Networks

_OWN_ADDRESSES_KEPT = 60.0  # seconds: an interface may get another address

_NOBODY: list[Network] = [
    *map(ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32")),
    *map(ipaddress.IPv6Network, ("::/128", "::1/128", "ff00::/8")),
]
"""Loopback, multicast, "unspecified" and broadcast: the IANA's special-purpose registries."""


class Protection:
    """Spares networks and addresses."""

    def __init__(self, never: Networks, own: Callable[[], set[Address]]) -> None:
        """Protect these networks, and this machine.

        :param own: gives this machine's own addresses, which may change.
        """
        self._never = never
        self._read_own = own
        self._own: set[Address] = set()
        self._own_texts: set[str] = set()
        self._read_at: float | None = None
        self._fixed = Networks([*_NOBODY, *never])

    def why(self, address: str) -> str | None:
        """Why an address, or anybody in a network, may not be banned, or None where they may."""
        own = self._own_addresses()
        if "/" not in address:
            # The quick way for nearly all bans: its cost does not grow with `never`.
            version, number, _ = bits_of(address)
            if not self._fixed.covers(version, number) and address not in self._own_texts:
                return None
        network = network_of(address)
        if any(one.version == network.version and one.overlaps(network) for one in _NOBODY):
            return "it is no other machine's address"
        if any(one in network for one in own if one.version == network.version):
            return "it is this machine's own address"
        for never in self._never:
            if never.version == network.version and never.overlaps(network):
                return f"[bans] never has {never}"
        return None

    def _own_addresses(self) -> set[Address]:
        now = time.monotonic()
        if self._read_at is None or now - self._read_at > _OWN_ADDRESSES_KEPT:
            self._own = self._read_own()
            self._own_texts = set(map(str, self._own))
            self._read_at = now
        return self._own
