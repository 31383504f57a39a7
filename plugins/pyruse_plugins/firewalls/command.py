"""The firewall ``command``: programs of the administrator's."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any

from pyruse import Duration, Element, Firewall, FirewallError, Target, hookimpl, network_text
from pyruse_plugins.firewalls._apply import Fault, summary
from pyruse_plugins.firewalls._program import Program, Refused, check_names, shown, words_of

_NAMES = ("ip", "network", "family", "seconds", "ports")
_COMMANDS = ("ban", "unban", "restore", "flush")


class Command:
    """Bans by programs of yours: for a firewall that Pyruse does not know, or one elsewhere.

    Each ban is one run of the program `ban`, each end of a ban one of `unban`. They are lists, the
    program and its arguments; there is no shell. In arguments, `{ip}` is the address, or the
    network with its prefix length (`192.0.2.0/24`), `{network}` the same with a prefix length in
    any case (`192.0.2.7/32`), `{family}` 4 or 6, `{seconds}` how long the ban lasts (0: for ever),
    and `{ports}` the ports, as in `22,443`. A `{` that is meant is written `{{`.

    Where `ban` is told the seconds, it has to see to it that the ban ends then. Otherwise Pyruse
    runs `unban` when the ban is over.

    A program must accept to ban who is banned, and to unban who is not: at its start, and when it
    reads its configuration again, Pyruse bans everyone anew. With many bans, that takes its time: a
    program `restore` is run once instead, with all the bans on its standard input, in lines such as
    `192.0.2.7 3600`, followed by the ports if there are any. A program `flush` ends all bans at
    once, for `pyruse bans --teardown`; without it, `unban` is run for each.

    A program that fails, with an exit code other than 0, is run again later. While programs run,
    Pyruse waits: for the time of `timeout` at most, however many there are; what could not be done
    in this time is done later.

    ```toml
    [bans]
    backend = "command"

    [bans.command]
    ban = ["ip", "-{family}", "route", "replace", "blackhole", "{network}"]
    unban = ["ip", "-{family}", "route", "flush", "type", "blackhole", "exact", "{network}"]
    timeout = "30s"   # for all the programs of one moment together
    ```
    """

    @hookimpl
    def open_firewall(self, name: str, options: Mapping[str, Any]) -> Firewall | None:
        if name != "command":
            return None
        check_names(options, (*_COMMANDS, "timeout"))
        for needed in ("ban", "unban"):
            if needed not in options:
                raise ValueError(
                    f"{needed} is missing (expected the program and its arguments, such as "
                    f'{needed} = ["/usr/local/sbin/{needed}", "{{ip}}"])'
                )
        commands = {
            option: _Template.of(option, options[option])
            for option in _COMMANDS
            if option in options
        }
        try:
            limit = Duration.parse(options.get("timeout", "30s"))
        except ValueError as fault:
            raise ValueError(f"timeout: {fault}") from None
        return CommandFirewall(commands, limit.us / 1_000_000)


@dataclass(frozen=True)
class _Template:
    """A command with places for the facts of a ban."""

    words: tuple[str, ...]
    names: frozenset[str]

    @classmethod
    def of(cls, option: str, value: Any) -> _Template:
        """:raises ValueError: it is no command, or names what there is not."""
        words = words_of(value, option, f"/usr/local/sbin/{option}")
        known = _NAMES if option in ("ban", "unban") else ()
        expected = " ".join(f"{{{name}}}" for name in known) or "no braces here"
        names: set[str] = set()
        for number, word in enumerate(words):
            try:
                parts = list(Formatter().parse(word))
            except ValueError as fault:
                raise ValueError(
                    f"{option}: {shown(word)}: {fault} (expected {expected})"
                ) from None
            for _, name, form, conversion in parts:
                if name is None:
                    continue
                if name not in known or form or conversion or not number:
                    raise ValueError(
                        f"{option}: {shown(word)}: there is no {{{shown(name)[1:-1]}}} here "
                        f"(expected {expected}; none in the name of the program)"
                    )
                names.add(name)
        return cls(tuple(words), frozenset(names))

    def filled(self, element: Element | None = None) -> list[str]:
        """The command for a ban."""
        if element is None:
            return [word.format() for word in self.words]
        facts = {
            "ip": network_text(element.network),
            "network": str(element.network),
            "family": str(element.network.version),
            "seconds": str(element.seconds or 0),
            "ports": _ports(element),
        }
        return [word.format_map(facts) for word in self.words]


class CommandFirewall(Firewall):
    """Runs a program for each change."""

    def __init__(self, commands: Mapping[str, _Template], time_limit: float) -> None:
        """:param time_limit: in seconds, for all the programs of one call together."""
        self._commands = commands
        self._time_limit = time_limit
        self.longest = None if "seconds" in commands["ban"].names else 0

    def check(self, target: Target) -> None:
        """See `pyruse.Firewall`."""
        if target.sets is not None:
            raise ValueError("there are no sets with the firewall command (expected none)")
        if target.ports and "ports" not in self._commands["ban"].names:
            raise ValueError(
                "the program that bans is not told the ports (expected no ports, or {ports} in "
                "[bans.command] ban)"
            )

    def apply(self, add: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        end = time.monotonic() + self._time_limit
        faults: list[Fault] = []
        for option, elements in (("unban", remove), ("ban", add)):
            for element in elements:
                try:
                    self.check(element.target)  # it may have come from another configuration
                    self._run(self._commands[option].filled(element), end)
                except (FirewallError, Refused, ValueError) as fault:
                    faults.append((element, option, str(fault)))
        if faults:
            raise FirewallError(
                f"command: {summary(faults)}", [element for element, _, _ in faults]
            )

    def reconcile(self, bans: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        if "restore" not in self._commands:
            self.apply(bans, remove)
            return
        lines = [f"{network_text(ban.network)} {ban.seconds or 0} {_ports(ban)}" for ban in bans]
        self._run_whole("restore", "".join(f"{line.rstrip()}\n" for line in lines))

    def teardown(self, bans: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        if "flush" not in self._commands:
            self.apply((), bans)
            return
        self._run_whole("flush")

    def _run_whole(self, option: str, text: str = "") -> None:
        try:
            self._run(self._commands[option].filled(), time.monotonic() + self._time_limit, text)
        except Refused as refusal:
            raise FirewallError(f"command: {option}: {refusal}") from None

    def _run(self, command: Sequence[str], end: float, text: str = "") -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise FirewallError(
                f"not run, the {self._time_limit:g} s for all programs were over (expected faster "
                "programs, or a longer timeout)"
            )
        Program((command[0],), left).run(command[1:], text)


def _ports(element: Element) -> str:
    return ",".join(map(str, element.target.ports))
