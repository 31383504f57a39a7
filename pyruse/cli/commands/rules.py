"""``pyruse rules``."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli import values
from pyruse.cli.journal_options import JournalCommand, is_chosen, journal_options
from pyruse.cli.options import config_option, settings_if_any
from pyruse.cli.stdout import echo
from pyruse.text import one_line, printable, shown

if TYPE_CHECKING:
    from pyruse.registry.registry import Registry
    from pyruse.rules.library import Library
    from pyruse.rules.rules_file import RulesFile, Sample


@click.command("rules", cls=JournalCommand)
@click.argument("words", nargs=-1, metavar="[NAME | FIELD=VALUE...]", shell_complete=values.rules)
@click.option("--chains", "chains", is_flag=True, help="Show the chains, too, and all samples.")
@click.option("--test", "test", is_flag=True, help="Check the rules by all their samples.")
@click.option(
    "--missing",
    "missing",
    is_flag=True,
    help="List the programs of the journal of which no rules know anything.",
)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@config_option
@journal_options
def command(  # noqa: PLR0913 -- one for each option
    words: tuple[str, ...],
    chains: bool,
    test: bool,
    missing: bool,
    form: str,
    config: Path | None,
    **journal: Any,
) -> None:
    """List the rules that are installed; or show those of one name.

    The list says where they come from, whether this machine's journal has entries of their
    programs, and whether the configuration uses them. Rules come from installed packages, and from
    TOML files in the folder "plugins" beside the configuration.

    With --test, each sample has to be what it says, each pattern needs a sample, and texts that
    strangers could write are put into the samples: no other address than the true one may come
    out. Exits with 1 if a sample fails.

    With --missing, a part of the journal is led through all the rules that are installed: what
    none of them recognises a line of is listed, by volume, with its newest line. The options that
    choose entries, and FIELD=VALUE, are for this; they are those of journalctl. `pyruse new-plugin
    NAME --rules --from-journal IDENT` begins rules for one of them.

    \b
    pyruse rules sshd
    pyruse rules --missing --since -7d
    """  # noqa: D301 -- click takes this one character for "as it stands"
    names = [word for word in words if "=" not in word and word != "+"]
    journal["matches"] = tuple(word for word in words if word not in names)
    if len(names) > 1:
        raise click.UsageError(f"{' '.join(names)}: expected one name at most")
    name = names[0] if names else None
    if missing or is_chosen(journal):
        if not missing:
            raise click.UsageError("a part of the journal: expected --missing with it")
        if name is not None or test:
            raise click.UsageError("--missing: expected neither a name nor --test with it")
        _show_missing(config, form, journal)
        return
    if chains and name is None:
        raise click.UsageError("--chains: expected the name of rules with it")
    _show(name, test=test, chains=chains, form=form, config=config)


def _show(name: str | None, *, test: bool, chains: bool, form: str, config: Path | None) -> None:
    from pyruse.cli.output import show_json
    from pyruse.config.load import registry_of
    from pyruse.errors import ConfigError
    from pyruse.registry.kinds import RULES
    from pyruse.rules.library import Library

    registry = registry_of(config)
    library = Library(registry)
    faults = list(registry.faults)
    found = []
    if name is not None:
        registry.find(RULES, name)
    for one in [name] if name is not None else library.names:
        try:
            found.append(library.rules(one))
        except ConfigError as fault:
            faults += fault.faults
    for text in dict.fromkeys(faults):
        echo(f"pyruse: {one_line(text)}", err=True)
    if test:
        _test(found, registry)
        failed = name is not None and not found
    elif form == "json":
        used, logged = _used(config), _logged(config)
        show_json([_data(rules, library, used, logged) for rules in found])
        failed = name is not None and not found
    elif name is None:
        _show_all(found, _used(config), _logged(config))
        failed = False
    else:
        for rules in found:
            _show_one(rules, library, chains=chains)
        failed = not found
    if failed:
        raise SystemExit(1)


def _test(found: list[RulesFile], registry: Registry) -> None:
    from pyruse.replay.samples import sample_faults
    from pyruse.text import counted

    faults: list[str] = []
    for rules in found:
        faults += sample_faults(rules, registry)
    for fault in faults:
        echo(printable(fault), err=True)
    samples = counted(sum(len(rules.samples) for rules in found), "sample")
    files = counted(len(found), "file")
    told = counted(len(faults), "fault") if faults else "no faults"
    echo(f"{samples} of {files} of rules: {told}")
    if faults:
        raise SystemExit(1)


def _show_missing(config: Path | None, form: str, journal: dict[str, Any]) -> None:
    from pyruse.cli.all_rules import all_rules
    from pyruse.cli.journal_options import selection
    from pyruse.cli.output import progress, show_json, show_table
    from pyruse.config.load import registry_of
    from pyruse.engine.faults import Faults
    from pyruse.entry.decoding import Decoder
    from pyruse.replay.recognised import Recognised
    from pyruse.replay.replay import replay

    settings = settings_if_any(config)
    chosen = selection(settings, **journal)
    found = Recognised()
    with progress(
        None if form == "json" else chosen.span(Decoder(settings.journal.legacy_encoding))
    ) as tell:
        replay(
            all_rules(registry_of(config)), chosen, Faults(lambda *_: None), tell, recognised=found
        )
    total = found.entries.total()
    rows = sorted(
        ((number, name) for name, number in found.entries.items() if number == found.unknown[name]),
        key=lambda row: (-row[0], row[1]),
    )
    if form == "json":
        show_json(
            {
                "entries": total,
                "missing": [
                    {
                        "program": name,
                        "entries": number,
                        "share": round(number / total, 4),
                        "example": found.examples[name],
                    }
                    for number, name in rows
                ],
            }
        )
        return
    if total and not rows:
        echo(f"of all {total:,} entries, some rules know the program", err=True)
        return
    show_table(
        f"{sum(number for number, _ in rows):,} of {total:,} entries are of programs that no rules "
        "know",
        ["program", "entries", "share", "the newest"],
        [
            (name or "-", number, f"{number / total:.1%}", one_line(found.examples[name]))
            for number, name in rows
        ],
    )


def _used(config: Path | None) -> set[str] | None:
    """The names that the configuration uses; None: it cannot be read, or there is none."""
    from pyruse.config.files import chosen, read
    from pyruse.errors import ConfigError

    try:
        return set(read(chosen(config)).use)
    except ConfigError:
        return None


def _logged(config: Path | None) -> set[str]:
    """The SYSLOG_IDENTIFIERs that this machine's journal has, by its index."""
    from pyruse.config.load import load
    from pyruse.config.settings import Settings
    from pyruse.errors import UserError
    from pyruse.journal.selection import Selection

    try:
        settings = load(config).settings
    except UserError:  # none is there, or it has faults: this machine's journal
        settings = Settings()
    try:
        return Selection.of(settings.journal).values_of("SYSLOG_IDENTIFIER")
    except UserError:
        return set()


