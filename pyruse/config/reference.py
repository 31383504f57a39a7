"""What plugins and sections can do, told by their classes: for the documentation and commands."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from datetime import time
from typing import Any, get_args, get_origin

from pyruse import hookspecs
from pyruse.config.settings import Zone
from pyruse.entry.entry import as_text
from pyruse.options.build import Option, described, options_of, without_none
from pyruse.options.durations import Duration
from pyruse.options.networks import Networks
from pyruse.options.sizes import Size
from pyruse.registry.found import Found
from pyruse.registry.hooks import has_firewall, hooks_of
from pyruse.registry.kinds import EXTENSIONS
from pyruse.text import shown, toml_key

_DIRECTIVE = re.compile(r"^:(param|raises) (\w+): ", re.MULTILINE)


def described_plugin(found: Found) -> dict[str, Any]:
    """A plugin with its options, as JSON has it.

    ``table`` is where the options of an extension are written; those of the others are
    in each of their steps.

    :raises PluginError: it cannot be loaded.
    """
    loaded = found.load()
    documentation = inspect.getdoc(loaded) or ""
    section = "bans" if has_firewall(loaded) else "plugins"
    return {
        "kind": found.kind,
        "name": found.name,
        "group": found.group,
        "table": f"{section}.{toml_key(found.name)}" if found.group == EXTENSIONS else None,
        "hooks": hooks_of(loaded),
        "distribution": found.distribution,
        "version": found.version,
        "file": None if found.file is None else str(found.file),
        "summary": documentation.partition("\n")[0],
        "documentation": documentation,
        "options": described_options(loaded) if inspect.isclass(loaded) else [],
    }


def described_options(cls: type) -> list[dict[str, Any]]:
    """The options of a class: name, type, whether required, default, and what they are for.

    Of a list of tables, ``items`` are the options of each table.
    """
    helps = attribute_docstrings(cls)
    return [
        {
            "name": option.name,
            "type": described(option.type),
            "required": option.required,
            "default": None if option.required else default_in_words(option),
            "help": helps.get(option.attribute, ""),
            "items": [] if (item := _table_in(option.type)) is None else described_options(item),
        }
        for option in options_of(cls)
    ]


def _table_in(wanted: Any) -> type | None:
    """The class of the tables that an option is a list of; None: it is something else."""
    wanted = without_none(wanted)
    if get_origin(wanted) is not list:
        return None
    (item,) = get_args(wanted)
    is_table = isinstance(item, type) and dataclasses.is_dataclass(item)
    return item if is_table and not hasattr(item, "parse") else None


def described_hook(name: str) -> dict[str, Any]:
    """A hook: what it is for, its arguments and what it gives, as `pyruse.hookspecs` has it."""
    specification = getattr(hookspecs, name)
    text, *parts = _DIRECTIVE.split(inspect.getdoc(specification) or "")
    told = [
        (kind, what, " ".join(body.split()))
        for kind, what, body in zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    ]
    helps = {what: body for kind, what, body in told if kind == "param"}
    signature = inspect.signature(specification)
    return {
        "name": name,
        "arguments": [
            {"name": one.name, "type": str(one.annotation), "help": helps.get(one.name, "")}
            for one in signature.parameters.values()
        ],
        "gives": str(signature.return_annotation),
        "raises": [f"`{what}`: {body}" for kind, what, body in told if kind == "raises"],
        "documentation": text.strip(),
    }


def default_in_words(option: Option) -> str:
    """A default as it would be written in TOML; "none" where there is nothing."""
    value = option.default
    match value:
        case None:
            text = "none"
        case Size():
            return f'"{value}"'
        case Duration():
            text = f'"{duration_in_words(value)}"'
        case Networks():
            text = shown([str(network) for network in value])
        case Zone():
            text = "this machine's"
        case time():
            text = f'"{value:%H:%M}"'
        case [*items] if items and all(map(dataclasses.is_dataclass, items)):
            text = f"[{', '.join('{}' for _ in items)}]"  # tables that say nothing
        case str():
            text = f'"{value}"'
        case list() | tuple():
            text = _whole_items(shown(list(value)))
        case bool() | int() | float() | dict():
            text = shown(value)
        case _:
            text = f'"{as_text(value)}"'
    return text


def _whole_items(text: str) -> str:
    """A list that is cut has no half an item."""
    return f"{text[: text.rfind(', ')]}, …" if text.endswith("…") and ", " in text else text


def duration_in_words(duration: Duration) -> str:
    """A duration as it is written in a configuration: ``1h30m``."""
    rest = duration.us // 1000
    units = {"w": 604_800_000, "d": 86_400_000, "h": 3_600_000, "m": 60_000, "s": 1000, "ms": 1}
    if rest % units["w"]:
        del units["w"]  # 90 days are not called 12 weeks and 6 days
    parts = []
    for unit, length in units.items():
        number, rest = divmod(rest, length)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts)


def attribute_docstrings(cls: type) -> dict[str, str]:
    """The texts that stand under the attributes of a class (PEP 257), by attribute, on one line."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    except (OSError, SyntaxError):  # a class whose source is not at hand
        return {}
    definition = tree.body[0]
    assert isinstance(definition, ast.ClassDef)
    texts: dict[str, str] = {}
    for statement, following in zip(definition.body, definition.body[1:], strict=False):
        if (
            isinstance(statement, ast.AnnAssign)
            and isinstance(statement.target, ast.Name)
            and isinstance(following, ast.Expr)
            and isinstance(following.value, ast.Constant)
            and isinstance(following.value.value, str)
        ):
            texts[statement.target.id] = " ".join(following.value.value.split())
    return texts
