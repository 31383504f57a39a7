"""Counts the bans in each network that may grow, and tells until when there are enough."""

from __future__ import annotations

import ipaddress
from bisect import bisect_left, insort

from pyruse.addresses import bits_of, network_text
from pyruse.api.firewall import Target
from pyruse.bans.aggregate import BITS, Aggregate
from pyruse.state.shared_bans import BanKey
from pyruse.times import FOREVER

_Around = tuple[int, int, Target]  # a network: the version of IP, its bits; and from where


class Members:
    """When the bans in each network end: to tell until when there are many of them.

    A ban costs the same however many others there are: only its own network is looked at.
    """

    def __init__(self, aggregate: Aggregate) -> None:
        self._aggregate = aggregate
        self.count_any = aggregate != Aggregate()
        """Whether networks grow at all; if not, nothing is counted."""
        self._ends: dict[_Around, list[int]] = {}
        """In order, the latest last."""

    def add(self, key: BanKey, until: int | None) -> None:
        """Count a ban."""
        around = self._around(key)
        if around is not None:
            insort(self._ends.setdefault(around, []), FOREVER if until is None else until)

    def remove(self, key: BanKey, until: int | None) -> None:
        """Count a ban no longer that was added with this end."""
        around = self._around(key)
        if around is None:
            return
        ends = self._ends[around]
        del ends[bisect_left(ends, FOREVER if until is None else until)]
        if not ends:
            del self._ends[around]

    def around(self, key: BanKey) -> BanKey | None:
        """The network that a ban belongs to; None where its family does not grow."""
        around = self._around(key)
        return None if around is None else self._key(around)

    def many_until(self, key: BanKey) -> int:
        """Until when enough bans of a network last: the end of the one that makes them enough.

        :return: an instant, `FOREVER`, or 0 where there are too few.
        """
        version, number, prefix = bits_of(key.network)
        growth = self._aggregate.of(version)
        if growth is None or growth.prefix != prefix:
            return 0  # of an earlier configuration
        ends = self._ends.get((version, number >> BITS[version] - prefix, key.target), ())
        return ends[-growth.at] if len(ends) >= growth.at else 0

    def grown(self) -> list[BanKey]:
        """The networks with enough bans in them."""
        return [key for key in map(self._key, self._ends) if self.many_until(key)]

    def at(self, key: BanKey) -> int:
        """How many bans are enough for a network that grows."""
        growth = self._aggregate.of(bits_of(key.network)[0])
        assert growth is not None
        return growth.at

    def _around(self, key: BanKey) -> _Around | None:
        growth = self._aggregate.of(6 if ":" in key.network else 4)
        if growth is None:  # as for IPv4, unless it is wanted
            return None
        version, number, prefix = bits_of(key.network)
        if prefix <= growth.prefix:
            return None
        return version, number >> BITS[version] - growth.prefix, key.target

    def _key(self, around: _Around) -> BanKey:
        version, bits, target = around
        growth = self._aggregate.of(version)
        assert growth is not None
        first = bits << BITS[version] - growth.prefix
        cls = ipaddress.IPv4Network if version == 4 else ipaddress.IPv6Network
        return BanKey(network_text(cls((first, growth.prefix))), target)
