"""``pyruse schema``."""

from __future__ import annotations

import click


@click.command("schema")
def command() -> None:
    """Print the JSON schema of the configuration, with the installed plugins' options.

    Editors complete and check with it: save it, and put "#:schema ./pyruse.schema.json" into the
    first line of a configuration file.
    """
    from pyruse.cli.output import show_json
    from pyruse.config.schema import schema
    from pyruse.registry.registry import Registry

    show_json(schema(Registry()))
