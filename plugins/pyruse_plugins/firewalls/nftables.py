"""The firewall ``nftables``."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pyruse import (
    Changes,
    CommandLine,
    Element,
    Firewall,
    FirewallError,
    FirewallProgram,
    ProgramRefusal,
    Target,
    Watch,
    hookimpl,
    shown,
)
from pyruse_plugins.firewalls import _owners
from pyruse_plugins.firewalls._nft_sets import NftSet, OwnSet, named_set, not_held, set_doubts
from pyruse_plugins.firewalls._owned import OwnedFirewall

_DAY = 86_400
_TABLE = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,63}")
_LONGEST_LISTING = 1 << 26  # bytes
_NOISE = re.compile(
    r"\S*stdin:\S+: |internal:0:0-0: |Error(?: in line \d+)?: |Could not process rule: "
)
"""Of nft: places in an input that nobody sees."""

_MEANINGS = {
    "Invalid argument": 'expected a set that was made with "flags timeout"',
    "Too many open files": "the set is full; expected one with a greater size",
    "interval overlaps": "expected no overlapping networks; Pyruse's own table takes them",
    "No such file or directory": "expected a set that is there",
    "Operation not permitted": "expected the capability CAP_NET_ADMIN",
}
"""What the kernel's words mean here."""

# In what nft lists:
_TABLE_TEXT = re.compile(r"^table inet (\S+) {.*?^}", re.DOTALL | re.MULTILINE)
_ANY_TABLE = re.compile(r"^table (\S+ \S+) {.*?^}", re.DOTALL | re.MULTILINE)
_SET_BODY = re.compile(r"^\tset (\S+) {(.*?)^\t}", re.DOTALL | re.MULTILINE)
_PART = re.compile(r"^\t(chain|set) (\S+) {", re.MULTILINE)
_RULE = re.compile(r"^\t\t.* @(\S+) .*\bdrop$", re.MULTILINE)
_TABLE_LINE = re.compile(r"table (\S+ \S+) { # handle (\d+)")
_OWNER = re.compile(rf"^\tchain owner_({_owners.OWNER}) {{", re.MULTILINE)
_SET_LINE = re.compile(r"\tset (\S+) { # handle (\d+)")


class TableName(str):
    """The name of a table, without its family."""

    IN_WORDS: ClassVar[str] = "the name of a table"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": f"^{_TABLE.pattern}$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the name of a table.

        :raises ValueError: nft would not take it.
        """
        if isinstance(value, str) and _TABLE.fullmatch(value):
            return cls(value)
        raise ValueError(
            f"{shown(value)} is no name of a table (expected letters, digits and underscores, such "
            'as "pyruse")'
        )


@dataclass(eq=False, repr=False)
class Nftables:
    """Bans by nftables, the firewall of today's Linux.

    Pyruse keeps a table of its own, `inet pyruse`, which is made when the first ban is to be
    enforced; nothing needs to be prepared, and no other table is touched. Look at it with
    `nft list table inet pyruse`; its counter `dropped` tells how many packets were dropped.

    Packets of the banned are dropped before connection tracking and address translation: none
    reaches this machine, nor the containers and machines that it forwards to. `ports` are the ports
    that the packets ask for, before any translation. Established connections end, too. Bans end by
    the kernel's own clock, and last while Pyruse is stopped.

    With `sets`, bans go into sets of yours, and what happens to the banned is up to your rules.
    They need `flags timeout`, and `flags interval` as well when `prefix4` or `prefix6` ban
    networks, which must not overlap then: so `[bans] aggregate` is not for them. `pyruse check` and
    the daemon look at them, and say what is missing. Make each with a line such as
    `add set ip Inet4 mail_ban { type ipv4_addr; flags timeout; }`.

    At its start and when it is reloaded, Pyruse compares, and mends the table in one transaction:
    it holds the bans in force and nothing else. Of sets of yours, what you put there stays. The
    same is done as soon as somebody removes the table or a set, or a rule of Pyruse's, as reloading
    `nftables.service` does: the kernel tells the daemon. Single addresses that somebody takes out
    of a set are put back, too, and that is told: `pyruse unban` is what ends a ban.

    Two Pyruses on one machine, or in containers that share its network, do not take each other's
    bans: the second one takes a table beside it, `inet pyruse_2`, and says so. What is left of one
    that runs no more is taken over. Better give each a table of its own.

    The daemon starts the program for the next ban in advance: a process of `nft` waits for it.

    ```toml
    [bans]
    backend = "nftables"

    [bans.nftables]
    command = ["/usr/sbin/nft"]   # the program, and arguments that come before all others
    table = "pyruse"              # the name of Pyruse's own table
    ```
    """

    command: CommandLine = CommandLine(["nft"])
    """The program, and arguments that come before all others."""
    table: TableName = TableName("pyruse")
    """The name of Pyruse's own table."""

    @hookimpl
    def open_firewall(self, name: str) -> Firewall | None:
        return (
            NftablesFirewall(FirewallProgram(self.command, noise=_NOISE), self.table)
            if name == "nftables"
            else None
        )


