"""The firewall ``command``: programs of the administrator's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from string import Formatter
from typing import Any, ClassVar, Self

from pyruse import (
    Changes,
    CommandLine,
    Duration,
    Element,
    Firewall,
    FirewallError,
    FirewallProgram,
    ProgramFirewall,
    ProgramRefusal,
    Target,
    hookimpl,
    shown,
)


class PlainCommand:
    """A command with places for the facts of a ban in its arguments; here, there are no facts."""

    NAMES: ClassVar[tuple[str, ...]] = ()
    IN_WORDS: ClassVar[str] = CommandLine.IN_WORDS
    SCHEMA: ClassVar[dict[str, Any]] = CommandLine.SCHEMA

    def __init__(self, words: tuple[str, ...], names: frozenset[str]) -> None:
        """Make a command of words that are checked already.

        :param names: the facts that the words ask for.
        """
        self.words = words
        self.names = names

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a command, and check the names in its braces.

        :raises ValueError: it is no command, or it names a fact that does not exist.
        """
        words = CommandLine.parse(value)
        expected = " ".join(f"{{{name}}}" for name in cls.NAMES) or "no braces here"
        names: set[str] = set()
        for number, word in enumerate(words):
            try:
                parts = list(Formatter().parse(word))
            except ValueError as fault:
                raise ValueError(f"{shown(word)}: {fault} (expected {expected})") from None
            for _, name, form, conversion in parts:
                if name is None:
                    continue
                if name not in cls.NAMES or form or conversion or not number:
                    raise ValueError(
                        f"{shown(word)}: there is no {{{shown(name)[1:-1]}}} here (expected "
                        f"{expected}; none in the name of the program)"
                    )
                names.add(name)
        return cls(words, frozenset(names))

    def filled(self, element: Element | None = None) -> list[str]:
        """The command for a ban."""
        if element is None:
            return [word.format() for word in self.words]
        facts = {
            "ip": element.address,
            "network": str(element.network),
            "family": str(element.version),
            "seconds": str(element.seconds or 0),
            "ports": _ports(element),
            "protocol": element.target.protocol or "",
        }
        return [word.format_map(facts) for word in self.words]


class BanCommand(PlainCommand):
    """The command for one ban."""

    NAMES = ("ip", "network", "family", "seconds", "ports", "protocol")


@dataclass(eq=False, repr=False)
class Command:
    """Bans by programs of yours: for a firewall that Pyruse does not know, or one elsewhere.

    Each ban is one run of the program `ban`, each end of a ban one of `unban`. They are lists, the
    program and its arguments; there is no shell. In arguments, `{ip}` is the address, or the
    network with its prefix length (`192.0.2.0/24`), `{network}` the same with a prefix length in
    any case (`192.0.2.7/32`), `{family}` 4 or 6, `{seconds}` how long the ban lasts (0: for ever),
    `{ports}` the ports, as in `22,443` or `22,1000-2000`, and `{protocol}` the protocol, as in
    `tcp`. Without ports and protocol, these are empty. A `{` that is meant is written `{{`.

    Where `ban` is told the seconds, it has to see to it that the ban ends then. Otherwise Pyruse
    runs `unban` when the ban is over.

    A program must accept to ban who is banned, and to unban who is not: at its start, and when it
    reads its configuration again, Pyruse bans everyone anew. With many bans, that takes its time: a
    program `restore` is run once instead, with all the bans on its standard input, in lines such as
    `192.0.2.7 3600`, followed by the ports if there are any, and by the protocol if there is one
    (as in `192.0.2.7 3600 - tcp` where there are no ports). A program `flush` ends all bans at
    once, for `pyruse bans --teardown`; without it, `unban` is run for each.

    A program that fails, with an exit code other than 0, is run again later. While programs run,
    further bans wait: for the time of `timeout` at most, however many programs there are; what
    could not be done in this time is done later.

    ```toml
    [bans]
    backend = "command"

    [bans.command]
    ban = ["ip", "-{family}", "route", "replace", "blackhole", "{network}"]
    unban = ["ip", "-{family}", "route", "flush", "type", "blackhole", "exact", "{network}"]
    timeout = "30s"   # for all the programs of one moment together
    ```
    """

    ban: BanCommand
    """The program that bans, with its arguments."""
    unban: BanCommand
    """The program that ends a ban."""
    restore: PlainCommand | None = None
    """The program that bans everyone anew, told of all bans on its standard input."""
    flush: PlainCommand | None = None
    """The program that ends all bans."""
    timeout: Duration = Duration(seconds=30)
    """So long all the programs of one moment may take together."""

    @hookimpl
    def open_firewall(self, name: str) -> Firewall | None:
        return CommandFirewall(self) if name == "command" else None


