"""``pyruse try``."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import tzinfo
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli import values
from pyruse.cli.journal_options import (
    JournalCommand,
    is_chosen,
    journal_options,
    matches_argument,
    selection,
    tell_if_nothing,
)
from pyruse.cli.options import config_option
from pyruse.cli.stdout import echo
from pyruse.errors import ConfigError, UserError, did_you_mean
from pyruse.text import one_line, printable, shown

if TYPE_CHECKING:
    from pyruse.config.load import Configuration
    from pyruse.entry.entry import Entry
    from pyruse.journal.selection import Selection
    from pyruse.replay.tried import Groups, Take, Tried

_BATCH = 5_000
_VALUES = 5
"""So many values of a field are shown."""


@click.command("try", cls=JournalCommand)
@config_option
@journal_options
@click.option(
    "--as",
    "kind",
    type=click.Choice(["pattern", "chain", "rules"]),
    default=None,
    help="What WHAT is, where its text alone does not say.",
)
@click.option(
    "--text",
    "text",
    metavar="FILE",
    type=click.Path(path_type=Path, allow_dash=True),
    help='Take the lines of a text instead of a journal, each as a MESSAGE; "-": standard input.',
)
@click.option(
    "--field",
    "of_field",
    default="MESSAGE",
    metavar="FIELD",
    show_default=True,
    help="Where a pattern is looked for.",
)
@click.option(
    "--groups",
    default=20,
    show_default=True,
    type=click.IntRange(0, 1000),
    help="How many groups of lines that nothing takes are shown, for each program.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@click.argument("what", shell_complete=values.chains_and_rules)
@matches_argument
def command(  # noqa: PLR0913 -- one for each option
    config: Path | None,
    kind: str | None,
    text: Path | None,
    of_field: str,
    groups: int,
    form: str,
    what: str,
    **journal: Any,
) -> None:
    """Try a pattern, a chain or rules: which entries they take, and which they do not.

    WHAT is the name of a chain of the configuration, the name of rules, the path of a rules' file,
    or else a pattern, as the filter "regex" has it, with {address}. Shown is how many entries are
    taken, what comes out in the fields, and which lines of the same programs nothing takes: those
    that are alike are one line. A chain, with those that it jumps to, takes an entry if an action
    is done with it. A dry run: nothing is mailed, banned, run or logged.

    The options that choose entries, and FIELD=VALUE, are those of journalctl; lines of a text get
    the name of -t and these fields. Works without a configuration, too. Exits with 0 if anything is
    taken, 1 if nothing is, or if not all of the journal could be read, and 2 if it went wrong.

    \b
    pyruse try '^Failed password for (?P<user>.*) from {address} port \\d+ ssh2$' --since yesterday
    pyruse try sshd --text /var/log/auth.txt -t sshd _UID=0
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.cli.output import progress, show_json
    from pyruse.config.settings import Settings
    from pyruse.entry.decoding import Decoder
    from pyruse.replay.tried import Tried

    try:
        loaded = _loaded(config)
        settings = loaded.settings if loaded is not None else Settings()
        decoder = Decoder(settings.journal.legacy_encoding, settings.report.calendar.zone)
        identifiers: tuple[str, ...] = journal["identifiers"]
        given = _given(journal, is_text=text is not None)
        if text is not None:
            journal.pop("matches"), journal.pop("identifiers")
            if is_chosen(journal):
                raise click.UsageError("a part of the journal: expected no --text with it")
        chosen = selection(settings, **journal)
        tried = Tried(identifiers)
        with _taker(what, kind, of_field, loaded, config, tried) as (taken_for, take):
            if text is None:
                span = None if form == "json" else chosen.span(decoder)
                with progress(span) as tell:
                    _take_journal(chosen, decoder, take, tell)
            else:
                _take_text(text, decoder, given, take)
    except ConfigError:
        raise
    except UserError as fault:
        echo(f"pyruse: {printable(str(fault))}", err=True)
        sys.exit(2)
    if tried.too_slow:
        echo(
            f"pyruse: the pattern took too long for {tried.too_slow:,} entries: it was stopped, "
            "and they count as not taken, as in the daemon",
            err=True,
        )
    if form == "json":
        show_json(_data(taken_for, what, tried, groups, settings.report.calendar.zone))
    else:
        if text is None:
            tell_if_nothing(chosen, tried.entries)
        _show(taken_for, what, tried, groups)
    if not tried.taken:
        sys.exit(1)


