"""The sets of nftables that bans are put into, in the words of nft(8).

All that goes into these words is made of checked names, addresses and numbers.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from pyruse import Network

_FAMILIES = {4: ("ip", "inet", "netdev", "bridge"), 6: ("ip6", "inet", "netdev", "bridge")}
"""Which families of tables can hold sets of IPv4 addresses, and of IPv6 addresses."""
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
"""How nft(8) writes names."""
_LONGEST_NAME = 100
"""The kernel's limit for names is 255; beyond this one, the ports are replaced by a digest."""
_PRIORITY = -300
"""Before connection tracking (-200) and NAT (-100): a banned packet costs nothing, `ports` are the
ports that it asks for, and containers behind this machine are protected, too."""
_ELEMENT = re.compile(
    r"(?:^|[{,])\s*([0-9a-fA-F:.]*[0-9a-fA-F:](?:/\d+|-[0-9a-fA-F:.]+)?)(?=[\s,}]|$)"
)
"""In what nft lists, between the braces."""
_COUNTER = "dropped"


@dataclass(frozen=True)
class NftSet:
    """A set, wherever it comes from."""

    family: str
    table: str
    name: str

    def __str__(self) -> str:
        return f"{self.family} {self.table} {self.name}"

    def element(self, network: str) -> str:
        """A network as the set's elements are written."""
        return network


@dataclass(frozen=True)
class OwnSet(NftSet):
    """One of Pyruse's own: a set for each prefix length, each protocol and each list of ports.

    Networks are kept as their first address, in a hash set, and the address of a packet is masked
    before it is looked up. Unlike an interval set, this one takes networks that overlap, and takes
    no longer when it is large.
    """

    version: int
    mask: str | None
    """The netmask; None for single addresses."""
    ports: tuple[int | str, ...]
    protocol: str | None = None

    @classmethod
    def of(
        cls,
        table: str,
        network: Network,
        ports: tuple[int | str, ...],
        protocol: str | None = None,
    ) -> OwnSet:
        """The set that a network belongs to."""
        single = network.prefixlen == network.max_prefixlen
        name = f"ipv{network.version}" if single else f"ipv{network.version}_{network.prefixlen}"
        if protocol is not None:
            name += f"_{protocol}"
        if ports:
            name += "_ports_" + "_".join(str(port).replace("-", "to") for port in ports)
        if len(name) > _LONGEST_NAME:
            import hashlib

            name = f"{name[:20]}_{hashlib.sha256(name.encode()).hexdigest()[:16]}"
        mask = None if single else str(network.netmask)
        return cls("inet", table, name, network.version, mask, ports, protocol)

    def element(self, network: str) -> str:
        """The first address alone: the prefix length is the set's."""
        return network.partition("/")[0]

    @property
    def creation(self) -> list[str]:
        """Commands that make the set, and a chain of its own for its rule, if they are not there.

        The table must exist.

        As each set has a chain of its own, making one set never touches the rule of another, even
        if another process makes it.
        """
        hook = f"type filter hook prerouting priority {_PRIORITY}; policy accept;"
        return [
            f"add counter {self.family} {self.table} {_COUNTER}",
            f"add set {self} {{ type ipv{self.version}_addr; flags timeout; }}",
            f"add chain {self} {{ {hook} }}",
        ]

    @property
    def rule(self) -> list[str]:
        """Commands that put the rule into the chain, in place of whatever is there.

        Adding a rule twice makes two; together with the flush, it may be done time and again.
        """
        source = "ip saddr" if self.version == 4 else "ip6 saddr"
        if self.mask is not None:
            source += f" & {self.mask}"
        match = f"{source} @{self.name}"
        if self.protocol is not None:
            icmp = "icmp" if self.version == 4 else "icmpv6"
            match += f" meta l4proto {icmp if self.protocol == 'icmp' else self.protocol}"
        elif self.ports:
            match += " meta l4proto { tcp, udp }"
        if self.ports:
            match += f" th dport {{ {', '.join(map(str, self.ports))} }}"
        return [f"flush chain {self}", f"add rule {self} {match} counter name {_COUNTER} drop"]


def not_held(elements: Sequence[str], listed: str) -> list[str]:
    """Which elements a set does not hold.

    :param elements: addresses, or networks with their prefix length.
    :param listed: what `nft list set` says; neighbours may be joined there (auto-merge).
    """
    there = _ELEMENT.findall(listed.partition("elements = {")[2])
    missing = set(elements).difference(there)
    if not missing:
        return []
    spans = sorted(map(_span, there))
    firsts = [first for first, _ in spans]

    def covers(element: str) -> bool:
        first, last = _span(element)
        at = bisect_right(firsts, first) - 1
        return at >= 0 and last <= spans[at][1]

    return [one for one in elements if one in missing and not covers(one)]


def _span(element: str) -> tuple[int, int]:
    """The first and the last address of an address, a network, or a range with a dash."""
    first, dash, last = element.partition("-")
    if dash:
        return int(ip_address(first)), int(ip_address(last))
    network = ip_network(first, strict=False)
    return int(network[0]), int(network[-1])


def set_doubts(where: NftSet, version: int, body: str | None, *, networks: bool) -> list[str]:
    """What keeps bans from holding as they should in a set of the administrator's.

    :param where: the set.
    :param version: of IP.
    :param body: what `nft -t list ruleset` has between its braces; None: it is not there.
    :param networks: whether networks are to be banned there, too.
    """
    if body is None:
        return [
            f"there is no set {where} (expected it to be there before the first ban: `nft add set "
            f"{where} {{ type ipv{version}_addr; flags timeout; }}`)"
        ]
    words = {
        line.split()[0]: line.split(maxsplit=1)[1:] for line in body.splitlines() if line.split()
    }
    kind = "".join(words.get("type", words.get("typeof", [""])))
    flags = "".join(words.get("flags", [""])).split(",")
    faults = []
    if "type" in words and kind != f"ipv{version}_addr":
        faults.append(f"its type is {kind}, so it takes no ban (expected ipv{version}_addr)")
    if "timeout" not in flags:
        faults.append("it takes no ban that ends (expected flags timeout)")
    if networks and "interval" not in flags:
        faults.append("it takes no networks, as prefix4 and prefix6 ban (expected flags interval)")
    if "auto-merge" in words:
        faults.append(
            "it joins neighbours and gives them one end, so bans may end too early or too late "
            "(expected no auto-merge)"
        )
    return [f"the set {where}: {fault}" for fault in faults]


def named_set(name: str, version: int) -> NftSet:
    """A set of the administrator's.

    :raises ValueError: the name cannot be one of a set for that version of IP.
    """
    words = name.split()
    if (
        len(words) != 3
        or words[0] not in _FAMILIES[version]
        or not all(map(_NAME.fullmatch, words))
    ):
        families = ", ".join(_FAMILIES[version])
        raise ValueError(
            f'"{name}" is no set of nftables for IPv{version} (expected "FAMILY TABLE SET" with '
            f"one of the families {families})"
        )
    return NftSet(*words)
