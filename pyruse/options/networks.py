"""Lists of networks: written out, by host names, and in files."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network
from typing import Any, ClassVar, Self

from pyruse.addresses import Address, Network, logged_address, parse_network
from pyruse.text import late_pattern, shown

_FILE = "file:"
_LONGEST_NAME = 253  # characters (RFC 1035 §2.3.4)
_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
# A single word is most often a mistake, and what ends in a number is a misspelt address.
_NAME = late_pattern(rf"(?:{_LABEL}\.)+(?![0-9]+\.?\Z){_LABEL}\.?\Z")


class HostName(str):
    """A host name, in small letters: its addresses are looked up."""


class ListFile(str):
    """The path of a file with networks."""


Item = Network | HostName | ListFile
_REMEMBERED = 1024
"""Texts of which it is known whether they are inside: who comes once comes again."""
_Key = tuple[int, int, int]
"""A network: the version of IP, its first address, its prefix length."""


class Networks:
    """Networks, addresses, host names and files: ``["192.168.1.0/24", "home.example.net"]``.

    ``address in networks`` takes the same time for one network and for a hundred thousand. What
    host names and files stand for is looked up again while Pyruse runs (`pyruse.lookups`), and
    counts at once; before the first answer, they stand for nothing.
    """

    IN_WORDS: ClassVar[str] = 'a list of networks, such as ["192.168.1.0/24"]'
    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "array", "items": {"type": "string"}},
            {
                "type": "object",
                "properties": {"file": {"type": "string", "pattern": "^/"}},
                "required": ["file"],
                "additionalProperties": False,
            },
        ]
    }

    def __init__(self, networks: Sequence[Item]) -> None:
        self.items = list(networks)
        """As they are written."""
        self.sources = [one for one in self.items if isinstance(one, HostName | ListFile)]
        """What is to be looked up."""
        self._written: list[Network] = [
            one for one in self.items if isinstance(one, IPv4Network | IPv6Network)
        ]
        self._learned: dict[str, Sequence[Network]] = {}
        self.has_text = lru_cache(maxsize=_REMEMBERED)(self._has_text)
        """Whether a text is an address in one of them, as programs log it: with its port, say."""
        self._index()

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a list, or the table ``{ file = "/PATH" }``.

        :raises ValueError: it is no list of networks.
        """
        if isinstance(value, dict) and set(value) == {"file"}:
            path = value["file"]
            if not isinstance(path, str):
                raise ValueError(f"{shown(path)} is no path (expected {_PATH})")
            return cls([_list_file(path)])
        if not isinstance(value, list):
            raise ValueError(
                f'{shown(value)} is no list of networks (expected ["192.168.1.0/24", …])'
            )
        return cls([cls.parse_item(item) for item in value])

    @staticmethod
    def parse_item(value: Any) -> Item:
        """Read one item of a list: a network, an address, a host name, or ``file:/PATH``.

        :raises ValueError: it is none of these.
        """
        if isinstance(value, str):
            if value.startswith(_FILE):
                return _list_file(value.removeprefix(_FILE))
            if len(value) <= _LONGEST_NAME and _NAME.match(value):
                return HostName(value.lower().rstrip("."))
        return parse_network(value)

    def learn(self, source: HostName | ListFile, networks: Sequence[Network]) -> None:
        """Take what a host name or a file stands for from now on."""
        self._learned[source] = networks
        self._index()

    def learned(self, source: HostName | ListFile) -> Sequence[Network]:
        """What a host name or a file stands for now."""
        return self._learned.get(source, ())

    def _index(self) -> None:
        self.networks = [*self._written, *(net for some in self._learned.values() for net in some)]
        by_mask: dict[int, dict[int, set[int]]] = {4: {}, 6: {}}
        for network in self.networks:
            masks = by_mask[network.version]
            masks.setdefault(int(network.netmask), set()).add(int(network.network_address))
        self._by_mask = by_mask  # threads may look at the one before
        self.has_text.cache_clear()
        self._firsts: dict[int, list[int]] | None = None
        self._origins: dict[_Key, HostName | ListFile | None] | None = None

    def _has_text(self, text: str) -> bool:
        address = logged_address(text)
        return address is not None and address in self

    def __contains__(self, address: Address) -> bool:
        return self.covers(address.version, int(address))

    def covers(self, version: int, number: int) -> bool:
        """The same for an address of IPv4 or IPv6, given as its number."""
        for mask, known in self._by_mask[version].items():  # noqa: SIM110 -- half the time of any()
            if number & mask in known:
                return True
        return False

    def overlaps(self, network: Network) -> bool:
        """Whether a network is in one of these, or one of these is in it."""
        return self._overlapping(network) is not None

    def overlapping(self, network: Network) -> tuple[Network, HostName | ListFile | None] | None:
        """One that overlaps a network, and what it was learned of; None: there is none."""
        found = self._overlapping(network)
        if found is None:
            return None
        if self._origins is None:  # asked for when somebody is to be told
            self._origins = {
                _key(one): source for source in self.sources for one in self.learned(source)
            }
            self._origins |= dict.fromkeys(map(_key, self._written))
        version, first, prefix = found
        cls = IPv4Network if version == 4 else IPv6Network
        return cls((first, prefix)), self._origins[found]

    def _overlapping(self, network: Network) -> _Key | None:
        version, first = network.version, int(network.network_address)
        masks = self._by_mask[version]
        for mask, known in masks.items():
            if first & mask in known:
                return version, first & mask, mask.bit_count()
        if self._firsts is None:
            self._firsts = {
                one: sorted({number for known in masks.values() for number in known})
                for one, masks in self._by_mask.items()
            }
        firsts = self._firsts[version]
        at = bisect_left(firsts, first)
        if at == len(firsts) or firsts[at] > int(network.broadcast_address):
            return None
        inside = firsts[at]
        return next(
            (version, inside, mask.bit_count()) for mask, known in masks.items() if inside in known
        )

    def __iter__(self) -> Iterator[Network]:
        return iter(self.networks)

    def __len__(self) -> int:
        return len(self.networks)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Networks) and other.items == self.items

    def __hash__(self) -> int:
        return hash(tuple(self.items))


_PATH = 'the path of a file from / on, such as "/etc/pyruse/never.txt"'


def _list_file(path: str) -> ListFile:
    if not path.startswith("/") or "\0" in path:
        raise ValueError(f"{shown(path)} is no path of a list (expected {_PATH})")
    return ListFile(path)


def _key(network: Network) -> _Key:
    return network.version, int(network.network_address), network.prefixlen
