"""The files with secrets that options name, looked at before they are needed."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any

from pyruse.config.load import Configuration
from pyruse.options.secret_file import SecretFile
from pyruse.registry.hooks import has_firewall
from pyruse.text import toml_key


def secret_faults(configuration: Configuration) -> list[str]:
    """Which secrets of steps and plugins cannot be read by who asks, and why; one line each.

    That is no error of the configuration, and no reason not to start: who asks may be another user
    than Pyruse's, a credential is there as long as its service runs, and nobody is to be without
    bans because the key for something else is gone. (The password for the mail server is looked at
    with the rest of the mail: `pyruse.delivery.mail.transport.check`.)
    """
    extensions = (
        (f"{'bans' if has_firewall(plugin) else 'plugins'}.{toml_key(name)}", plugin)
        for name, plugin in configuration.extensions.items()
    )
    steps = (
        (step.address, step.instance)
        for chain in configuration.chains.values()
        for step in chain.steps
    )
    return [
        f"{address}: {fault}"
        for where, plugin in (*extensions, *steps)
        for address, file in _files(plugin, where)
        if (fault := _fault_of(file)) is not None
    ]


def _fault_of(file: SecretFile) -> str | None:
    try:
        file.read()
    except ValueError as fault:
        return str(fault)
    except Exception as fault:  # noqa: BLE001 -- a type of a plugin's own: its text may tell too much
        return f"{type(fault).__name__} (expected a working plugin: upgrade or remove it)"
    return None


def _files(value: Any, address: str) -> Iterator[tuple[str, SecretFile]]:
    """The files in the value of an option, or in the options of an object, with their addresses."""
    if isinstance(value, SecretFile):
        yield address, value
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _files(item, f"{address}[{index}]")
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _files(item, f"{address}.{toml_key(str(name))}")
    elif dataclasses.is_dataclass(value):
        for option in dataclasses.fields(value):
            name = option.name.removesuffix("_")
            yield from _files(getattr(value, option.name, None), f"{address}.{name}")
