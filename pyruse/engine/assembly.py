"""Putting a configuration to work, step by step: each step makes a part of what is there before."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import is_dataclass
from functools import partial
from typing import Any

from pyruse.api.context import Context
from pyruse.api.traits import traits_of
from pyruse.api.worked_out import WorkedOut
from pyruse.bans.aggregate import Aggregate
from pyruse.bans.policy import Policy
from pyruse.bans.service import Bans
from pyruse.chains.link import Graph, Node, link
from pyruse.chains.model import Step
from pyruse.chains.native import condition_of, in_c, quick
from pyruse.chains.pushdown import Wanted, wanted
from pyruse.chains.table import Table
from pyruse.chains.traffic import Traffic
from pyruse.chains.travel import OnFault
from pyruse.chains.values import equality_test_of, reported_of, tallied_of, worked_out_of
from pyruse.config.load import Configuration
from pyruse.config.settings import Settings
from pyruse.delivery.receivers import Receiver
from pyruse.engine.at_once import AtOnce, AtOnceContext
from pyruse.engine.ban_lines import BanLines
from pyruse.engine.ban_news import BanNews
from pyruse.engine.context import BoundContext, Services
from pyruse.engine.contributing import Contributor, Contributors
from pyruse.engine.engine import Engine
from pyruse.engine.expectations import Expectations
from pyruse.engine.faults import FaultReporter, Faults
from pyruse.engine.filing import Filing
from pyruse.engine.modes import Bind, Mode
from pyruse.engine.publishing import Effects, PublishingContext
from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.errors import ConfigError, in_words
from pyruse.hookspecs import hook_of
from pyruse.lookups.lookups import Lookups
from pyruse.options.build import options_of
from pyruse.options.networks import Networks
from pyruse.registry.broadcasts import Broadcasts, bound, delivering
from pyruse.registry.firewalls import Firewalls
from pyruse.registry.kinds import ACTIONS, FILTERS, MAIN_HOOK
from pyruse.report.render import Renderer
from pyruse.state.database import State
from pyruse.state.outbox_item import parcel_kind
from pyruse.text import one_line, shortened


class Contexts(dict[Step, Context]):
    """The steps in the order of the configuration, each with its surroundings."""

    def __init__(self, make: Callable[[str, str], Context], steps: Iterable[Step]) -> None:
        """Make those of some steps.

        :param make: makes the surroundings of a place in a chain.
        :param steps: the first ones; others come as they are asked for.
        """
        self._make = make
        super().__init__({step: make(step.place, step.chain) for step in steps})

    def __missing__(self, step: Step) -> Context:
        made = self[step] = self._make(step.place, step.chain)
        return made


def assemble(configuration: Configuration, state: State, faults: Faults, mode: Mode) -> Engine:
    """Put a configuration to work. Nothing is opened, started or sent yet.

    :param configuration: what was read and checked.
    :param state: the state, loaded.
    :param faults: tells of what goes wrong, over all the engines of a daemon.
    :param mode: `LIVE`, `DRY`, or one of the caller's own.
    :raises ConfigError: options do not go together, such as a ban's with its firewall.
    """
    settings, chains = configuration.settings, configuration.chains
    calendar = settings.report.calendar
    decoder = Decoder(settings.journal.legacy_encoding, calendar.zone, settings.journal.longest)
    reporter = FaultReporter(faults, state, calendar, mode.clock)
    firewalls = Firewalls(configuration.extensions, reporter.of_plugin)
    bans = _bans(settings, state, firewalls, reporter, mode)
    lookups = _lookups(configuration, state, reporter, mode)
    renderer = Renderer(settings.templates, settings.report.limit)
    host = socket.gethostname()
    expectations = Expectations(state.expectations, decoder, host)
    services = Services(
        settings, configuration.extensions, state, bans, calendar, mode.clock, host, renderer,
        expectations, Filing(state, calendar, mode.clock, host), mode.dry_run,
        [one for rules in configuration.used for one in rules.summaries],
    )  # fmt: skip
    receivers = _receivers(configuration)
    least = settings.email.at_once
    at_once = None if least is None else AtOnce(services, least)

    def context(place: str, chain: str = "", extension: str = "") -> Context:
        receiver = receivers.get(place)
        kind = receiver.kind if receiver else ""
        if at_once is None:
            return BoundContext(services, chain, place, kind, extension)
        return AtOnceContext(at_once, services, chain, place, kind, extension)

    extensions = [
        (one, context(_place(name), extension=name))
        for name, one in configuration.extensions.items()
    ]
    steps = Contexts(context, configuration.steps)
    _check_options(steps)
    skipped: list[str] = []

    def grown(nodes: Sequence[Node]) -> None:
        new = {node.step: steps[node.step] for node in nodes}
        _check_options(new)
        for step, bound_to in new.items():
            broadcasts.register(step.instance, step.place, bound_to)
        broadcasts.call_some({step.place for step in new}, "on_start")
        if table is not None:
            table.add(nodes)

    binding = _binding(steps, skipped if mode.dry_run else None)
    if settings.engine.optimize:
        plain = binding
        binding = lambda step: in_c(step, plain(step))  # noqa: E731
    bind = mode.binding(binding)
    graph = link(chains, bind, grown)
    traffic = Traffic(chains, graph, mode.clock()) if _counted(settings, mode) else None
    table = Table(graph.nodes) if settings.engine.optimize else None
    listeners = [*extensions, *((step.instance, steps[step]) for step in reversed(steps))]
    broadcasts = _broadcasts(listeners, reporter)
    contributors = Contributors(services, _contributors(configuration))
    effects = Effects()
    publishers = Broadcasts(effects.fault)
    for instance, bound_to in listeners:
        if hook_of(instance, "publish_report") is None:
            continue
        place = bound_to.step
        receiver = receivers.get(place)
        publishers.register(
            instance,
            place,
            PublishingContext(services, place, receiver.kind if receiver else "", effects),
        )
    return Engine(
        configuration=configuration,
        mode=mode,
        state=state,
        faults=reporter,
        calendar=calendar,
        decoder=decoder,
        host=host,
        services=services,
        bans=bans,
        lookups=lookups,
        broadcasts=broadcasts,
        contributors=contributors,
        publishers=publishers,
        effects=effects,
        ban_news=_ban_news(services, broadcasts),
        expectations=expectations,
        # Of several with the same options, the first one counts.
        receivers={one.kind: one for one in reversed(receivers.values())},
        graph=graph,
        traffic=traffic,
        wanted=_wanted(graph, traffic, settings, decoder),
        travel=mode.travel(graph.entrance, _on_fault(reporter, traffic)),
        skipped=skipped,
    )


def _bans(
    settings: Settings, state: State, firewalls: Firewalls, reporter: FaultReporter, mode: Mode
) -> Bans:
    options = settings.bans
    aggregate = options.aggregate or Aggregate()
    policy = Policy(
        options.backend, options.never, mode.own, aggregate, settings.engine.simulates,
        settings.never_places,
    )  # fmt: skip
    # Of each network, once: so each is a kind of its own.
    tell = lambda text: reporter.tell("bans", text.partition(" ")[0], text)  # noqa: E731
    return Bans(state, policy, firewalls.open, tell, mode.clock)


def _lookups(
    configuration: Configuration, state: State, reporter: FaultReporter, mode: Mode
) -> Lookups:
    """What host names and files stand for, in `[bans] never` and in the options of plugins."""
    plugins = [*configuration.extensions.values(), *(one.instance for one in configuration.steps)]
    lists = [configuration.settings.bans.never, *(net for one in plugins for net in _lists(one))]
    return Lookups(
        lists,
        state.tables.table("pyruse.lookups"),
        lambda source, text: reporter.tell("networks", source, f"{source}: {text}"),
        mode.clock,
        mode.ask,
    )


_PLAIN = (str, int, float, type(None))
"""What most options are, by the thousand: no list of networks is in them."""


def _lists(value: Any) -> Iterator[Networks]:
    """The lists of networks among the options of a plugin, or within one of them."""
    if isinstance(value, Networks):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            if not isinstance(one, _PLAIN):
                yield from _lists(one)
    elif isinstance(value, dict):
        yield from _lists(list(value.values()))
    elif is_dataclass(value) and not isinstance(value, type):
        for option in options_of(type(value)):
            one = getattr(value, option.attribute, None)
            if not isinstance(one, _PLAIN):
                yield from _lists(one)


def _ban_news(services: Services, broadcasts: Broadcasts) -> BanNews:
    """Have it noted what happens to bans, and to counters, if anybody is to be told."""
    state = services.state
    log = services.settings.bans.log and not services.dry_run
    state.ban_events.wanted = log or broadcasts.listens("on_ban", "on_unban")
    state.counters.raised = [] if broadcasts.listens("on_count") else None
    lines = BanLines(state.outbox, services.clock) if log else None
    return BanNews(state.ban_events, broadcasts, lines, services.lead)


def _check_options(contexts: Mapping[Step, Context]) -> None:
    """See that the options of each step go together with the rest.

    :raises ConfigError: with all that is wrong.
    """
    faults: list[str] = []

    def refused_by(step: Step, hook: str, call: Callable[[], object]) -> None:
        try:
            call()
        except ValueError as fault:
            faults.append(f"{step.address}: {fault}")
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # noqa: BLE001 -- a faulty plugin costs no traceback
            faults.append(
                f"{step.address}: {step.kind} {step.plugin}: {hook}: "
                f"{shortened(one_line(in_words(fault, ValueError)), 300)} "
                "(expected a working plugin: upgrade or remove it)"
            )

    for step, context in contexts.items():
        if hook_of(step.instance, "check_options") is not None:
            check = bound(step.instance, "check_options", context)
            refused_by(step, "check_options", partial(check, None))
        refused_by(step, "tested_values", partial(equality_test_of, step.instance))
        refused_by(step, "condition", partial(condition_of, step.instance))
        refused_by(step, "reported", partial(reported_of, step.instance))
        refused_by(step, "tallied", partial(tallied_of, step.instance))
        refused_by(step, "worked_out", partial(_worked_out, step.instance, context))
    if faults:
        raise ConfigError(faults)


def _binding(contexts: Contexts, skipped: list[str] | None) -> Bind:
    """What gives the function of a step.

    :param skipped: takes the places of steps with effects of their own, instead of calling them.
    """

    def bind(step: Step) -> Callable[[Entry], Any]:
        context = contexts[step]
        ours = context if isinstance(context, BoundContext) else None
        if traits_of(step.instance).outside_effects:
            if skipped is not None:
                return lambda _: skipped.append(step.place)
            if ours is not None and ours.simulated:
                return lambda entry: ours.simulate(entry, "acted by itself")
        if step.kind == "filter":
            return bound(step.instance, MAIN_HOOK[FILTERS], context)
        call = bound(step.instance, MAIN_HOOK[ACTIONS], context)
        return call if ours is None or not ours.optimize else _quick(step.instance, call, ours)

    return bind


def _quick(
    action: Any, call: Callable[[Entry], Any], context: BoundContext
) -> Callable[[Entry], Any]:
    """The function of an action, by what it says that it does."""
    if (reported := reported_of(action)) is not None:
        return context.reporting(reported, call)
    if (tallied := tallied_of(action)) is not None:
        return context.tallying(tallied, call)
    if (worked_out := _worked_out(action, context)) is not None:
        return quick(worked_out, call)
    return call


def _worked_out(action: Any, context: Context) -> WorkedOut | None:
    return worked_out_of(action, lambda _: bound(action, "worked_out", context)(None))


def _counted(settings: Settings, mode: Mode) -> bool:
    return settings.engine.counters if mode.counters is None else mode.counters


def _wanted(graph: Graph, traffic: Traffic | None, settings: Settings, decoder: Decoder) -> Wanted:
    """Which entries the chains are to be given; nothing would come of others."""
    if not settings.engine.optimize:
        return Wanted(reason="[engine] optimize = false")
    # Of a dry run, too: `pyruse check` tells what the daemon does.
    if traffic is not None or settings.engine.counters:
        return Wanted(reason="all are counted")
    return wanted(graph.entrance, decoder)


def _receivers(configuration: Configuration) -> dict[str, Receiver]:
    """The extensions and steps that deliver what they send, by their places."""
    senders: list[tuple[str, str, Any, Mapping[str, Any]]] = [
        *(
            (_place(name), f"extension {name}", extension, {})
            for name, extension in configuration.extensions.items()
        ),
        *(
            (step.place, f"{step.kind} {step.plugin}", step.instance, step.options)
            for step in configuration.steps
        ),
    ]
    return {
        place: Receiver(parcel_kind(plugin, options), plugin, place, deliver)
        for place, plugin, instance, options in senders
        if (deliver := delivering(instance)) is not None
    }


def _contributors(configuration: Configuration) -> Iterator[Contributor]:
    """Who may add to reports."""
    for name, extension in configuration.extensions.items():
        yield Contributor(extension, "", _place(name), name)
    for step in configuration.steps:
        yield Contributor(step.instance, step.chain, step.place, "")


def _place(extension: str) -> str:
    return f"plugins.{extension}"


def _broadcasts(listeners: Iterable[tuple[Any, Context]], reporter: FaultReporter) -> Broadcasts:
    """Let the extensions and the steps hear.

    :param listeners: each with its surroundings; who comes last is called first.
    """
    broadcasts = Broadcasts(reporter.of_plugin)
    for instance, context in listeners:
        broadcasts.register(instance, context.step, context)
    return broadcasts


def _on_fault(reporter: FaultReporter, traffic: Traffic | None) -> OnFault:
    """What is told of steps that raise."""

    def on_fault(node: Node, entry: Entry, fault: BaseException) -> None:
        if traffic is not None:
            traffic.fault(node)
        reporter.of_step(node.step, entry, fault)

    return on_fault
