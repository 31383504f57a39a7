"""The sections of a configuration, from tables to settings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyruse.config.files import DEFAULT, Document, chosen, read_sound
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
from pyruse.options.faults import ConfigFaults

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
    """The settings; of an option with faults, the default.

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
        name: build(cls, tables[name], document.section(name, faults)) or _sound(cls, tables[name])
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


def sound_settings(path: str | Path | None) -> Settings:
    """Read what is sound of the settings alone: neither chains nor plugins are looked at.

    :param path: a file or folder; None: the one of PYRUSE_CONFIG, or /etc/pyruse.
    :return: the settings, with their faults.
    :raises ConfigError: there is no configuration, or nobody can tell which state it is about.
    """
    return sound_parts(path)[1]


def sound_parts(path: str | Path | None) -> tuple[Document, Settings]:
    """What is sound of the files, and of the settings; the parameter is that of `sound_settings`.

    :raises ConfigError: there is no configuration, or nobody can tell which state it is about.
    """
    place = chosen(path)
    unread: list[str] = []
    document = read_sound(place, unread)
    faults = [*unread, *document.faults]
    settings = settings_of(document, faults)
    settings.faults = list(dict.fromkeys(faults))
    named = document.sections.get("state", {}).get("url")
    is_known = settings.state.url == named or not (unread or document.faults or named)
    # The installed Pyruse has its state at the usual place. A configuration that is tried out has
    # one of its own: nobody is to lift the bans of this machine by a typo there.
    if not is_known and place != DEFAULT:
        raise ConfigError(settings.faults)
    return document, settings


def _sound(cls: type, table: Mapping[str, Any]) -> Any:
    """A section of the options that have no faults by themselves."""
    nowhere = ConfigFaults("")
    sound = {key: one for key, one in table.items() if build(cls, {key: one}, nowhere) is not None}
    return build(cls, sound, nowhere) or cls()


def _places(document: Document, bans: BanSettings) -> list[str]:
    """Where each item of ``[bans] never`` stands."""
    never = document.section("bans", []).at("never")
    return [never.at(index).address for index in range(len(bans.never.items))]


def options_in(cls: type) -> list[str]:
    """The names of a section's options."""
    return [option.name for option in options_of(cls)]
