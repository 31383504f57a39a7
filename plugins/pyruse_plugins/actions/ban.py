"""The action ``ban``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pyruse import (
    AddressField,
    BanRequest,
    Context,
    Duration,
    Entry,
    Field,
    Protocol,
    Sets,
    Target,
    Traits,
    address_of,
    hookimpl,
    ports_of,
    printable,
    shortened,
)
from pyruse_plugins.actions._networks import Ipv4PrefixLength, Ipv6PrefixLength, Number

_RANGE = re.compile("[0-9]+[-:][0-9]+")
_LONGEST_LABEL = 200
"""Characters, as of the labels that commands give."""


class PortNumber(Number):
    """A port of TCP and UDP."""

    LIMITS = (1, 65535)
    WHAT = "port"


class Port:
    """A port, or a range of ports."""

    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [PortNumber.SCHEMA, {"type": "string", "pattern": "^[0-9]+[-:][0-9]+$"}]
    }

    def __init__(self, value: int | str) -> None:
        self.value = value

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a port, or a range such as ``"1000-2000"``.

        :raises ValueError: it is neither.
        """
        if isinstance(value, str) and _RANGE.fullmatch(value):
            return cls(ports_of([value])[0])
        return cls(PortNumber.parse(value))


@dataclass(kw_only=True, eq=False, repr=False)
class Ban:
    """Ban the address that a field holds, from the time of the entry on.

    A ban that is in force already lasts until the later end. The networks of `[bans] never`, this
    machine's own addresses, loopback and multicast are never banned. Bans survive a restart of
    Pyruse and of the machine. An IPv4 address written in IPv6 (`::ffff:192.0.2.1`) is the IPv4
    address, and a port behind an address (`192.0.2.1:5060`) is left out of account. An entry whose
    field holds no address ends its journey here, and Pyruse says so.

    ```toml
    { action = "ban", ip = "ip", duration = "1d" }
    { action = "ban", ip = "ip", escalate = ["10m", "1h", "1d", "1w"], prefix6 = 64 }
    { action = "ban", ip = "ip", duration = "1h", ports = [25, 465, 587], label = "mail" }
    { action = "ban", ip = "ip", duration = "1h", protocol = "udp", ports = [5060, "10000-20000"] }
    { action = "ban", ip = "ip", sets = { ipv4 = "ip mail banned", ipv6 = "ip6 mail banned" } }
    ```
    """

    traits: ClassVar[Traits] = Traits(accuses=True)

    ip: AddressField
    """The field that holds the address."""
    duration: Duration | None = None
    """How long the ban lasts; without it, and without `escalate`, for ever."""
    escalate: list[Duration] | None = None
    """How long the first ban of an address lasts, its next one, and so on; the last one is for all
    that follow."""
    forget: Duration = field(default_factory=lambda: Duration(days=90))
    """An address that has been quiet for so long, after the end of its last ban, starts again with
    the first duration of `escalate`."""
    prefix4: Ipv4PrefixLength = Ipv4PrefixLength(32)
    """Ban the IPv4 network of this prefix length around the address; 32 is the address alone."""
    prefix6: Ipv6PrefixLength = Ipv6PrefixLength(128)
    """The same for IPv6. A provider often gives each customer a network of prefix length 64. A
    link-local address is always banned alone, and so is one of NAT64 (`64:ff9b::/96`)."""
    label: str | None = None
    """What the ban is called in lists, reports and for `unban`; by default, the chain's name."""
    ports: list[Port] | None = None
    """Close only these ports to the banned, and ranges of them such as `"1000-2000"`; by default,
    everything."""
    protocol: Protocol | None = None
    """Close only this protocol, or its `ports`; by default, all protocols, or the ports of TCP and
    UDP."""
    backend: str | None = None
    """The firewall, instead of that of `[bans] backend`."""
    sets: Sets | None = None
    """Sets of your own that the firewall's rules refer to, instead of Pyruse's. An address of a
    family without a set is not banned, and Pyruse says so."""

    def __post_init__(self) -> None:
        if self.duration is not None and self.escalate is not None:
            raise ValueError("duration and escalate both tell how long (expected one of the two)")
        for name in ("escalate", "ports"):
            if getattr(self, name) == []:
                raise ValueError(f"{name} is empty (expected one item or more, or no {name})")
        if self.label is not None and not self.label.strip():
            raise ValueError('label is empty (expected a word or two, such as "mail")')
        if self.label is not None and len(self.label) > _LONGEST_LABEL:
            raise ValueError(
                f"label has {len(self.label):,} characters (expected {_LONGEST_LABEL} at most)"
            )
        self._target: Target | None = None

    @hookimpl
    def check_options(self, context: Context) -> None:
        ports = [port.value for port in self.ports or ()]
        networks = self.prefix4 < 32 or self.prefix6 < 128
        self._target = context.ban_target(
            self.backend, self.sets, ports, self.protocol, networks=networks
        )

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        address = address_of(entry, self.ip)
        if address is None:
            raise ValueError(_no_address(entry, self.ip))
        if self._target is None:
            self.check_options(context)
        if self.sets is not None and self._set_for(address.version) is None:
            raise ValueError(
                f"{address} cannot be banned: sets has none for IPv{address.version} (expected "
                f"ipv{address.version}, too)"
            )
        request = BanRequest(
            address,
            self.escalate or [self.duration],
            target=self._target,
            label=self.label,
            prefix4=self.prefix4,
            prefix6=self.prefix6,
            forget=self.forget,
        )
        context.ban(entry, request)

    def _set_for(self, version: int) -> str | None:
        assert self.sets is not None
        return self.sets.ipv4 if version == 4 else self.sets.ipv6


def _no_address(entry: Entry, field: Field) -> str:
    value = entry.text(field)
    if value is None:
        return f"{field} is missing, so nobody is banned (expected an address)"
    return f'{field} = "{shortened(printable(value), 80)}" cannot be banned (expected an address)'
