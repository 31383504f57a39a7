"""The firewall ``ipset``."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pyruse import (
    Change,
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
)
from pyruse_plugins.firewalls import _owners
from pyruse_plugins.firewalls._owned import OwnedFirewall

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,30}")  # the kernel's IPSET_MAXNAMELEN is 32
_OWN = {4: "pyruse4", 6: "pyruse6"}
_MARK = re.compile(rf"pyruse_({_owners.OWNER})(?:\.([2-9]))?")
_LONGEST_LISTING = 1 << 26  # bytes
_NOISE = re.compile(r"ipset v\S+ |Error(?: in line \d+)?: ")
"""Of ipset: what its messages begin with."""
_NO_SET = "The set with the given name does not exist"
_NO_RAW_SOCKET = "Can't open socket to ipset"


@dataclass(eq=False, repr=False)
class Ipset:
    """Bans by ipset, for firewalls that are made of iptables rules.

    Pyruse puts bans into the sets `pyruse4` and `pyruse6`, and one rule for each into iptables,
    which drops the packets of who is in it, before connection tracking and address translation:
    `iptables -t raw -I PREROUTING -m set --match-set pyruse4 src -j DROP`. Sets and rules are made
    with the first ban. Where somebody removes them, they are made again with the next ban, and at
    once where iptables keeps its rules in nftables, as it does by default today. iptables needs the
    capability `CAP_NET_RAW` for that: the drop-in `deploy/ipset.conf` gives it to the service.

    With `rules = false` the rules are yours, since a rule has its place among others. What loads
    them makes the sets first, for a rule needs its set; sets that are there are taken as they are:
    `ipset create -exist pyruse4 hash:net family inet timeout 0 maxelem 1000000`, and `family inet6`
    for `pyruse6`.

    With `sets`, bans go into sets of yours, such as `sets = { ipv4 = "mail_ban" }`, and what
    happens to the banned is up to your rules. These sets need `timeout 0`, and the type `hash:net`
    when `prefix4` or `prefix6` ban networks. The options `ports` and `protocol` are not for this
    firewall: use sets of yours with a rule on those ports.

    ipset counts no more than 24 days (2147483 s). A longer ban is put there for ever, and taken out
    by Pyruse when it is over, or at its next start.

    A second Pyruse on one machine, or in a container that shares its network, takes sets beside
    these, `pyruse4_2` and `pyruse6_2`, and says so; with `rules = false` it says why it cannot.

    When somebody empties a set (`ipset flush`), or takes an address out, the kernel tells nobody:
    Pyruse sees that when the rules of iptables or nftables are changed next, or at its next start
    or reload, and fills the set again.

    ```toml
    [bans]
    backend = "ipset"

    [bans.ipset]
    command = ["/usr/sbin/ipset"]         # the program, and arguments that come before all others
    rules = true                          # whether Pyruse puts its rules into iptables
    iptables = ["/usr/sbin/iptables"]     # the programs for that, for IPv4 and IPv6
    ip6tables = ["/usr/sbin/ip6tables"]
    ```
    """

    command: CommandLine = CommandLine(["ipset"])
    """The program, and arguments that come before all others."""
    rules: bool = True
    """Whether Pyruse puts its rules into iptables."""
    iptables: CommandLine = CommandLine(["iptables"])
    """The program for the rules of IPv4."""
    ip6tables: CommandLine = CommandLine(["ip6tables"])
    """The program for the rules of IPv6."""

    @hookimpl
    def open_firewall(self, name: str) -> Firewall | None:
        if name != "ipset":
            return None
        program = FirewallProgram(self.command, noise=_NOISE)
        rules = {4: self.iptables, 6: self.ip6tables} if self.rules else {}
        iptables = {
            version: FirewallProgram(
                command, noise=_NOISE, pids=program.pids, interruption=program.interruption
            )
            for version, command in rules.items()
        }
        return IpsetFirewall(program, iptables)


class IpsetFirewall(OwnedFirewall[str]):
    """Speaks with ``ipset restore``: lines made of checked names, addresses and numbers."""

    name = "ipset"
    # -exist: adding an element that is there sets its time anew, removing a missing one is fine.
    reading = ("restore", "-exist")
    general = (_NO_SET, "Operation not permitted")
    longest = 2_147_483  # ipset(8), timeout

    def __init__(self, program: FirewallProgram, iptables: Mapping[int, FirewallProgram]) -> None:
        """Change nothing yet.

        :param program: ipset.
        :param iptables: programs that add rules for Pyruse's own sets, by the version of IP; empty
            if the administrator does.
        """
        super().__init__(program)
        self._rules = iptables
        self._own = dict(_OWN)
        """Pyruse's own sets, by the version of IP."""
        self._marks: dict[str, re.Match[str]] = {}
        """The sets that tell whose the others are, as they were when last looked at."""
        self._mark = ""
        """The name of a set that is empty, and tells whose the others are."""
        self._marked = False
        """It is there, as far as this object knows."""
        self._left: list[str] = []
        """What such sets are left of others, whose sets these were."""

    def check(self, target: Target) -> None:
        """See `pyruse.Firewall`."""
        if target.ports:
            raise ValueError(
                "ports cannot be closed by ipset (expected no ports, but sets of yours with an "
                "iptables rule on those ports; or the firewall nftables)"
            )
        if target.sets is None:
            return
        for name in (target.sets.ipv4, target.sets.ipv6):
            if name is not None and not _NAME.fullmatch(name):
                raise ValueError(
                    f'"{name}" is no set of ipset (expected one word of at most 31 characters, '
                    'such as "mail_ban")'
                )

    def set_of(self, element: Element) -> str:
        """Pyruse's own set, or the administrator's."""
        self.check(element.target)  # an old ban may have come from another configuration
        version, sets = element.version, element.target.sets
        name = self._own[version] if sets is None else sets.of(version)
        if name is None:
            raise ValueError(
                f"no set is named for IPv{version}, so nobody is banned (expected ipv{version} in "
                "sets, too)"
            )
        return name

    def _whose(self) -> Mapping[int, set[str]]:
        self._marks = {one[0]: one for one in map(_MARK.fullmatch, self._sets()) if one}
        owners: dict[int, set[str]] = {}
        for mark in self._marks.values():
            owners.setdefault(int(mark[2] or 1), set()).add(mark[1])
        return owners

    def _take(self, number: int | None, owner: str) -> None:
        if number is None or (number > 1 and not self._rules):
            raise FirewallError(
                f"{self.name}: the sets {_OWN[4]} and {_OWN[6]} belong to another Pyruse that runs "
                "on this machine (expected one with sets of yours, by the option sets)"
            )
        self._own = {version: _owners.numbered(name, number) for version, name in _OWN.items()}
        self._mark = f"pyruse_{owner}" + (f".{number}" if number > 1 else "")
        self._marked = self._mark in self._marks
        self._left = [
            name
            for name, mark in self._marks.items()
            if int(mark[2] or 1) == number and mark[1] != owner
        ]

    def doubts(
        self, targets: Collection[Target], networks: Collection[Target] = ()
    ) -> Sequence[str]:
        """See `pyruse.Firewall`."""
        found = []
        if self._own != _OWN:
            found.append(
                f"{self.name}: the sets {_OWN[4]} and {_OWN[6]} belong to another Pyruse that runs "
                f"on this machine, so bans are in {self._own[4]} and {self._own[6]} (expected one "
                "Pyruse with this firewall, or sets of yours)"
            )
        wanted: dict[tuple[str, int], bool] = {}
        for target in targets:
            for version in (4, 6):
                name = None if target.sets is None else target.sets.of(version)
                if name is not None:
                    key = name, version
                    wanted[key] = wanted.get(key, False) or target in networks
        for (name, version), holds in sorted(wanted.items()):
            found += [f"{self.name}: {doubt}" for doubt in self._set_doubts(name, version, holds)]
        return found

    def _set_doubts(self, name: str, version: int, networks: bool) -> list[str]:
        """What keeps bans from holding as they should in a set of the administrator's.

        :raises FirewallError: the program does not tell.
        """
        family = "inet" if version == 4 else "inet6"
        try:
            listed = self.program.run(["list", "-t", name])
        except ProgramRefusal as refusal:
            if _NO_SET not in str(refusal):
                raise FirewallError(
                    f"{self.name}: sets of yours cannot be looked at: {refusal}"
                ) from None
            return [
                f"there is no set {name} (expected it to be there before the first ban: `ipset "
                f"create {name} hash:net family {family} timeout 0`)"
            ]
        kind = "".join(re.findall(r"^Type: (\S+)", listed, re.MULTILINE))
        header = "".join(re.findall(r"^Header: (.*)", listed, re.MULTILINE)).split()
        faults = []
        if kind not in ("hash:net", "hash:ip"):
            faults.append(f"its type is {kind}, so it takes no ban (expected hash:net)")
        elif networks and kind != "hash:net":
            faults.append(
                "its type is hash:ip, which takes each address of a network by itself, as prefix4 "
                "and prefix6 ban (expected hash:net)"
            )
        if "family" in header and header[header.index("family") + 1] != family:
            faults.append(f"it takes no IPv{version} (expected family {family})")
        if "timeout" not in header:
            faults.append("it takes no ban that ends (expected timeout 0)")
        return [f"the set {name}: {fault}" for fault in faults]

    def run(self, groups: Sequence[Changes[str]]) -> None:
        """One run of ``ipset restore``. It stops at the first line that is refused."""
        own = {group[0].where for group in groups} & set(self._own.values())
        there = self._sets() if own - self._made else self._made
        lines = [self._creation(name) for name in sorted(own - there)]
        if own and self._mark and not self._marked:
            lines.insert(0, f"create {self._mark} hash:ip maxelem 1\n")
        self._restore(lines + [_line(change) for group in groups for change in group])
        self._made |= own
        self._marked = self._marked or bool(own)
        for name in sorted(own):
            self._see_to_rule(name)

    def refill(self, groups: Sequence[Changes[str]]) -> None:
        """The same; what else Pyruse's own sets hold is removed, and the rest is never missing."""
        wanted = {group[0].where: {change.text for change in group} for group in groups}
        there = self._sets() & set(self._own.values())
        self._restore(
            [
                f"del {name} {one}\n"
                for name in sorted(there)
                for one in self._elements(name)
                if one not in wanted.get(name, ())
            ]
        )
        self._made = there
        self.run(groups)
        for mark in self._left:
            with suppress(ProgramRefusal):
                self.program.run(["destroy", mark])
        self._left = []

    def _restore(self, lines: Sequence[str]) -> None:
        if lines:
            self.program.run(self.reading, "".join(lines))

    def _sets(self) -> set[str]:
        return set(self.program.run(["list", "-n"], kept=_LONGEST_LISTING).split())

    def _elements(self, name: str) -> list[str]:
        saved = self.program.run(["save", name], kept=_LONGEST_LISTING)
        lines = map(str.split, saved.splitlines())
        return [words[2] for words in lines if words[:1] == ["add"]]

    def _iptables(self, name: str) -> FirewallProgram | None:
        """What has the rule of one of Pyruse's own sets; None: it is the administrator's."""
        version = next((version for version, own in self._own.items() if own == name), None)
        return None if version is None else self._rules.get(version)

    def _creation(self, name: str) -> str:
        family = "inet" if name == self._own[4] else "inet6"
        return f"create {name} hash:net family {family} timeout 0 maxelem 1000000\n"

    def _see_to_rule(self, name: str) -> None:
        """Put the rule of one of Pyruse's own sets into iptables, if it is missing.

        :raises FirewallError: that is not possible.
        """
        iptables = self._iptables(name)
        if iptables is None:
            return
        try:
            iptables.run(_rule("-C", name))
        except ProgramRefusal:
            try:
                iptables.run(_rule("-I", name))
            except ProgramRefusal as refusal:
                expected = (
                    "the capability CAP_NET_RAW, from the drop-in ipset.conf that comes with "
                    "pyruse.service"
                    if _NO_RAW_SOCKET in str(refusal)
                    else f"the rule for the set {name} to be taken"
                )
                raise FirewallError(
                    f"{self.name}: {' '.join(iptables.command)}: {refusal} (expected {expected}; "
                    "or rules = false in [bans.ipset], and a rule of yours)"
                ) from None

    def forget(self) -> bool:
        """See whether somebody destroyed one of Pyruse's sets."""
        made, self._made = self._made, set()
        return bool(made) and not made <= self._sets()

    def teardown(self, bans: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        self._choose()
        there = self._sets() & {*self._own.values(), self._mark}
        for name in sorted(there):
            if (iptables := self._iptables(name)) is not None:
                with suppress(ProgramRefusal):  # until there is none
                    for _ in range(100):
                        iptables.run(_rule("-D", name))
            try:
                self.program.run(["destroy", name])
            except ProgramRefusal:  # rules of the administrator's use it
                self.program.run(["flush", name])
        self._made = set()
        self.apply((), [ban for ban in bans if ban.target.sets is not None])

    def watch(self) -> Watch | None:
        """Rules of iptables can be watched where nftables keeps them."""
        from pyruse_plugins.firewalls._nft_watch import watch

        return watch(self.program.pids) if self._rules else None

    def missing(self, bans: Sequence[Element]) -> Sequence[Element]:
        """See `pyruse.Firewall`: of Pyruse's own sets, for those of the administrator's differ."""
        there = {name: set(self._elements(name)) for name in sorted(self._made)}
        return [
            ban
            for ban in bans
            if ban.target.sets is None
            and ban.address not in there.get(self._own[ban.version], (ban.address,))
        ]

    def intact(self) -> bool:
        """See `pyruse.Firewall`."""
        try:
            for name in sorted(self._made):
                if (iptables := self._iptables(name)) is not None:
                    iptables.run(_rule("-C", name))
        except ProgramRefusal:
            return False
        return self._made <= self._sets()


def _rule(action: str, name: str) -> list[str]:
    """Arguments of iptables; ``-w``: wait for another iptables to end, five seconds at most."""
    match = ["-m", "set", "--match-set", name, "src"]
    return ["-w", "5", "-t", "raw", action, "PREROUTING", *match, "-j", "DROP"]


def _line(change: Change[str]) -> str:
    element = f"{change.where} {change.text}"
    if not change.adds:
        return f"del {element}\n"
    seconds = change.seconds
    if seconds is None or seconds > IpsetFirewall.longest:
        return f"add {element}\n"  # not "timeout 0": a set without timeouts takes it like this
    return f"add {element} timeout {seconds}\n"
