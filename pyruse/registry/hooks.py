"""The names of all hooks, and the hooks that a plugin implements."""

from __future__ import annotations

from typing import Any

import pluggy

from pyruse import hookspecs
from pyruse.hookspecs import hook_of

HOOKS = tuple(
    name for name, function in vars(hookspecs).items() if hasattr(function, "pyruse_spec")
)
"""The names of all hooks, in the order of `pyruse.hookspecs`."""


def hooks_of(plugin: Any) -> list[str]:
    """The hooks that a plugin implements."""
    return [name for name in HOOKS if hook_of(plugin, name) is not None]


def has_firewall(plugin: Any) -> bool:
    """Whether an extension gives a firewall: its options are in ``[bans.NAME]`` then."""
    return hook_of(plugin, "open_firewall") is not None


class HookManager(pluggy.PluginManager):
    """Knows the hooks of `pyruse.hookspecs`, and no plugin yet."""

    def __init__(self) -> None:
        super().__init__("pyruse")
        self.add_hookspecs(hookspecs)

    def parse_hookimpl_opts(self, plugin: Any, name: str) -> pluggy.HookimplOpts | None:
        """As pluggy does it, but for the names of Python's own, of which every class has 30."""
        return None if name.startswith("__") else super().parse_hookimpl_opts(plugin, name)
