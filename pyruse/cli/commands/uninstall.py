"""``pyruse uninstall``."""

from __future__ import annotations

import click

from pyruse.cli.stdout import echo
from pyruse.text import printable


@click.command("uninstall")
@click.argument("names", metavar="PACKAGE...", nargs=-1, required=True)
def command(names: tuple[str, ...]) -> None:
    """Remove packages of plugins that `pyruse install` has put there.

    \b
    sudo pyruse uninstall pyruse-geoip
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.setup import plugins

    where = plugins.environment()
    left = plugins.uninstall(where, names)
    if left:
        echo(printable(f"installed with them, and needed no more: {', '.join(left)}"))
        echo("(they do no harm; with the last package of plugins, all of it goes)")
    echo("the service goes without them after: systemctl restart pyruse")
