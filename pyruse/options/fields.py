"""Names of fields: one that a step reads, and one that a step sets."""

from __future__ import annotations

from typing import Any, ClassVar, Self

from pyruse.text import late_pattern, shown

NAME = late_pattern(r"[A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*\Z")
"""What a field may be called. Those with dots are parts of a value: ``json.request.uri``."""
_NEW = late_pattern(r"[A-Za-z_][A-Za-z0-9_]*\Z")
_PREFIX = late_pattern(r"[A-Za-z][A-Za-z0-9_]*\Z")


class Field(str):
    """The name of a field that the step reads."""

    IN_WORDS: ClassVar[str] = "the name of a field"
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z0-9_]+)*$",
    }

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
        from pyruse.entry.decoding import typed  # which knows libsystemd

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
        if not _NEW.match(field):
            raise ValueError(
                f'"{field}" cannot be set (expected a name without dots: those are parts of what '
                "a step has read, such as json.user)"
            )
        if field.startswith("_"):
            raise ValueError(
                f'"{field}" cannot be set (expected a name that does not begin with an underscore: '
                "those are the journal's own)"
            )
        return field


class FieldPrefix(str):
    """What the names of all fields that the step sets begin with, before a dot."""

    IN_WORDS: ClassVar[str] = "the begin of names of fields"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_]*$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a prefix.

        :raises ValueError: no field's name can begin so.
        """
        if isinstance(value, str) and _PREFIX.match(value):
            return cls(value)
        raise ValueError(
            f"{shown(value)} is no begin of a field's name (expected letters, digits and "
            'underscores, such as "json": the fields are json.user, …)'
        )
