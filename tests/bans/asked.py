"""What tests ask for, in a line."""

from __future__ import annotations

from ipaddress import ip_network

from pyruse.api.bans import BanRequest
from pyruse.api.firewall import Target
from pyruse.options.durations import Duration


def request(
    network: str,
    *seconds: int | None,
    target: Target | None = None,
    label: str = "ssh",
    forget: Duration | None = None,
) -> BanRequest:
    """Ban a network for so many seconds, the next time for so many; none given: for ever."""
    parsed = ip_network(network)
    durations = [None if one is None else Duration(seconds=one) for one in seconds or (None,)]
    prefix = parsed.prefixlen
    return BanRequest(parsed.network_address, durations, target, label, prefix, prefix, forget)
