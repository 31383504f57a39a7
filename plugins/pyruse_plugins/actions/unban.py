"""The action ``unban``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import (
    AddressField,
    BanLabel,
    Context,
    Entry,
    address_of,
    hookimpl,
    printable,
    shortened,
)


@dataclass(eq=False, repr=False)
class Unban:
    """Lift the bans of the address that a field holds, if there are any.

    A ban of a network around the address stays in force, as it is about others, too. An entry whose
    field holds no address ends its journey here, and Pyruse says so.

    ```toml
    { action = "unban", ip = "ip" }
    { action = "unban", ip = "ip", label = "mail" }
    ```
    """

    ip: AddressField
    """The field that holds the address."""
    label: BanLabel | None = None
    """Lift only the bans of this label; by default, all of them."""

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        address = address_of(entry, self.ip)
        if address is None:
            value = shortened(printable(entry.text(self.ip) or ""), 80)
            raise ValueError(f'{self.ip} = "{value}" cannot be unbanned (expected an address)')
        context.unban(entry, address, self.label)
