"""``pyruse explain``."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli.options import (
    JournalCommand,
    config_option,
    configuration,
    journal_options,
    selection,
)
from pyruse.cli.stdout import echo
from pyruse.errors import UserError

if TYPE_CHECKING:
    from pyruse.engine.engine import Engine
    from pyruse.entry.entry import Entry
    from pyruse.journal.selection import Selection


@click.command("explain", cls=JournalCommand)
@config_option
@journal_options
@click.option("--cursor", metavar="CURSOR", help="The entry of a cursor (`journalctl -o export`).")
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...")
def command(
    config: Path | None, cursor: str | None, fields: tuple[str, ...], **journal: Any
) -> None:
    """Show an entry's way through the chains, step by step.

    Where chains come from several files, such as those of rules, each file is named.

    The entry is made of the fields given. Or it is read from standard input ("-"), as `journalctl
    -o json` writes it. Or it is taken from the journal: the entry of a cursor, or the newest one
    that is selected. A dry run: nothing is mailed, banned, run or logged.

    \b
    pyruse explain SYSLOG_IDENTIFIER=sshd 'MESSAGE=Failed password for root from 192.0.2.1 port 22'
    journalctl -n 1 -o json | pyruse explain -
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.engine.assembly import assemble
    from pyruse.engine.faults import Faults
    from pyruse.engine.modes import DRY
    from pyruse.lookups.lookups import ANSWERS_S
    from pyruse.state.database import State

    loaded = configuration(config)
    chosen = selection(loaded.settings, **journal)
    with State() as state:
        engine = assemble(loaded, state, Faults(lambda *_: None), DRY)
        engine.lookups.settle(ANSWERS_S)
        engine.start()
        several = len({chain.source for chain in loaded.chains.values()}) > 1
        _explain(engine, _entry(engine, chosen, cursor, fields), files=several)
        engine.stop()


def _explain(engine: Engine, entry: Entry, *, files: bool) -> None:
    from pyruse.chains.travel import journey
    from pyruse.chains.way import brief, in_words

    message = brief(entry.text("MESSAGE"))
    echo(f"entry of {entry['__REALTIME_TIMESTAMP']:%F %T%z}: {message}")
    undone: list[str] = []
    engine.bans.on_spared = undone.append
    for line in in_words(journey(engine.graph.entrance, entry), files=files, undone=undone):
        echo(line)
    _show_effects(engine)


def _show_effects(engine: Engine) -> None:
    from pyruse.chains.way import brief
    from pyruse.cli.output import show_lines
    from pyruse.replay.replay import outcome_of

    engine.state.commit()
    outcome = outcome_of(engine, 1, 0, engine.report())
    report = outcome.report
    effects = [
        *(f"report, important: {row.message}" for row in report.important),
        *(f"report, interesting: {row.message}" for row in report.interesting),
        *(f"report, other: {line.message}" for line in report.other),
        *(f"mail: {mail.subject}" for mail in outcome.emails),
        *(f"ban: {ban.ip}" for ban in outcome.bans),
        *(f"log, {line.level}: {line.message}" for line in outcome.logs),
        *(f"run: {shlex.join(argv)}" for argv in outcome.commands),
        *(f"not called in a dry run: {place}" for place in outcome.skipped),
    ]
    show_lines("Effects that there would be", [brief(effect) for effect in effects])


def _entry(engine: Engine, chosen: Selection, cursor: str | None, fields: tuple[str, ...]) -> Entry:
    from pyruse.entry.made import entry_of_export, entry_of_fields

    if fields == ("-",):
        text = sys.stdin.buffer.read().decode(errors="replace")
        return entry_of_export(text, engine.decoder)
    if fields:
        try:
            return entry_of_fields(fields, engine.decoder)
        except ValueError as fault:
            raise click.UsageError(str(fault)) from None
    reader = chosen.open(engine.decoder)
    entry = reader.at(cursor) if cursor else reader.last()
    if entry is None:
        what = f"the entry {cursor}" if cursor else "an entry"
        raise UserError(f"{chosen.described}: does not have {what} (expected one that is kept)")
    return entry
