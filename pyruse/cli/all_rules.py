"""A configuration with all the rules that are installed, for commands that need none of its own."""

from __future__ import annotations

from pyruse.config.files import from_text
from pyruse.config.load import Configuration, configure
from pyruse.errors import ConfigError
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library


def all_rules(registry: Registry) -> Configuration:
    """All rules in use that are not broken, and no chains but theirs."""
    library = Library(registry)
    use = []
    for name in library.names:
        try:
            if not library.rules(name).is_policy:
                use.append(name)
        except ConfigError:
            continue
    return configure(from_text(f"use = {use!r}", "all rules"), registry)
