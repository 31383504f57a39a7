"""Names of fields: one that a step reads, and one that a step sets."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self

from pyruse.entry.decoding import typed
from pyruse.text import shown

NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\Z")
"""What a field of the journal may be called."""


class Field(str):
    """The name of a field that the step reads."""

    IN_WORDS: ClassVar[str] = "the name of a field"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[A-Za-z_][A-Za-z0-9_]*$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the name of a field.

        :raises ValueError: no field can have this name.
        """
        if isinstance(value, str) and NAME.match(value):
            return cls(value)
        raise ValueError(
            f"{shown(value)} is no field name (expected letters, digits and underscores, "
            'such as "MESSAGE" or "ip")'
        )

    def typed(self, value: Any) -> Any:
        """A configured value as this field has it in entries (``PRIORITY`` is a number, …).

        :raises ValueError: the field never has such a value.
        """
        return typed(self, value)


class AddressField(Field):
    """The name of a field that the step reads an address from."""

    IN_WORDS: ClassVar[str] = "the name of a field with an address"


class NewField(Field):
    """The name of a field that the step sets. The journal's own fields cannot be set."""

    IN_WORDS: ClassVar[str] = "the name of a field to set"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the name of a field that a step may set.

        :raises ValueError: no field can have this name, or the field is a trusted one.
        """
        field = super().parse(value)
        if field.startswith("_"):
            raise ValueError(
                f'"{field}" cannot be set (expected a name that does not begin with an underscore: '
                "those are the journal's own)"
            )
        return field
