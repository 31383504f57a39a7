"""The action ``network``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import AddressField, Entry, NewField, hookimpl
from pyruse_plugins.actions._networks import (
    Ipv4PrefixLength,
    Ipv6PrefixLength,
    counted_under,
)


@dataclass(eq=False, repr=False)
class Network:
    """Say which network an address is in.

    Most people have a whole network of IPv6, and their machines change their addresses in it every
    day. Who wants to know them again (`remember`) has to look at the network. An entry whose field
    holds no address ends its journey here, and Pyruse says so.

    ```toml
    { action = "network", ip = "ip", into = "network" }
    ```
    """

    ip: AddressField
    """The field that holds the address."""
    into: NewField
    """The field that gets the network: `198.51.100.7`, or `2001:db8:0:7::/64`."""
    prefix4: Ipv4PrefixLength = Ipv4PrefixLength(32)
    """The prefix length of IPv4 networks; 32 is the address alone."""
    prefix6: Ipv6PrefixLength = Ipv6PrefixLength(64)
    """The same for IPv6."""

    @hookimpl
    def act_on_entry(self, entry: Entry) -> None:
        entry[self.into] = counted_under(entry, self.ip, self.prefix4, self.prefix6)
