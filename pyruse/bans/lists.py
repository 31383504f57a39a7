"""Lists of bans: what other programs offer, and what `pyruse bans --export` writes."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime

import msgspec

from pyruse.addresses import Network, network_around, network_text, parse_address, parse_network
from pyruse.api.bans import Ban
from pyruse.bans.orders import Count, Item, Where
from pyruse.errors import UserError
from pyruse.text import json_escaped
from pyruse.times import datetime_of, time_us_of

_COMMENT = re.compile(r"[#;]")
_FAULTS_SHOWN = 10


class _Note(msgspec.Struct, omit_defaults=True):
    """What an exported line tells of its ban, in its comment."""

    label: str
    until: datetime | None = None
    reason: str = ""
    where: Where | None = None
    before: Count = 0


def parse(value: str) -> Network:
    """A network or an address, also one with a zone or in brackets.

    :raises ValueError: it is neither.
    """
    address = parse_address(value)
    return parse_network(value) if address is None else network_around(address, 32, 128)


def read(text: str, name: str, label: str, until: int | None) -> list[Item]:
    """The bans of a list: an address or network a line, comments after ``#`` or ``;``.

    :param text: the content of the file.
    :param name: the name of the file, for the faults.
    :param label: the label of bans whose line has none.
    :param until: the end of bans whose line has none; None: never.
    :raises UserError: lines are not understood.
    """
    items: list[Item] = []
    faults: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").split("\n"), 1):
        value, *comment = _COMMENT.split(line, maxsplit=1)
        if not value.strip():
            continue
        try:
            network = network_text(parse(value))
        except ValueError as fault:
            faults.append(f"{name}:{number}: {fault}")
            continue
        note = _note(comment[0]) if comment else None
        if note is None:
            items.append(Item(network, label, f"from {name}", until))
        else:
            end = None if note.until is None else time_us_of(note.until)
            items.append(Item(network, note.label, note.reason, end, note.where, note.before))
    if faults:
        more = len(faults) - _FAULTS_SHOWN
        shown = faults[:_FAULTS_SHOWN] + ([f"and {more} more lines"] if more > 0 else [])
        raise UserError("; ".join([*shown, "so nothing was imported"]))
    return items


def _note(comment: str) -> _Note | None:
    """What an exported line says; None: it is another comment."""
    if not comment.lstrip().startswith("{"):
        return None
    try:
        note = msgspec.json.decode(comment, type=_Note)
    except msgspec.MsgspecError:
        return None
    if note.until is not None and note.until.tzinfo is None:
        note.until = note.until.replace(tzinfo=UTC)
    return note


def write(bans: Iterable[Ban], backend: str) -> Iterator[str]:
    """The lines of an export; networks that have grown are left out, as their members are in it.

    :param bans: the bans to export.
    :param backend: the firewall that bans go to by default.
    """
    for ban in bans:
        if ban.grown:
            continue
        target = ban.target
        where = None
        if target.sets is not None or target.ports or target.backend != backend:
            sets = None if target.sets is None else asdict(target.sets)
            where = Where(target.backend, sets, list(target.ports))
        until = None if ban.until is None else datetime_of(ban.until, UTC)
        note = msgspec.json.encode(
            _Note(ban.label, until, ban.reason, where, ban.count - 1)
        ).decode()
        yield f"{ban.network} # {json_escaped(note)}"