class CommandFirewall(ProgramFirewall[Target]):
    """Runs a program for each change."""

    name = "command"
    by_protocol = True

    def __init__(self, commands: Command) -> None:
        """Run nothing yet.

        :param commands: of the configuration.
        """
        super().__init__(FirewallProgram(()))  # each command has its own
        self._commands = commands
        self._time_limit = commands.timeout.total_seconds()
        self.longest = None if "seconds" in commands.ban.names else 0

    def check(self, target: Target) -> None:
        """See `pyruse.Firewall`."""
        if target.sets is not None:
            raise ValueError("there are no sets with the firewall command (expected none)")
        if target.ports and "ports" not in self._commands.ban.names:
            raise ValueError(
                "the program that bans is not told the ports (expected no ports, or {ports} in "
                "[bans.command] ban)"
            )
        if target.protocol is not None and "protocol" not in self._commands.ban.names:
            raise ValueError(
                "the program that bans is not told the protocol (expected none, or {protocol} in "
                "[bans.command] ban)"
            )

    def set_of(self, element: Element) -> Target:
        """See `pyruse.ProgramFirewall`."""
        self.check(element.target)  # it may have come from another configuration
        return element.target

    def named(self, where: Target | None, *, adds: bool) -> str:
        """See `pyruse.ProgramFirewall`: the option with the program."""
        return "ban" if adds else "unban"

    def run(self, groups: Sequence[Changes[Target]]) -> None:
        """See `pyruse.ProgramFirewall`: of what fails, the others take no notice."""
        end = time.monotonic() + self._time_limit
        refused = []
        changes = [change for group in groups for change in group]
        for change in sorted(changes, key=lambda change: change.adds):
            command = self._commands.ban if change.adds else self._commands.unban
            element = Element(change.text, change.where, change.seconds)
            try:
                self._run(command.filled(element), end)
            except (FirewallError, ProgramRefusal) as fault:
                refused.append((change, str(fault)))
        if refused:
            raise ProgramRefusal(refused[0][1], refused)

    def reconcile(self, bans: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        restore = self._commands.restore
        if restore is None:
            self.apply(bans, remove)
            return
        lines = [f"{ban.address} {ban.seconds or 0} {_where(ban)}" for ban in bans]
        self._run_whole("restore", restore, "".join(f"{line.rstrip()}\n" for line in lines))

    def teardown(self, bans: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        flush = self._commands.flush
        if flush is None:
            self.apply((), bans)
            return
        self._run_whole("flush", flush)

    def _run_whole(self, option: str, command: PlainCommand, text: str = "") -> None:
        try:
            self._run(command.filled(), time.monotonic() + self._time_limit, text)
        except ProgramRefusal as refusal:
            raise FirewallError(f"command: {option}: {refusal}") from None

    def _run(self, command: Sequence[str], end: float, text: str = "") -> None:
        left = end - time.monotonic()
        if left <= 0:
            raise FirewallError(
                f"not run, the {self._time_limit:g} s for all programs were over (expected faster "
                "programs, or a longer timeout)"
            )
        program = FirewallProgram((command[0],), left, interruption=self.program.interruption)
        program.run(command[1:], text)


def _ports(element: Element) -> str:
    return ",".join(map(str, element.target.ports))


def _where(element: Element) -> str:
    protocol = element.target.protocol
    return _ports(element) if protocol is None else f"{_ports(element) or '-'} {protocol}"
