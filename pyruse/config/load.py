"""The whole configuration, from the files to steps and settings; all its faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pyruse.chains.link import jump_order
from pyruse.chains.model import Chain, Step
from pyruse.config.files import Document, chosen, plugin_files, read
from pyruse.config.settings import (
    BanSettings,
    EmailSettings,
    EngineSettings,
    JournalSettings,
    ReportSettings,
    Settings,
    StateSettings,
)
from pyruse.config.steps import StepBuilder
from pyruse.errors import ConfigError, did_you_mean
from pyruse.options.build import build, converted, key, options_of
from pyruse.registry.firewalls import Firewalls
from pyruse.registry.found import Found, PluginError
from pyruse.registry.hooks import has_firewall
from pyruse.registry.kinds import EXTENSIONS
from pyruse.registry.registry import Registry
from pyruse.text import shown

SECTIONS: Mapping[str, type] = {
    "journal": JournalSettings,
    "state": StateSettings,
    "email": EmailSettings,
    "report": ReportSettings,
    "bans": BanSettings,
    "engine": EngineSettings,
}


@dataclass
class Configuration:
    """A configuration without faults."""

    settings: Settings
    chains: dict[str, Chain]
    extensions: dict[str, Any] = field(default_factory=dict)
    """The extensions that are switched on, with their options, by name."""
    files: list[Path] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What is wrong with installed plugins that no chain uses."""

    @property
    def steps(self) -> list[Step]:
        """The steps of all chains, in their order."""
        return [step for chain in self.chains.values() for step in chain.steps]


def registry_of(path: str | Path | None) -> Registry:
    """The plugins that a configuration may name: those of packages, and those in files beside it.

    :param path: as for `load`.
    """
    return Registry(plugin_files(chosen(path)))


def load(path: str | Path | None, registry: Registry | None = None) -> Configuration:
    """Read and check the configuration.

    :param path: a file or folder; None: the one of PYRUSE_CONFIG, or /etc/pyruse.
    :param registry: of the plugins; None: `registry_of` the path.
    :raises ConfigError: with every fault that there is.
    """
    document = read(chosen(path))
    return configure(document, registry or registry_of(path))


def configure(document: Document, registry: Registry) -> Configuration:
    """Check a document and make objects of it.

    :raises ConfigError: with every fault that there is.
    """
    faults = list(document.faults)
    settings = _settings(document, faults)
    extensions = _extensions(document, settings, registry, faults)
    _open_firewalls(document, settings, extensions, faults)
    chains = _chains(document, StepBuilder(registry, faults), faults)
    # Links are looked at also when steps are faulty: an administrator wants all faults at once.
    try:
        jump_order(chains)
    except ConfigError as fault:
        faults += fault.faults
    if faults:
        # Who misses a plugin wants to know of the broken file that it is in.
        told = "\n".join(faults)
        faults += [fault for fault in registry.faults if fault not in told]
        raise ConfigError(dict.fromkeys(faults))
    notices = dict.fromkeys([*registry.faults, *extensions.broken.values()])
    return Configuration(settings, chains, extensions.at_work, document.files, [*notices])


def _settings(document: Document, faults: list[str]) -> Settings:
    tables = {name: dict(document.sections.get(name, {})) for name in SECTIONS}
    backends = {
        name: tables["bans"].pop(name)
        for name, value in list(tables["bans"].items())
        if isinstance(value, dict) and name not in options_in(BanSettings)
    }
    values: dict[str, Any] = {}
    for name, cls in SECTIONS.items():
        source = partial(document.source, name)
        values[name] = build(cls, tables[name], name, faults, source=source) or cls()
    plugins = dict(document.sections.get("plugins", {}))
    where = f"{document.source('plugins', 'disable')}: plugins.disable"
    disabled = converted(plugins.pop("disable", []), list[str], where, faults)
    return Settings(
        **values,
        backends=backends,
        plugins=plugins,
        disabled=disabled or [],
        templates=document.folder / "templates",
    )


@dataclass
class _Extensions:
    """The extensions."""

    at_work: dict[str, Any] = field(default_factory=dict)
    """Those that are switched on, with their options."""
    broken: dict[str, str] = field(default_factory=dict)
    """What is wrong with those that are broken: they are done without, unless they have options."""
    firewalls: list[str] = field(default_factory=list)
    """Those that have a firewall."""


