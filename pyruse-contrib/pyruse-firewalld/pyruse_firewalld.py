"""Bans in IP sets of firewalld (firewall-cmd(1), firewalld.ipset(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pyruse import (
    Changes,
    CommandLine,
    Element,
    Firewall,
    FirewallProgram,
    ProgramFirewall,
    Target,
    hookimpl,
)

_TIME_LIMIT = 60.0  # seconds
_LONGEST_LISTING = 1 << 26  # bytes
_SET_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,30}")  # the kernel's IPSET_MAXNAMELEN is 32


class SetName(str):
    """The name of an IP set."""

    IN_WORDS: ClassVar[str] = "the name of an IP set"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": f"^{_SET_NAME.pattern}$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: the kernel would not take it."""
        if isinstance(value, str) and _SET_NAME.fullmatch(value):
            return cls(value)
        raise ValueError(
            f"{value!r} is no name of a set (expected one word of at most 31 characters, such as "
            '"pyruse4")'
        )


@dataclass
class Firewalld:
    """Bans by firewalld, in two IP sets that its administrator has made.

    ```toml
    [bans]
    backend = "firewalld"
    ```
    """

    command: CommandLine = CommandLine(["firewall-cmd"])
    """The program, and arguments that come before all others."""
    ipv4: SetName = SetName("pyruse4")
    """The set for addresses and networks of IPv4."""
    ipv6: SetName = SetName("pyruse6")
    """The set for those of IPv6."""

    @hookimpl
    def open_firewall(self, name: str) -> Firewall | None:
        """Give the firewall ``firewalld``."""
        program = FirewallProgram(self.command, _TIME_LIMIT)
        return IpSets(program, {4: self.ipv4, 6: self.ipv6}) if name == "firewalld" else None


class IpSets(ProgramFirewall[str]):
    """Adds and removes entries; a list of them is one run of the program, however long it is."""

    name = "firewalld"
    longest = 0  # firewalld cannot count time for the entries of its sets

    def __init__(self, program: FirewallProgram, sets: Mapping[int, str]) -> None:
        """Change nothing yet.

        :param program: firewall-cmd.
        :param sets: their names, by the version of IP.
        """
        super().__init__(program)
        self._sets = sets

    def check(self, target: Target) -> None:
        """See `pyruse.Firewall`."""
        if target.sets is not None or target.ports:
            raise ValueError(
                "firewalld bans addresses from everywhere (expected neither sets nor ports: what "
                "happens to who is in its sets is up to firewalld's rules)"
            )

    def set_of(self, element: Element) -> str:
        """See `pyruse.ProgramFirewall`."""
        return self._sets[element.version]

    def run(self, groups: Sequence[Changes[str]]) -> None:
        """See `pyruse.ProgramFirewall`."""
        for group in groups:
            for adds, action in ((False, "remove"), (True, "add")):
                self._change(
                    group[0].where, action, {one.text for one in group if one.adds is adds}
                )

    def refill(self, groups: Sequence[Changes[str]]) -> None:
        """See `pyruse.ProgramFirewall`: what is there already is not touched."""
        wanted = {
            one.where: {each.text for each in group if each.adds}
            for group in groups
            for one in group[:1]
        }
        for name in self._sets.values():
            listed = self.program.run([f"--ipset={name}", "--get-entries"], kept=_LONGEST_LISTING)
            there = set(listed.split())
            self._change(name, "remove", there - wanted.get(name, set()))
            self._change(name, "add", wanted.get(name, set()) - there)

    def teardown(self, bans: Sequence[Element]) -> None:
        """See `pyruse.Firewall`: the sets stay, for they are the administrator's."""
        self.reconcile((), bans)

    def _change(self, name: str, action: str, entries: Iterable[str]) -> None:
        lines = "".join(f"{entry}\n" for entry in sorted(entries))
        if lines:
            self.program.run([f"--ipset={name}", f"--{action}-entries-from-file=/dev/stdin"], lines)
