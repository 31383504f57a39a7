"""From a table of the configuration to an object whose annotated attributes are the options."""

from __future__ import annotations

import dataclasses
import inspect
import math
import re
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import (
    Any,
    ClassVar,
    Literal,
    TypeVar,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

import msgspec
from msgspec import Struct

from pyruse.errors import did_you_mean
from pyruse.options.faults import ConfigFaults
from pyruse.text import shown

T = TypeVar("T")

_LARGEST = 2**63 - 1
"""TOML promises whole numbers of 64 bits, and the state keeps no others."""


class Option(Struct, frozen=True):
    """An option of a class, as an administrator sees it."""

    name: str
    """As it is written in TOML: ``from_`` is ``from``."""
    attribute: str
    type: Any
    required: bool
    default: Any
    """Of no meaning when the option is required."""


def options_of(cls: type) -> Sequence[Option]:
    """The options of a class: the fields of a dataclass; any other class has none.

    :raises TypeError: it has annotated attributes, but is no dataclass; or whatever its
        annotations raise when they are looked at.
    """
    return _options_of(cls)


@lru_cache  # many steps are of one class, and annotations take their time
def _options_of(cls: type) -> Sequence[Option]:
    hints = get_type_hints(cls)
    # A subclass of a dataclass is one in the eyes of `is_dataclass`, decorated or not.
    if "__dataclass_fields__" not in vars(cls):
        forgotten = [name for name in inspect.get_annotations(cls) if not _of_class(hints[name])]
        if forgotten:
            raise TypeError(
                f"{cls.__name__} has annotated attributes ({', '.join(forgotten)}), but is no "
                "@dataclass"
            )
    if not dataclasses.is_dataclass(cls):
        return []
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


def _of_class(hint: Any) -> bool:
    return hint is ClassVar or get_origin(hint) is ClassVar


def _default(field: dataclasses.Field[Any]) -> Any:
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return None if field.default is dataclasses.MISSING else field.default


def build(
    cls: type[T], table: Mapping[str, Any], faults: ConfigFaults, *, others: Iterable[str] = ()
) -> T | None:
    """Make an object of a class from a table of options.

    :param cls: the class; its annotations are the options.
    :param table: the options as TOML has them.
    :param faults: of the table: every fault is added, in the order of the table.
    :param others: keys that may stand in the table, too, but are taken out of it already.
    :return: None when there was a fault.
    """
    before = len(faults.texts)
    options = {option.name: option for option in options_of(cls)}
    values: dict[str, Any] = {}
    for name, value in table.items():
        if name in options:
            option = options[name]
            values[option.attribute] = converted(value, option.type, faults.at(name))
        else:
            faults.at(name).add(f"unknown option ({_known([*options, *others], name)})")
    for name, option in options.items():
        if option.required and name not in table:
            wanted = described(option.type, at_length=True)
            faults.at(name).add(f"missing (expected {wanted})")
    if len(faults.texts) > before:
        return None
    try:
        return cls(**values)
    except ValueError as fault:  # __post_init__: how options go together
        faults.add(_text_of(fault))
        return None


def _known(names: list[str], name: str) -> str:
    if not names:
        return "expected none"
    return f"expected one of: {', '.join(names)}{did_you_mean(name, names)}"


def converted(  # noqa: PLR0911 -- a kind of type each
    value: Any, wanted: Any, faults: ConfigFaults
) -> Any:
    """A value of the configuration as an object of the wanted type; faults are added."""
    wanted, origin, arguments = _parts(wanted)
    if origin is list and isinstance(value, list):
        return [converted(item, arguments[0], faults.at(at)) for at, item in enumerate(value)]
    if origin is dict and isinstance(value, dict):
        items = value.items()
        return {k: converted(v, arguments[1], faults.at(k)) for k, v in items}
    if origin is Literal:
        return _one_of(value, arguments, faults)
    if origin is Union:
        return _first_fit(value, arguments, faults)
    parse: Callable[[Any], Any] | None = getattr(wanted, "parse", None)
    if parse is None and isinstance(value, dict) and dataclasses.is_dataclass(wanted):
        assert isinstance(wanted, type)
        return build(wanted, value, faults)
    try:
        return _plain(value, wanted) if parse is None else parse(value)
    except msgspec.ValidationError:
        faults.add(_wrong_type(value, wanted))
    except ValueError as fault:
        if not _add_faults_of_items(value, wanted, faults):
            faults.add(_text_of(fault))
    return None


@lru_cache  # the same few types, for thousands of values
def _parts(wanted: Any) -> tuple[Any, Any, tuple[Any, ...]]:
    """A type without ``None``, what it is a kind of, and of what."""
    wanted = without_none(wanted)
    return wanted, get_origin(wanted), get_args(wanted)


def _one_of(value: Any, allowed: tuple[Any, ...], faults: ConfigFaults) -> Any:
    if value in allowed and type(value) is type(allowed[allowed.index(value)]):
        return value
    names = ", ".join(map(shown, allowed))
    hint = did_you_mean(value, map(str, allowed)) if isinstance(value, str) else ""
    faults.add(f"{shown(value)} is unknown (expected one of: {names}{hint})")
    return None


def _first_fit(value: Any, types: tuple[Any, ...], faults: ConfigFaults) -> Any:
    """The value as the first of several types that takes it; its own type comes before others."""
    kind = type(value)
    own = [one for one in types if kind in (one, get_origin(one))]
    if own:
        return converted(value, own[0], faults)
    for one in types:
        tried = ConfigFaults(faults.address)
        found = converted(value, one, tried)
        if not tried.texts:
            return found
    faults.add(_wrong_type(value, Union[types]))  # noqa: UP007 -- a tuple
    return None


def _plain(value: Any, wanted: Any) -> Any:
    """A value of a type that is not ours.

    :raises ValueError: it is of the type, but cannot be used.
    :raises msgspec.ValidationError: it is of another type.
    """
    if wanted is Path:
        text = msgspec.convert(value, str, strict=True)
        if not text or "\0" in text:
            raise ValueError(f'{shown(value)} is no path (expected one such as "/var/lib/pyruse")')
        return Path(text)
    if isinstance(value, int) and abs(value) > _LARGEST:
        raise ValueError(f"{shown(value)} is too large a number (expected at most {_LARGEST})")
    if isinstance(value, float) and math.isnan(value):
        raise ValueError("nan is no number to compare with (expected another)")
    return msgspec.convert(value, wanted, strict=True)


def _add_faults_of_items(value: Any, wanted: Any, faults: ConfigFaults) -> bool:
    """Tell which items are faulty, of a type that takes a list and has a ``parse_item``.

    :return: whether there was any.
    """
    parse_item: Callable[[Any], Any] | None = getattr(wanted, "parse_item", None)
    if parse_item is None or not isinstance(value, list):
        return False
    before = len(faults.texts)
    for index, item in enumerate(value):
        try:
            parse_item(item)
        except ValueError as fault:
            faults.at(index).add(_text_of(fault))
    return len(faults.texts) > before


def _wrong_type(value: Any, wanted: Any) -> str:
    return f"{shown(value)} is of the wrong type (expected {described(wanted, at_length=True)})"


def _text_of(fault: ValueError) -> str:
    text = str(fault) or "cannot be used"
    return text if "expected" in text else f"{text} (expected another value)"


def unwritable(wanted: Any) -> Any:
    """The part of an option's type that no value of TOML can become; None: there is no such part.

    :raises Exception: whatever the annotations of a class inside raise.
    """
    wanted = without_none(wanted)
    origin, arguments = get_origin(wanted), get_args(wanted)
    if hasattr(wanted, "parse") or wanted is Path or origin is Literal:
        return None
    if dataclasses.is_dataclass(wanted):
        assert isinstance(wanted, type)
        arguments = tuple(option.type for option in options_of(wanted))
    elif origin not in (list, dict, Union):
        try:
            msgspec.json.schema(wanted)
        except TypeError:
            return wanted
    return next((part for one in arguments if (part := unwritable(one)) is not None), None)


_WORDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    list: "a list",
    dict: "a table",
    Path: "a path",
    Any: "anything",
}