def _extensions(
    document: Document, settings: Settings, registry: Registry, faults: list[str]
) -> _Extensions:
    places = {name: f"plugins.{key(name)}" for name in settings.plugins}
    disabled = {name: f"plugins.disable[{at}]" for at, name in enumerate(settings.disabled) if name}
    for name, place in (*places.items(), *disabled.items()):
        try:
            registry.find(EXTENSIONS, name)
        except PluginError as fault:
            source = document.source("plugins", name if name in places else "disable")
            faults.append(f"{source}: {place}: {fault}")
    extensions = _Extensions()
    for name in registry.names(EXTENSIONS):
        if name in disabled:
            continue
        found = registry.find(EXTENSIONS, name)
        try:
            plugin = _extension(found, document, settings, extensions, faults)
        except PluginError as fault:
            extensions.broken[name] = str(fault)
            if name in places:
                where = f"{document.source('plugins', name)}: plugins.{key(name)}"
                faults.append(f"{where}: {fault}")
            continue
        if plugin is not None:
            extensions.at_work[name] = plugin
    return extensions


def _extension(
    found: Found,
    document: Document,
    settings: Settings,
    extensions: _Extensions,
    faults: list[str],
) -> Any:
    """An extension with its options; None where they are faulty, or nobody wants it."""
    name = found.name
    where = f"{document.source('plugins', name)}: plugins.{key(name)}"
    table: Any = settings.plugins.get(name, {})
    if not isinstance(table, dict):
        faults.append(
            f"{where}: {shown(table)} is no table (expected [plugins.{key(name)}] with its "
            f'options, or disable = ["{name}"])'
        )
        return None
    loaded = found.load()
    if has_firewall(loaded):
        extensions.firewalls.append(name)
        if table:
            faults.append(f"{where}: a firewall has no options here (expected [bans.{key(name)}])")
            return None
        if not _is_wanted(name, loaded, settings):
            return None
        where = f"{document.source('bans', name)}: bans.{key(name)}"
        table = settings.backends.get(name, {})
    if not isinstance(loaded, type):
        faults += [f"{where}.{key(option)}: unknown option (expected none)" for option in table]
        return loaded
    try:
        return build(loaded, table, where, faults)
    except Exception as fault:  # a constructor that fails
        raise found.error(f"cannot be made: {type(fault).__name__}: {fault}") from fault


def _is_wanted(firewall: str, plugin: Any, settings: Settings) -> bool:
    """Whether a firewall is there; one that needs options is not, as long as nobody names it."""
    named = firewall in settings.backends or firewall == settings.bans.backend
    options = options_of(plugin) if isinstance(plugin, type) else []
    return named or not any(option.required for option in options)


def _open_firewalls(
    document: Document, settings: Settings, extensions: _Extensions, faults: list[str]
) -> None:
    """See that there are the firewalls that `[bans]` names, and that they can be opened."""

    def failed(place: str, hook: str, fault: Exception) -> None:
        text = f"{type(fault).__name__}: {fault}"
        faults.append(f"{place}: {hook}: {text} (expected a working plugin)")

    firewalls = Firewalls(extensions.at_work, failed)
    places = {name: name for name in settings.backends}
    if "backend" in document.sections.get("bans", {}):
        places.setdefault(settings.bans.backend, "backend")
    for name, place in places.items():
        where = f"{document.source('bans', place)}: bans.{key(place)}"
        if name in extensions.firewalls and name not in extensions.at_work:
            continue  # what is wrong with its options is told already
        try:
            firewall = firewalls.open(name)
        except ValueError as fault:
            faults.append(f"{where}: {fault}")
            continue
        if firewall is None and name in extensions.broken:
            faults.append(f"{where}: {extensions.broken[name]}")
        elif firewall is None:
            known = extensions.firewalls
            faults.append(
                f"{where}: there is no firewall {shown(name)} (expected one of: "
                f"{', '.join(known)}{did_you_mean(name, known)})"
            )


def _chains(document: Document, builder: StepBuilder, faults: list[str]) -> dict[str, Chain]:
    chains: dict[str, Chain] = {}
    for name, steps in document.chains.items():
        source = document.source("chains", name)
        chain = chains[name] = Chain(name, [], source)
        if not isinstance(steps, list):
            faults.append(
                f"{chain.address}: {shown(steps)} is no chain (expected a list of steps: "
                '[ { filter = "…" }, { action = "…" } ])'
            )
            continue
        for index, table in enumerate(steps):
            step: Step | None = builder.build(chain, index, table)
            if step is not None:
                chain.steps.append(step)
    if not document.chains and not document.faults:
        faults.append(
            f"{document.source('chains')}: chains: there are none (expected at least one: "
            "`pyruse demo` shows a complete configuration)"
        )
    return chains


def options_in(cls: type) -> list[str]:
    """The names of a section's options."""
    return [option.name for option in options_of(cls)]
