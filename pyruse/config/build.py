"""From a table of the configuration to an object whose annotated attributes are the options."""

from __future__ import annotations

import dataclasses
import re
import types
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from pyruse.errors import did_you_mean
from pyruse.options import shown

T = TypeVar("T")

_MSGSPEC_FAULT = re.compile(
    r"Expected `(?P<expected>.*?)`(?:, got `(?P<got>.*?)`)?(?P<path> - .*)?$"
)


@dataclasses.dataclass(frozen=True)
class Option:
    """An option of a class, as an administrator sees it."""

    name: str
    """As it is written in TOML: ``from_`` is ``from``."""
    attribute: str
    type: Any
    required: bool
    default: Any
    """Of no meaning when the option is required."""


def options_of(cls: type) -> list[Option]:
    """The options of a class: the fields of a dataclass; any other class has none.

    :raises TypeError: annotations that cannot be understood, or that are not a dataclass's.
    """
    if not dataclasses.is_dataclass(cls):
        if vars(cls).get("__annotations__"):
            raise TypeError(f"{cls.__name__} has annotated attributes, but is no @dataclass")
        return []
    hints = get_type_hints(cls)
    return [
        Option(
            field.name.removesuffix("_"),
            field.name,
            hints[field.name],
            field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING,
            _default(field),
        )
        for field in dataclasses.fields(cls)
        if field.init
    ]


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def build(cls: type[T], table: Mapping[str, Any], address: str, faults: list[str]) -> T | None:
    """Make an object of a class from a table of options.

    :param address: of the table, for the error messages.
    :param faults: every fault is added to it: *address: fault (expected …)*.
    :return: None when there was a fault.
    """
    before = len(faults)
    options = {option.name: option for option in options_of(cls)}
    for name in table:
        if name not in options:
            known = ", ".join(options) or "none"
            faults.append(
                f"{address}.{key(name)}: unknown option (expected one of: {known}"
                f"{did_you_mean(name, options)})"
            )
    values: dict[str, Any] = {}
    for name, option in options.items():
        if name in table:
            values[option.attribute] = converted(
                table[name], option.type, f"{address}.{key(name)}", faults
            )
        elif option.required:
            faults.append(f"{address}: missing {name} (expected {described(option.type)})")
    if len(faults) > before:
        return None
    try:
        return cls(**values)
    except (ValueError, TypeError) as fault:  # __post_init__: how options go together
        faults.append(f"{address}: {fault}")
        return None


def converted(value: Any, wanted: Any, address: str, faults: list[str]) -> Any:
    """A value of the configuration as an object of the wanted type; faults are added."""
    wanted = without_none(wanted)
    if get_origin(wanted) is list and isinstance(value, list):
        (item_type,) = get_args(wanted)
        return [
            converted(item, item_type, f"{address}[{index}]", faults)
            for index, item in enumerate(value)
        ]
    if get_origin(wanted) is Literal:
        return _one_of(value, get_args(wanted), address, faults)
    try:
        parse = getattr(wanted, "parse", None)
        if parse is not None:
            return parse(value)
        if wanted is Path:
            return Path(msgspec.convert(value, str, strict=True))
        return msgspec.convert(value, wanted, strict=True)
    except (msgspec.ValidationError, ValueError) as fault:
        faults.append(_placed(fault, address, value, wanted))
        return None


def _one_of(value: Any, allowed: tuple[Any, ...], address: str, faults: list[str]) -> Any:
    if value in allowed and type(value) is type(allowed[allowed.index(value)]):
        return value
    names = ", ".join(shown(item) for item in allowed)
    hint = did_you_mean(value, [str(item) for item in allowed]) if isinstance(value, str) else ""
    faults.append(f"{address}: {shown(value)} is unknown (expected one of: {names}{hint})")
    return None


def _placed(fault: Exception, address: str, value: Any, wanted: Any) -> str:
    """A fault with its address: ours say it all, msgspec's are put into our words."""
    if isinstance(fault, msgspec.ValidationError):
        found = _MSGSPEC_FAULT.match(str(fault))
        inside = ((found and found["path"]) or "").removeprefix(" - at `$").rstrip("`")
        text = f"{shown(value)} is of the wrong type" if found else str(fault)
        return f"{address}{inside}: {text} (expected {described(wanted)})"
    text = str(fault)
    return f"{address}: {text}" if "(expected" in text else f"{address}: {text} (expected another)"


_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    Path: "a path",
}


def described(wanted: Any) -> str:
    """A type in words: what an administrator is to write."""
    wanted = without_none(wanted)
    if wanted in _WORDS:
        return _WORDS[wanted]
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return "one of: " + ", ".join(shown(item) for item in arguments)
    if origin is list:
        return f"a list, each item {described(arguments[0])}"
    if origin is dict:
        return "a table"
    if origin in (Union, types.UnionType):
        return " or ".join(described(argument) for argument in arguments)
    name = getattr(wanted, "__name__", str(wanted))
    words = re.findall(r"[A-Z][a-z0-9]*", name) or [name]
    if re.search(r"[^s]s$", name):  # several of them: networks, patterns
        return " ".join(words).lower()
    article = "an" if words[0][0] in "AEIOU" else "a"
    return f"{article} {' '.join(words).lower()}"


def without_none(wanted: Any) -> Any:
    """A type without ``None``: an option that may be left out is never written as nothing."""
    if get_origin(wanted) in (Union, types.UnionType):
        others = [argument for argument in get_args(wanted) if argument is not type(None)]
        return others[0] if len(others) == 1 else Union[tuple(others)]  # noqa: UP007
    return wanted


def key(name: str) -> str:
    """A key as TOML writes it: quoted where it must be."""
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else f'"{name}"'
