"""What a step is given besides the entry: memory, and the ways out of Pyruse."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import tzinfo
from ipaddress import IPv4Network, IPv6Network
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct, field
from msgspec.structs import replace

from pyruse.addresses import Address, Network, network_text, text_around
from pyruse.api.bans import Ban, BanRequest
from pyruse.api.context import LogLevel
from pyruse.api.declared import DeclaredSummary
from pyruse.api.effects import Mail, Program
from pyruse.api.expectation import Expectation
from pyruse.api.firewall import Sets, Target
from pyruse.api.observer import Observer
from pyruse.api.parcel import DELIVER_TIMEOUT
from pyruse.api.ports import Port
from pyruse.api.report import DETAILS, SECTIONS, Details, Report, Section
from pyruse.api.reported import Reported
from pyruse.api.tallied import Tallied
from pyruse.api.tally import Tally
from pyruse.bans.in_force import Cause
from pyruse.bans.service import Bans
from pyruse.config.settings import Settings
from pyruse.engine.expectations import Expectations
from pyruse.engine.filing import Facts, Filing
from pyruse.engine.handed_over import ban_request, duration, text
from pyruse.engine.tallying import tallying
from pyruse.engine.woken import Woken
from pyruse.entry.entry import Entry
from pyruse.errors import did_you_mean
from pyruse.options.durations import Duration
from pyruse.state.counters import Counters
from pyruse.state.database import State
from pyruse.state.outbox_item import OutboxItem
from pyruse.state.tables import Table
from pyruse.state.tallies import LONGEST, tallied_by_day, tallies_before, tallies_of
from pyruse.text import one_line, shortened
from pyruse.times import Calendar, Clock

if TYPE_CHECKING:
    from pyruse.report.render import Renderer

MAX_HOPS = 5

_LEVEL_NAMES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
_LEVELS: Mapping[str | int, int] = {
    word: number
    for number, name in enumerate(_LEVEL_NAMES)
    for word in (name, name.upper(), number)
}
"""The number of each level, by all that it may be called."""

_WORDS = {
    "mail": "sent a mail",
    "command": "run a program",
    "log": "written to the journal",
}
"""What a simulated step would have done, by the kind of outbox item."""
_LONGEST_PAYLOAD = 250_000  # characters


class Services(Struct):
    """What all the contexts of a running program share."""

    settings: Settings
    extensions: Mapping[str, Any]
    """The objects of the extensions, by name."""
    state: State
    bans: Bans
    calendar: Calendar
    clock: Clock
    host: str
    """The name of this machine."""
    renderer: Renderer
    expectations: Expectations
    filing: Filing
    """Files what is reported."""
    dry_run: bool = False
    declared_summaries: Sequence[DeclaredSummary] = ()
    """What the rules in use want summed up."""
    observer: Observer | None = None
    woken: Woken = field(default_factory=Woken)
    """The plugins that have asked, in their own threads, to be called."""
    told_hops: int | None = None
    """While a ban or an unban is told to plugins: how many of Pyruse's own lines, and of bans made
    when bans are told, have led to it. None: nothing is told."""

    def lead(self, hops: int | None) -> None:
        """Take a ban or an unban, with its hops, as the cause of all that is done without entry."""
        self.told_hops = hops


_NO_TARGETS: frozenset[Target] = frozenset()
"""One for all: few of thousands of steps ban …"""
_NO_FACTS: Mapping[tuple[Section, Details, str | None, int | None], Facts] = {}
"""… or report."""
_MOST_FACTS = 100


class BoundContext:
    """The `Context` (see `pyruse.api.context`) of one step, or of one extension."""

    def __init__(
        self,
        services: Services,
        chain: str = "",
        step: str = "",
        receiver: str = "",
        extension: str = "",
    ) -> None:
        """Bind a context to a step or extension.

        :param services: what all contexts share.
        :param chain: the name of the step's chain.
        :param step: the place of the step or extension.
        :param receiver: the kind of what `send` sends; empty: there is no hook `deliver`.
        :param extension: the name of the extension; empty: it is a step.
        """
        self._services = services
        self._extension = extension
        self._receiver = receiver
        self.chain = chain
        self.step = step
        self.simulated = services.settings.engine.simulates(chain)
        self._targets = _NO_TARGETS
        """Those that are known to be sound."""
        self._facts = _NO_FACTS
        """What was reported together, by section, details, template and weight."""

    @property
    def dry_run(self) -> bool:
        return self._services.dry_run

    @property
    def observer(self) -> Observer | None:
        return self._services.observer

    def wake(self) -> None:
        self._services.woken.ask(self.step)

    @property
    def optimize(self) -> bool:
        return self._services.settings.engine.optimize

    @property
    def zone(self) -> tzinfo:
        return self._services.calendar.zone

    @property
    def recipients(self) -> Sequence[str]:
        return self._services.settings.email.to

    @property
    def archive(self) -> Path | None:
        return self._services.settings.report.archive

    @property
    def quiet(self) -> Literal["send", "skip"]:
        return self._services.settings.report.quiet

    def options(self, name: str) -> Any | None:
        return self._services.extensions.get(name)

    @property
    def counters(self) -> Counters:
        return self._services.state.counters

    def table(self, name: str) -> Table:
        return self._services.state.tables.table(name)

    def report(  # noqa: PLR0913 -- the facts of one event
        self,
        entry: Entry | None,
        section: Section,
        message: str,
        details: Details = "ALL",
        *,
        template: str | None = None,
        text: str | None = None,
        weight: int | None = None,
    ) -> None:
        try:
            facts = self._facts[section, details, template, weight]
        except (KeyError, TypeError):  # new, or nothing that could be looked up
            facts = self._checked(section, details, template, weight)
        self._services.filing.file(facts, entry, message, text)

    def _checked(
        self, section: Section, details: Details, template: str | None, weight: int | None
    ) -> Facts:
        if section not in SECTIONS:
            raise _unknown(section, SECTIONS)
        if details not in DETAILS:
            raise _unknown(details, DETAILS)
        facts = Facts(self.step, section, details, template, weight)
        if len(self._facts) >= _MOST_FACTS:
            self._facts = {}
        self._facts = {**self._facts, (section, details, template, weight): facts}
        return facts

    def reporting(self, said: Reported, call: Callable[[Entry], Any]) -> Callable[[Entry], Any]:
        """What reports as an action says that it does.

        :param said: by the action.
        :param call: the action's own way.
        """
        facts = self._checked(said.section, said.details, said.template, said.weight)
        return self._services.filing.of_step(facts, said.message, said.text)

    def tally(
        self, entry: Entry | None, event: str, fields: Mapping[str, str], amount: int = 0
    ) -> None:
        if entry is None:
            time_us, host = self._services.clock(), ""
        else:
            time_us, host = entry.time_us, entry.text("_HOSTNAME") or ""
        day = self._services.filing.day_of(time_us)
        if amount != 0:
            amount = max(0, int(amount))
        by = {text(name): shortened(text(value), LONGEST) for name, value in fields.items()}
        self._services.state.tallies.add(day, text(event), host, by, amount, time_us)

    def tallying(self, said: Tallied, call: Callable[[Entry], Any]) -> Callable[[Entry], Any]:
        """What counts as an action says that it does.

        :param said: by the action.
        :param call: the action's own way.
        """
        return tallying(said, call, self._services.state, self._services.filing)

    def tallies(self, report: Report, *events: str) -> Iterator[Tally]:
        return tallies_of(self._services.state.db, report.days, events, report.machine)

    def tallied_before(self, report: Report, *events: str) -> Mapping[str, int]:
        first = min(report.days, default="")
        return tallied_by_day(self._services.state.db, first, events, report.machine)

    def tallies_before(self, report: Report, *events: str) -> Iterator[Tally]:
        first = min(report.days, default="")
        return tallies_before(self._services.state.db, first, events, report.machine)

    @property
    def declared_summaries(self) -> Sequence[DeclaredSummary]:
        return self._services.declared_summaries

    def expect(self, expectation: Expectation) -> None:
        text(expectation.name)
        duration(expectation.every)
        self._services.expectations.expect(expectation, self)

    def happened(self, entry: Entry, name: str, key: str = "") -> None:
        self._services.expectations.happened(entry, text(name), text(key))

    def mail(self, entry: Entry | None, mail: Mail, *, group: str | None = None) -> None:
        """Send a mail.

        :param entry: what has caused it; None: nothing that is logged.
        :param mail: the mail.
        :param group: what it is gathered with, where that is not all the mails of this step.
        """
        subject = mail.subject
        if subject is None:
            subject = self._services.settings.email.subject.render({} if entry is None else entry)
        to = self.recipients if mail.to is None else mail.to
        payload: dict[str, Any] = {
            "subject": one_line(text(subject)),
            "to": [str(text(address)) for address in to],
            "parts": [text(mail.text)],
            "count": 1,
            "html": None if mail.html is None else text(mail.html),
            "attachments": [[text(part) for part in one] for one in mail.attachments],
            "headers": {name: one_line(text(value)) for name, value in mail.headers.items()},
        }
        if mail.encrypt_to is not None:
            payload["encrypt_to"] = [text(key) for key in mail.encrypt_to]
        self._send("mail", payload, entry, mail.every, group)

    def log(
        self,
        entry: Entry | None,
        message: str,
        level: LogLevel,
        *,
        every: Duration | None = None,
    ) -> None:
        number = None if isinstance(level, bool) else _LEVELS.get(level)
        if number is None:
            hint = did_you_mean(level, _LEVEL_NAMES) if isinstance(level, str) else ""
            raise ValueError(
                f"{level!r} is no level (expected {', '.join(_LEVEL_NAMES)}, or 0 to 7, see "
                f"syslog(3){hint})"
            )
        hop = self._hops(entry) + 1
        if hop > MAX_HOPS:
            return
        payload: dict[str, Any] = {
            "message": text(message),
            "level": number,
            "fields": {"PYRUSE_CHAIN": self.chain, "PYRUSE_STEP": self.step, "PYRUSE_HOPS": hop},
        }
        if every is not None:
            payload["count"] = 1
        self._send("log", payload, entry, every)

    def run(self, entry: Entry | None, program: Program) -> None:
        payload: dict[str, Any] = {
            "command": [text(argument) for argument in program.command],
            "timeout": duration(program.timeout).total_seconds(),
            "step": self.step,
        }
        if program.stdin is not None:
            payload |= {"parts": [text(program.stdin)], "count": 1}
        elif program.every is not None:
            payload["count"] = 1
        self._send("command", payload, entry, program.every)

    def _time_of(self, entry: Entry | None) -> int:
        """When an effect is caused, in microseconds since the epoch."""
        return self._services.clock() if entry is None else entry.time_us

    def simulate(self, entry: Entry | None, what: str) -> None:
        """Have the report tell of an effect that the step would have had.

        :param entry: what would have caused it; None: nothing that is logged.
        :param what: what it would have done, in words; nothing of the entry, or there would be as
            many rows as there are texts.
        """
        self.report(entry, "interesting", f"simulated: {self.step} would have {what}", "FIRSTLAST")

    def _send(
        self,
        kind: str,
        payload: dict[str, Any],
        entry: Entry | None,
        every: Duration | None = None,
        group: str | None = None,
    ) -> None:
        if self.simulated:
            self.simulate(entry, _WORDS.get(kind, "delivered something"))
            return
        created = self._time_of(entry)
        item = OutboxItem(kind, payload, created, created)
        if every is not None:
            item.group = group or (self.step if kind == "mail" else f"{self.step} {kind}")
        self._put(item, None if every is None else duration(every).us)

    def _put(self, item: OutboxItem, every: int | None) -> None:
        self._services.state.outbox.take_in(item, every)

    def send(
        self,
        entry: Entry | None,
        payload: Any,
        *,
        every: Duration | None = None,
        timeout: Duration = DELIVER_TIMEOUT,
    ) -> None:
        if not self._receiver:
            raise TypeError(f"{self.step} sends, but has no @hookimpl deliver to do it")
        item = {
            "parts": [_json(payload)],
            "count": 1,
            "step": self.step,
            "timeout": duration(timeout).total_seconds(),
        }
        self._send(self._receiver, item, entry, every)

    def ban_target(
        self,
        backend: str | None = None,
        sets: Sets | None = None,
        ports: Sequence[Port] = (),
        protocol: str | None = None,
        *,
        networks: bool = False,
    ) -> Target:
        target = self._services.bans.target(backend, sets, ports, protocol, networks=networks)
        self._targets |= {target}
        return target

    def ban(self, entry: Entry | None, request: BanRequest) -> bool:
        request = ban_request(request)
        target = request.target
        if target is not None and target not in self._targets:  # a plugin has made it by itself
            self.ban_target(target.backend, target.sets, target.ports, target.protocol)
        reason = request.reason
        if reason is None:
            reason = "" if entry is None else entry.text("MESSAGE") or ""
        if self._extension and request.label is None:
            request = replace(request, label=self._extension)
        cause = self._cause(entry, reason)
        ban = self._services.bans.ban(request, cause, part=True)
        return ban is not None

    def spared(self, address: Address | Network) -> str | None:
        return self._services.bans.spared(_network_text(address))

    def unban(
        self, entry: Entry | None, address: Address | Network, label: str | None = None
    ) -> bool:
        network = _network_text(address)
        return bool(self._services.bans.unban(network, self._cause(entry), label))

    def lift(self, ban: Ban) -> bool:
        return self._services.bans.lift(ban, self._cause(None))

    def bans_of(self, entry: Entry | None, address: Address) -> list[Ban]:
        found = self._services.bans.in_force.on(text_around(address, 32, 128), self._time_of(entry))
        return sorted(found, key=lambda ban: ban.since)

    def _cause(self, entry: Entry | None, reason: str = "") -> Cause:
        """What leads to a ban or an unban.

        :raises RuntimeError: bans that were told have led to it, one after another, too often.
        """
        hops = self._hops(entry)
        if entry is None and self._services.told_hops is not None:
            hops += 1
            if hops > MAX_HOPS:
                raise RuntimeError(
                    f"{MAX_HOPS} bans have led to this one, each made when the one before it was "
                    "told (expected on_ban and on_unban to come to an end)"
                )
        chain = self.chain or (self.step if self._extension else "")
        return Cause(self._time_of(entry), chain, reason, hops)

    def _hops(self, entry: Entry | None) -> int:
        """How many lines of Pyruse's own, or bans that were told, have led to what is done now."""
        return (self._services.told_hops or 0) if entry is None else _hops(entry)

    def ban_history(self, since: int, until: int) -> list[Ban]:
        state = self._services.state
        return [ban for _, ban in state.ban_history.read(state.db, since, until)]

    def subject(self, report: Report) -> str:
        from pyruse.report.subject import LONGEST, subject_fields  # a step needs none of it

        subject = self._services.settings.report.subject.render(subject_fields(report))
        subject = one_line(subject[: 4 * LONGEST])
        return subject if len(subject) <= LONGEST else f"{subject[: LONGEST - 1].rstrip()}…"

    @property
    def largest(self) -> int:
        return self._services.settings.report.largest

    def render(self, report: Report, form: str, largest: int | None = None) -> str:
        return self._services.renderer.render(report, form, largest)

    def pieces(self, report: Report, form: str) -> Iterator[str]:
        return self._services.renderer.pieces(report, form)


def _unknown(word: str, known: Sequence[str]) -> ValueError:
    return ValueError(f"{word!r} is unknown to reports (expected {', '.join(known)})")


def _network_text(address: Address | Network) -> str:
    """Whom bans are about, as the state has it."""
    if isinstance(address, IPv4Network | IPv6Network):
        return network_text(address)
    return text_around(address, 32, 128)


def _json(payload: object) -> str:
    """A payload as the state keeps it: whatever the plugin does to its object afterwards.

    :raises TypeError: JSON cannot hold it.
    :raises ValueError: it is too long.
    """
    try:
        dumped = json.dumps(payload, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as fault:
        raise TypeError(f"JSON cannot hold the payload: {fault}") from None
    if len(dumped) > _LONGEST_PAYLOAD:
        raise ValueError(
            f"the payload has {len(dumped):,} characters (expected {_LONGEST_PAYLOAD:,} at most)"
        )
    return text(dumped)


def _hops(entry: Entry) -> int:
    """How many lines of Pyruse's own led to an entry, one after another."""
    hops = entry.text("PYRUSE_HOPS") or ""
    return int(hops) if hops.isdecimal() and len(hops) < 3 else 0
