"""Orders of the commands `ban`, `unban` and `bans`; `pyruse.bans.carry_out` carries them out.

An order and its answer go through `pyruse.daemon.control`, in JSON. After an upgrade, the daemon
may be older than the command, or newer: fields are only ever added, and have a default.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Annotated, Any, TypeVar

import msgspec

from pyruse.addresses import network_text, parse_network, plain_ipv4
from pyruse.errors import UserError

Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
"""A number of bans."""
LONGEST_LABEL = 200
"""Characters of a label."""
LAST_US = 253_370_764_800_000_000
"""The last instant that a ban can end at, in µs since the epoch: `datetime` ends in 9999."""

_PART = 5_000
"""Bans, or networks, of an order that is sent at once."""
T = TypeVar("T")

_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Label = Annotated[str, msgspec.Meta(max_length=LONGEST_LABEL)]
_Instant = Annotated[int, msgspec.Meta(ge=0, le=LAST_US)]


class Where(msgspec.Struct, omit_defaults=True):
    """Where a ban is to be put, as `Target` has it."""

    backend: str | None = None
    sets: dict[str, str | None] | None = None
    ports: list[_Port | str] = []
    """Ports, and ranges of them such as "1000-2000"."""
    protocol: str | None = None


class Item(msgspec.Struct, omit_defaults=True):
    """A ban to make; one that is over by now is to be remembered, for `escalate`."""

    network: str
    label: Label
    reason: str = ""
    until: _Instant | None = None
    """In microseconds since the epoch; None: for ever."""
    where: Where | None = None
    """None: where bans go by default."""
    before: Count = 0
    """How many bans of this network came before this one."""


class BanOrder(msgspec.Struct, tag_field="order", tag="ban"):
    """Make bans."""

    bans: list[Item]


class UnbanOrder(msgspec.Struct, tag_field="order", tag="unban"):
    """Lift the bans of networks and of all that is in them."""

    networks: list[str] | None
    """None: all that there are."""
    label: str | None = None
    """Only those of this label."""


class Answer(msgspec.Struct, omit_defaults=True):
    """What was done, by the networks as people write them."""

    done: list[str] = []
    """Banned now, or longer now; or, of an unban, no longer banned."""
    unchanged: list[str] = []
    """Banned for at least as long already; or not banned, of an unban."""
    spared: list[tuple[str, str]] = []
    """Not banned, and why."""
    over: list[str] = []
    """Not banned, since that ban is over by now; how often there were bans is remembered."""
    around: list[tuple[str, str]] = []
    """Of an unban: a network, and one around it that is banned still."""
    refused: dict[str, list[str]] = {}
    """What firewalls said, and of which networks: of none that is in ``done`` or ``unchanged``. The
    state has the change, so it is tried again."""
    faults: list[str] = []
    """What firewalls said of other bans than those of this order."""


def in_parts(order: BanOrder | UnbanOrder) -> list[BanOrder | UnbanOrder]:
    """Orders that together are this one, each of which a daemon carries out at once."""
    if isinstance(order, BanOrder):
        return [BanOrder(part) for part in parts(order.bans)] or [order]
    if order.networks is None:
        return [order]
    return [UnbanOrder(part, order.label) for part in parts(order.networks)] or [order]


def parts(items: Iterable[T]) -> Iterator[list[T]]:
    """The items, as many together as an order has."""
    left = iter(items)
    while part := list(islice(left, _PART)):
        yield part


def joined(answers: Iterable[Answer]) -> Answer:
    """One answer to the parts of an order."""
    whole = Answer()
    for one in answers:
        whole.done += one.done
        whole.unchanged += one.unchanged
        whole.spared += one.spared
        whole.over += one.over
        whole.around += one.around
        whole.faults += one.faults
        for why, networks in one.refused.items():
            whole.refused.setdefault(why, []).extend(networks)
    whole.faults = list(dict.fromkeys(whole.faults))
    return whole


def read(message: dict[str, Any]) -> BanOrder | UnbanOrder:
    """An order, as it has come.

    :raises UserError: it is not understood.
    """
    try:
        order = msgspec.convert(message, BanOrder | UnbanOrder)
        if isinstance(order, BanOrder):
            for item in order.bans:
                item.network = plain_ipv4(item.network) or network_text(parse_network(item.network))
        elif order.networks is not None:
            order.networks = [network_text(parse_network(text)) for text in order.networks]
    except ValueError as fault:  # msgspec.ValidationError is one, too
        raise UserError(
            f"the order is not understood: {fault} (expected one of the same version)"
        ) from None
    return order


def message_of(order: BanOrder | UnbanOrder | Answer) -> dict[str, Any]:
    """An order or an answer, as it is sent."""
    message: dict[str, Any] = msgspec.to_builtins(order)
    return message
