"""``pyruse import``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli.journal_options import JournalCommand, is_chosen, journal_options, selection
from pyruse.cli.options import config_option, configuration
from pyruse.cli.stdout import echo
from pyruse.errors import ConfigError, did_you_mean

if TYPE_CHECKING:
    from pyruse.importers.fail2ban.covered import Installed
    from pyruse.importers.outcome import Outcome


class _Programs(click.Group):
    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands and not args[0].startswith("-"):
            raise click.UsageError(
                f'"{args[0]}" is no program that can be imported from (expected one of: '
                f"{', '.join(self.list_commands(ctx))}{did_you_mean(args[0], self.commands)})",
                ctx,
            )
        return super().resolve_command(ctx, args)


@click.group("import", cls=_Programs)
def command() -> None:
    """Turn the configuration of another program into one of Pyruse's.

    \b
    pyruse import fail2ban --check
    """  # noqa: D301 -- click takes this one character for "as it stands"


@command.command("pyruse1")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write there (a new file).")
@click.option("--keep-unknown", is_flag=True, help="Keep steps of modules that are not Pyruse 1's.")
def pyruse1(file: Path, output: Path | None, keep_unknown: bool) -> None:
    """Import a configuration of Pyruse 1 (pyruse.json).

    Prints TOML to standard output, with notes on what changed as comments at its beginning.

    \b
    pyruse import pyruse1 /etc/pyruse/pyruse.json -o /etc/pyruse/pyruse.toml
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.importers.pyruse1 import read, to_toml

    try:
        content = file.read_bytes()
    except OSError as fault:
        raise ConfigError(
            [f"{file}: cannot be read: {fault.strerror} (expected a pyruse.json of Pyruse 1)"]
        ) from None
    try:
        toml = to_toml(read(content, keep_unknown=keep_unknown), str(file))
    except ConfigError as fault:
        raise ConfigError([f"{file}: {line}" for line in fault.faults]) from None
    _write(toml, output)


@command.command(
    "fail2ban", cls=JournalCommand, short_help="Import the jails of fail2ban (/etc/fail2ban)."
)
@click.argument("words", metavar="[DIR] [FIELD=VALUE]...", nargs=-1)
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write there (a new file).")
@click.option(
    "--prefer-rules/--faithful",
    default=True,
    help="Use Pyruse's own rules where they know what a filter looks for (the default), or write "
    "each filter as it is.",
)
@click.option(
    "--with-bans",
    is_flag=True,
    help="Take over the bans in force, too: into the state of --config, or of the new file.",
)
@click.option(
    "--check", is_flag=True, help="Tell whom fail2ban and the import would have banned yesterday."
)
@config_option
@journal_options
def fail2ban(  # noqa: PLR0913 -- one for each option
    words: tuple[str, ...],
    output: Path | None,
    prefer_rules: bool,
    with_bans: bool,
    check: bool,
    config: Path | None,
    **journal: Any,
) -> None:
    """Import the configuration of fail2ban (by default, /etc/fail2ban).

    Prints TOML to standard output. What could not be taken over stands at its beginning, and on
    standard error.

    With --check, the entries of the last day (or others, chosen as with journalctl; files and
    folders are taken whole) are led through both, fail2ban in a process of its own where it is
    installed. The addresses on which the two differ are told on standard error. Nobody is banned.

    \b
    pyruse import fail2ban --check -o /etc/pyruse/pyruse.toml
    """  # noqa: D301 -- click takes this one character for "as it stands"
    if with_bans and output is None and config is None:
        raise click.UsageError("--with-bans: expected --output FILE, or --config, too")
    folder, journal["matches"] = _folder_and_matches(words)
    if not check and is_chosen(journal):
        raise click.UsageError("which entries: that is for --check (expected --check, too)")
    from pyruse.importers.fail2ban.convert import convert

    outcome = convert(folder, _installed() if prefer_rules else None)
    toml = _write_outcome(outcome, folder, output)
    if check:
        _check(toml, folder, journal)
    if with_bans:
        from pyruse.cli.fail2ban import take_bans

        take_bans(configuration(output if config is None else config), outcome.database)


