"""The engine: takes entries, leads them through the chains, and counts them by day."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

from pyruse.addresses import Address
from pyruse.api.context import Context
from pyruse.api.firewall import Firewall
from pyruse.api.observer import Observer
from pyruse.api.report import Report
from pyruse.api.traits import traits_of
from pyruse.bans.own import own_addresses
from pyruse.bans.service import Bans
from pyruse.chains.link import Node, link
from pyruse.chains.model import Step
from pyruse.chains.pushdown import Wanted, wanted
from pyruse.chains.switch import add_switches, equality_test_of
from pyruse.chains.traffic import Traffic
from pyruse.chains.travel import OnFault, Travel, travel
from pyruse.config.load import Configuration
from pyruse.delivery.receivers import Receiver
from pyruse.engine.context import BoundContext, Services
from pyruse.engine.faults import Faults
from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.errors import ConfigError
from pyruse.hookspecs import hook_of
from pyruse.registry.broadcasts import Broadcasts, bound, delivering
from pyruse.registry.kinds import ACTIONS, FILTERS, MAIN_HOOK
from pyruse.report.render import Renderer
from pyruse.report.rows import report_of_all, report_of_day
from pyruse.state.database import State
from pyruse.state.outbox_item import parcel_kind
from pyruse.text import one_line, shortened
from pyruse.times import FOREVER, Calendar, Clock, now_us

if TYPE_CHECKING:
    from pyruse.chains.profile import Profile

AHEAD_US = 3_600_000_000
"""So far another machine's clock may be ahead of this one's: an hour."""


class Engine:
    """A configuration at work: its steps linked, its plugins listening, its state at hand."""

    def __init__(  # noqa: PLR0913 -- what differs between the daemon, a dry run and tests
        self,
        configuration: Configuration,
        state: State,
        faults: Faults,
        *,
        dry_run: bool = False,
        own: Callable[[], set[Address]] = own_addresses,
        profile: Profile | None = None,
        travel: Callable[[Node | None, OnFault], Travel] = travel,
        clock: Clock = now_us,
    ) -> None:
        """Link the chains; nothing is opened, started or sent yet.

        :param dry_run: effects are recorded in the state, and stay there.
        :param own: gives the addresses of the machine that is protected: they are never banned.
        :param profile: measures the steps, which are counted then, too.
        :param travel: gives what leads entries through the chains.
        :param clock: the machine's clock, for all that is at work here.
        :raises ConfigError: options do not go together, such as a ban's with its firewall.
        """
        settings = configuration.settings
        self.configuration = configuration
        self.settings = settings
        self.state = state
        self.faults = faults
        self.clock = clock
        self.calendar = Calendar(settings.report.timezone.zone, settings.report.at)
        self.decoder = Decoder(settings.journal.legacy_encoding, self.calendar.zone)
        self.host = socket.gethostname()
        self.broadcasts = Broadcasts(self._plugin_fault)
        self.bans = Bans(
            state.bans, settings.bans.never, settings.bans.backend, self._open_firewall, own,
            settings.bans.aggregate, lambda text: self.tell_fault("bans", "aggregate", text), clock,
        )  # fmt: skip
        self._services = Services(
            settings, state, self.bans, self.calendar, clock, self.host,
            Renderer(settings.templates, settings.report.limit), dry_run,
        )  # fmt: skip
        self.skipped: list[str] = []
        """In a dry run: the steps with effects of their own, each time that one was not called."""
        self.receivers: dict[str, Receiver] = {}
        """The steps and plugins that deliver what they send, by the kind of that."""
        for name, plugin in configuration.extensions.items():
            place = f"plugins.{name}"
            receiver = self._receiver(plugin, f"extension {name}", place, {})
            self.broadcasts.register(plugin, place, self._context(step=place, receiver=receiver))
        self._refused: list[str] = []
        bind = self._bind if profile is None else profile.steps(self._bind)
        self.graph = link(configuration.chains, bind)
        if self._refused:
            raise ConfigError(self._refused)
        self.traffic: Traffic | None = None
        """Counts what the steps see, where that is wanted; the daemon alone is asked for it."""
        if profile is not None or (settings.engine.counters and not dry_run):
            self.traffic = Traffic(configuration.chains, self.graph, clock())
        self.wanted = Wanted(reason="[engine] optimize = false")
        """Which entries the chains are to be given; nothing would come of others."""
        if settings.engine.optimize:
            add_switches(self.graph)
            self.wanted = (
                Wanted(reason="all are counted")
                if profile is not None or settings.engine.counters
                else wanted(self.graph.entrance, self.decoder)
            )
        self.travel = travel(self.graph.entrance, self._step_fault)
        self._day = date.min
        self._day_start = self._day_end = 0
        self._entries = 0
        """Those of the current day that are not counted in the state yet."""
        self._first = self._last = 0
        self.last_time = 0
        """The instant of the entry handled last, in microseconds since the epoch."""

    def _context(self, chain: str = "", step: str = "", receiver: str = "") -> Context:
        return BoundContext(self._services, chain, step, receiver)

    def _receiver(self, instance: Any, plugin: str, place: str, options: Mapping[str, Any]) -> str:
        """The kind of what a step or plugin sends; empty: it has no hook to deliver that."""
        deliver = delivering(instance)
        if deliver is None:
            return ""
        kind = parcel_kind(plugin, options)
        self.receivers.setdefault(kind, Receiver(kind, plugin, place, deliver))
        return kind

    def _bind(self, step: Step) -> Callable[[Entry], Any]:
        plugin = f"{step.kind} {step.plugin}"
        receiver = self._receiver(step.instance, plugin, step.place, step.options)
        context = self._context(step.chain, step.place, receiver)
        if hook_of(step.instance, "check_options") is not None:
            self._try(
                step, "check_options", lambda: bound(step.instance, "check_options", context)(None)
            )
        self._try(step, "tested_values", lambda: equality_test_of(step.instance))
        self.broadcasts.register(step.instance, step.place, context)
        if self._services.dry_run and traits_of(step.instance).outside_effects:
            return partial(self._skip, step)
        hook = MAIN_HOOK[FILTERS if step.kind == "filter" else ACTIONS]
        return bound(step.instance, hook, context)

    def _try(self, step: Step, method: str, call: Callable[[], object]) -> None:
        """Call a method of a step, and keep what it finds wrong."""
        try:
            call()
        except ValueError as fault:
            self._refused.append(f"{step.address}: {fault}")
        except Exception as fault:  # noqa: BLE001 -- a faulty plugin costs no traceback
            self._refused.append(
                f"{step.address}: {step.kind} {step.plugin}: {method}: "
                f"{shortened(one_line(_in_words(fault)), 300)} (expected a working plugin: "
                "upgrade or remove it)"
            )

    def _skip(self, step: Step, entry: Entry) -> None:
        self.skipped.append(step.place)

    def _open_firewall(self, name: str) -> Firewall | None:
        firewall: Firewall | None = self.broadcasts.first("open_firewall", name=name)
        return firewall

    def start(self, observer: Observer | None = None) -> None:
        """Let the plugins get ready.

        :param observer: shows them what goes on, where that is anything at all: in the daemon.
        """
        self._services.observer = observer
        self.broadcasts.call("on_start")

    def stop(self) -> None:
        """Let the plugins put away what they took."""
        self.broadcasts.call("on_stop")

    def handle(self, entries: Iterable[Entry], *, now: int = FOREVER) -> int:
        """Lead entries through the chains.

        Nothing is kept until `State.commit`.

        :param now: by the machine's clock, in microseconds since the epoch: an entry that is dated
            more than an hour later, by a clock that is wrong, counts as of now.
        :return: how many there were.
        """
        lead = self.travel.lead
        latest = now + AHEAD_US
        handled = 0
        for handled, entry in enumerate(entries, 1):  # noqa: B007 -- how many there were
            time_us = entry.time_us
            if time_us > latest:
                self._tell_of_future(entry)
                time_us = entry.time_us = now
            if not self._day_start <= time_us < self._day_end:
                self._turn_to_day_of(time_us)
            elif time_us < self._first:
                self._first = time_us
            elif time_us > self._last:
                self._last = time_us
            self._entries += 1
            self.last_time = time_us
            lead(entry)
        self._count_entries()
        return handled

    def _tell_of_future(self, entry: Entry) -> None:
        host = shortened(entry.text("_HOSTNAME") or "a machine without a name", 80)
        self.tell_fault(
            "journal",
            "future",
            f"an entry of {host} is dated {self.decoder.time(entry.time_us):%F %T}, and counts as "
            "of now (expected clocks that are right, on that machine and on this one)",
        )

    def _turn_to_day_of(self, time_us: int) -> None:
        self._count_entries()
        day = self.calendar.day_of(time_us)
        self._day_start, self._day_end = self.calendar.start_of(day), self.calendar.end_of(day)
        self._day = day
        self._first = self._last = time_us

    def _count_entries(self) -> None:
        if self._entries:
            days = self.state.days
            days.saw(days.open_day(self._day), self._entries, self._first, self._last)
            if self.traffic is not None:
                self.traffic.settle(self._entries)
            self._entries = 0
            self._day_end = 0  # the day may be closed before the next entry comes

    def expire(self, at: int) -> None:
        """Let go what no longer counts at an instant in entry time (µs since the epoch)."""
        self.state.expire(at)

    def report(self, day: str | None = None) -> Report:
        """The report of a day (``YYYY-MM-DD``), or of all that the committed state holds."""
        if day is None:
            return report_of_all(self.state, self.calendar, self.host, self._contribute)
        return report_of_day(day, self.state, self.calendar, self.host, self._contribute)

    def render(self, report: Report, form: str) -> str:
        """A report as ``text``, ``html`` or ``json``."""
        return self._services.renderer.render(report, form)

    def template_faults(self) -> list[str]:
        """What is wrong with the administrator's templates; the built-in ones are used then."""
        return self._services.renderer.faults()

    def _contribute(self, report: Report) -> None:
        self.broadcasts.call("contribute_to_report", report=report)

    def end_day(self, day: str, now: int) -> Report:
        """Make a day's report and have it delivered; the state must be committed before.

        :param now: the instant of the report, in microseconds since the epoch.
        """
        report = self.report(day)
        self.state.days.end(day, now)
        self.deliver(report)
        return report

    def deliver(self, report: Report) -> None:
        """Have a report delivered by the plugins."""
        self.broadcasts.call("on_day_end", report=report)

    def tell_fault(
        self, place: str, kind: str, text: str, fields: Mapping[str, object] = {}
    ) -> None:
        """Log a fault (see `Faults.report`), and keep it for the report and for `pyruse status`."""
        fault = self.faults.report(place, kind, text, fields)
        now = self.clock()
        self.state.faults.add(self._services.day_of(now), place, kind, fault.text, now)

    def _step_fault(self, node: Node, entry: Entry, fault: Exception) -> None:
        step = node.step
        if self.traffic is not None:
            self.traffic.fault(node)
        self.tell_fault(
            step.place,
            type(fault).__name__,
            f"{step.kind} {step.plugin}: {_in_words(fault)}",
            {
                "PYRUSE_CHAIN": step.chain,
                "PYRUSE_STEP": step.place,
                "PYRUSE_CURSOR": entry.get("__CURSOR") or "",
            },
        )

    def _plugin_fault(self, place: str, hook: str, fault: Exception) -> None:
        self.tell_fault(place, f"{hook} {type(fault).__name__}", f"{hook}: {_in_words(fault)}")


def _in_words(fault: Exception) -> str:
    """A fault as administrators understand it; a programming error keeps the name of its kind."""
    text = str(fault)
    return text if isinstance(fault, ValueError) and text else f"{type(fault).__name__}: {text}"