def _loaded(config: Path | None) -> Configuration | None:
    """The configuration; None where none is named and there is none in its usual place."""
    from pyruse.cli.options import configuration
    from pyruse.config.files import chosen

    if config is None and not chosen(None).exists():
        return None
    return configuration(config)


def _given(journal: dict[str, Any], *, is_text: bool) -> list[tuple[str, str]]:
    """The fields that lines of a text get: those of FIELD=VALUE, and the program of -t.

    :raises click.UsageError: a word is no field.
    """
    words: tuple[str, ...] = journal["matches"]
    identifiers: tuple[str, ...] = journal["identifiers"]
    found = [("SYSLOG_IDENTIFIER", name) for name in identifiers]
    for word in words:
        if not is_text and (word == "+" or word.startswith("/")):
            continue
        name, separator, value = word.partition("=")
        if not separator or not name:
            raise click.UsageError(
                f'"{word}" is no field (expected FIELD=VALUE, such as _UID=0; a pattern with '
                "spaces needs quotes)"
            )
        found.append((name, value))
    return found


@contextmanager
def _taker(  # noqa: PLR0913 -- what the options say
    what: str,
    kind: str | None,
    of_field: str,
    loaded: Configuration | None,
    config: Path | None,
    tried: Tried,
) -> Iterator[tuple[str, Take]]:
    """What takes entries, and the word for it: chain, rules or pattern."""
    from pyruse.config.load import registry_of
    from pyruse.registry.kinds import RULES
    from pyruse.replay.tried import only, pattern_taker

    chains = [] if loaded is None else list(loaded.chains)
    is_file = what.endswith(".toml") and Path(what).is_file()
    names = [] if kind == "pattern" else registry_of(config).names(RULES)
    if kind == "chain" or (kind is None and what in chains):
        if loaded is None or what not in chains:
            raise click.UsageError(
                f"there is no chain {shown(what)} (expected one of the configuration's"
                f"{did_you_mean(what, chains)})"
            )
        with _chains_taker(only(loaded, [what]), tried) as take:
            yield "chain", take
    elif kind == "rules" or (kind is None and (is_file or what in names)):
        if not is_file and what not in names:
            raise click.UsageError(
                f"there are no rules {shown(what)} (expected a name that `pyruse rules` lists, or "
                f"the path of a .toml file{did_you_mean(what, names)})"
            )
        with _chains_taker(_of_rules(what, config, tried, is_file=is_file), tried) as take:
            yield "rules", take
    else:
        yield "pattern", pattern_taker(_pattern(what), _field(of_field), tried)


@contextmanager
def _chains_taker(configuration: Configuration, tried: Tried) -> Iterator[Take]:
    from pyruse.engine.faults import Faults
    from pyruse.replay.tried import ChainsTaker

    faults = Faults(lambda *_: None)
    taker = ChainsTaker(configuration, faults, tried)
    try:
        yield taker
    finally:
        taker.close()
    for fault in faults.kinds.values():
        echo(f"pyruse: {fault.place}: {fault.text} ({fault.count:,} ×)", err=True)


def _of_rules(what: str, config: Path | None, tried: Tried, *, is_file: bool) -> Configuration:
    """The chains of rules, with the options that the configuration gives them."""
    from pyruse.config.files import chosen, from_text, plugin_files, read
    from pyruse.config.load import configure
    from pyruse.registry.files import PluginFiles
    from pyruse.registry.registry import Registry
    from pyruse.replay.tried import only
    from pyruse.rules.library import Library
    from pyruse.rules.use import LAST

    sources = plugin_files(chosen(config))
    if is_file:
        sources.insert(0, PluginFiles(Path(what), trusted=True))
    registry = Registry(*sources)
    name = Path(what).stem if is_file else what
    library = Library(registry)
    rules = library.rules(name)
    if not tried.programs:
        tried.programs = rules.programs
    if config is None and not chosen(None).exists():
        document = from_text("use = []")
    else:
        document = read(chosen(config))
    document.use, document.chains = {name: "pyruse try"}, {}
    used = configure(document, registry)
    last = set(library.rules(LAST).main)
    return only(used, [one for one in _main_of(used) if one not in last])


def _main_of(configuration: Configuration) -> list[str]:
    """The names of the chains that no other one jumps to."""
    from pyruse.chains.link import main_sequence

    return main_sequence(configuration.chains)