def described(wanted: Any, *, at_length: bool = False) -> str:
    """A type in words: what an administrator is to write.

    :param wanted: the type.
    :param at_length: in the type's own words (``IN_WORDS``) where it has some, not by its name.
    """
    wanted = without_none(wanted)
    origin, arguments = get_origin(wanted), get_args(wanted)
    if origin is Literal:
        return "one of: " + ", ".join(map(shown, arguments))
    if origin is list:
        return f"a list, each item {described(arguments[0], at_length=at_length)}"
    if origin is Union:
        # A whole number is a number.
        kinds = [one for one in arguments if one is not int or float not in arguments]
        words = [described(one, at_length=at_length) for one in kinds]
        return ", ".join(words) if bool in kinds else " or ".join(words)
    if (origin or wanted) in _WORDS:
        return _WORDS[origin or wanted]
    if at_length and hasattr(wanted, "IN_WORDS"):
        return str(wanted.IN_WORDS)
    return _name_in_words(getattr(wanted, "__name__", str(wanted)))


def _name_in_words(name: str) -> str:
    """Such as "a mail address" for ``MailAddress``."""
    words = " ".join(re.findall(r"[A-Z][a-z0-9]*", name)).lower() or name
    if re.search(r"[^s]s$", words):  # several of them: networks, patterns
        return words
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def without_none(wanted: Any) -> Any:
    """A type without ``None``: an option that may be left out is never written as nothing."""
    if get_origin(wanted) in (Union, types.UnionType):
        others = [argument for argument in get_args(wanted) if argument is not type(None)]
        return Union[tuple(others)]  # noqa: UP007 -- a tuple; of one type, it is that type
    return wanted