def _folder_and_matches(words: tuple[str, ...]) -> tuple[Path, tuple[str, ...]]:
    """The folder of fail2ban, and which entries are chosen by their fields.

    :raises click.UsageError: there is more than one folder.
    """
    folders = [word for word in words if word != "+" and ("=" not in word or word[:1] in "/.")]
    if len(folders) > 1:
        raise click.UsageError(f"{' '.join(folders)}: expected one folder at most")
    matches = tuple(word for word in words if word not in folders)
    return Path(folders[0] if folders else "/etc/fail2ban"), matches


def _check(toml: str, folder: Path, journal: dict[str, Any]) -> None:
    from pyruse.cli.fail2ban import compare
    from pyruse.config.files import from_text
    from pyruse.config.load import configure
    from pyruse.registry.registry import Registry

    loaded = configure(from_text(toml), Registry())
    if not is_chosen(journal):
        journal = {**journal, "since": "-1d"}
    compare(loaded, folder, selection(loaded.settings, **journal))


@command.command("epylog")
@click.argument("folder", metavar="[DIR]", default="/etc/epylog", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write there (a new file).")
def epylog(folder: Path, output: Path | None) -> None:
    """Import the local files of epylog (by default, /etc/epylog).

    Modules become rules, what weed_local.cf adds a chain that discards, the notices of
    notice_local.xml rows of the report. Prints TOML to standard output. What could not be taken
    over stands at its beginning, and on standard error.

    \b
    pyruse import epylog -o /etc/pyruse/conf.d/epylog.toml
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.importers.epylog import convert

    _write_outcome(convert(folder, _installed().options), folder, output)


@command.command("logwatch")
@click.argument("folder", metavar="[DIR]", default="/etc/logwatch", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write there (a new file).")
def logwatch(folder: Path, output: Path | None) -> None:
    """Import the local files of logwatch (by default, /etc/logwatch).

    Services become rules, and ignore.conf a chain that discards. Prints TOML to standard output.
    What could not be taken over stands at its beginning, and on standard error.

    \b
    pyruse import logwatch -o /etc/pyruse/conf.d/logwatch.toml
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.importers.logwatch import convert

    _write_outcome(convert(folder, _installed().options), folder, output)


def _write_outcome(outcome: Outcome, folder: Path, output: Path | None) -> str:
    """Tell the notes, and write the configuration; gives its text."""
    from pyruse.importers.outcome_text import to_toml
    from pyruse.text import printable

    for note in outcome.notes:
        click.echo(printable(note), err=True)
    toml = to_toml(outcome, str(folder))
    _write(toml, output)
    return toml


def _installed() -> Installed:
    """The rules that packages bring."""
    from pyruse.importers.fail2ban.covered import Installed
    from pyruse.registry.registry import Registry
    from pyruse.rules.library import Library

    library = Library(Registry())
    options: dict[str, frozenset[str]] = {}
    close_some = set()
    for name in library.names:
        with suppress(ConfigError):  # `pyruse rules` tells what is wrong with it
            rules = library.rules(name)
            found = library.options_of(rules)
            options[name] = frozenset(found)
            if "ports" in found and found["ports"].default:
                close_some.add(name)
    return Installed(options, frozenset(close_some))


def _write(toml: str, output: Path | None) -> None:
    """Print a configuration, or write it to a new file."""
    if output is None:
        echo(toml, nl=False)
        return
    try:
        with output.open("x", encoding="utf-8") as new:
            new.write(toml)
    except OSError as fault:
        raise ConfigError(
            [f"{output}: cannot be written: {fault.strerror} (expected a new file)"]
        ) from None
    echo(f"{output}: written; look at its comments, then: pyruse check -c {output}")
