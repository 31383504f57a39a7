"""Who may have written a line: by fields of the entry, before its text is looked at.

Anybody can write a line in the name of sshd, so there is always a field that nobody can forge:
those that ``journalmatch`` names, and the user (``_UID``) that the program runs as.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.finite import texts_of
from pyruse.importers.outcome import Chain, Step, equals

_OF_ROOT = frozenset({"sshd", "sshd-session", "sshd-auth", "dovecot", "dropbear", "login"})
"""Programs whose lines root's processes write, as far as they can lead to a ban."""
_HIGHEST_OF_THE_SYSTEM = 999
"""Users of this machine have higher numbers, users that services run as have not (Debian's policy,
9.2.2; SYS_UID_MAX of login.defs)."""
_ANY = re.compile(r"\(?(?:\?:)?\\S[*+]\)?")
_NUMBER = re.compile(r"\d{1,15}")
_ELEMENT = re.compile(r"[A-Z0-9_]+=.*", re.DOTALL)

Way = tuple[tuple[str, tuple[Any, ...]], ...]
"""Fields, each with the values that it may have."""


_UNSEEN: Way = (("_COMM", ()),)
"""A process that ended before journald looked at it: then its user alone is known. Of what root's
processes write, many lines are so."""


def _condition(name: str, values: tuple[Any, ...], **jumps: str) -> Step:
    """A filter that a field has one of some values; without any, that it is missing."""
    if not values:
        return {"filter": "exists", "field": name, "invert": True, **jumps}
    return equals(name, list(values), **jumps)


@dataclass(frozen=True)
class Guard:
    """Which entries a chain takes."""

    identifiers: tuple[str, ...] = ()
    """SYSLOG_IDENTIFIER is one of them, where there are any."""
    expression: str = ""
    """Or it is found by this expression."""
    ways: tuple[Way, ...] = ()
    """One of them is true of the entry, where there are any."""
    of_root: bool = False
    kernel: bool = False
    """Whether the kernel may have written them, too: no user has."""

    def steps(self, name: str, then: str) -> tuple[list[Step], list[Chain]]:
        """The steps before the text is looked at.

        :param name: of the chain.
        :param then: the chain to go on with, where there are several ways.
        :return: the steps, and further chains: where there are some, or the last step has a
            ``then``, the chain ends with the steps.
        """
        steps: list[Step] = []
        if self.identifiers:
            steps.append(equals("SYSLOG_IDENTIFIER", list(self.identifiers)))
        elif self.expression:
            steps.append(
                {"filter": "regex", "field": "SYSLOG_IDENTIFIER", "pattern": self.expression}
            )
        if set(self.identifiers) == {"kernel"}:
            steps.append(equals("_TRANSPORT", ["kernel"]))
        elif self.of_root:
            steps.append(equals("_UID", [0]))
        else:
            steps.append({"filter": "at_most", "field": "_UID", "value": _HIGHEST_OF_THE_SYSTEM})
        ways = (*self.ways, _UNSEEN) if self.ways and self.of_root else self.ways
        if len(ways) == 1:
            return [*steps, *(_condition(name, values) for name, values in ways[0])], []
        if all(len(way) == 1 for way in ways):
            return [*steps, *(_condition(*way[0], then=then) for way in ways)], []
        names = [name, *(f"{name} or {number}" for number in range(2, len(ways) + 1))]
        chains = []
        for number, way in enumerate(ways):
            otherwise = {"else": names[number + 1]} if number + 1 < len(names) else {}
            conditions = [_condition(field, values, **otherwise) for field, values in way]
            conditions[-1] = {**conditions[-1], "then": then, **otherwise}
            chains.append(Chain(names[number], conditions))
        return [*steps, *chains[0].steps], chains[1:]

    def apart(self, other: Guard) -> bool:
        """Whether lines of these programs are lines of different programs."""
        if self.identifiers and other.identifiers:
            return not set(self.identifiers) & set(other.identifiers)
        for one, two in ((self, other), (other, self)):
            if one.expression and not two.expression and two.programs:
                return not any(re.search(one.expression, name) for name in two.programs)
        return bool(self.programs and other.programs) and not self.programs & other.programs

    @property
    def programs(self) -> set[str]:
        """The programs that the fields name."""
        units = {
            str(value).removesuffix(".service")
            for way in self.ways
            for name, values in way
            if name in ("_SYSTEMD_UNIT", "_COMM", "SYSLOG_IDENTIFIER")
            for value in values
        }
        return {*self.identifiers, *units}


def journal_match(lines: Sequence[str], address: str) -> list[Way]:
    """The ways of a ``journalmatch``: several lines, and ``+``, are "or".

    The same field several times is "or", different fields are "and" (journalctl(1)).

    :raises Unreadable: it has something else than FIELD=VALUE.
    """
    ways: list[Way] = []
    for line in lines:
        try:
            words = shlex.split(line)
        except ValueError as fault:
            raise Unreadable(address, f"{line}: {fault}") from None
        way: dict[str, list[Any]] = {}
        for word in [*words, "+"]:
            if word != "+":
                if not _ELEMENT.fullmatch(word):
                    raise Unreadable(address, f'"{word}" is not FIELD=VALUE')
                name, _, value = word.partition("=")
                way.setdefault(name, []).append(_typed(name, value))
            elif way:
                ways.append(tuple((name, tuple(values)) for name, values in way.items()))
                way = {}
    return _merged(list(dict.fromkeys(ways)))


def _merged(ways: list[Way]) -> list[Way]:
    """``_COMM=a + _COMM=b`` is one way with two values."""
    if len(ways) > 1 and len({(way[0][0], len(way)) for way in ways}) == 1 and len(ways[0]) == 1:
        return [((ways[0][0][0], tuple(value for way in ways for value in way[0][1])),)]
    return ways


def _typed(name: str, value: str) -> Any:
    numbers = name in ("PRIORITY", "SYSLOG_FACILITY") or name in ("_UID", "_GID", "_PID")
    return int(value) if numbers and _NUMBER.fullmatch(value) else value


def identifiers(daemon: str | None) -> tuple[tuple[str, ...], str]:
    """What SYSLOG_IDENTIFIER is by ``_daemon``: names, or an expression; neither: anything."""
    if daemon is None or not daemon.strip() or _ANY.fullmatch(daemon):
        return (), ""
    names = texts_of(daemon)
    if names is not None:
        return tuple(name for name in names if name), ""
    return (), f"^(?:{daemon})$"


def is_of_root(names: Sequence[str]) -> bool:
    """Whether all of these programs write as root."""
    return bool(names) and set(names) <= _OF_ROOT
