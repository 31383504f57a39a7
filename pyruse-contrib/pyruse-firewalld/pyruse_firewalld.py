"""Bans in IP sets of firewalld (firewall-cmd(1), firewalld.ipset(5))."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyruse import (
    Element,
    Firewall,
    FirewallError,
    Network,
    Target,
    hookimpl,
    run_program,
)

_TIME_LIMIT = 60.0  # seconds
_LONGEST_LISTING = 1 << 26  # bytes
_SET_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,30}")  # the kernel's IPSET_MAXNAMELEN is 32
_DEFAULTS = {4: "pyruse4", 6: "pyruse6"}


class Firewalld:
    """Bans by firewalld, in two IP sets that its administrator has made."""

    @hookimpl
    def open_firewall(self, name: str, options: Mapping[str, Any]) -> Firewall | None:
        """Give the firewall ``firewalld``.

        :raises ValueError: its options are faulty.
        """
        if name != "firewalld":
            return None
        for option in options:
            if option not in ("command", "ipv4", "ipv6"):
                raise ValueError(
                    f'unknown option "{option}" (expected one of: command, ipv4, ipv6)'
                )
        command = options.get("command", ["firewall-cmd"])
        if (
            not isinstance(command, list)
            or not command
            or not all(isinstance(word, str) and word for word in command)
        ):
            raise ValueError('command is no program (expected a list such as ["firewall-cmd"])')
        sets = {version: options.get(f"ipv{version}", _DEFAULTS[version]) for version in (4, 6)}
        for version, one in sets.items():
            if not isinstance(one, str) or not _SET_NAME.fullmatch(one):
                raise ValueError(
                    f"ipv{version} is no name of a set (expected one word of at most 31 "
                    f'characters, such as "{_DEFAULTS[version]}")'
                )
        return IpSets(command, sets)


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
                {_entry(one.network) for one in elements if one.network.version == version}
                for elements in (remove, add)
            )
            self._change(name, "remove", removed - added)
            self._change(name, "add", added)

    def reconcile(self, bans: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`: what is there already is not touched."""
        for version, name in self._sets.items():
            wanted = {_entry(ban.network) for ban in bans if ban.network.version == version}
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


def _entry(network: Network) -> str:
    single = network.prefixlen == network.max_prefixlen
    return str(network.network_address if single else network)
