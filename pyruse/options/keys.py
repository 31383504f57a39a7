"""What steps remember by: a field of the entry, or several of them."""

from __future__ import annotations

from typing import Any, ClassVar, Self

import msgspec

from pyruse.entry.entry import Entry
from pyruse.options.fields import Field
from pyruse.options.templates import Template, formatted
from pyruse.text import shown

LONGEST = 200
"""Characters. Of a longer key, the begin is kept, and a digest of the whole."""


class Key(Template):
    """The name of a field, or text with several fields in it: ``"ip"``, ``"{user} {ip}"``.

    Each value stays apart from those beside it: no user's name, however it looks, makes the key of
    another user.
    """

    IN_WORDS: ClassVar[str] = "the name of a field, or text with fields such as {user} in it"
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$|\{[A-Za-z_]",
    }

    def __init__(self, text: str) -> None:
        """Take a text with fields in it.

        :raises ValueError: there is no field in it.
        """
        super().__init__(text)
        if not self.fields:
            raise ValueError(
                f"{shown(text)} is the same for all entries (expected a field in it, such as "
                "{ip})"
            )
        self._only = Field(self.fields[0]) if text == f"{{{self.fields[0]}}}" else None
        """The field, where the key is nothing but its value."""

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a key.

        :raises ValueError: it is neither a field's name nor a text with fields.
        """
        if isinstance(value, str) and ("{" in value or "}" in value):
            return cls(value)
        return cls(f"{{{Field.parse(value)}}}")

    def of(self, entry: Entry) -> str:
        """The key of an entry, as counters and tables take it.

        :raises ValueError: the entry lacks one of the fields.
        """
        if self._only is not None:
            text = entry.text(self._only)
            if text is None:
                raise self._lacking(self._only)
            key = text if text[:1] != "[" else _together([text])
        else:
            key = _together(self._pieces(entry))
        return key if len(key) <= LONGEST else _digested(key)

    def _pieces(self, entry: Entry) -> list[str]:
        pieces: list[str] = []
        for literal, field, spec, conversion in self._parts:
            if literal:
                pieces.append(literal)
            if field is not None:
                value = entry.get(field)
                if value is None:
                    raise self._lacking(field)
                pieces.append(formatted(value, spec, conversion))
        return pieces

    def _lacking(self, field: str) -> ValueError:
        return ValueError(f"the entry has no {field} (expected it: the key is {shown(self.text)})")


def in_words(key: str) -> str:
    """A key as people read it: ``root 192.0.2.1``."""
    return "".join(msgspec.json.decode(key)) if key[:1] == "[" and key[-1:] == "]" else key


def _together(pieces: list[str]) -> str:
    """One text of several, in which each begins and ends where it did."""
    return msgspec.json.encode(pieces).decode()


def _digested(key: str) -> str:
    from hashlib import sha256

    half = key[: LONGEST // 2]
    return f"{half}…{sha256(key.encode(errors='replace')).hexdigest()}"
