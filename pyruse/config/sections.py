"""The sections of a configuration, from tables to settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
from pyruse.errors import ConfigError
from pyruse.options.build import build, converted, options_of

SECTIONS: Mapping[str, type] = {
    "journal": JournalSettings,
    "state": StateSettings,
    "email": EmailSettings,
    "report": ReportSettings,
    "bans": BanSettings,
    "engine": EngineSettings,
}
"""The class of each section, but for those of plugins and chains."""


def settings_of(document: Document, faults: list[str]) -> Settings:
    """The settings; of a section with faults, the defaults.

    :param document: of all the files.
    :param faults: what is wrong is added.
    """
    tables = {name: dict(document.sections.get(name, {})) for name in SECTIONS}
    backends = {
        name: tables["bans"].pop(name)
        for name, value in list(tables["bans"].items())
        if isinstance(value, dict) and name not in options_in(BanSettings)
    }
    values: dict[str, Any] = {
        name: build(cls, tables[name], document.section(name, faults)) or cls()
        for name, cls in SECTIONS.items()
    }
    plugins = dict(document.sections.get("plugins", {}))
    in_plugins = document.section("plugins", faults)
    disabled = converted(plugins.pop("disable", []), list[str], in_plugins.at("disable"))
    return Settings(
        **values,
        backends=backends,
        plugins=plugins,
        disabled=disabled or [],
        never_places=_places(document, values["bans"]),
        templates=document.folder / "templates",
    )


def load_settings(path: str | Path | None) -> Settings:
    """Read the settings alone: neither chains nor plugins are looked at.

    :param path: a file or folder; None: the one of PYRUSE_CONFIG, or /etc/pyruse.
    :raises ConfigError: with every fault of the files and of the sections.
    """
    document = read(chosen(path))
    faults = list(document.faults)
    settings = settings_of(document, faults)
    if faults:
        raise ConfigError(dict.fromkeys(faults))
    return settings


def _places(document: Document, bans: BanSettings) -> list[str]:
    """Where each item of ``[bans] never`` stands."""
    never = document.section("bans", []).at("never")
    return [never.at(index).address for index in range(len(bans.never.items))]


def options_in(cls: type) -> list[str]:
    """The names of a section's options."""
    return [option.name for option in options_of(cls)]