def _pattern(text: str) -> Any:
    from pyruse.chains.ambiguity import can_take_for_ever
    from pyruse.options.patterns import Pattern

    try:
        pattern = Pattern.parse(text)
    except ValueError as fault:
        raise click.UsageError(str(fault)) from None
    for doubt in pattern.doubts:
        echo(f"pyruse: {printable(doubt)}", err=True)
    if can_take_for_ever(pattern.outline):
        echo("pyruse: a line that is made for this pattern can keep it busy for ever", err=True)
    return pattern


def _field(name: str) -> str:
    from pyruse.options.fields import Field

    try:
        return Field.parse(name)
    except ValueError as fault:
        raise click.UsageError(f"--field: {fault}") from None


def _take_journal(
    chosen: Selection, decoder: Any, take: Take, tell: Callable[[int, int], None] | None
) -> None:
    reader = chosen.open(decoder)
    read = reached = 0

    def counted(entries: Iterable[Entry]) -> Iterator[Entry]:
        nonlocal read, reached
        for entry in entries:
            read += 1
            reached = entry.time_us
            yield entry

    while True:
        before = read
        take(counted(reader.entries(_BATCH)))
        if read == before:
            break
        if tell is not None:
            tell(read, reached)
    reader.close()


def _take_text(text: Path, decoder: Any, wanted: list[tuple[str, str]], take: Take) -> None:
    from pyruse.entry.made import make_entry

    fields = dict(reversed(wanted))

    def entries(lines: Iterable[bytes]) -> Iterator[Entry]:
        for line in lines:
            if message := line.rstrip(b"\r\n"):
                yield make_entry({**fields, "MESSAGE": message}, decoder)

    try:
        with click.open_file(str(text), "rb") as file:
            made = entries(file)
            while batch := list(islice(made, _BATCH)):
                take(batch)
    except OSError as fault:
        raise UserError(
            f"{text}: cannot be read: {fault.strerror} (expected a text file, or -)"
        ) from None


def _show(kind: str, what: str, tried: Tried, lines: int) -> None:
    from pyruse.cli.output import show_text

    taken = f"takes {tried.taken:,} of {tried.entries:,} entries"
    show_text(f"{kind} {one_line(what)}: {taken}", "", "  ")
    if kind != "pattern" and tried.by:
        echo("\nTaken by")
        for by, number in tried.by.most_common():
            show_text(by, f"  {number:>7,}  ")
    if tried.fields:
        echo("\nFields")
        for field, groups in tried.fields.items():
            values = ", ".join(
                f"{one_line(group.example)} ({group.count:,} ×)"
                for group in groups.largest(_VALUES)
            )
            more = len(groups) - _VALUES
            show_text(
                f"{values}{f', and {more:,} others' if more > 0 else ''}", f"  {field}: ", "    "
            )
    for program, groups in tried.missed.items():
        _show_missed(program, groups, lines)
    if not tried.taken and not tried.missed and not tried.programs:
        echo()
        show_text("Nothing to show of lines that are not taken (expected -t NAME, for a program)")


def _show_missed(program: str, groups: Groups, lines: int) -> None:
    from pyruse.cli.output import show_text

    echo()
    show_text(f"Not taken of {program}: {groups.count:,}", "", "  ")
    shown_groups = groups.largest(lines)
    for group in shown_groups:
        show_text(group.example, f"  {group.count:>7,}  ")
    rest = groups.count - sum(group.count for group in shown_groups)
    if rest:
        show_text("other lines (expected --groups, to see more of them)", f"  {rest:>7,}  ")


def _data(kind: str, what: str, tried: Tried, lines: int, zone: tzinfo) -> dict[str, Any]:
    from pyruse.times import datetime_of

    return {
        "kind": kind,
        "what": what,
        "entries": tried.entries,
        "taken": tried.taken,
        "by": dict(tried.by.most_common()),
        "fields": {
            field: {
                "count": groups.count,
                "values": [[one.example, one.count] for one in groups.largest(lines)],
            }
            for field, groups in tried.fields.items()
        },
        "examples": [
            {
                "time": datetime_of(one.time_us, zone).isoformat(),
                "message": one.message,
                "fields": one.fields,
            }
            for one in tried.examples
        ],
        "not_taken": {
            program: {
                "count": groups.count,
                "lines": [[one.example, one.count] for one in groups.largest(lines)],
            }
            for program, groups in tried.missed.items()
        },
    }
