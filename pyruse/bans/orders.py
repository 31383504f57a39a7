"""What the commands `ban`, `unban` and `bans` order; the daemon carries it out, if one runs.

An order and its answer are made of JSON types: they go through `pyruse.control`.
"""

from __future__ import annotations

from typing import Annotated, Any

import msgspec

from pyruse.bans.firewall import Sets, Target
from pyruse.bans.ledger import Ban
from pyruse.bans.service import Bans
from pyruse.bans.targets import bits_of
from pyruse.errors import UserError
from pyruse.options import network_text, parse_network

_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Where(msgspec.Struct, omit_defaults=True):
    """Where a ban is to be put, as `Target` has it."""

    backend: str | None = None
    sets: dict[str, str | None] | None = None
    ports: list[_Port] = []


class Item(msgspec.Struct, omit_defaults=True):
    """A ban to make."""

    network: str
    label: str
    reason: str = ""
    until: int | None = None
    """In microseconds since the epoch; None: for ever."""
    where: Where | None = None
    """None: where bans go by default."""


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
    around: list[tuple[str, str]] = []
    """Of an unban: a network, and one around it that is banned still."""


def execute(order: dict[str, Any], bans: Bans, now: int) -> dict[str, Any]:
    """Carry out an order; the firewalls are to be brought up to date, and the state committed.

    What firewalls refused before is tried again at once: an administrator waits for it.

    :param now: in microseconds since the epoch.
    :return: an `Answer`.
    :raises UserError: the order is not understood.
    """
    try:
        wanted = msgspec.convert(order, BanOrder | UnbanOrder)
        answer = (
            _ban(wanted, bans, now) if isinstance(wanted, BanOrder) else _unban(wanted, bans, now)
        )
    except ValueError as fault:  # msgspec.ValidationError is one, too
        raise UserError(
            f"the order is not understood: {fault} (expected one of the same version)"
        ) from None
    bans.enforcement.retry()
    made: dict[str, Any] = msgspec.to_builtins(answer)
    return made


def _ban(order: BanOrder, bans: Bans, now: int) -> Answer:
    answer = Answer()
    usual = bans.target(None, None, ())
    for item in order.bans:
        text = network_text(parse_network(item.network))
        why = bans.spared(text)
        if why is None:
            try:
                target = usual if item.where is None else _target(item.where, bans)
            except ValueError as fault:
                why = str(fault)
        if why is not None:
            answer.spared.append((text, why))
            continue
        duration = None if item.until is None else item.until - now
        made = duration is None or duration > 0
        made = made and bans.ban(
            text, target, [duration], now=now, label=item.label, reason=item.reason
        ) is not None  # fmt: skip
        (answer.done if made else answer.unchanged).append(text)
    return answer


def _target(where: Where, bans: Bans) -> Target:
    """The target, checked.

    :raises ValueError: there is no such one.
    """
    sets = None
    if where.sets is not None:
        sets = Sets.parse({name: one for name, one in where.sets.items() if one is not None})
    return bans.target(where.backend, sets, where.ports)


def _unban(order: UnbanOrder, bans: Bans, now: int) -> Answer:
    answer = Answer()
    everybody = ["0.0.0.0/0", "::/0"]
    for network in everybody if order.networks is None else order.networks:
        text = network_text(parse_network(network))
        lifted = bans.unban(text, now=now, label=order.label)
        answer.done += [ban.address for ban in sorted(lifted, key=_bits)]
        if not lifted:
            answer.unchanged.append(text)
        answer.around += [(text, ban.address) for ban in bans.ledger.around(text, now)]
    return answer


def _bits(ban: Ban) -> tuple[int, int, int]:
    return bits_of(ban.address)
