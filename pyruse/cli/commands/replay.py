"""``pyruse replay``."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli.journal_options import (
    JournalCommand,
    journal_options,
    matches_argument,
    selection,
    tell_if_nothing,
)
from pyruse.cli.options import config_option, configuration
from pyruse.cli.stdout import echo
from pyruse.text import shortened

if TYPE_CHECKING:
    from pyruse.replay.replay import Outcome, SentParcel

_LONGEST_PAYLOAD = 200  # characters


@click.command("replay", cls=JournalCommand)
@config_option
@journal_options
@click.option(
    "--format", "form", type=click.Choice(["text", "html", "json"]), default="text",
    help="html: the report alone.",
)  # fmt: skip
@click.option("--full", is_flag=True, help="The report event by event: nothing is cut.")
@click.option(
    "--profile", is_flag=True,
    help="Show, too, which chains and steps took the time, and what each saw and let pass.",
)  # fmt: skip
@matches_argument
def command(config: Path | None, form: str, full: bool, profile: bool, **journal: Any) -> None:
    """Show what would have happened with past entries.

    A dry run: nothing is mailed, banned, run or logged, and the daemon's state is not touched.
    Prints the report of the whole span, and the effects that there would have been. The options
    that choose entries, and FIELD=VALUE, are those of journalctl.

    \b
    pyruse replay --since yesterday
    pyruse replay -u ssh -p warning
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.cli.output import progress, show_json
    from pyruse.engine.faults import Faults
    from pyruse.entry.decoding import Decoder
    from pyruse.replay.replay import replay

    if profile and form == "html":
        raise click.UsageError("--profile: not with --format html (expected text or json)")
    if full and form != "text":
        raise click.UsageError(f"--full: not with --format {form} (expected text)")
    loaded = configuration(config, whole=profile)
    chosen = selection(loaded.settings, **journal)
    span = None if form == "json" else chosen.span(Decoder())
    measured = None
    if profile:
        from pyruse.chains.profile import Profile

        measured = Profile()
    with progress(span) as tell:
        outcome = replay(
            loaded, chosen, Faults(lambda *_: None), tell, profile=measured,
            for_people=form != "json",
        )  # fmt: skip
    if form == "json":
        show_json(outcome.rows())
    elif form == "html":
        echo(outcome.render("html"))
    else:
        tell_if_nothing(chosen, outcome.entries)
        show_outcome(outcome, full=full)
        if outcome.profile is not None:
            from pyruse.cli.chains import show_profile

            echo()
            show_profile(outcome.profile, outcome.entries)


def show_outcome(outcome: Outcome, *, full: bool = False) -> None:
    """Print the report, all of it or what people read, and the effects."""
    from pyruse.cli.output import show_lines, show_report, show_text, width_of_full

    if full:
        for piece in outcome.full(width_of_full()):
            echo(piece, nl=False)
        echo()
    else:
        show_report(outcome.report, lambda: outcome.render("text"), outcome.limit)
    show_lines(
        "Mails that would have been sent",
        [f"to {', '.join(mail.to) or 'nobody'}: {mail.subject}" for mail in outcome.emails],
    )
    show_lines(
        "Bans that there would have been",
        [f"{ban.ip} ({ban.label}), {_span(ban.duration)}" for ban in outcome.bans],
    )
    show_lines(
        "Lines that would have been logged",
        [f"{line.level}: {line.message}" for line in outcome.logs],
    )
    show_lines("Programs that would have been run", [shlex.join(argv) for argv in outcome.commands])
    show_lines(
        "Parcels that would have been delivered",
        [f"{parcel.plugin}: {_payloads(parcel)}" for parcel in outcome.sent],
    )
    show_lines("Steps that were not called in this dry run", outcome.skipped)
    show_lines(
        "Faults",
        [f"{fault.place}: {fault.text} ({fault.count} times)" for fault in outcome.faults],
    )
    speed = f", {outcome.entries / outcome.seconds:,.0f} a second" if outcome.seconds else ""
    echo()
    show_text(f"{outcome.entries:,} entries in {outcome.seconds:.2f} s{speed}")


def _payloads(parcel: SentParcel) -> str:
    texts = (json.dumps(payload, ensure_ascii=False) for payload in parcel.payloads)
    return shortened(", ".join(texts), _LONGEST_PAYLOAD)


def _span(seconds: int | None) -> str:
    if seconds is None:
        return "for ever"
    parts = []
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, length)
        if number:
            parts.append(f"{number} {unit}")
    return "for " + " ".join(parts or ["less than a second"])
