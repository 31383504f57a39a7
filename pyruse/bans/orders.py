"""What the commands `ban`, `unban` and `bans` order; the daemon carries it out, if one runs.

An order and its answer go through `pyruse.daemon.control`, in JSON. Until it is started again, the
daemon may be older than the command, or newer: fields are only ever added, and have a default.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any

import msgspec

from pyruse.addresses import bits_of, network_of, network_text, parse_network
from pyruse.api.firewall import Sets, Target
from pyruse.bans.ledger import Ban
from pyruse.bans.service import Bans
from pyruse.bans.targets import Place
from pyruse.errors import UserError

#: A number of bans.
Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
#: The last instant that a ban can end at, in microseconds since the epoch: `datetime` ends in 9999.
LAST_US = 253_370_764_800_000_000

_Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
_Instant = Annotated[int, msgspec.Meta(ge=0, le=LAST_US)]


class Where(msgspec.Struct, omit_defaults=True):
    """Where a ban is to be put, as `Target` has it."""

    backend: str | None = None
    sets: dict[str, str | None] | None = None
    ports: list[_Port] = []


class Item(msgspec.Struct, omit_defaults=True):
    """A ban to make; one that is over by now is to be remembered, for `escalate`."""

    network: str
    label: str
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
    ledger has the change, so it is tried again."""
    faults: list[str] = []
    """What firewalls said of bans that this order is not about."""


def read(message: dict[str, Any]) -> BanOrder | UnbanOrder:
    """An order, as it has come.

    :raises UserError: it is not understood.
    """
    try:
        order = msgspec.convert(message, BanOrder | UnbanOrder)
        if isinstance(order, BanOrder):
            for item in order.bans:
                item.network = network_text(parse_network(item.network))
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


def carry_out(
    order: BanOrder | UnbanOrder,
    bans: Bans,
    commit: Callable[[], object],
    report_fault: Callable[[Exception], object] = lambda fault: None,
) -> Answer:
    """Carry out an order, in the ledger and at once in the firewalls.

    What these refused before is tried again, too: an administrator waits for it.

    :param commit: commits the state, which has the ledger.
    :param report_fault: told of what firewalls said, whatever it is about.
    """
    faults: list[str] = []

    def report(fault: Exception) -> None:
        faults.append(str(fault))
        report_fault(fault)

    if isinstance(order, BanOrder):
        answer, places = _ban(order, bans, bans.clock())
    else:
        answer, places = _unban(order, bans, bans.clock())
    commit()  # first: what firewalls have, the state is to know of, also after a crash
    bans.enforcement.retry()
    bans.enforce(report)
    commit()
    _tell_refused(answer, places, bans.enforcement.refused())
    answer.faults = [text for text in dict.fromkeys(faults) if text not in answer.refused]
    return answer


def _ban(order: BanOrder, bans: Bans, now: int) -> tuple[Answer, set[Place]]:
    """Change the ledger.

    :return: the answer, as if no firewall refused anything; and what they are told of.
    """
    answer = Answer()
    places = set()
    usual = cache(lambda: bans.target(None, None, ()))
    for item in order.bans:
        text, until = item.network, item.until
        why = bans.spared(text)
        if why is None:
            try:
                target = usual() if item.where is None else _target(item.where, bans)
            except ValueError as fault:
                why = str(fault)
        if why is not None:
            answer.spared.append((text, why))
        elif until is not None and until <= now:
            bans.ledger.remember(text, target, item.before + 1, ended=until, now=now)
            answer.over.append(text)
        else:
            if item.before:
                bans.ledger.remember(text, target, item.before, ended=now, now=now)
            length = None if until is None else until - now
            made = bans.ban(text, target, [length], now=now, label=item.label, reason=item.reason)
            (answer.unchanged if made is None else answer.done).append(text)
            places.add(Place(text, target))
    return answer, places


def _target(where: Where, bans: Bans) -> Target:
    """The target, checked.

    :raises ValueError: there is no such one.
    """
    sets = None
    if where.sets is not None:
        sets = Sets.parse({name: one for name, one in where.sets.items() if one is not None})
    return bans.target(where.backend, sets, where.ports)


def _unban(order: UnbanOrder, bans: Bans, now: int) -> tuple[Answer, set[Place]]:
    """Change the ledger, as `_ban` does."""
    answer = Answer()
    places = set()
    networks = ["0.0.0.0/0", "::/0"] if order.networks is None else order.networks
    for text in networks:
        lifted = bans.unban(text, now=now, label=order.label)
        answer.done += [ban.address for ban in sorted(lifted, key=_bits)]
        if not lifted:
            answer.unchanged.append(text)
        answer.around += [(text, ban.address) for ban in bans.ledger.around(text, now)]
        places |= {ban.place for ban in lifted}
    asked_for = [network_of(text) for text in networks]
    _, removals = bans.ledger.waiting()
    for ban in removals:
        # What was lifted earlier, or is no longer grown, closes the same addresses out.
        mine = ban.place not in places and (ban.grown or order.label in (None, ban.label))
        if mine and any(network.overlaps(ban.network) for network in asked_for):
            places.add(ban.place)
    return answer, places


def _bits(ban: Ban) -> tuple[int, int, int]:
    return bits_of(ban.address)


def _tell_refused(answer: Answer, places: set[Place], refused: dict[Place, str]) -> None:
    """Have an answer tell what firewalls refused of what the order is about."""
    names = set()
    for place, text in refused.items():
        if place in places:
            answer.refused.setdefault(text, []).append(place.address)
            names.add(place.address)
    answer.done = [text for text in answer.done if text not in names]
    answer.unchanged = [text for text in answer.unchanged if text not in names]
