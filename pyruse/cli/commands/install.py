"""``pyruse install``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from pyruse.cli.stdout import echo
from pyruse.text import printable

if TYPE_CHECKING:
    from pyruse.setup.plugins import Environment


@click.command("install")
@click.argument("wanted", metavar="[PACKAGE]...", nargs=-1)
@click.option("-U", "--upgrade", is_flag=True, help="Take the newest release.")
@click.option("--again", is_flag=True, help="What an upgrade of Python has left behind.")
def command(wanted: tuple[str, ...], upgrade: bool, again: bool) -> None:
    """Install packages of plugins beside this Pyruse; without a name, list those that are there.

    PACKAGE is what pip takes: a name, a wheel, a folder, an address. A Pyruse of the distribution's
    has a place for them that upgrades leave alone; any other Pyruse keeps them in its environment.
    The service has them after: systemctl restart pyruse

    \b
    sudo pyruse install pyruse-geoip
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.setup import plugins

    if again and wanted:
        raise click.UsageError("--again: expected no names, for they are known")
    where = plugins.environment()
    names = list(wanted) or (where.left_behind() if again else [])
    if not names:
        _list(where)
        return
    before = {(one.name, one.version) for one in where.installed()}
    plugins.install(where, names, upgrade=upgrade)
    if again:
        plugins.forget_other_pythons(where)
    new = [one for one in where.installed() if (one.name, one.version) not in before]
    for package in new:
        _say(f"{package.name} {package.version}: {', '.join(package.plugins)}")
    if new:
        _say("pyruse plugins shows them; the service has them after: systemctl restart pyruse")
    else:
        _say("no package of plugins is new")


def _list(where: Environment) -> None:
    installed = where.installed()
    for package in installed:
        _say(f"{package.name} {package.version}: {', '.join(package.plugins)}")
    if not installed:
        _say(f"there are no packages of plugins in {where.packages}")
    left = where.left_behind()
    if left:
        _say(f"left behind by another Python: {', '.join(left)} (sudo pyruse install --again)")


def _say(text: str) -> None:
    echo(printable(text))
