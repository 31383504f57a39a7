"""The filter ``json``."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import Any

from pyruse import Entry, Field, FieldPrefix, hookimpl
from pyruse_plugins.filters._members import Chosen, limited, members, set_fields


@dataclass(eq=False, repr=False)
class Json:
    """Pass when a field holds a JSON object, and make fields of what is in it.

    The members become the fields `json.user`, `json.request.uri`, `json.request.headers.Accept.0`, …
    (`prefix` puts another word in front): numbers as numbers; `true` and `false` as text; nothing
    of `null`. With `fields`, just the values that it names become fields, under the names that you
    give them. A member that is not there sets no field.

    No member can take the place of a field of the journal, or of one that a pattern has set. A name
    that occurs twice in an object is left out, as nobody can say which one is meant. Without
    `fields`, so are names with other characters than letters, digits and underscores, what is more
    than 8 levels deep, and all but 256 values: the outer ones come first. What is not all valid JSON
    (RFC 8259) does not pass; a text of more than 262,144 characters does not, and Pyruse says so.

    ```toml
    { filter = "json" }
    { filter = "json", fields = { ip = "request.remote_ip", agent = "request.headers.User-Agent.0" } }
    { filter = "json", field = "json.message", prefix = "inner" }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    field: Field = Field("MESSAGE")
    """Where the object is."""
    prefix: FieldPrefix | None = None
    """What the names of the fields begin with, before a dot; by default, `json`."""
    fields: Chosen | None = None
    """Fields to set, each with the way to its value: names, and numbers in arrays (from 0), with
    dots between them."""

    def __post_init__(self) -> None:
        if self.fields is not None and self.prefix is not None:
            raise ValueError(
                "prefix is for fields that are not named (expected either prefix or fields)"
            )
        if self.fields is None and self.prefix is None:
            self.prefix = FieldPrefix("json")
        self._decode = json.JSONDecoder(
            object_pairs_hook=members,
            parse_int=_whole,
            parse_float=_number,
            parse_constant=_refused,
        ).decode

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        text = entry.text(self.field)
        if text is None or "{" not in text:
            return False
        try:
            found = self._decode(limited(text, self.field))
        except (json.JSONDecodeError, RecursionError):
            return False
        if not isinstance(found, dict):
            return False
        set_fields(entry, found, self.prefix, self.fields)
        return True


def _whole(text: str) -> Any:
    """A whole number, or its digits where the state could not keep it (64 bits)."""
    return int(text) if len(text) < 19 else text


def _number(text: str) -> Any:
    number = float(text)
    return number if math.isfinite(number) else text


def _refused(name: str) -> Any:
    """Refuse what JSON does not have: NaN and the infinities."""
    raise json.JSONDecodeError(f"{name} is no JSON", name, 0)
