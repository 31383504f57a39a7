"""The extensions and firewalls of a configuration: which are at work, with which options."""

from __future__ import annotations

from typing import Any

from pyruse.config.files import Document
from pyruse.config.settings import Settings
from pyruse.errors import did_you_mean, in_words
from pyruse.options.build import build, options_of
from pyruse.options.faults import ConfigFaults
from pyruse.registry.firewalls import Firewalls
from pyruse.registry.found import Found, PluginError
from pyruse.registry.hooks import has_firewall
from pyruse.registry.kinds import EXTENSIONS
from pyruse.registry.registry import Registry
from pyruse.text import shown, toml_key


class Extensions:
    """The extensions that are switched on."""

    def __init__(
        self, document: Document, settings: Settings, registry: Registry, faults: list[str]
    ) -> None:
        """Load them, give them their options, and open the firewalls that ``[bans]`` names.

        :param document: says what stands in which file.
        :param settings: have the tables of the options.
        :param registry: has the extensions.
        :param faults: what is wrong is added.
        """
        self.at_work: dict[str, Any] = {}
        """Those that are switched on, with their options, by name."""
        self.broken: dict[str, str] = {}
        """What is wrong with those that are broken: they are done without, unless they have
        options."""
        self._firewalls: list[str] = []
        self._settings = settings
        self._in_plugins = document.section("plugins", faults)
        self._in_bans = document.section("bans", faults)
        self._see_names(registry)
        for name in registry.names(EXTENSIONS):
            if name not in settings.disabled:
                self._add(registry.find(EXTENSIONS, name))
        self._open_firewalls(document, faults)

    def _see_names(self, registry: Registry) -> None:
        disable = self._in_plugins.at("disable")
        named = [
            *((name, self._in_plugins.at(name)) for name in self._settings.plugins),
            *((name, disable.at(at)) for at, name in enumerate(self._settings.disabled) if name),
        ]
        for name, here in named:
            try:
                registry.find(EXTENSIONS, name)
            except PluginError as fault:
                here.add(str(fault))

    def _add(self, found: Found) -> None:
        here = self._in_plugins.at(found.name)
        try:
            extension = self._made(found, here)
        except PluginError as fault:
            self.broken[found.name] = str(fault)
            if found.name in self._settings.plugins:
                here.add(str(fault))
            return
        if extension is not None:
            self.at_work[found.name] = extension

    def _made(self, found: Found, here: ConfigFaults) -> Any:
        """An extension with its options; None where they are faulty, or nobody wants it."""
        name = found.name
        table: Any = self._settings.plugins.get(name, {})
        if not isinstance(table, dict):
            here.add(
                f"{shown(table)} is no table (expected [plugins.{toml_key(name)}] with its "
                f'options, or disable = ["{name}"])'
            )
            return None
        loaded = found.load()
        if has_firewall(loaded):
            self._firewalls.append(name)
            if table:
                here.add(f"a firewall has no options here (expected [bans.{toml_key(name)}])")
                return None
            if not self._is_wanted(name, loaded):
                return None
            here = self._in_bans.at(name)
            table = self._settings.backends.get(name, {})
        if not isinstance(loaded, type):
            for option in table:
                here.at(option).add("unknown option (expected none)")
            return loaded
        try:
            return build(loaded, table, here)
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # a constructor that fails
            raise found.error(f"cannot be made: {in_words(fault)}") from fault

    def _is_wanted(self, firewall: str, plugin: Any) -> bool:
        """Whether a firewall is there; one that needs options is not, until somebody names it."""
        settings = self._settings
        named = firewall in settings.backends or firewall == settings.bans.backend
        options = options_of(plugin) if isinstance(plugin, type) else []
        return named or not any(option.required for option in options)

    def _open_firewalls(self, document: Document, faults: list[str]) -> None:
        """See that there are the firewalls that ``[bans]`` names, and that they can be opened."""

        def failed(place: str, hook: str, fault: BaseException) -> None:
            text = in_words(fault)
            faults.append(f"{place}: {hook}: {text} (expected a working plugin)")

        firewalls = Firewalls(self.at_work, failed)
        keys = {name: name for name in self._settings.backends}
        if "backend" in document.sections.get("bans", {}):
            keys.setdefault(self._settings.bans.backend, "backend")
        for name, key in keys.items():
            if name in self._firewalls and name not in self.at_work:
                continue  # what is wrong with its options is told already
            here = self._in_bans.at(key)
            try:
                firewall = firewalls.open(name)
            except ValueError as fault:
                here.add(str(fault))
                continue
            if firewall is None:
                here.add(self.broken.get(name) or self._no_firewall(name))

    def _no_firewall(self, name: str) -> str:
        known = self._firewalls
        return (
            f"there is no firewall {shown(name)} (expected one of: "
            f"{', '.join(known)}{did_you_mean(name, known)})"
        )
