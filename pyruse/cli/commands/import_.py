"""``pyruse import``."""

from __future__ import annotations

from pathlib import Path

import click

from pyruse.cli.stdout import echo
from pyruse.errors import ConfigError


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
