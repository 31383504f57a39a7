"""The JSON schema of the configuration, with the options of the plugins that are installed."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from pyruse.config.reference import attribute_docstrings
from pyruse.config.sections import SECTIONS
from pyruse.config.steps import LINKS
from pyruse.errors import ConfigError
from pyruse.options.build import Option, options_of, without_none
from pyruse.registry.found import Found, PluginError
from pyruse.registry.hooks import has_firewall
from pyruse.registry.kinds import ACTIONS, EXTENSIONS, FILTERS
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.rules.rules_file import RuleOption

_DRAFT = "https://json-schema.org/draft/2020-12/schema"
_LINK_HELP = {
    "then": "The chain to go to after an action, or when the filter passes.",
    "else": "The chain to go to when the filter does not pass.",
    "name": "A label of the step, for people.",
    "invert": "Turn the filter round: pass when it does not match.",
}


def schema(registry: Registry) -> dict[str, Any]:
    """The schema of a whole configuration file."""
    steps = [
        *(_step("filter", found) for found in registry.all() if found.group == FILTERS),
        *(_step("action", found) for found in registry.all() if found.group == ACTIONS),
    ]
    loaded = {
        found.name: one
        for found in registry.all()
        if found.group == EXTENSIONS and (one := _loaded(found)) is not None
    }
    firewalls = {name: _extension(one) for name, one in loaded.items() if has_firewall(one)}
    others = {name: _extension(one) for name, one in loaded.items() if name not in firewalls}
    sections = {name: _object(cls, _doc(cls)) for name, cls in SECTIONS.items()}
    sections["bans"]["properties"] |= firewalls
    library = Library(registry)
    return {
        "$schema": _DRAFT,
        "title": "Pyruse configuration",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            **sections,
            "plugins": {
                "type": "object",
                "description": "Extensions: the options of each in a table of its own.",
                "properties": {
                    "disable": {"type": "array", "items": {"enum": sorted(loaded)}},
                    **others,
                },
                "additionalProperties": False,
            },
            "use": {
                "type": "array",
                "description": "The rules that are used, by name.",
                "items": {"enum": library.names},
            },
            "rules": _rules(library),
            "chains": {
                "type": "object",
                "description": "Chains, in the order in which entries travel through them.",
                "additionalProperties": {"type": "array", "items": {"$ref": "#/$defs/step"}},
            },
        },
        "$defs": {"step": {"oneOf": [step for step in steps if step is not None]}},
    }


def _step(kind: str, found: Found) -> dict[str, Any] | None:
    cls = _loaded(found)
    if cls is None:
        return None
    made = _object(cls, _doc(cls))
    made["properties"] = {
        kind: {"const": found.name},
        **{
            link: {
                "type": "string" if wanted is str else "boolean",
                "description": _LINK_HELP[link],
            }
            for link, wanted in LINKS[kind].items()
        },
        **made["properties"],
    }
    made["required"] = [kind, *made["required"]]
    return made


def _rules(library: Library) -> dict[str, Any]:
    """The tables of rules; rules that are broken are left out."""
    tables: dict[str, Any] = {}
    general: dict[str, Any] = {}
    for name in library.names:
        try:
            rules = library.rules(name)
        except ConfigError:  # `pyruse rules` tells of it
            continue
        options = library.options_of(rules)
        properties = {option: _rule_option(one) for option, one in options.items()}
        for option, described in properties.items():
            general[option] = _either(general.get(option), described)
        tables[name] = {
            "type": "object",
            "description": rules.title,
            "properties": properties,
            "additionalProperties": False,
        }
    return {
        "type": "object",
        "description": "Options of rules: for all of them, and for one of them in [rules.NAME].",
        "properties": {**general, **tables},
        "additionalProperties": False,
    }


def _either(known: dict[str, Any] | None, other: dict[str, Any]) -> dict[str, Any]:
    """The option of some rules that others have, too; what it is like may differ."""
    if known is None or known["type"] == other["type"]:
        return known or other
    kinds = [one["type"] for one in (known, other)]
    types = [kind for one in kinds for kind in (one if isinstance(one, list) else [one])]
    return {**known, "type": list(dict.fromkeys(types))}


def _rule_option(option: RuleOption) -> dict[str, Any]:
    """What may be given for an option: something like its default."""
    match option.default:
        case bool():
            kind: Any = "boolean"
        case int():
            kind = "integer"
        case float():
            kind = "number"
        case list():
            kind = "array"
        case dict():
            kind = "object"
        case _:
            kind = ["string", "number"]  # a duration may be a number of seconds
    described = {"description": option.help} if option.help else {}
    return {"type": kind, "default": option.default, **described}


def _loaded(found: Found) -> Any:
    """The plugin, or None if it is broken: `pyruse plugins` and `pyruse check` tell of it."""
    try:
        return found.load()
    except PluginError:
        return None


def _extension(plugin: Any) -> dict[str, Any]:
    if inspect.isclass(plugin):
        return _object(plugin, _doc(plugin))
    return {"type": "object", "description": _doc(plugin), "additionalProperties": False}


def _doc(cls: Any) -> str:
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def _object(cls: type, description: str) -> dict[str, Any]:
    helps = attribute_docstrings(cls)
    options = options_of(cls)
    return {
        "type": "object",
        "description": description,
        "additionalProperties": False,
        "properties": {option.name: _option(option, helps) for option in options},
        "required": [option.name for option in options if option.required],
    }


def _option(option: Option, helps: dict[str, str]) -> dict[str, Any]:
    made = dict(_type(option.type))
    if option.attribute in helps:
        made["description"] = helps[option.attribute]
    return made


def _type(wanted: Any) -> dict[str, Any]:  # noqa: PLR0911 -- a kind of type each
    wanted = without_none(wanted)
    if hasattr(wanted, "SCHEMA"):
        found: dict[str, Any] = wanted.SCHEMA
        return found
    if hasattr(wanted, "parse"):
        return {}
    if wanted is Path:
        return {"type": "string", "minLength": 1}
    if get_origin(wanted) is list:
        return {"type": "array", "items": _type(get_args(wanted)[0])}
    if get_origin(wanted) is dict:
        return {"type": "object", "additionalProperties": _type(get_args(wanted)[1])}
    if get_origin(wanted) is Literal:
        return {"enum": list(get_args(wanted))}
    if get_origin(wanted) is Union:
        return {"anyOf": [_type(argument) for argument in get_args(wanted)]}
    if dataclasses.is_dataclass(wanted):
        assert inspect.isclass(wanted)
        return _object(wanted, _doc(wanted))
    try:
        made = msgspec.json.schema(wanted)
    except TypeError:  # a type of a plugin's own inside of another one
        return {}
    return {} if "$defs" in made else made
