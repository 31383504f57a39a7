"""The firewall ``ipset``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pyruse import Element, Firewall, Target, hookimpl
from pyruse_plugins.firewalls._apply import Change, ProgramFirewall
from pyruse_plugins.firewalls._program import Program, check_names, program_of

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:-]{0,30}")  # the kernel's IPSET_MAXNAMELEN is 32
_LONGEST = 2_147_483  # seconds: more, ipset(8) does not take
_OWN = {4: "pyruse4", 6: "pyruse6"}
_NOISE = re.compile(r"ipset v\S+ |Error in line \d+: ")


class Ipset:
    """Bans by ipset, for firewalls that are made of iptables rules.

    Pyruse puts bans into the sets `pyruse4` and `pyruse6`; the rules that use them are yours, since
    a rule has its place among others. What loads your rules makes the sets first, for a rule needs
    its set; sets that are there are taken as they are, others are made with the first ban:

    ```sh
    ipset create -exist pyruse4 hash:net family inet timeout 0 maxelem 1000000
    ipset create -exist pyruse6 hash:net family inet6 timeout 0 maxelem 1000000
    iptables -t raw -I PREROUTING -m set --match-set pyruse4 src -j DROP
    ip6tables -t raw -I PREROUTING -m set --match-set pyruse6 src -j DROP
    ```

    With `sets`, bans go into sets of yours, such as `sets = { ipv4 = "mail_ban" }`; they need
    `timeout 0`, and the type `hash:net` when `prefix4` or `prefix6` ban networks. The option
    `ports` is not for this firewall: use sets of yours with a rule on those ports.

    ipset counts no more than 24 days (2147483 s). A longer ban is put there for ever, and taken out
    by Pyruse when it is over; while Pyruse is stopped, such a ban does not end.

    When somebody empties a set (`ipset flush`), Pyruse fills it again at its next start.

    ```toml
    [bans]
    backend = "ipset"

    [bans.ipset]
    command = ["/usr/sbin/ipset"]   # the program, and arguments that come before all others
    ```
    """

    @hookimpl
    def open_firewall(self, name: str, options: Mapping[str, Any]) -> Firewall | None:
        if name != "ipset":
            return None
        check_names(options, ("command",))
        return IpsetFirewall(program_of(options, "ipset"))


class IpsetFirewall(ProgramFirewall[str]):
    """Speaks with ``ipset restore``: lines made of checked names, addresses and numbers."""

    name = "ipset"
    general = ("The set with the given name does not exist", "Operation not permitted")

    def __init__(self, program: Program) -> None:
        self._program = program
        self._made: set[str] = set()
        """Those of Pyruse's own sets that are there, as far as this object knows."""

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
        version, sets = element.network.version, element.target.sets
        name = _OWN[version] if sets is None else sets.of(element.network)
        if name is None:
            raise ValueError(
                f"no set is named for IPv{version}, so nobody is banned (expected ipv{version} in "
                "sets, too)"
            )
        return name

    def run(self, changes: Sequence[Change[str]]) -> None:
        """One run of ``ipset restore``. It stops at the first line that is refused."""
        own = {change.where for change in changes} & set(_OWN.values())
        missing = sorted(own - self._made)
        if missing:
            there = self._program.run(["list", "-n"]).split()
            missing = [name for name in missing if name not in there]
        lines = [_creation(name) for name in missing] + [_line(change) for change in changes]
        # -exist: what is there has its time set anew, what is not there need not be removed.
        self._program.run(["restore", "-exist"], "".join(lines))
        self._made |= own

    def forget(self) -> bool:
        """See whether somebody destroyed one of Pyruse's sets."""
        made, self._made = self._made, set()
        return bool(made) and not made <= set(self._program.run(["list", "-n"]).split())

    def explained(self, reason: str) -> str:
        """Without the number of a line that nobody sees."""
        return _NOISE.sub("", reason)


def _creation(name: str) -> str:
    family = "inet" if name == _OWN[4] else "inet6"
    return f"create {name} hash:net family {family} timeout 0 maxelem 1000000\n"


def _line(change: Change[str]) -> str:
    network = change.network
    single = network.prefixlen == network.max_prefixlen
    element = f"{change.where} {network.network_address if single else network}"
    if not change.times:
        return f"del {element}\n"
    seconds = change.seconds
    if seconds is None or seconds > _LONGEST:
        return f"add {element}\n"  # not "timeout 0": a set without timeouts takes it like this
    return f"add {element} timeout {seconds}\n"
