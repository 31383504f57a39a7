"""The whole configuration, from the files to steps and settings; all its faults at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from pathlib import Path
from typing import Any

from pyruse.chains.link import jump_order
from pyruse.chains.model import Chain, Step
from pyruse.config.build import build, converted, key
from pyruse.config.files import Document, chosen, read
from pyruse.config.settings import (
    BanSettings,
    EmailSettings,
    JournalSettings,
    ReportSettings,
    Settings,
    StateSettings,
)
from pyruse.config.steps import StepBuilder
from pyruse.errors import ConfigError, did_you_mean
from pyruse.options import shown
from pyruse.plugins import PROGRAMS, Found, PluginError, Registry

SECTIONS: Mapping[str, type] = {
    "journal": JournalSettings,
    "state": StateSettings,
    "email": EmailSettings,
    "report": ReportSettings,
    "bans": BanSettings,
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
    faults: list[str] = []
    settings = _settings(document, faults)
    notices = list(registry.faults)
    programs = _programs(document, registry, faults, notices)
    chains = _chains(document, StepBuilder(registry, faults), faults)
    # Links are looked at also when steps are faulty: an administrator wants all faults at once.
    try:
        jump_order(chains)
    except ConfigError as fault:
        faults += fault.faults
    if faults:
        raise ConfigError(dict.fromkeys(faults))
    return Configuration(settings, chains, programs, document.files, notices)


def _settings(document: Document, faults: list[str]) -> Settings:
    known = [*SECTIONS, "plugins", "chains"]
    for section in document.sections:
        if section not in known:
            faults.append(
                f"{document.source(section)}: {key(section)}: unknown section (expected one of: "
                f"{', '.join(known)}{did_you_mean(section, known)})"
            )
    values: dict[str, Any] = {}
    tables = {name: dict(document.sections.get(name, {})) for name in SECTIONS}
    backends = {
        name: tables["bans"].pop(name)
        for name, value in list(tables["bans"].items())
        if isinstance(value, dict)
    }
    for name, cls in SECTIONS.items():
        values[name] = _section(cls, name, tables[name], document, faults)
    plugins = dict(document.sections.get("plugins", {}))
    where = document.source("plugins", "disable")
    disabled = converted(plugins.pop("disable", []), list[str], f"{where}: plugins.disable", faults)
    for name, table in list(plugins.items()):
        if not isinstance(table, dict):
            faults.append(
                f"{document.source('plugins', name)}: plugins.{key(name)}: {shown(table)} is no "
                "table (expected the options of a plugin)"
            )
            del plugins[name]
    return Settings(
        **values,
        backends=backends,
        plugins=plugins,
        disabled=disabled,
        templates=document.folder / "templates",
    )


def _section(
    cls: type, name: str, table: dict[str, Any], document: Document, faults: list[str]
) -> Any:
    """A section's object. Its keys may come from several files: each fault names the right one."""
    assert is_dataclass(cls)
    found: list[str] = []
    made = build(cls, table, name, found)
    for fault in found:
        option = fault.removeprefix(f"{name}.").partition(":")[0].partition("[")[0]
        faults.append(f"{document.source(name, option)}: {fault}")
    return cls() if made is None else made


def _programs(
    document: Document, registry: Registry, faults: list[str], notices: list[str]
) -> dict[str, Any]:
    """The whole-program plugins that are switched on; one that is broken is done without."""
    tables = {
        name: table for name, table in document.sections.get("plugins", {}).items()
        if name != "disable"
    }  # fmt: skip
    disabled = document.sections.get("plugins", {}).get("disable", [])
    names = registry.names(PROGRAMS)
    for name in [*tables, *(disabled if isinstance(disabled, list) else [])]:
        if name not in names:
            place = key(name) if name in tables else "disable"
            faults.append(
                f"{document.source('plugins', str(name))}: plugins.{place}: there is no plugin "
                f'"{name}" (expected one of: {", ".join(names)}{did_you_mean(str(name), names)})'
            )
    programs: dict[str, Any] = {}
    for name in names:
        if isinstance(disabled, list) and name in disabled:
            continue
        found = registry.find(PROGRAMS, name)
        where = f"{document.source('plugins', name)}: plugins.{key(name)}"
        try:
            plugin = _program(found, tables.get(name, {}), where, faults)
        except PluginError as fault:
            if name in tables:
                faults.append(f"{where}: {fault}")
            else:
                notices.append(str(fault))
            continue
        if plugin is not None:
            programs[name] = plugin
    return programs


def _program(found: Found, table: Any, where: str, faults: list[str]) -> Any:
    loaded = found.load()
    if not isinstance(table, dict):
        return None  # told of already
    if not isinstance(loaded, type):
        if table:
            faults.append(f"{where}: the plugin has no options (expected an empty table)")
        return loaded
    try:
        return build(loaded, table, where, faults)
    except Exception as fault:  # annotations that cannot be read, a constructor that fails
        raise found.error(f"cannot be made: {type(fault).__name__}: {fault}") from fault


def _chains(document: Document, builder: StepBuilder, faults: list[str]) -> dict[str, Chain]:
    chains: dict[str, Chain] = {}
    for name, steps in document.chains.items():
        source = document.source("chains", name)
        chain = chains[name] = Chain(name, [], source)
        if not isinstance(steps, list):
            faults.append(f"{chain.address}: {shown(steps)} is no chain (expected a list of steps)")
            continue
        for index, table in enumerate(steps):
            step: Step | None = builder.build(chain, index, table)
            if step is not None:
                chain.steps.append(step)
    if not document.chains:
        faults.append(
            f"{document.source('chains')}: chains: there are none (expected at least one: "
            "`pyruse demo` shows a complete configuration)"
        )
    return chains


def options_in(cls: type) -> list[str]:
    """The names of a section's options."""
    return [field.name.removesuffix("_") for field in fields(cls)]
