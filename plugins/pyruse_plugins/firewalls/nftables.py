"""The firewall ``nftables``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

from pyruse import Element, Firewall, Target, hookimpl
from pyruse_plugins.firewalls._apply import Change, ProgramFirewall, by_set
from pyruse_plugins.firewalls._nft_sets import Json, NftSet, OwnSet, named_set
from pyruse_plugins.firewalls._program import Program, check_names, program_of, shown

_TABLE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}")

#: What the kernel's words mean here.
_MEANINGS = {
    "Invalid argument": 'expected a set that was made with "flags timeout"',
    "Too many open files": "the set is full; expected one with a greater size",
    "interval overlaps": "expected no overlapping networks; Pyruse's own table takes them",
    "No such file or directory": "expected a set that is there",
    "Operation not permitted": "expected the capability CAP_NET_ADMIN",
}
_NOISE = re.compile(r"internal:0:0-0: |Error: |Could not process rule: ")


class Nftables:
    """Bans by nftables, the firewall of today's Linux.

    Pyruse keeps a table of its own, `inet pyruse`, which is made when the first ban is to be
    enforced; nothing needs to be prepared, and no other table is touched. Look at it with
    `nft list table inet pyruse`; its counter `dropped` tells how many packets were dropped.

    Packets of the banned are dropped before connection tracking and address translation: none
    reaches this machine, nor the containers and machines that it forwards to, and `ports` are those
    that the packets ask for, not those that they are translated to. Established connections end,
    too. Bans end by the kernel's own clock, and last while Pyruse is stopped.

    With `sets`, bans go into sets of yours, and what happens to the banned is up to your rules.
    They need `flags timeout`, and `flags interval` as well when `prefix4` or `prefix6` ban
    networks, which must not overlap then. Make each with a line such as
    `add set ip Inet4 mail_ban { type ipv4_addr; flags timeout; }`.

    Reloading `nftables.service` removes all tables, Pyruse's too. It is made again, with all the
    bans, when Pyruse next changes it; restart Pyruse after a reload in order not to wait for that.

    ```toml
    [bans]
    backend = "nftables"

    [bans.nftables]
    command = ["/usr/sbin/nft"]   # the program, and arguments that come before all others
    table = "pyruse"              # the name of Pyruse's own table
    ```
    """

    @hookimpl
    def open_firewall(self, name: str, options: Mapping[str, Any]) -> Firewall | None:
        if name != "nftables":
            return None
        check_names(options, ("command", "table"))
        table = options.get("table", "pyruse")
        if not isinstance(table, str) or not _TABLE.fullmatch(table):
            raise ValueError(
                f"table = {shown(table)} is no name of a table (expected letters, digits and "
                'underscores, such as "pyruse")'
            )
        return NftablesFirewall(program_of(options, "nft"), table)


class NftablesFirewall(ProgramFirewall[NftSet]):
    """Speaks with ``nft`` in JSON: addresses and names are data there, never part of a command."""

    name = "nftables"
    general = ("No such file or directory", "Operation not permitted")

    def __init__(self, program: Program, table: str) -> None:
        """:param table: Pyruse's own, in the family ``inet``."""
        self._program = program
        self._table = table
        self._made: set[NftSet] = set()
        """Those of Pyruse's own sets that are there, as far as this object knows."""
        self._own: dict[tuple[int, int, tuple[int, ...]], NftSet] = {}

    def check(self, target: Target) -> None:
        """See `pyruse.Firewall`."""
        if target.sets is None:
            return
        if target.ports:
            raise ValueError(
                "ports and sets do not go together (expected one of them: which ports a set of "
                "yours closes is up to your rules)"
            )
        for name, version in ((target.sets.ipv4, 4), (target.sets.ipv6, 6)):
            if name is not None:
                named_set(name, version)

    def set_of(self, element: Element) -> NftSet:
        """Pyruse's own set, or the administrator's."""
        self.check(element.target)  # an old ban may have come from another configuration
        network, sets = element.network, element.target.sets
        if sets is None:
            kind = (network.version, network.prefixlen, element.target.ports)
            if kind not in self._own:
                self._own[kind] = OwnSet.of(self._table, network, element.target.ports)
            return self._own[kind]
        name = sets.of(network)
        if name is None:
            raise ValueError(
                f"no set is named for IPv{network.version}, so nobody is banned (expected "
                f"ipv{network.version} in sets, too)"
            )
        return named_set(name, network.version)

    def run(self, changes: Sequence[Change[NftSet]]) -> None:
        """One transaction: the kernel makes all of it, or nothing."""
        sets = by_set(changes)
        own = [where for where in sets if isinstance(where, OwnSet)]
        commands: list[Json] = []
        # Nothing is made again that should be there: were it gone, so would be all its elements.
        if own and not self._made:
            commands.append({"add": {"table": {"family": "inet", "name": self._table}}})
        for ours in own:
            commands += ours.rule if ours in self._made else ours.creation + ours.rule
        for where, inside in sets.items():
            commands += _elements(where, inside)
        self._program.run(["-j", "-f", "-"], json.dumps({"nftables": commands}))
        self._made.update(own)

    def forget(self) -> bool:
        """See whether somebody removed Pyruse's table, as reloading the rules does."""
        made, self._made = self._made, set()
        if not made:
            return False
        listed = json.loads(self._program.run(["-j", "list", "tables", "inet"]))
        tables = [one["table"]["name"] for one in listed["nftables"] if "table" in one]
        return self._table not in tables

    def explained(self, reason: str) -> str:
        """The kernel has but a few words, and does not tell what they mean here."""
        text = _NOISE.sub("", reason)
        for words, meaning in _MEANINGS.items():
            if words in text:
                return f"{text} ({meaning})"
        return text


def _elements(where: NftSet, changes: Sequence[Change[NftSet]]) -> list[Json]:
    """Commands that remove elements, and those that add them with their time.

    To add what is there leaves its time as it was (up to Linux 6.11), to remove what is not there
    is an error: to add, remove and add works in either case, and as one transaction, nobody ever
    slips through in between.
    """
    touched = [where.element(change.network) for change in changes]
    added = [
        _timed(element, change.seconds)
        for element, change in zip(touched, changes, strict=True)
        if change.times
    ]
    return [
        {action: {"element": {**where.address, "elem": elements}}}
        for action, elements in (("add", touched), ("delete", touched), ("add", added))
        if elements
    ]


def _timed(element: Json | str, seconds: int | None) -> Json | str:
    return element if seconds is None else {"elem": {"val": element, "timeout": seconds}}
