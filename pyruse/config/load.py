"""The whole configuration, from the files to steps and settings; all its faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pyruse.building import build, converted, key, options_of
from pyruse.chains.link import jump_order
from pyruse.chains.model import Chain, Step
from pyruse.config.files import Document, chosen, read
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
from pyruse.options import shown
from pyruse.plugins import PROGRAMS, Broadcasts, Found, PluginError, Registry

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
    programs: dict[str, Any] = field(default_factory=dict)
    """The whole-program plugins that are switched on, with their options, by name."""
    files: list[Path] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    """What is wrong with installed plugins that no chain uses."""


def load(path: str | Path | None, registry: Registry) -> Configuration:
    """Read and check the configuration.

    :param path: a file or folder; None: the one of PYRUSE_CONFIG, or /etc/pyruse.
    :raises ConfigError: with every fault that there is.
    """
    return configure(read(chosen(path)), registry)


def configure(document: Document, registry: Registry) -> Configuration:
    """Check a document and make objects of it.

    :raises ConfigError: with every fault that there is.
    """
    faults = list(document.faults)
    settings = _settings(document, faults)
    programs, broken = _programs(document, settings, registry, faults)
    _open_firewalls(document, settings, programs, broken, faults)
    chains = _chains(document, StepBuilder(registry, faults), faults)
    # Links are looked at also when steps are faulty: an administrator wants all faults at once.
    try:
        jump_order(chains)
    except ConfigError as fault:
        faults += fault.faults
    if faults:
        raise ConfigError(dict.fromkeys(faults))
    notices = [*registry.faults, *broken.values()]
    return Configuration(settings, chains, programs, document.files, notices)


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


def _programs(
    document: Document, settings: Settings, registry: Registry, faults: list[str]
) -> tuple[dict[str, Any], dict[str, str]]:
    """The whole-program plugins that are switched on, and the faults of those that are broken.

    One that is broken is done without, unless the configuration has options for it.
    """
    places = {name: f"plugins.{key(name)}" for name in settings.plugins}
    disabled = {name: f"plugins.disable[{at}]" for at, name in enumerate(settings.disabled) if name}
    for name, place in (*places.items(), *disabled.items()):
        try:
            registry.find(PROGRAMS, name)
        except PluginError as fault:
            source = document.source("plugins", name if name in places else "disable")
            faults.append(f"{source}: {place}: {fault}")
    programs: dict[str, Any] = {}
    broken: dict[str, str] = {}
    for name in registry.names(PROGRAMS):
        if name in disabled:
            continue
        found = registry.find(PROGRAMS, name)
        where = f"{document.source('plugins', name)}: plugins.{key(name)}"
        try:
            plugin = _program(found, settings.plugins.get(name, {}), where, faults)
        except PluginError as fault:
            broken[name] = str(fault)
            if name in places:
                faults.append(f"{where}: {fault}")
            continue
        if plugin is not None:
            programs[name] = plugin
    return programs, broken


def _program(found: Found, table: Any, where: str, faults: list[str]) -> Any:
    if not isinstance(table, dict):
        faults.append(
            f"{where}: {shown(table)} is no table (expected [plugins.{key(found.name)}] with its "
            f'options, or disable = ["{found.name}"])'
        )
        return None
    loaded = found.load()
    if not isinstance(loaded, type):
        faults += [f"{where}.{key(option)}: unknown option (expected none)" for option in table]
        return loaded
    if table and hasattr(loaded, "open_firewall") and not options_of(loaded):
        faults.append(
            f"{where}: a firewall has no options here (expected [bans.{key(found.name)}])"
        )
        return None
    try:
        return build(loaded, table, where, faults)
    except Exception as fault:  # a constructor that fails
        raise found.error(f"cannot be made: {type(fault).__name__}: {fault}") from fault


def _open_firewalls(
    document: Document,
    settings: Settings,
    programs: dict[str, Any],
    broken: dict[str, str],
    faults: list[str],
) -> None:
    """See that there are the firewalls that `[bans]` names, and that they take their options."""

    def failed(plugin: str, hook: str, fault: Exception) -> None:
        text = f"{type(fault).__name__}: {fault}"
        faults.append(f"plugins.{key(plugin)}: {hook}: {text} (expected a working plugin)")

    broadcasts = Broadcasts(failed)
    for name, plugin in programs.items():
        broadcasts.register(plugin, name, None)
    places = {name: name for name in settings.backends}
    if "backend" in document.sections.get("bans", {}):
        places.setdefault(settings.bans.backend, "backend")
    for name, place in places.items():
        where = f"{document.source('bans', place)}: bans.{key(place)}"
        options = settings.backends.get(name, {})
        try:
            firewall = broadcasts.first("open_firewall", name=name, options=options)
        except ValueError as fault:
            faults.append(f"{where}: {fault}")
            continue
        if firewall is None and name in broken:
            faults.append(f"{where}: {broken[name]}")
        elif firewall is None:
            known = [one for one, plugin in programs.items() if hasattr(plugin, "open_firewall")]
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
