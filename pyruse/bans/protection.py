"""Spares who is never banned: this machine and whom it needs, special addresses, `[bans] never`."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Mapping
from typing import NamedTuple

from pyruse.addresses import Address, Network, bits_of, network_around, network_of, network_text
from pyruse.bans.neighbours import gateways, resolvers
from pyruse.bans.own_addresses import own_addresses
from pyruse.options.networks import HostName, ListFile, Networks

_KEPT_S = 60.0
"""So long the machine's addresses count: an interface may get another one."""
_SHOWN = 8

_NOBODY = Networks(
    [
        *map(
            ipaddress.IPv4Network, ("0.0.0.0/8", "127.0.0.0/8", "224.0.0.0/4", "255.255.255.255/32")
        ),
        *map(ipaddress.IPv6Network, ("::/128", "::1/128", "ff00::/8")),
    ]
)
"""Loopback, multicast, "unspecified" and broadcast: the IANA's special-purpose registries."""

OWN = "this machine's own address"

Own = Callable[[], Mapping[Address, str] | set[Address]]
"""Gives addresses that are protected, each with what it is; of a set, all are the machine's own."""


def machine_addresses() -> dict[Address, str]:
    """This machine's own addresses, its gateways and its resolvers, each with what it is."""
    return {
        **{one: f"a resolver of this machine ({file})" for one, file in resolvers().items()},
        **dict.fromkeys(gateways(), "a gateway of this machine"),
        **dict.fromkeys(own_addresses(), OWN),
    }


class Protected(NamedTuple):
    """Somebody who is never banned, for people to read."""

    what: str
    """A network, or a host name or file with what it stands for."""
    where: str
    """Where that comes from."""


class Protection:
    """Spares networks and addresses."""

    def __init__(self, never: Networks, own: Own) -> None:
        """Protect these networks, and this machine.

        :param own: gives the addresses of this machine, and those that it needs; they may change.
        """
        self._never = never
        self._read_own = own
        self._own: Mapping[Address, str] = {}
        self._own_networks = Networks([])
        self._own_texts: set[str] = set()
        self._read_at: float | None = None
        self._changed = False

    def why(self, address: str) -> str | None:
        """Why an address, or anybody in a network, may not be banned, or None where they may."""
        self._refresh()
        if "/" not in address:
            # The quick way for nearly all bans: its cost does not grow with `never`.
            version, number, _ = bits_of(address)
            if not (
                _NOBODY.covers(version, number)
                or self._never.covers(version, number)
                or address in self._own_texts
            ):
                return None
        network = network_of(address)
        if not any(one.overlaps(network) for one in (_NOBODY, self._own_networks, self._never)):
            return None
        if _NOBODY.overlaps(network):
            return "it is no other machine's address"
        for one, what in self._own.items():
            if one.version == network.version and one in network:
                inside = "" if network_text(network) == str(one) or what == OWN else f" ({one})"
                return f"it is {what}{inside}"
        found = self._never.overlapping(network)
        assert found is not None
        never, source = found
        if source is None:
            return f"[bans] never has {never}"
        return f"[bans] never has {network_text(never)}, by {_shown(source)}"

    def part_of(self, wide: Network, address: Address) -> Network | None:
        """The broadest network around an address that may be banned, within one that may not be.

        :param wide: the network that may not be banned.
        :param address: an address in it.
        :return: the network; None: not even the address alone may be banned.
        """
        for prefix in range(wide.prefixlen + 1, wide.max_prefixlen + 1):
            part = network_around(address, prefix, prefix)
            if self.why(network_text(part)) is None:
                return part
        return None

    def has_changed(self) -> bool:
        """Whether this machine's addresses are other ones than at the last call."""
        self._refresh()
        changed, self._changed = self._changed, False
        return changed

    def listing(self, places: list[str]) -> list[Protected]:
        """All who are protected, with where that comes from, but for loopback and the like.

        :param places: where each item of ``[bans] never`` stands.
        """
        self._refresh()
        places = places + ["[bans] never"] * (len(self._never.items) - len(places))
        found = []
        for item, place in zip(self._never.items, places, strict=True):
            if isinstance(item, HostName | ListFile):
                found.append(Protected(_with_networks(item, self._never), place))
            else:
                found.append(Protected(network_text(item), place))
        return found + [
            Protected(str(one), what) for one, what in self._own.items() if not one.is_loopback
        ]

    def _refresh(self) -> None:
        now = time.monotonic()
        if self._read_at is not None and now - self._read_at <= _KEPT_S:
            return
        found = self._read_own()
        own = found if isinstance(found, Mapping) else dict.fromkeys(found, OWN)
        if own.keys() != self._own.keys():
            self._changed = self._read_at is not None
            self._own_networks = Networks([ipaddress.ip_network(str(one)) for one in own])
            self._own_texts = set(map(str, own))
        self._own = own
        self._read_at = now


def _shown(source: HostName | ListFile) -> str:
    return f"file:{source}" if isinstance(source, ListFile) else str(source)


def _with_networks(source: HostName | ListFile, never: Networks) -> str:
    networks = never.learned(source)
    if isinstance(source, ListFile) and len(networks) > _SHOWN:
        return f"{_shown(source)} ({len(networks):,} networks)"
    more = f" and {len(networks) - _SHOWN:,} more" if len(networks) > _SHOWN else ""
    texts = ", ".join(map(network_text, networks[:_SHOWN])) or "nobody now"
    return f"{_shown(source)} ({texts}{more})"
