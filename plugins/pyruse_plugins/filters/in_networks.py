"""The filter ``in_networks``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import AddressField, Condition, Entry, Networks, hookimpl


@dataclass(eq=False, repr=False)
class InNetworks:
    """Pass when a field holds an address inside one of some networks.

    IPv4 and IPv6, single addresses and networks. An IPv4 address written in IPv6
    (`::ffff:192.0.2.1`) is the IPv4 address; a zone (`fe80::1%eth0`) and a port
    (`192.0.2.1:5060`) are left out of account.
    However many networks there are, it takes the same time. What is no address does not pass.

    Host names are resolved, and files are read, again and again while Pyruse runs: see
    [networks](configuration.md#networks).

    ```toml
    { filter = "in_networks", field = "ip", nets = ["192.168.1.0/24", "2001:db8::/32"] }
    { filter = "in_networks", field = "ip", nets = ["home.example.net"], then = "known" }
    { filter = "in_networks", field = "ip", nets = { file = "/etc/pyruse/cdn.txt" } }
    ```
    """

    field: AddressField
    """The field that holds the address."""
    nets: Networks
    """The networks: a list, or the file that they are in."""

    @hookimpl
    def condition(self) -> Condition:
        return Condition.told(self.field, self.nets.has_text)

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        value = entry.get(self.field)
        return isinstance(value, str) and self.nets.has_text(value)