def _data(
    rules: RulesFile, library: Library, used: set[str] | None, logged: set[str]
) -> dict[str, Any]:
    """Rules as JSON has them."""
    options = library.options_of(rules)
    return {
        "name": rules.name,
        "title": rules.title,
        "comes_from": rules.origin,
        "file": rules.file,
        "policy": rules.is_policy,
        "programs": list(rules.programs),
        "logged": bool(logged & set(rules.programs)),
        "used": None if used is None else rules.name in used,
        "options": [
            {"name": name, "default": option.default, "help": option.help}
            for name, option in options.items()
        ],
        "events": _events(rules),
        "summaries": [
            {
                "id": one.id,
                "title": one.title,
                "events": list(one.events),
                "rows": list(one.rows),
                "columns": list(one.columns),
                "top": one.top,
            }
            for one in rules.summaries
        ],
        "chains": dict(rules.chains),
        "samples": len(rules.samples),
    }


def _events(rules: RulesFile) -> list[str]:
    """The events that the rules' own chains know."""
    names = [step["name"] for step in _steps(rules) if step.get("action") == "event"]
    return list(dict.fromkeys(map(str, names)))


def _show_all(found: list[RulesFile], used: set[str] | None, logged: set[str]) -> None:
    from pyruse.cli.output import show_table

    rows = []
    for rules in found:
        here = "" if rules.is_policy else "yes" if logged & set(rules.programs) else "no"
        in_use = "" if used is None or rules.is_policy else "yes" if rules.name in used else "no"
        rows.append((rules.name, rules.title, here, in_use, printable(rules.origin)))
    columns = ["name", "what it knows", "logged here", "used", "comes from"]
    show_table("", columns, rows, spare={"comes from"}, first=("name", "used", "what it knows"))


