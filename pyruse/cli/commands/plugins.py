"""``pyruse plugins``."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click

from pyruse.cli import values
from pyruse.cli.options import config_option
from pyruse.cli.stdout import echo
from pyruse.text import one_line, printable


@click.command("plugins")
@click.argument("name", required=False, shell_complete=values.plugins)
@click.option("--format", "form", type=click.Choice(["text", "json"]), default="text")
@config_option
def command(name: str | None, form: str, config: Path | None) -> None:
    """List the plugins and where each comes from; or show the options of one plugin.

    A plugin comes from an installed package, or from a Python file in the folder "plugins"
    beside the configuration. Faults of packages and files are told on standard error, a line each.

    \b
    pyruse plugins regex
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.cli.output import show_json
    from pyruse.config.load import registry_of
    from pyruse.errors import did_you_mean
    from pyruse.registry.found import PluginError
    from pyruse.system.native import at_work, refusal

    registry = registry_of(config)
    wanted = [found for found in registry.all() if name in (None, found.name)]
    faults = [*registry.faults, *filter(None, [refusal()])]
    described = []
    for found in wanted:
        try:
            described.append(_described(found))
        except PluginError as fault:
            faults.append(str(fault))
    for text in dict.fromkeys(faults):
        _complain(text)
    if name is not None and not wanted:
        known = [found.name for found in registry.all()]
        raise PluginError(
            f'there is no plugin "{name}" (expected one that `pyruse plugins` lists'
            f"{did_you_mean(name, known)})"
        )
    if form == "json":
        show_json(described)
    elif name is None:
        _show_all(described, at_work())
    else:
        for one in described:
            _show_one(one)
    if name is not None and not described:
        raise SystemExit(1)  # it is broken, and the reason is told


def _described(found: Any) -> dict[str, Any]:
    """A plugin as JSON has it; hooks that it should not use any more are told of."""
    from pyruse.config.reference import described_plugin

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", DeprecationWarning)
        described = described_plugin(found)
    for warning in told:
        if issubclass(warning.category, DeprecationWarning):
            _complain(f"{found.described}: {warning.message}")
    return described


def _complain(fault: str) -> None:
    echo(f"pyruse: {one_line(fault)}", err=True)


def _show_all(plugins: list[dict[str, Any]], native: str | None) -> None:
    from pyruse.cli.output import show_table

    rows = [(one["kind"], one["name"], one["summary"], _origin(one)) for one in plugins]
    if native is not None:
        rows.append(("reader", "native", "The journal is read in C.", native))
    columns = ["kind", "name", "what it does", "comes from"]
    show_table("", columns, rows, spare={"comes from"}, first=("name", "kind"))


def _origin(plugin: dict[str, Any]) -> str:
    return printable(plugin["file"] or f"{plugin['distribution']} {plugin['version']}")


def _show_one(plugin: dict[str, Any]) -> None:
    from pyruse.cli.output import show_document, show_text

    group = "" if plugin["file"] else f", group {plugin['group']}"
    show_text(f"{plugin['kind']} {plugin['name']} ({_origin(plugin)}{group})")
    echo()
    show_document(plugin["documentation"])
    if plugin["kind"] == "extension":
        echo()
        show_text(", ".join(plugin["hooks"]), "Hooks: ")
    if plugin["options"]:
        where = f"in [{plugin['table']}]" if plugin["table"] else "of its steps"
        echo(f"\nOptions {where}:")
    _show_options(plugin["options"], "  ")


def _show_options(options: list[dict[str, Any]], indent: str) -> None:
    from pyruse.cli.output import show_text

    for option in options:
        default = "required" if option["required"] else f"default: {option['default']}"
        show_text(f"{option['name']}: {option['type']}; {default}", indent, f"{indent}    ")
        if option["help"]:
            show_text(option["help"], f"{indent}    ")
        _show_options(option["items"], f"{indent}    ")
