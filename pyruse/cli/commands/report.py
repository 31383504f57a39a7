"""``pyruse report``."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.cli import values
from pyruse.cli.days import DayCommand, day_named
from pyruse.cli.options import config_option, configuration, existing_state, sound_configuration
from pyruse.cli.stdout import echo
from pyruse.errors import UserError, did_you_mean
from pyruse.text import printable, shown

if TYPE_CHECKING:
    from datetime import date

    from pyruse.api.report import Report
    from pyruse.config.load import Configuration
    from pyruse.delivery.outcome import Outcome
    from pyruse.engine.engine import Engine
    from pyruse.state.database import State
    from pyruse.state.outbox_item import OutboxItem


@click.command("report", cls=DayCommand)
@config_option
@click.argument("day", required=False, shell_complete=values.days)
@click.option("--list", "list_days", is_flag=True, help="List the days that are kept.")
@click.option("--format", "form", type=click.Choice(["text", "html", "json"]), default="text")
@click.option(
    "--send", is_flag=True, help="Deliver it again, as when the day ended: mail, archive."
)
@click.option("--full", is_flag=True, help="Show all of it, event by event: nothing is cut.")
@click.option("--host", shell_complete=values.machines, help="The report of this machine alone.")
def command(  # noqa: PLR0913 -- click hands over each option
    config: Path | None,
    day: str | None,
    list_days: bool,
    form: str,
    send: bool,
    full: bool,
    host: str | None,
) -> None:
    """Show, or send, the report of a day again.

    \b
    DAY is "2026-03-14", "today", "yesterday" (the default) or "-3", three days
    ago. Today's report is what there is so far. "2026-W11" is the digest of a
    week, "2026-03" that of a month. Works while the daemon runs.

    \b
    pyruse report -3 --full
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.cli.output import show_json, show_table
    from pyruse.cli.report_list import COLUMNS, rows_of
    from pyruse.report.digests import period_expected, period_named
    from pyruse.state.database import State
    from pyruse.state.days import kept_days
    from pyruse.state.events import hosts_of
    from pyruse.times import now_us

    if full and form != "text":
        raise click.UsageError(f"--full: not with --format {form} (expected text)")
    form = "full" if full else form
    loaded = configuration(config) if send else sound_configuration(config)
    path = existing_state(loaded.settings)
    with State(path, read_only=True) as state, state.at_one_instant():
        engine = _engine(loaded, state, send=send)
        days = kept_days(state.db)
        if list_days:
            rows = list(rows_of(state.db, days, loaded.settings.report.timezone.zone))
            if form == "json":
                show_json([dict(zip(COLUMNS, row, strict=True)) for row in rows])
            else:
                show_table("Days that are kept", COLUMNS, rows, spare=["entries"])
            return
        kept = [one.day for one in days]
        if day is not None and (period := period_named(day)) is not None:
            if host is not None:
                raise click.UsageError("a digest is of all machines (expected it without --host)")
            if not set(period.days) & set(kept):
                raise _not_kept(day, kept, engine.calendar.day_of(now_us()))
            _show(engine, engine.digest(period), form)
            if send:
                _send(loaded, engine, lambda: engine.deliver(engine.digest(period)))
            return
        if day is not None and (expected := period_expected(day)) is not None:
            what = "week" if "W" in day else "month"
            raise click.UsageError(f'"{day}" is no {what} of that year (expected {expected})')
        name = _name(engine, day, kept)
        if host is None:
            with closing(engine.reports(name)) as reports:
                _show(engine, next(reports), form)
            if send:
                _send(loaded, engine, lambda: engine.deliver_day(name))
            return
        _tell_unknown(host, hosts_of(state.db, [name]), name)
        with engine.report_of_machine(name, host) as report:
            _show(engine, report, form)
            if send:
                _send(loaded, engine, lambda: engine.deliver(report))


def _engine(loaded: Configuration, state: State, *, send: bool) -> Engine:
    """The configuration at work: what is sound of it, where nothing is to leave.

    :raises ConfigError: it has faults, and something is to leave.
    """
    from pyruse.cli.sound import sound_engine
    from pyruse.engine.assembly import assemble
    from pyruse.engine.faults import Faults
    from pyruse.engine.modes import LIVE
    from pyruse.system.log import to_stderr

    if not send:
        return sound_engine(loaded, state)
    return assemble(loaded, state, Faults(to_stderr), LIVE)


