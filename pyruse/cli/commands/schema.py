"""``pyruse schema``."""

from __future__ import annotations

from pathlib import Path

import click

from pyruse.cli.options import config_option


@click.command("schema")
@config_option
def command(config: Path | None) -> None:
    """Print the JSON schema of the configuration, with the options of all plugins.

    Editors complete and check with it: save it, and put "#:schema ./pyruse.schema.json" into the
    first line of a configuration file.

    \b
    pyruse schema > /etc/pyruse/pyruse.schema.json
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.cli.output import show_json
    from pyruse.config.load import registry_of
    from pyruse.config.schema import schema

    show_json(schema(registry_of(config)))
