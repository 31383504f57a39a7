"""Lists of bans: of addresses, as others offer them; and exports, of which a line says much more.

Anybody may write a list, so nothing but addresses is taken from it. What an export says of its bans
(end, label, firewall, sets, how many came before) is obeyed where an administrator restores it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

import msgspec
from msgspec.structs import asdict

from pyruse.addresses import listed_networks
from pyruse.api.bans import Ban
from pyruse.api.firewall import Target
from pyruse.bans.orders import LONGEST_LABEL, Count, Item, Where
from pyruse.errors import FaultsError, UserError
from pyruse.text import json_escaped
from pyruse.times import datetime_of, time_us_of

_FAULTS_SHOWN = 10
_EXPORT = "# Bans of Pyruse, "
"""How the first line of an export begins."""


class _Note(msgspec.Struct, omit_defaults=True):
    """What an exported line tells of its ban, in its comment."""

    label: str
    until: datetime | None = None
    reason: str = ""
    where: Where | None = None
    before: Count = 0


def is_export(text: str) -> bool:
    """Whether a text claims to be an export: its first line says so, which anybody can write."""
    return text.startswith(_EXPORT)


def read(text: str, name: str, label: str, until: int | None) -> Iterator[Item]:
    """The bans of a list: an address or network a line; what comes after ``#`` or ``;`` is nothing.

    :param text: the content of the file.
    :param name: the name of the file, for the faults.
    :param label: the label of the bans.
    :param until: their end; None: never.
    :raises FaultsError: lines are not understood.
    """
    faults = _Faults(name)
    networks = [network for _, network, _ in _lines(text, faults)]
    faults.tell()
    # In the order of the state's rows: in any other, the database takes several times as long.
    networks.sort()
    reason = f"from {name}"
    return (Item(network, label, reason, until) for network in networks)


def restore(text: str, name: str, label: str | None, until: int | None) -> list[Item]:
    """The bans of an export, each as its line says.

    A line without a note, which somebody has added, is banned like that of a list.

    :param text: the content of the file.
    :param name: the name of the file, for the faults.
    :param label: the label of all the bans; None: each has its own.
    :param until: the end of all the bans; None: each has its own.
    :raises UserError: it is no export, or (`FaultsError`) lines are not understood.
    """
    if not is_export(text):
        raise UserError(
            f"{name}: is no export of Pyruse (expected what `pyruse bans --export` has printed; "
            "lists of others, and databases of fail2ban, are for --import)"
        )
    faults = _Faults(name)
    items = []
    for number, network, comment in _lines(text, faults):
        if not comment.strip():
            items.append(Item(network, label or "import", f"from {name}", until))
            continue
        try:
            note = _note(comment)
        except ValueError as fault:
            faults.add(number, fault)
            continue
        end = time_us_of(note.until) if until is None and note.until is not None else until
        items.append(Item(network, label or note.label, note.reason, end, note.where, note.before))
    faults.tell()
    return items


class _Faults:
    """The faults of a list's lines: the first ones, and how many there are."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._first: list[str] = []
        self._number = 0

    def add(self, number: int, fault: ValueError) -> None:
        """A line is not understood."""
        self._number += 1
        if self._number <= _FAULTS_SHOWN:
            self._first.append(f"{self._name}:{number}: {fault}")

    def tell(self) -> None:
        """Raise them, if there are any.

        :raises FaultsError: there are.
        """
        if self._number:
            more = self._number - _FAULTS_SHOWN
            rest = [f"{self._name}: {more:,} more lines are not understood"] if more > 0 else []
            raise FaultsError([*self._first, *rest, f"{self._name}: nothing was imported"])


def _lines(text: str, faults: _Faults) -> Iterator[tuple[int, str, str]]:
    """The lines with a network: number, network, comment; what is none is added to the faults."""
    for number, network, comment in listed_networks(text):
        if isinstance(network, ValueError):
            faults.add(number, network)
        else:
            yield number, network, comment


def _note(comment: str) -> _Note:
    """What an exported line says.

    :raises ValueError: it is another comment, or not understood.
    """
    try:
        note = msgspec.json.decode(comment, type=_Note)
    except msgspec.MsgspecError as fault:
        raise ValueError(
            f"the note is not understood: {fault} (expected it as --export has written it)"
        ) from None
    if len(note.label) > LONGEST_LABEL:
        raise ValueError(
            f"the label has {len(note.label):,} characters (expected {LONGEST_LABEL} at most)"
        )
    if note.until is not None and note.until.tzinfo is None:
        note.until = note.until.replace(tzinfo=UTC)
    return note


def title(when: str) -> str:
    """The first line of an export.

    :param when: the time of the export, in words.
    """
    return f"{_EXPORT}{when}; `pyruse bans --restore FILE` puts them back"


def write(bans: Iterable[Ban], backend: str) -> Iterator[str]:
    """The lines of an export.

    Networks that have grown are left out, as their members are in it, and so are simulated bans.

    :param bans: the bans to export.
    :param backend: the firewall that bans go to by default.
    """
    for ban in bans:
        if ban.grown or ban.simulated:
            continue
        target = ban.target
        where = None
        if target != Target(backend):
            sets = None if target.sets is None else asdict(target.sets)
            where = Where(target.backend, sets, list(target.ports), target.protocol)
        until = None if ban.until is None else datetime_of(ban.until, UTC)
        note = msgspec.json.encode(
            _Note(ban.label[:LONGEST_LABEL], until, ban.reason, where, ban.count - 1)
        ).decode()
        yield f"{ban.network} # {json_escaped(note)}"
