"""``pyruse plugins``."""

from __future__ import annotations

from typing import Any

import click

from pyruse.text import printable


@click.command("plugins")
@click.argument("name", required=False)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
def command(name: str | None, form: str) -> None:
    """List the plugins that are installed, and from which distribution; or the options of one."""
    from pyruse.cli.output import show_json, show_table
    from pyruse.plugins import PluginError, Registry
    from pyruse.reference import described_plugin

    registry = Registry()
    described: list[dict[str, Any]] = []
    faults = list(registry.faults)
    for found in registry.all():
        if name is not None and found.name != name:
            continue
        try:
            described.append(described_plugin(found))
        except PluginError as fault:
            faults.append(str(fault))
    for line in faults:
        click.echo(f"pyruse: {printable(line)}", err=True)
    if name is not None and not described and not faults:
        raise PluginError(
            f'there is no plugin "{name}" (expected one that `pyruse plugins` lists'
            f"{_hint(registry, name)})"
        )
    if form == "json":
        show_json(described)
    elif name is None:
        show_table(
            "",
            ["kind", "name", "what it does", "distribution"],
            [
                (
                    one["kind"],
                    one["name"],
                    one["summary"],
                    f"{one['distribution']} {one['version']}",
                )
                for one in described
            ],
        )
    else:
        for one in described:
            _show_one(one)


def _hint(registry: Any, name: str) -> str:
    from pyruse.errors import did_you_mean

    return did_you_mean(name, [found.name for found in registry.all()])


def _show_one(plugin: dict[str, Any]) -> None:
    click.echo(
        f"{plugin['kind']} {plugin['name']} ({plugin['distribution']} {plugin['version']})\n"
    )
    click.echo(printable(plugin["documentation"]))
    if plugin["options"]:
        click.echo("\nOptions:")
    for option in plugin["options"]:
        default = "required" if option["required"] else f"default: {option['default']}"
        click.echo(f"  {option['name']}: {option['type']}; {default}")
        if option["help"]:
            click.echo(f"      {printable(option['help'])}")
