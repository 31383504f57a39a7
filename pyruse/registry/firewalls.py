"""Opening firewalls, by the extensions that have them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from pyruse.api.firewall import Firewall
from pyruse.registry.broadcasts import Broadcasts
from pyruse.text import toml_key


class Firewalls:
    """The firewalls of the extensions that are switched on."""

    def __init__(
        self, extensions: Mapping[str, Any], on_fault: Callable[[str, str, BaseException], None]
    ) -> None:
        """Nothing is opened yet.

        :param extensions: by name.
        :param on_fault: told of an extension that fails: (its place, such as ``plugins.nftables``;
            the hook; the exception).
        """
        self._extensions = Broadcasts(on_fault)
        for name, extension in extensions.items():
            self._extensions.register(extension, f"plugins.{toml_key(name)}", None)

    def open(self, name: str) -> Firewall | None:
        """The firewall of a name, or None where no extension has it.

        :raises ValueError: its options do not go together: ``"fault (expected …)"``.
        """
        firewall: Firewall | None = self._extensions.first("open_firewall", name=name)
        return firewall
