"""``pyruse explain``."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli import values
from pyruse.cli.journal_options import JournalCommand, is_chosen, journal_options, selection
from pyruse.cli.options import config_option, configuration
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
@click.option(
    "--all", "everything", is_flag=True,
    help="Show each chain, also many in a row that do not concern the entry.",
)  # fmt: skip
@click.argument("fields", nargs=-1, metavar="[FIELD=VALUE]...", shell_complete=values.matches)
def command(
    config: Path | None,
    cursor: str | None,
    everything: bool,
    fields: tuple[str, ...],
    **journal: Any,
) -> None:
    """Show an entry's way through the chains, step by step.

    Where chains come from several files, such as those of rules, each file is named. More than
    three chains in a row that the entry leaves at their first filter are one line.

    The entry is made of the fields given. Or it is read from standard input ("-"), as `journalctl
    -o json` writes it. Or it is taken from the journal: the entry of a cursor, or the newest one
    that the options select, which are those of journalctl (then FIELD=VALUE selects, too); -n 3
    explains three. A dry run: nothing is mailed, banned, run or logged.

    \b
    pyruse explain SYSLOG_IDENTIFIER=sshd 'MESSAGE=Failed password for root from 192.0.2.1 port 22'
    pyruse explain -u ssh -g 'failed password'
    journalctl -n 1 -o json | pyruse explain -
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from msgspec.structs import replace

    from pyruse.engine.assembly import assemble
    from pyruse.engine.faults import Faults
    from pyruse.engine.modes import DRY
    from pyruse.lookups.lookups import ANSWERS_S
    from pyruse.state.database import State

    loaded = configuration(config)
    if fields != ("-",) and is_chosen(journal):
        journal, fields = {**journal, "matches": fields}, ()
    chosen = selection(loaded.settings, **journal)
    if chosen.grep is not None and chosen.last is None:
        chosen = replace(chosen, last=1)
    with State() as state:
        engine = assemble(loaded, state, Faults(lambda *_: None), DRY)
        engine.lookups.settle(ANSWERS_S)
        engine.start()
        several = len({chain.source for chain in loaded.chains.values()}) > 1
        for number, entry in enumerate(_entries(engine, chosen, cursor, fields)):
            if number:
                echo()
            _explain(engine, entry, files=several, folded=not everything)
        _show_effects(engine)
        engine.stop()


def _explain(engine: Engine, entry: Entry, *, files: bool, folded: bool) -> None:
    from pyruse.chains.travel import journey
    from pyruse.chains.way import brief, in_words

    message = brief(entry.text("MESSAGE"))
    echo(f"entry of {entry['__REALTIME_TIMESTAMP']:%F %T%z}: {message}")
    undone: list[str] = []
    engine.bans.on_spared = undone.append
    stops = journey(engine.graph.entrance, entry)
    for line in in_words(stops, files=files, undone=undone, folded=folded):
        echo(line)


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


def _entries(
    engine: Engine, chosen: Selection, cursor: str | None, fields: tuple[str, ...]
) -> Iterator[Entry]:
    """The entries to explain, each valid until the next one is asked for."""
    from pyruse.entry.made import entry_of_export, entry_of_fields

    if fields == ("-",):
        text = sys.stdin.buffer.read().decode(errors="replace")
        yield entry_of_export(text, engine.decoder)
        return
    if fields:
        try:
            yield entry_of_fields(fields, engine.decoder)
        except ValueError as fault:
            raise click.UsageError(str(fault)) from None
        return
    reader = chosen.open(engine.decoder, to_seek=True)
    found = None
    if cursor or chosen.last is None:
        found = reader.at(cursor) if cursor else reader.last()
        if found is not None:
            yield found
    else:
        for found in reader.entries(chosen.last):
            yield found
    reader.close()
    if found is None:
        what = f"the entry {cursor}" if cursor else "an entry"
        raise UserError(f"{chosen.described}: does not have {what} (expected one that is kept)")
