"""``pyruse new-plugin``."""

from __future__ import annotations

from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli import values
from pyruse.cli.journal_options import JournalCommand, is_chosen, journal_options, matches_argument
from pyruse.cli.options import config_option, settings_if_any
from pyruse.cli.stdout import echo

if TYPE_CHECKING:
    from pyruse.new_plugin import Kind, NewPlugin
    from pyruse.new_plugin.observed import Observed


@click.command("new-plugin", cls=JournalCommand)
@click.argument("name")
@matches_argument
@click.option("--filter", "is_filter", is_flag=True, help="With a filter (as without any option).")
@click.option("--action", "is_action", is_flag=True, help="With an action.")
@click.option(
    "--program",
    "extension",
    flag_value="--program",
    help="With an extension, for the whole program: it hears of starts and of the ends of days.",
)
@click.option("--extension", "extension", flag_value="--extension", help="The same as --program.")
@click.option("--firewall", "is_firewall", is_flag=True, help="With a firewall.")
@click.option("--rules", "is_rules", is_flag=True, help="With rules: what a program's lines mean.")
@click.option(
    "--from-journal",
    "identifier",
    metavar="IDENT",
    shell_complete=values.identifiers,
    help="With --rules: begin with the lines of this SYSLOG_IDENTIFIER in the journal.",
)
@config_option
@journal_options
@click.option("--author", metavar="NAME", help="Who holds the copyright (MIT license).")
@click.option("-o", "--output", metavar="FOLDER", type=click.Path(path_type=Path),
              help="A new folder for the package. By default: `pyruse-NAME`.")  # fmt: skip
def command(  # noqa: PLR0913 -- one for each option
    name: str,
    is_filter: bool,
    is_action: bool,
    extension: str | None,
    is_firewall: bool,
    is_rules: bool,
    identifier: str | None,
    config: Path | None,
    author: str | None,
    output: Path | None,
    **journal: Any,
) -> None:
    """Write a package with a plugin that works, for you to change.

    It has all that a plugin needs to be published: the class with its options, tests that pass,
    lint and type check, a README, a license, tox.ini and a workflow for CI. NAME is what chains
    will call it, such as `first_seen`; of rules, it is what `use` will name.

    \b
    pyruse new-plugin first_seen
    pyruse new-plugin pager --action
    pyruse new-plugin geo --filter --action
    pyruse new-plugin metrics --program
    pyruse new-plugin pf --firewall
    pyruse new-plugin frobber --rules
    pyruse new-plugin frobber --rules --from-journal frobberd --since -7d

    With --from-journal, the rules begin with the kinds of lines that the program has written: a
    pattern and a sample for each, with addresses masked, and by which field the writer is known.
    What they mean is marked for you to decide. The options that choose entries, and FIELD=VALUE,
    are those of journalctl.
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from dataclasses import replace

    from pyruse import __version__
    from pyruse.errors import UserError
    from pyruse.new_plugin import NewPlugin

    if extension and is_firewall:
        raise click.UsageError(f"a firewall is an extension: expected {extension} or --firewall")
    if identifier is not None and not is_rules:
        raise click.UsageError("--from-journal: expected --rules with it")
    if identifier is None and is_chosen(journal):
        raise click.UsageError("which entries: that is for --from-journal (expected it, too)")
    wanted: dict[Kind, bool] = {
        "filter": is_filter,
        "action": is_action,
        "extension": extension is not None,
        "firewall": is_firewall,
        "rules": is_rules,
    }
    kinds = tuple(kind for kind in wanted if wanted[kind]) or ("filter",)
    try:
        plugin = NewPlugin.named(name, kinds, author, __version__, date.today().year)  # noqa: DTZ011 -- of a licence
    except ValueError as fault:
        raise click.UsageError(str(fault)) from None
    _see_that_the_name_is_free(plugin)
    if identifier is not None:
        plugin = replace(plugin, observed=_observed(identifier, config, journal))
    folder = output or Path(plugin.distribution)
    try:
        files = plugin.write(folder)
    except OSError as fault:
        raise UserError(
            f"{folder}: cannot be written: {fault.strerror} (expected a new folder; another one is "
            "chosen with -o FOLDER)"
        ) from None
    echo(f"{folder}: written")
    for file in files:
        echo(f"  {file}")
    if plugin.observed is not None:
        found = plugin.observed
        echo(
            f"\n{len(found.lines)} of {found.kinds} kinds of lines, from {found.entries:,} "
            f'entries. What they mean is yours to say: see "Decide" in {plugin.name}.toml, '
            "and try them with `pyruse rules --test`."
        )
    passed = "Its tests pass. " if plugin.observed is None else ""
    echo(
        f"\n{passed}Next, in {folder}:\n"
        "  python3 -m venv .venv\n"
        "  .venv/bin/pip install --editable '.[dev]'\n"
        "  .venv/bin/pytest"
    )


def _observed(identifier: str, config: Path | None, journal: dict[str, Any]) -> Observed:
    """What the entries of a program show.

    :raises UserError: there are none.
    """
    from pyruse.cli.journal_options import selection
    from pyruse.entry.decoding import Decoder
    from pyruse.errors import UserError
    from pyruse.new_plugin.observed import Observed

    settings = settings_if_any(config)
    reader = selection(settings, **journal).open(Decoder(settings.journal.legacy_encoding))
    observed = Observed(identifier)
    more = True
    while more:
        more = False
        for entry in reader.entries(10_000):
            more = True
            observed.look([entry])
    if not observed.entries:
        raise UserError(
            f'"{identifier}": the journal has no entries of it (expected a SYSLOG_IDENTIFIER that '
            "`pyruse stats` shows for this part of the journal)"
        )
    return observed


def _see_that_the_name_is_free(plugin: NewPlugin) -> None:
    """Refuse a name that another package has: nobody could use both.

    :raises UserError: the name is taken.
    """
    from pyruse.errors import UserError
    from pyruse.registry.kinds import RULES
    from pyruse.registry.registry import Registry

    groups = {plugin.groups[kind] for kind in plugin.kinds}
    registry = Registry()
    rules = [registry.find(RULES, name) for name in registry.names(RULES)]
    for found in (*registry.all(), *rules):
        if found.group in groups and found.name == plugin.name:
            verb = "are" if found.group == RULES else "is a"
            raise UserError(f"there {verb} {found.described} already (expected another name)")
    if find_spec(plugin.module) is not None:
        raise UserError(f"there is a module {plugin.module} already (expected another name)")
