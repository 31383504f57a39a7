"""The values of the options of all steps and extensions, with their addresses."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, TypeVar

from pyruse.config.load import Configuration
from pyruse.registry.hooks import has_firewall
from pyruse.text import toml_key

T = TypeVar("T")


def addressed(configuration: Configuration, kind: type[T]) -> Iterator[tuple[str, T]]:
    """The values of a type, such as the files with secrets, and where they stand."""
    for name, plugin in configuration.extensions.items():
        section = "bans" if has_firewall(plugin) else "plugins"
        yield from _within(plugin, f"{section}.{toml_key(name)}", kind)
    for step in configuration.steps:
        yield from _within(step.instance, step.address, kind)


def _within(value: Any, address: str, kind: type[T]) -> Iterator[tuple[str, T]]:
    """Those in the value of an option, or in the options of an object."""
    if isinstance(value, kind):
        yield address, value
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _within(item, f"{address}[{index}]", kind)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from _within(item, f"{address}.{toml_key(str(name))}", kind)
    elif dataclasses.is_dataclass(value):
        for option in dataclasses.fields(value):
            name = option.name.removesuffix("_")
            yield from _within(getattr(value, option.name, None), f"{address}.{name}", kind)
