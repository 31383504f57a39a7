"""Finds bans: by an address, by a network, or by a text."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from typing import Any

from pyruse import parse_network


def finder(wanted: str) -> Callable[[Mapping[str, Any]], bool]:
    """Tells of a ban whether it is of an address or network, or has a text, that is asked for."""
    text = wanted.casefold()
    try:
        network = parse_network(wanted)
    except ValueError:
        fields = ("ip", "label", "chain", "reason")
        return lambda ban: any(text in ban[field].casefold() for field in fields)

    def touches(ban: Mapping[str, Any]) -> bool:
        # Also a network around it: who is in there is banned as well.
        banned = ipaddress.ip_network(ban["ip"])
        return banned.version == network.version and banned.overlaps(network)

    return touches
