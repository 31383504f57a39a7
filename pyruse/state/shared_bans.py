"""Bans by their keys, in little memory: those of one list are alike but for their networks."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache

from msgspec import Struct

from pyruse.api.bans import Ban
from pyruse.api.firewall import Target
from pyruse.times import FOREVER


class BanKey(Struct, frozen=True, gc=False):
    """Who is banned from where: what tells bans apart.

    Networks are kept as text: most are only looked up and written, and making an object of
    `ipaddress` takes ten times as long (docs/decisions/0023-bans-are-text.md). The hash is made
    anew each time, as the text's is kept: to keep this one, too, would take as much memory again.
    """

    network: str
    """An address, or a network with its prefix length, as `network_text` writes it."""
    target: Target


class Terms(Struct, frozen=True, gc=False):
    """What a ban is, but for who is banned from where (see `Ban`)."""

    label: str
    since: int
    until: int | None
    reason: str
    chain: str
    count: int
    grown: bool


_shared = lru_cache(maxsize=128)(Terms)
"""Gives the same object for what is the same: bans of a list come after one another."""


class SharedBans:
    """A dictionary of bans, each of which is made when it is asked for."""

    __slots__ = ("terms",)

    def __init__(self) -> None:
        self.terms: dict[BanKey, Terms] = {}
        """What the bans are, but for their keys: to be looked at alone."""

    def __len__(self) -> int:
        return len(self.terms)

    def __iter__(self) -> Iterator[BanKey]:
        return iter(self.terms)

    def __contains__(self, key: object) -> bool:
        return key in self.terms

    def __getitem__(self, key: BanKey) -> Ban:
        return _ban(key, self.terms[key])

    def __setitem__(self, key: BanKey, ban: Ban) -> None:
        self.terms[key] = _shared(
            ban.label, ban.since, ban.until, ban.reason, ban.chain, ban.count, ban.grown
        )

    def __delitem__(self, key: BanKey) -> None:
        del self.terms[key]

    def get(self, key: BanKey) -> Ban | None:
        """The ban of a key; None: there is none."""
        terms = self.terms.get(key)
        return None if terms is None else _ban(key, terms)

    def items(self) -> Iterator[tuple[BanKey, Ban]]:
        """All bans."""
        for key, terms in self.terms.items():
            yield key, _ban(key, terms)

    def end(self, key: BanKey) -> int:
        """When the ban of a key ends; FOREVER, too, where there is none."""
        terms = self.terms.get(key)
        return FOREVER if terms is None or terms.until is None else terms.until


def _ban(key: BanKey, terms: Terms) -> Ban:
    return Ban(
        key.network, terms.label, terms.since, terms.until, terms.reason, terms.chain, terms.count,
        key.target, terms.grown,
    )  # fmt: skip
