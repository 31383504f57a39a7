"""``pyruse import``."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.cli.stdout import echo
from pyruse.errors import ConfigError

if TYPE_CHECKING:
    from pyruse.importers.fail2ban.covered import Installed


@click.group("import")
def command() -> None:
    """Turn the configuration of another program into one of Pyruse's."""


@command.command("pyruse1")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write there (a new file).")
@click.option("--keep-unknown", is_flag=True, help="Keep steps of modules that are not Pyruse 1's.")
def pyruse1(file: Path, output: Path | None, keep_unknown: bool) -> None:
    """Import a configuration of Pyruse 1 (pyruse.json).

    Prints TOML to standard output, with notes on what changed as comments at its beginning.
    """
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


@command.command("fail2ban")
@click.argument("folder", metavar="[DIR]", default="/etc/fail2ban", type=click.Path(path_type=Path))
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write there (a new file).")
@click.option(
    "--prefer-rules/--faithful",
    default=True,
    help="Use Pyruse's own rules where they know what a filter looks for (the default), or write "
    "each filter as it is.",
)
def fail2ban(folder: Path, output: Path | None, prefer_rules: bool) -> None:
    """Import the configuration of fail2ban (by default, /etc/fail2ban).

    Prints TOML to standard output. What could not be taken over stands at its beginning, and on
    standard error.
    """
    from pyruse.importers.fail2ban.convert import convert
    from pyruse.importers.fail2ban.output import to_toml
    from pyruse.text import printable

    outcome = convert(folder, _installed() if prefer_rules else None)
    for note in outcome.notes:
        click.echo(printable(note), err=True)
    _write(to_toml(outcome, str(folder)), output)


def _installed() -> Installed:
    """The rules that packages bring."""
    from pyruse.importers.fail2ban.covered import Installed
    from pyruse.registry.registry import Registry
    from pyruse.rules.library import Library

    library = Library(Registry())
    options: dict[str, frozenset[str]] = {}
    for name in library.names:
        with suppress(ConfigError):  # `pyruse rules` tells what is wrong with it
            rules = library.rules(name)
            options[name] = frozenset(library.options_of(rules))
    return Installed(options)


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
