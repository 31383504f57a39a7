"""The filter ``banned``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import AddressField, Context, Entry, address_of, hookimpl


@dataclass(eq=False, repr=False)
class Banned:
    """Pass when the address that a field holds is banned at the time of the entry.

    It may be banned itself, or be in a network that is. A ban may be for some ports, or too late
    for a connection that was there: so who is banned may be heard of all the same. What is no
    address does not pass.

    ```toml
    { filter = "banned", ip = "ip", then = "logins of the banned" }
    { filter = "banned", ip = "ip", label = "web", invert = true }
    ```
    """

    ip: AddressField
    """The field that holds the address."""
    label: str | None = None
    """Only bans with this label."""

    @hookimpl
    def match_entry(self, entry: Entry, context: Context) -> bool:
        address = address_of(entry, self.ip)
        if address is None:
            return False
        bans = context.bans_of(entry, address)
        return any(self.label is None or ban.label == self.label for ban in bans)