def _tell_unknown(host: str, known: list[str], day: str) -> None:
    """Say that a machine has no events: it was quiet, or its name is misspelt."""
    if host not in known:
        names = ", ".join(map(shown, known)) or "none"
        text = f"no event of {shown(host)} is kept of {day} (machines with events: {names}"
        click.echo(f"pyruse: {text}{did_you_mean(host, known)})", err=True)


def _name(engine: Engine, day: str | None, kept: list[str]) -> str:
    from pyruse.times import now_us

    today = engine.calendar.day_of(now_us())
    name = day_named("yesterday" if day is None else day, today)
    if name not in kept:
        raise _not_kept(name, kept, today)
    return name


def _not_kept(name: str, kept: list[str], today: date) -> UserError:
    from pyruse.report.kept import not_kept

    if kept and kept[0] == today.isoformat():
        return UserError(
            f"no report of {name} is kept: there is none before the first day has ended (expected: "
            "`pyruse report today`, which shows what there is so far)"
        )
    return UserError(not_kept(name, kept))


def _show(engine: Engine, report: Report, form: str) -> None:
    from pyruse.cli.output import show_report, width_of_full

    if form == "text":
        show_report(report, lambda: engine.render(report, "text"), engine.settings.report.limit)
    else:
        for piece in engine.pieces(report, form, width_of_full()):
            echo(piece, nl=False)
        echo()


def _send(loaded: Configuration, engine: Engine, deliver: Callable[[], None]) -> None:
    """Have reports delivered; what leaves does so now, and is not put into the outbox.

    All of it is tried, whatever becomes of one part.
    """
    from pyruse.cli.handing_over import hand_over
    from pyruse.delivery.attempts import attempts
    from pyruse.delivery.item_names import named
    from pyruse.delivery.mail.address import mail_name
    from pyruse.system.log import to_journal

    deliver()
    attempt = attempts(engine.settings.email, mail_name(engine.host), to_journal, engine.receivers)
    sent: list[Outcome] = []
    """Of them, those with reports, where no daemon runs that would note it."""

    def attempt_here(item: OutboxItem) -> Outcome:
        made = attempt[item.kind](item)
        if made.end == "sent" and item.report is not None:
            sent.append(made)
        return made

    faults = []
    for item in engine.state.outbox.items():
        outcome = hand_over(loaded, item, attempt_here)
        if outcome.end != "sent":
            is_addressed = item.kind != "mail" or outcome.fault.startswith("[email]")
            faults.append(outcome.fault if is_addressed else f"[email]: {outcome.fault}")
        elif outcome.fault and item.kind == "mail":  # it has arrived
            recipients = ", ".join(item.payload["to"])
            echo(f"sent to {recipients}; it {printable(outcome.fault)}", err=True)
        elif outcome.fault:
            faults.append(f"{named(item)} {outcome.fault}")
        elif outcome.refusals:
            refused = "; ".join(outcome.refusals)
            faults.append(f"the mail was refused for {refused} (the others have it)")
        elif item.kind == "mail":
            answer = printable(outcome.answer)
            echo(f"sent to {', '.join(item.payload['to'])}: {answer}", err=True)
        else:
            echo(f"sent: {named(item)}", err=True)
    if sent:
        _note_sent(loaded.settings.state.url.path, sent)
    if faults:
        raise UserError("; ".join(faults))


def _note_sent(path: str, sent: list[Outcome]) -> None:
    """Keep that reports were sent, so that no copies of them leave the outbox."""
    from pyruse.cli.changing import changed_here
    from pyruse.cli.rights import see_that_changeable
    from pyruse.times import now_us

    try:
        see_that_changeable(path)
        with changed_here(path) as state:
            for one in sent:
                but = [refusal.address for refusal in one.refusals]
                state.outbox.note_sent_past(one.item, now_us(), one.answer, but)
    except UserError as fault:
        echo(f"pyruse: that it was sent is not noted, and a copy may follow: {fault}", err=True)
