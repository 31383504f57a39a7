"""Growing networks: where many addresses of one network are banned, all of it is."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import Any, ClassVar

from pyruse.addresses import bits_of, network_text
from pyruse.api.firewall import Target
from pyruse.bans.targets import Place

#: The end of a ban without end: later than any other.
FOR_EVER = (1 << 63) - 1

_BITS = {4: 32, 6: 128}
_BROADEST = {4: 8, 6: 16}


@dataclass(frozen=True)
class Growth:
    """How the networks of one family grow."""

    prefix: int
    """The prefix length of the networks."""
    at: int
    """So many bans in one network have all of it banned."""

    IN_WORDS: ClassVar[str] = "a table such as { prefix = 24, at = 16 }"
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {
            "prefix": {"type": "integer", "minimum": 8, "maximum": 127},
            "at": {"type": "integer", "minimum": 2},
        },
        "required": ["prefix", "at"],
        "additionalProperties": False,
    }

    def __post_init__(self) -> None:
        if self.at < 2:
            raise ValueError(
                f"at = {self.at} is not many (expected 2 or more; prefix4 and prefix6 of the "
                "action ban are for whole networks from the first offence on)"
            )


@dataclass(frozen=True)
class Aggregate:
    """``{ ipv4 = { prefix = 24, at = 16 }, ipv6 = { prefix = 64, at = 4 } }``, or one of them."""

    ipv4: Growth | None = None
    ipv6: Growth | None = None

    IN_WORDS: ClassVar[str] = "a table such as { ipv4 = { prefix = 24, at = 16 } }"

    def __post_init__(self) -> None:
        for version in (4, 6):
            growth, longest = self.of(version), _BITS[version] - 1
            if growth is not None and not _BROADEST[version] <= growth.prefix <= longest:
                raise ValueError(
                    f"ipv{version}.prefix = {growth.prefix} is no prefix length of networks that "
                    f"grow (expected {_BROADEST[version]} to {longest})"
                )

    def of(self, version: int) -> Growth | None:
        """How networks of IPv4 or IPv6 grow; None: not at all."""
        return self.ipv4 if version == 4 else self.ipv6


_Key = tuple[int, int, Target]  # the version of IP, the network's bits


class Members:
    """When the bans in each network end: to tell until when there are many of them.

    A ban costs the same however many others there are: only those of its own network are looked at.
    """

    def __init__(self, aggregate: Aggregate) -> None:
        self._aggregate = aggregate
        self._grows = aggregate != Aggregate()
        self._ends: dict[_Key, list[int]] = {}
        """In order, the latest last."""

    def add(self, place: Place, until: int | None) -> None:
        """A ban was made."""
        key = self._key(place)
        if key is not None:
            insort(self._ends.setdefault(key, []), FOR_EVER if until is None else until)

    def remove(self, place: Place, until: int | None) -> None:
        """A ban that was added is over, or replaced."""
        key = self._key(place)
        if key is None:
            return
        ends = self._ends[key]
        del ends[bisect_left(ends, FOR_EVER if until is None else until)]
        if not ends:
            del self._ends[key]

    def around(self, place: Place) -> Place | None:
        """The network that a ban belongs to; None where its family does not grow."""
        key = self._key(place)
        return None if key is None else self._place(key)

    def many_until(self, place: Place) -> int:
        """Until when enough bans of a network last: the end of the one that makes them enough.

        :return: an instant, `FOR_EVER`, or 0 where there are too few.
        """
        version, number, prefix = bits_of(place.address)
        growth = self._aggregate.of(version)
        if growth is None or growth.prefix != prefix:
            return 0  # of an earlier configuration
        ends = self._ends.get((version, number >> _BITS[version] - prefix, place.target), ())
        return ends[-growth.at] if len(ends) >= growth.at else 0

    def grown(self) -> list[Place]:
        """The networks with enough bans in them."""
        places = map(self._place, self._ends)
        return [place for place in places if self.many_until(place)]

    def at(self, place: Place) -> int:
        """How many bans are enough for a network that grows."""
        growth = self._aggregate.of(bits_of(place.address)[0])
        assert growth is not None
        return growth.at

    def _key(self, place: Place) -> _Key | None:
        if not self._grows:
            return None
        version, number, prefix = bits_of(place.address)
        growth = self._aggregate.of(version)
        if growth is None or prefix <= growth.prefix:
            return None
        return version, number >> _BITS[version] - growth.prefix, place.target

    def _place(self, key: _Key) -> Place:
        version, bits, target = key
        growth = self._aggregate.of(version)
        assert growth is not None
        first = bits << _BITS[version] - growth.prefix
        cls = ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network
        return Place(network_text(cls((first, growth.prefix))), target)
