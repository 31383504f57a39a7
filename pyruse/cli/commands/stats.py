"""``pyruse stats``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli import values
from pyruse.cli.journal_options import (
    JournalCommand,
    journal_options,
    matches_argument,
    selection,
    tell_if_nothing,
)
from pyruse.cli.options import config_option
from pyruse.cli.stdout import echo

if TYPE_CHECKING:
    from pyruse.config.load import Configuration
    from pyruse.config.settings import Settings
    from pyruse.journal.selection import Selection

_PRIORITIES = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")


@click.command("stats", cls=JournalCommand)
@config_option
@journal_options
@click.option(
    "--by",
    "field",
    default="SYSLOG_IDENTIFIER",
    metavar="FIELD",
    show_default=True,
    shell_complete=values.fields,
)
@click.option(
    "--recognised",
    "recognised",
    is_flag=True,
    help="Count which entries are recognised, by program.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@matches_argument
def command(config: Path | None, field: str, recognised: bool, form: str, **journal: Any) -> None:
    """Count entries by identifier and priority: what to write chains for.

    Works without a configuration, too. The options that choose entries, and FIELD=VALUE, are those
    of journalctl.

    With --recognised: which share of the entries the rules and chains of the configuration know
    (without a configuration: all the rules that are installed), and which programs nobody knows.
    An entry that comes to the chain "everything else" is not recognised. Rules that could be added
    to `use` are named on standard error.

    \b
    pyruse stats --since -1d --by _SYSTEMD_UNIT
    pyruse stats --recognised
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.cli.output import progress, show_json, show_table
    from pyruse.entry.decoding import Decoder
    from pyruse.options.fields import Field

    if recognised:
        _show_recognised(config, form, journal)
        return
    try:
        Field.parse(field)
    except ValueError as fault:
        raise click.UsageError(f"--by: {fault}") from None
    settings = _settings(config)
    decoder = Decoder(settings.journal.legacy_encoding)
    chosen = selection(settings, **journal)
    counts: Counter[tuple[str, int | None]] = Counter()
    entries = 0
    with progress(None if form == "json" else chosen.span(decoder)) as tell:
        reader = chosen.open(decoder)
        while True:
            before = entries
            for entry in reader.entries(10_000):
                entries += 1
                priority = entry.get("PRIORITY")
                counts[entry.text(field) or "", priority if _is_priority(priority) else None] += 1
                reached = entry.time_us
            if entries == before:
                break
            if tell is not None:
                tell(entries, reached)
    if not any(name for name, _ in counts):
        _see_that_there_is(field, chosen, entries)
    if not entries and form != "json":
        tell_if_nothing(chosen, entries)
        return
    rows = _rows(counts)
    if form == "json":
        show_json(
            [dict(zip((field, "total", *_PRIORITIES, "none"), row, strict=True)) for row in rows]
        )
        return
    used = [
        column for column in range(len(_PRIORITIES) + 1) if any(row[2 + column] for row in rows)
    ]
    names = (*_PRIORITIES, "none")
    show_table(
        f"{entries:,} entries",
        [field, "total", *(names[column] for column in used)],
        [[row[0] or "-", row[1], *(row[2 + column] or "" for column in used)] for row in rows],
    )


def _see_that_there_is(field: str, chosen: Selection, entries: int) -> None:
    """Tell a field that no entry has from a journal without entries.

    :raises UserError: no entry of the journal has this field.
    """
    known = chosen.fields() if entries else set()
    if entries and field not in known:
        from pyruse.errors import UserError, did_you_mean

        raise UserError(
            f"--by: no entry has a field {field} (expected one of: {', '.join(sorted(known))}"
            f"{did_you_mean(field, known)})"
        )


def _show_recognised(config: Path | None, form: str, journal: dict[str, Any]) -> None:
    from pyruse.cli.output import progress, show_json, show_table
    from pyruse.engine.faults import Faults
    from pyruse.entry.decoding import Decoder
    from pyruse.replay.recognised import Recognised
    from pyruse.replay.replay import replay

    configuration = _with_rules(config)
    chosen = selection(configuration.settings, **journal)
    found = Recognised()
    decoder = Decoder(configuration.settings.journal.legacy_encoding)
    with progress(None if form == "json" else chosen.span(decoder)) as tell:
        replay(configuration, chosen, Faults(lambda *_: None), tell, recognised=found)
    rows = sorted(
        ((found.unknown[name], found.entries[name], name) for name in found.entries),
        key=lambda row: (-row[0], -row[1], row[2]),
    )
    if form == "json":
        show_json(
            {
                "entries": found.entries.total(),
                "recognised": round(found.share, 4),
                "programs": [
                    {"program": name, "entries": total, "unknown": unknown}
                    for unknown, total, name in rows
                ],
            }
        )
        return
    show_table(
        f"{found.share:.1%} of {found.entries.total():,} entries recognised",
        ["program", "entries", "not recognised", "recognised"],
        [
            (name or "-", total, unknown or "", f"{1 - unknown / total:.0%}")
            for unknown, total, name in rows
        ],
    )
    if known := _known_by_others(config, found.unknown):
        names = ", ".join(f"{name} ({count:,})" for name, count in known)
        echo(f"rules for these programs are not in use: {names} (add them to `use`)", err=True)


def _known_by_others(config: Path | None, unknown: Mapping[str, int]) -> list[tuple[str, int]]:
    """The rules that are not in use, with the number of unrecognised entries of their programs."""
    from pyruse.config.files import chosen, read
    from pyruse.config.load import registry_of
    from pyruse.errors import ConfigError
    from pyruse.rules.library import Library

    if config is None and not chosen(None).exists():
        return []  # all of them are in use
    used = read(chosen(config)).use
    library = Library(registry_of(config))
    counts = {}
    for name in library.names:
        if name in used:
            continue
        try:
            programs = library.rules(name).programs
        except ConfigError:
            continue
        if count := sum(unknown.get(program, 0) for program in programs):
            counts[name] = count
    return sorted(counts.items(), key=lambda one: (-one[1], one[0]))


def _with_rules(config: Path | None) -> Configuration:
    """The configuration; where there is none, one with all the rules that are not broken."""
    from pyruse.cli.all_rules import all_rules
    from pyruse.cli.options import configuration
    from pyruse.config.files import chosen
    from pyruse.config.load import registry_of

    if config is not None or chosen(None).exists():
        return configuration(config)
    return all_rules(registry_of(None))


def _is_priority(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < len(_PRIORITIES)


def _rows(counts: Counter[tuple[str, int | None]]) -> list[list[Any]]:
    """A row for each name, the most frequent first: name, total, count by priority, of none."""
    names: dict[str, list[int]] = {}
    for (name, priority), number in counts.items():
        numbers = names.setdefault(name, [0] * (len(_PRIORITIES) + 1))
        numbers[len(_PRIORITIES) if priority is None else priority] += number
    ordered = sorted(names.items(), key=lambda item: (-sum(item[1]), item[0]))
    return [[name, sum(numbers), *numbers] for name, numbers in ordered]


def _settings(config: Path | None) -> Settings:
    """The settings of the configuration; the defaults where none is named."""
    if config is None:
        from pyruse.config.settings import Settings

        return Settings()
    from pyruse.cli.options import configuration

    return configuration(config).settings
