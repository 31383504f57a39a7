"""The hooks: all that a plugin can do.

A **filter** or an **action** is a class; the annotated attributes of a dataclass are its options.
It implements `match_entry` or `act_on_entry`, marked with ``@hookimpl``, and any of the broadcast
hooks that it needs. An **extension** (entry-point group ``pyruse``) is a class or a
module that implements broadcast hooks only.

An implementation takes only the arguments that it wants, by these names. Whatever it raises is
contained: it is logged with the plugin's name and costs that entry, or that call, alone.

What a class says of itself without a hook is in its `Traits`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    from pyruse.api.bans import Ban, UnbanReason
    from pyruse.api.condition import Condition
    from pyruse.api.context import Context
    from pyruse.api.firewall import Firewall
    from pyruse.api.memory import Raised
    from pyruse.api.parcel import Parcel
    from pyruse.api.report import Report
    from pyruse.api.reported import Reported
    from pyruse.api.tallied import Tallied
    from pyruse.api.worked_out import WorkedOut
    from pyruse.entry.entry import Entry

hookspec = pluggy.HookspecMarker("pyruse")
hookimpl = pluggy.HookimplMarker("pyruse")


@hookspec
def match_entry(entry: Entry, context: Context) -> bool:  # type: ignore[empty-body]
    """Filters: whether the entry passes. Called for each entry that reaches the step.

    A filter may set fields of the entry, for the steps after it. An error counts as "does not
    pass".

    :param entry: the entry; keep its values, never the entry itself.
    :param context: counters, tables and the ways out, bound to this step.
    """


@hookspec
def tested_values() -> tuple[str, Collection[Any]]:  # type: ignore[empty-body]
    """Filters: the name of a field, and the values that it is tested for.

    A filter with this hook promises that it passes *if, and only if*, the field has one of the
    values, and that it does nothing else. Where every chain begins with such a filter, a daemon
    that has much to read, and a replay, do not even read the entries that pass none of them. A
    filter with this hook is `pure`, too: see `Traits`.

    Called when the configuration is read, and never while entries flow.
    """


@hookspec
def condition() -> Condition:  # type: ignore[empty-body]
    """Filters: what `match_entry` tests, as data, where there is a `Condition` that says it.

    With `pyruse-native`, Pyruse then tests it in C, and `match_entry` is called for what is not
    plain: so it has to be there, and both have to give the same answer. A class that is derived
    from this one and has a `match_entry` of its own is asked by that alone.

    Called when the configuration is read, and never while entries flow.
    """


@hookspec
def act_on_entry(entry: Entry, context: Context) -> None:
    """Actions: do what the action is for. Called for each entry that reaches the step.

    An error ends this entry's journey. Whatever leaves Pyruse (mail, programs, bans, log lines)
    goes through the context, so that it is committed together with the entry, and only recorded in
    a dry run.

    :param entry: the entry; keep its values, never the entry itself.
    :param context: counters, tables and the ways out, bound to this step.
    """


@hookspec
def reported() -> Reported:  # type: ignore[empty-body]
    """Actions: what `act_on_entry` reports of each entry, as data, where it does nothing else.

    Pyruse then reports it by itself, and calls `act_on_entry` where it cannot: so that has to be
    there, and both have to report the same. A class that is derived from this one and has an
    `act_on_entry` of its own is called by that alone.

    Called when the configuration is read, and never while entries flow.
    """


@hookspec
def tallied() -> Tallied:  # type: ignore[empty-body]
    """Actions: what `act_on_entry` counts of each entry, as data, where it does nothing else.

    Pyruse then counts it by itself, with `pyruse-native` in C, and calls `act_on_entry` where it
    cannot: so that has to be there, and both have to count the same. A class that is derived from
    this one and has an `act_on_entry` of its own is called by that alone.

    Called when the configuration is read, and never while entries flow.
    """


@hookspec
def worked_out(context: Context) -> WorkedOut | None:
    """Actions: what `act_on_entry` does, as a function of texts of the entry; None: it is none.

    With `pyruse-native`, Pyruse then calls the function from C, and `act_on_entry` for an entry
    that lacks one of the texts: so that has to be there, and both have to do the same. A class that
    is derived from this one and has an `act_on_entry` of its own is called by that alone. What the
    function raises is handled as what `act_on_entry` raises.

    Called when the configuration is read, and never while entries flow.

    :param context: counters, tables and the ways out, bound to this step, for the function.
    """


@hookspec
def deliver(parcel: Parcel) -> None:
    """Hand over what `Context.send` has sent: to a web service, a queue, another machine.

    Called after the commit, in a thread of the step's own, for one parcel at a time: so it may
    wait, and no entry waits for it. To return means that the parcel has arrived. Whatever is raised
    means that it has not: the parcel is tried again, after 30 seconds at first, an hour at last,
    and holds up those after it for as long as it is not likely to be at fault itself. A parcel may
    come twice, always with the same id: after a crash, or where an answer was lost. A dry run never
    calls it.

    It is in another thread than all other hooks, and is given no context, which belongs to the main
    thread. `on_stop` may be called meanwhile.

    :param parcel: what was sent.
    :raises Refused: it will never be taken: it is set aside, and the administrator is told.
    """


@hookspec
def check_options(context: Context) -> None:
    """Steps: see whether the options go together with the rest of the configuration.

    Called once the configuration is read, by every command that uses it, `pyruse check` too:
    so it changes nothing in the world.

    :param context: bound to the step; its attributes have what the configuration says elsewhere.
    :raises ValueError: they do not go together: ``"fault (expected …)"``; it is shown with the
        step's address.
    """


@hookspec
def on_start(context: Context) -> None:
    """Once, before the first entry: look after what the step or plugin needs.

    :param context: for a step, bound to it; for an extension, to it.
    """


@hookspec
def on_stop(context: Context) -> None:
    """Once, after the last entry is handled and committed: let go what `on_start` took.

    :param context: the same as in `on_start`.
    """


@hookspec
def on_wake(context: Context) -> None:
    """The plugin has called `Context.wake`: here is the main thread.

    So a thread of a plugin's own, such as one that listens to other machines, gets what it has
    heard to where bans, counters and tables may be changed: it puts that into a queue of the
    plugin's, calls `Context.wake`, and this hook empties the queue. Several wakes may be one call,
    and after a reload it may find nothing. What the call does is committed together, and bans are
    in the firewall then. A crash before that undoes it, and nobody calls again: what must not be
    lost is remembered outside, or its number in a table here.

    Entries wait meanwhile: do a part, and wake again for the rest. A call that is busy for a second
    is interrupted, by a `StepTooSlow`. A dry run never calls it.

    :param context: of the step, or of the extension; there is no entry: give None.
    """


@hookspec
def contribute_to_report(report: Report, context: Context) -> None:
    """A report was filled with the events of its period: add to it.

    `Report.attend`, `Report.compare` and `Report.add_summary` do that. Called for every report that
    is made, also when one is shown again, looked at before the day has ended, or replayed: so it
    should give the same each time. Extensions are asked in the order of their names, then steps, in
    the order of the configuration; ``tryfirst`` and ``trylast`` count.

    The daemon calls it in a thread of its own, as bans do not wait for a report, and an `Observer`
    in its caller's. So do not use what other hooks of the plugin change, but tables and tallies.

    :param report: its sections are complete.
    :param context: of the step, or of the extension. It reads the state as it is committed: tables,
        tallies, the history of bans. It changes nothing, and nothing leaves by it: `on_day_end` is
        for that.
    """


@hookspec
def publish_report(report: Report, context: Context) -> None:
    """A day has ended and its report is complete: make mails and files of it.

    Called once for each day, before `on_day_end`, in a thread of its own: a report may take
    minutes, and bans do not wait for it. So do not use what other hooks of the plugin change. If
    Pyruse is ended meanwhile, it is called again after the next start. A dry run never calls it.

    :param report: with what all the plugins have contributed; its rows are read from the state as
        they are asked for.
    :param context: of the extension. What leaves by it is committed together with "this day is
        reported". What reads or changes the state (counters, tables, bans, `Context.report`) is
        refused: `contribute_to_report` is for the one, `on_day_end` for the other.
    """


@hookspec
def on_day_end(report: Report, context: Context) -> None:
    """A day has ended and its report is complete: deliver it.

    Called once for each day, in the order of the days, also for a day without entries. A dry run
    never calls it.

    :param report: with what all the plugins have contributed; `Context.render` makes text of it.
    :param context: of the step, or of the extension; mail that leaves by it is committed together
        with "this day is reported".
    """


@hookspec
def on_count(raised: Sequence[Raised], context: Context) -> None:
    """Counters were raised by the entries of a batch, which is about to be committed.

    What the call does is committed together with the entries: a crash undoes both, or none. There
    is no call for a batch that has raised nothing, nor of what counts for ever or counts different
    values. A reset is not told; what was raised before it is. A call that is busy for a second is
    interrupted, by a `StepTooSlow`.

    :param raised: each raise, in order.
    :param context: of the step, or of the extension; there is no entry: give None.
    """


@hookspec
def on_ban(ban: Ban, context: Context) -> None:
    """A ban began, or was made longer: of an address or a network, by a step or a command.

    Called once that is committed, and again if Pyruse is killed before what the call did is
    committed, too: at least once. A ban that was made longer has the same `Ban.since` as before.
    Bans that Pyruse puts back into the firewall when it starts are not told again. What leaves
    Pyruse goes through the context: a dry run calls this hook, too. A call that is busy for a
    second is interrupted, by a `StepTooSlow`. A ban that this hook makes is told, too; after five
    such bans, each made by the hook that was told of the one before, the next is an error.

    :param ban: who is banned, from where, why and until when.
    :param context: of the step, or of the extension; there is no entry: give None.
    """


@hookspec
def on_unban(ban: Ban, why: UnbanReason, context: Context) -> None:
    """A ban ended: its time was over, or it was lifted.

    Called at least once, as `on_ban` is; of the end of its time at most a second later, or once
    Pyruse has read all the entries until then.

    :param ban: as it was.
    :param why: ``"over"``: its time is over; ``"unbanned"``: a step or a command lifted it;
        ``"spared"``: somebody in the network is never banned, as ``[bans] never`` says by now;
        ``"few"``: of a network that was banned since many in it were, too few are now.
    :param context: of the step, or of the extension; there is no entry: give None.
    """


@hookspec(firstresult=True)
def open_firewall(name: str) -> Firewall | None:
    """Extensions: give the firewall of this name, or None where it is not yours.

    A plugin with this hook has the name of its firewall, and its options are in ``[bans.NAME]``.
    Called for each firewall that ``[bans]`` or a step names, once when the configuration is
    checked and once at start: so it changes nothing in the world yet.

    :param name: such as ``nftables``.
    :raises ValueError: its options do not go together: ``"fault (expected …)"``.
    """


def hook_of(plugin: Any, hook: str) -> Callable[..., Any] | None:
    """What a plugin (an object, class or module) has for a hook; None: it has no such hook."""
    function: Callable[..., Any] | None = getattr(plugin, hook, None)
    return function if hasattr(function, "pyruse_impl") else None
