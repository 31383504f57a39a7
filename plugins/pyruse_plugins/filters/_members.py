"""Fields made of what is inside of a text, for ``json`` and ``logfmt``.

Strangers fill such texts. So no name in them can become the name of a field that something else
sets: the names of all fields have a prefix and a dot, which no other step's fields have, or they
are those that the administrator has chosen. A name that occurs twice is left out, since nobody can
say which one was meant, and each program decides otherwise.
"""

from __future__ import annotations

import re
from collections import deque
from typing import Any, ClassVar, Self

from pyruse import Entry, FieldPrefix, NewField, shown

MOST = 256
"""Fields that are made of one text: those that stand further outside come first."""
DEEPEST = 8
"""A member inside of so many others is no field any more."""
LONGEST = 1 << 18
"""Characters of a text: reading a longer one would take its time."""
_NAME = re.compile(r"[A-Za-z0-9_]+")

Pairs = list[tuple[str, Any]]


class Twice:
    """Stands for the values of a name that occurs twice."""


class Chosen(tuple[tuple[NewField, tuple[str, ...]], ...]):
    """Names of fields, each with the way to its value: ``{ ip = "request.remote_ip" }``."""

    IN_WORDS: ClassVar[str] = 'a table such as { ip = "request.remote_ip" }'
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z][A-Za-z0-9_]*$"},
        "additionalProperties": {"type": "string", "minLength": 1},
        "minProperties": 1,
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a table of fields.

        :raises ValueError: it is no such table.
        """
        if not isinstance(value, dict) or not value:
            raise ValueError(f"{shown(value)} names no fields (expected {cls.IN_WORDS})")
        for way in value.values():
            if not isinstance(way, str) or not way:
                raise ValueError(
                    f"{shown(way)} leads to no value (expected names with dots between them, such "
                    'as "request.remote_ip")'
                )
        return cls((NewField.parse(name), tuple(way.split("."))) for name, way in value.items())


def members(pairs: Pairs) -> dict[str, Any]:
    """Values by their names."""
    found: dict[str, Any] = {}
    for name, value in pairs:
        found[name] = Twice if name in found else value
    return found


def limited(text: str, field: str) -> str:
    """The text of a field, if it is not too long to be read.

    :raises ValueError: it is.
    """
    if len(text) > LONGEST:
        raise ValueError(
            f"{field} has {len(text):,} characters (expected {LONGEST:,} at most to look into)"
        )
    return text


def set_fields(
    entry: Entry, found: dict[str, Any], prefix: FieldPrefix | None, chosen: Chosen | None
) -> None:
    """Set the fields of an entry by what a text has in it."""
    if chosen is None:
        entry.set_many(_flat(found, prefix or ""))
    else:
        entry.set_many({name: _scalar(_at(found, way)) for name, way in chosen})


def _at(value: Any, way: tuple[str, ...]) -> Any:
    """What is at the end of a way; None: nothing."""
    for name in way:
        if isinstance(value, dict):
            value = value.get(name)
        elif isinstance(value, list) and name.isdecimal() and len(name) < len(str(LONGEST)):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            return None
    return value


def _flat(found: dict[str, Any], prefix: str) -> dict[str, Any]:
    """All values with the ways to them, those with a short way first."""
    fields: dict[str, Any] = {}
    inside: deque[tuple[str, int, Any]] = deque([(prefix, 0, found)])
    while inside and len(fields) < MOST:
        begin, depth, parent = inside.popleft()
        items = parent.items() if isinstance(parent, dict) else enumerate(parent)
        for key, value in items:
            if len(fields) == MOST:
                break
            name = str(key)
            if not _NAME.fullmatch(name):
                continue
            if isinstance(value, dict | list):
                if depth + 1 < DEEPEST and len(inside) < MOST:
                    inside.append((f"{begin}.{name}", depth + 1, value))
            elif (scalar := _scalar(value)) is not None:
                fields[f"{begin}.{name}"] = scalar
    return fields


def _scalar(value: Any) -> Any:
    """A value as entries have it: text, or a number; None: it is neither."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str | int | float) else None