class NftablesFirewall(OwnedFirewall[NftSet]):
    """Speaks with ``nft``: each change is one transaction, which the kernel makes whole or not."""

    name = "nftables"
    reading = ("-f", "-")
    by_protocol = True
    general = ("No such file or directory", "Operation not permitted", "syntax error")
    longest = 36_500 * _DAY  # the kernel counts nanoseconds in 63 bits, three times as long

    def __init__(self, program: FirewallProgram, table: str) -> None:
        """Change nothing yet.

        :param table: Pyruse's own table, in the family ``inet``.
        """
        super().__init__(program)
        self._base = table
        self._table = table
        """The one of this Pyruse: where another one that runs has the table, a table beside it."""
        self._listing: dict[str, str] = {}
        """The tables, from a look at whose they are until one is taken."""
        self._there: str | None = None
        """The table as it was listed when it was chosen."""
        self._filled: dict[NftSet, str] = {}
        """All sets that were filled, with the numbers of `_sets_there` if there is a watch."""
        self._watched = False

    def check(self, target: Target) -> None:
        """See `pyruse.Firewall`."""
        if target.sets is None:
            return
        if target.ports:
            raise ValueError(
                "ports and sets do not go together (expected one of them: which ports a set of "
                "yours closes is up to your rules)"
            )
        if target.protocol is not None:
            raise ValueError(
                "protocol and sets do not go together (expected one of them: what a set of yours "
                "closes is up to your rules)"
            )
        for name, version in ((target.sets.ipv4, 4), (target.sets.ipv6, 6)):
            if name is not None:
                named_set(name, version)

    def set_of(self, element: Element) -> NftSet:
        """Pyruse's own set, or the administrator's."""
        version, target = element.version, element.target
        self.check(target)  # an old ban may have come from another configuration
        if target.sets is None:
            return OwnSet.of(self._table, element.network, target.ports, target.protocol)
        name = target.sets.of(version)
        if name is None:
            raise ValueError(
                f"no set is named for IPv{version}, so nobody is banned (expected ipv{version} in "
                "sets, too)"
            )
        return named_set(name, version)

    def _whose(self) -> Mapping[int, set[str]]:
        self._listing = self._tables()
        return {
            number: set(_OWNER.findall(self._listing.get(_owners.numbered(self._base, number), "")))
            for number in range(1, 10)
        }

    def _take(self, number: int | None, owner: str) -> None:
        if number is None:
            raise FirewallError(
                f"{self.name}: all tables from inet {self._base} to inet {self._base}_9 belong to "
                "other Pyruses that run (expected another table in [bans.nftables])"
            )
        table = _owners.numbered(self._base, number)
        if table != self._table:
            self._table, self._made = table, set()
        self._there = self._listing.get(table)
        self._listing = {}

    @property
    def _creation(self) -> list[str]:
        """Commands that make the table; they are refused if another Pyruse was quicker."""
        if self._beacon is None:
            return [f"add table inet {self._table}"]
        action = "create" if self._there is None else "add"
        return [f"{action} table inet {self._table}", f"add chain inet {self._table} {self._mark}"]

    @property
    def _mark(self) -> str:
        """The name of an empty chain, which tells whose the table is."""
        return "" if self._beacon is None else f"owner_{self._beacon.owner}"

    def overlaps(self, target: Target) -> bool:
        """See `pyruse.Firewall`: an interval set holds no element inside of another."""
        return target.sets is None

    def doubts(
        self, targets: Collection[Target], networks: Collection[Target] = ()
    ) -> Sequence[str]:
        """See `pyruse.Firewall`."""
        found = []
        if self._table != self._base:
            found.append(
                f"{self.name}: the table inet {self._base} belongs to another Pyruse that runs on "
                f"this machine, so bans are in inet {self._table} (expected [bans.nftables] table "
                "= a name of its own, for each of them)"
            )
        wanted: dict[tuple[NftSet, int], bool] = {}
        for target in targets:
            for version in (4, 6):
                name = None if target.sets is None else target.sets.of(version)
                if name is not None:
                    key = named_set(name, version), version
                    wanted[key] = wanted.get(key, False) or target in networks
        if wanted:
            bodies = self._set_bodies()
            for (where, version), holds in sorted(wanted.items(), key=str):
                doubts = set_doubts(where, version, bodies.get(str(where)), networks=holds)
                found += [f"{self.name}: {doubt}" for doubt in doubts]
        return found

    def _set_bodies(self) -> dict[str, str]:
        """What the sets are made of, by "FAMILY TABLE SET".

        :raises FirewallError: the program does not tell.
        """
        try:
            listed = self.program.run(["-t", "list", "ruleset"], kept=_LONGEST_LISTING)
        except ProgramRefusal as refusal:
            raise FirewallError(
                f"{self.name}: sets of yours cannot be looked at: {self.explained(str(refusal))}"
            ) from None
        return {
            f"{table[1]} {one[1]}": one[2]
            for table in _ANY_TABLE.finditer(listed)
            for one in _SET_BODY.finditer(table[0])
        }

    def run(self, groups: Sequence[Changes[NftSet]]) -> None:
        """One transaction: the kernel makes all of it, or nothing."""
        sets = [group[0].where for group in groups]
        own = [where for where in sets if isinstance(where, OwnSet)]
        lines: list[str] = []
        # Make nothing again that should be there: if it is gone, all its elements are gone, too.
        if own and not self._made:
            lines += self._creation
        for ours in own:
            if ours not in self._made:
                lines += ours.creation + ours.rule
            elif not self._watched:  # else it is noticed when somebody takes the rule away
                lines += ours.rule
        self._change(lines, groups)
        self._made.update(own)
        self._note(sets)

    def _change(self, lines: Sequence[str], groups: Iterable[Changes[NftSet]]) -> None:
        """One transaction that makes changes, after other commands.

        Most bans are new, and creating an element is the cheapest request. After a removal, nft
        waits some 10 ms until all processors of the kernel have let go of the element.
        """
        try:
            self._transact([*lines, *(line for group in groups for line in _new(group))])
        except ProgramRefusal:  # an element is there already; versions of nft say it differently
            self._transact([*lines, *(line for group in groups for line in _renewed(group))])

    def refill(self, groups: Sequence[Changes[NftSet]]) -> None:
        """One transaction, too: nobody slips through while the sets are filled anew."""
        own: dict[OwnSet, Changes[NftSet]] = {}
        theirs: dict[NftSet, Changes[NftSet]] = {}
        for group in groups:
            where = group[0].where
            if not isinstance(where, OwnSet):
                theirs[where] = group
            elif added := [change for change in group if change.adds]:
                own[where] = added
        mended = self._contents(own, self._listed() if self._beacon is None else self._there)
        try:
            shared = [line for group in theirs.values() for line in _renewed(group)]
            self._transact([*mended, *shared])
        except ProgramRefusal:
            chosen = self._table
            self._choose()
            if self._table != chosen:
                raise FirewallError(
                    f"{self.name}: another Pyruse has taken the table inet {chosen} just now "
                    "(expected inet " + self._table + ", from the next attempt on)"
                ) from None
            # What is there may be of another make: then the table is replaced.
            for lines in (mended, [*self._removal(), *self._contents(own, "")]):
                with suppress(ProgramRefusal):
                    self._transact(lines)
                    break
            raise
        self._made = set(own)
        self._filled = {}
        self._note([*own, *theirs])

    def _contents(self, own: Mapping[OwnSet, Changes[NftSet]], there: str | None) -> list[str]:
        """Commands after which Pyruse's table has these sets with these elements, and nothing else.

        :param there: the table as it is listed now, or None.
        """
        if not own and there is None:
            return []
        lines = self._creation
        names = {self._mark, *(where.name for where in own)}
        stale = [(kind, name) for kind, name in _PART.findall(there or "") if name not in names]
        for kind, name in sorted(stale):  # chains before sets: a rule holds its set
            part = f"inet {self._table} {name}"
            lines += [f"flush {kind} {part}", f"delete {kind} {part}"]
        for where, inside in own.items():
            lines += [*where.creation, *where.rule, f"flush set {where}", *_added("add", inside)]
        return lines

    def _removal(self) -> list[str]:
        """Commands that remove the table, whether it is there or not."""
        return [f"add table inet {self._table}", f"delete table inet {self._table}"]

    def _transact(self, lines: Sequence[str]) -> None:
        if lines:
            self.program.run(self.reading, "\n".join([*lines, ""]))

    def _listed(self) -> str | None:
        """Pyruse's table without the elements of its sets; None: there is no table."""
        return self._tables().get(self._table)

    def _tables(self) -> dict[str, str]:
        """All tables of the family inet, by name, without the elements of their sets."""
        # Only listings of the whole ruleset do without the elements (nft 1.0.6).
        listed = self.program.run(["-t", "list", "ruleset", "inet"], kept=_LONGEST_LISTING)
        return {table[1]: table[0] for table in _TABLE_TEXT.finditer(listed)}

    def forget(self) -> bool:
        """See whether somebody removed Pyruse's table, as reloading the rules does."""
        made, self._made = self._made, set()
        if not made and self._beacon is None:
            return False
        try:
            self._there = self._listed()
        except ProgramRefusal:  # it refuses everything: nobody knows
            return False
        return bool(made) and self._there is None

    def teardown(self, bans: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        self._choose()
        try:
            self._transact(self._removal())
        except ProgramRefusal as refusal:
            raise FirewallError(f"{self.name}: {self.explained(str(refusal))}") from None
        self._made = set()
        self.apply((), [ban for ban in bans if ban.target.sets is not None])

    def watch(self) -> Watch | None:
        """See `pyruse.Firewall`."""
        from pyruse_plugins.firewalls._nft_watch import watch

        noticing = watch(self.program.pids)
        self._watched = noticing is not None
        self._note(())
        return noticing

    def _note(self, sets: Iterable[NftSet]) -> None:
        """Remember which sets were filled; if there is a watch, by the kernel's numbers."""
        self._filled = dict.fromkeys(sets, "") | self._filled
        if self._watched and not all(self._filled.values()):
            there: dict[str, str] = {}
            with suppress(ProgramRefusal, FirewallError):  # the changes are made
                there = self._sets_there()
            self._filled = {
                where: number or there.get(str(where), "") for where, number in self._filled.items()
            }

    def _sets_there(self) -> dict[str, str]:
        """The sets, with numbers that change when a set is made again."""
        listed = self.program.run(["-a", "-t", "list", "ruleset"], kept=_LONGEST_LISTING)
        numbers: dict[str, str] = {}
        table = number = ""
        for line in listed.splitlines():
            if found := _TABLE_LINE.match(line):
                table, number = found[1], found[2]
            elif found := _SET_LINE.match(line):
                numbers[f"{table} {found[1]}"] = f"{number} {found[2]}"
        return numbers

    def intact(self) -> bool:
        """Whether the sets that were filled are still there, and Pyruse's own have their rules."""
        there = self._sets_there()
        if any(there.get(str(where)) != number for where, number in self._filled.items()):
            return False
        rules = _RULE.findall(self._listed() or "") if self._made else []
        return all(where.name in rules for where in self._made)

    def missing(self, bans: Sequence[Element]) -> Sequence[Element]:
        """See `pyruse.Firewall`: single elements that somebody removed."""
        held: dict[NftSet, dict[str, list[Element]]] = {}
        for ban in bans:
            try:
                where = self.set_of(ban)
            except ValueError:  # it was refused
                continue
            held.setdefault(where, {}).setdefault(where.element(ban.address), []).append(ban)
        found: list[Element] = []
        for where, elements in held.items():
            try:
                listed = self.program.run(
                    ["list", "set", *str(where).split()], kept=_LONGEST_LISTING
                )
            except ProgramRefusal:
                continue  # it is not there: that was told when the bans were refused
            for one in not_held(list(elements), listed):
                found += elements[one]
        return found

    def explained(self, reason: str) -> str:
        """The kernel has but a few words, and does not tell what they mean here."""
        for words, meaning in _MEANINGS.items():
            if words in reason:
                return f"{reason} ({meaning})"
        return reason


def _new(changes: Changes[NftSet]) -> list[str]:
    """Commands that make changes; no added element may be there already."""
    added = [change for change in changes if change.adds]
    removed = [change for change in changes if not change.adds]
    return [*_removed(removed), *_added("create", added)]


def _renewed(changes: Changes[NftSet]) -> list[str]:
    """Commands that make changes, whatever is there.

    Adding an element that is there leaves its time as it was (up to Linux 6.11), and removing one
    that is not there is an error. Add, remove and add works in either case; as it is one
    transaction, nobody slips through in between.
    """
    return [*_removed(changes), *_added("add", [change for change in changes if change.adds])]


def _removed(changes: Changes[NftSet]) -> list[str]:
    """Commands that remove elements, be they there or not."""
    if not changes:
        return []
    where = changes[0].where
    elements = [where.element(change.text) for change in changes]
    return [_elements("add", where, elements), _elements("delete", where, elements)]


def _added(action: str, changes: Changes[NftSet]) -> list[str]:
    """The command that adds elements with their time.

    :param action: ``add``; or ``create``, which nft(8) refuses if an element is there already.
    """
    if not changes:
        return []
    where = changes[0].where
    elements = [where.element(change.text) + _time(change.seconds) for change in changes]
    return [_elements(action, where, elements)]


def _elements(action: str, where: NftSet, elements: Sequence[str]) -> str:
    # A line each: nft quotes the line that is wrong.
    return "\n".join([f"{action} element {where} {{", ",\n".join(elements), "}"])


def _time(seconds: int | None) -> str:
    if seconds is None or seconds > NftablesFirewall.longest:
        return ""
    # nft(8) takes no number of more than eight digits.
    return f" timeout {seconds // _DAY}d{seconds % _DAY}s"