def _show_one(rules: RulesFile, library: Library, *, chains: bool) -> None:
    from pyruse.cli.output import show_text

    show_text(f"rules {rules.name} ({rules.origin}; {rules.file})")
    echo()
    show_text(rules.title)
    if rules.programs:
        echo()
        show_text(", ".join(rules.programs), "Programs: ")
    if bans := _bans(rules, library):
        echo("\nBans:")
        for text in bans:
            show_text(text, "  ")
    if events := _events(rules):
        echo("\nUnderstands:")
        examples = {sample.event: _message(sample) for sample in reversed(rules.samples)}
        for event in events:
            show_text(f"{event}: {examples[event]}" if event in examples else event, "  ", "      ")
    for number, one in enumerate(rules.summaries):
        if not number:
            echo("\nSummaries:")
        show_text(f"{one.title}: {', '.join(one.events)} by {', '.join(one.rows)}", "  ", "      ")
    _show_options(rules, library)
    if chains:
        _show_chains(rules)
    else:
        echo()
        show_text(f"Its chains: pyruse rules {rules.name} --chains")


def _show_options(rules: RulesFile, library: Library) -> None:
    from pyruse.cli.output import show_text

    options = library.options_of(rules)
    if options:
        echo()
        show_text(f"Options in [rules.{rules.name}], or for all rules in [rules]:")
    for name, option in options.items():
        show_text(f"{name} = {shown(option.default)}", "  ", "      ")
        if option.help:
            show_text(option.help, "      ")


def _show_chains(rules: RulesFile) -> None:
    echo("\nChains:")
    for name, tables in rules.chains.items():
        echo(printable(f"  {name}"))
        for index, table in enumerate(tables):
            echo(printable(f"    [{index}] {_step(table)}"))
    if rules.samples:
        echo("\nSamples:")
    for sample in rules.samples:
        echo(printable(f"  {sample.event or '(not recognised)'}: {_message(sample)}"))


def _message(sample: Sample) -> str:
    return one_line(str(sample.entry.get("MESSAGE", dict(sample.entry))))


def _bans(rules: RulesFile, library: Library) -> list[str]:
    """Whom the rules ban: by chains of their own, or by policies that they jump to."""
    from pyruse.errors import ConfigError
    from pyruse.rules.rules_file import belongs_to

    jumps = {step.get(way) for step in _steps(rules) for way in ("then", "else")}
    found = [rules.title] if _has_ban(rules) else []
    for name in library.names:
        if not any(isinstance(jump, str) and belongs_to(jump, name) for jump in jumps):
            continue
        try:
            policy = library.rules(name)
        except ConfigError:
            continue  # told where it is listed
        if policy.is_policy and policy is not rules and _has_ban(policy):
            found.append(f"{policy.title} ({name})")
    return found


def _has_ban(rules: RulesFile) -> bool:
    return any(step.get("action") == "ban" for step in _steps(rules))


def _steps(rules: RulesFile) -> Iterator[dict[str, Any]]:
    for tables in rules.chains.values():
        yield from (step for step in tables if isinstance(step, dict))


def _step(table: Any) -> str:
    if not isinstance(table, dict):
        return shown(table)
    kind = table.get("filter") or table.get("action")
    options = {name: value for name, value in table.items() if name not in ("filter", "action")}
    return f"{kind} " + ", ".join(f"{name} = {shown(value)}" for name, value in options.items())
