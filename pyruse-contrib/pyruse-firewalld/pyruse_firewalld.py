"""Bans in IP sets of firewalld (firewall-cmd(1), firewalld.ipset(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pyruse import (
    Element,
    Firewall,
    FirewallError,
    Target,
    hookimpl,
    run_program,
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

    command: list[str] = field(default_factory=lambda: ["firewall-cmd"])
    """The program, and arguments that come before all others."""
    ipv4: SetName = SetName("pyruse4")
    """The set for addresses and networks of IPv4."""
    ipv6: SetName = SetName("pyruse6")
    """The set for those of IPv6."""

    def __post_init__(self) -> None:
        if not all(self.command) or not self.command:
            raise ValueError('command is no program (expected a list such as ["firewall-cmd"])')

    @hookimpl
    def open_firewall(self, name: str) -> Firewall | None:
        """Give the firewall ``firewalld``."""
        return IpSets(self.command, {4: self.ipv4, 6: self.ipv6}) if name == "firewalld" else None


class IpSets(Firewall):
    """Adds and removes entries; a list of them is one run of the program, however long it is."""

    longest = 0  # firewalld cannot count time for the entries of its sets

    def __init__(self, command: Sequence[str], sets: Mapping[int, str]) -> None:
        """:param sets: their names, by the version of IP."""
        self._command = command
        self._sets = sets

    def check(self, target: Target) -> None:
        """See `pyruse.Firewall`."""
        if target.sets is not None or target.ports:
            raise ValueError(
                "firewalld bans addresses from everywhere (expected neither sets nor ports: what "
                "happens to who is in its sets is up to firewalld's rules)"
            )

    def apply(self, add: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        for version, name in self._sets.items():
            removed, added = (
                {one.address for one in elements if one.version == version}
                for elements in (remove, add)
            )
            self._change(name, "remove", removed - added)
            self._change(name, "add", added)

    def reconcile(self, bans: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`: what is there already is not touched."""
        for version, name in self._sets.items():
            wanted = {ban.address for ban in bans if ban.version == version}
            there = set(self._run(f"--ipset={name}", "--get-entries").split())
            self._change(name, "remove", there - wanted)
            self._change(name, "add", wanted - there)

    def teardown(self, bans: Sequence[Element]) -> None:
        """See `pyruse.Firewall`: the sets stay, for they are the administrator's."""
        self.reconcile((), bans)

    def _change(self, name: str, action: str, entries: Iterable[str]) -> None:
        lines = "".join(f"{entry}\n" for entry in sorted(entries))
        if lines:
            self._run(f"--ipset={name}", f"--{action}-entries-from-file=/dev/stdin", lines=lines)

    def _run(self, *arguments: str, lines: str = "") -> str:
        try:
            done = run_program(
                [*self._command, *arguments],
                timeout=_TIME_LIMIT, stdin=lines.encode(), kept=_LONGEST_LISTING,
            )  # fmt: skip
        except OSError as fault:
            raise FirewallError(
                f"firewalld: {self._command[0]}: {fault.strerror} (expected firewall-cmd; see the "
                "option command)"
            ) from None
        if done.fault is not None:
            raise FirewallError(f"firewalld: {' '.join(arguments)}: {done.fault}")
        return done.output
