"""Messages with fields of an entry in them."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, ClassVar, Self

from pyruse.entry.entry import Entry, as_text
from pyruse.options.fields import NAME
from pyruse.system.native import native
from pyruse.text import late_pattern, shortened, shown

LONGEST = 1 << 16
"""Characters: a longer message is cut, and says by how much. Strangers fill the fields, and a
message is kept for its report, its mail or its program."""
_WIDEST = 1_000
"""Characters that a format may make of a value: more would fill the memory."""
_NUMBERS = late_pattern(r"\d+")
_NUMBERS_OF_TIMES = late_pattern(r"%[^A-Za-z%]*?(\d+)")
"""Those behind a percent sign: a format of times is mostly text."""

_BRACES = "fields in braces, such as {MESSAGE}; a brace itself is written twice"
_EXCLAIMED = "!r, !s or !a"


class Template:
    """A message with fields of an entry in it: ``"{user} from {ip}"`` (Python's ``str.format``).

    A missing field renders as nothing. A value never is a template itself, however it looks. What
    is longer than 65,536 characters is cut, and says how many are left out.
    """

    IN_WORDS: ClassVar[str] = "text, with fields such as {MESSAGE} in it"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}

    def __init__(self, text: str) -> None:
        """Parse a template.

        :raises ValueError: it is no valid template.
        """
        self.text = text
        self._parts: list[tuple[str, str | None, str, str | None]] = []
        try:
            parts = list(string.Formatter().parse(text))
        except ValueError as fault:
            if "conversion" in str(fault):
                raise self._fault("after ! there is no conversion", _EXCLAIMED) from None
            raise self._fault("a brace stands alone", _BRACES) from None
        for literal, field, spec, conversion in parts:
            self._check(field, spec, conversion)
            self._parts.append((literal, field, spec or "", conversion))
        self._named = self.fields
        # Most messages are text and fields: then one operation of Python's fills in all of them.
        self._plain: str | None = None
        if not any(spec or conversion for _, _, spec, conversion in self._parts):
            self._plain = "".join(
                literal.replace("%", "%%") + ("" if field is None else "%s")
                for literal, field, _, _ in self._parts
            )
        self.filling = None if self._plain is None else self._filled_in_c()
        """What renders it in C, where pyruse-native is installed."""
        self._in_c: Callable[[Mapping[str, Any]], str] | None = None
        if self.filling is not None:
            self._in_c = self.filling.render

    def _filled_in_c(self) -> Any:
        module = native()
        if module is None:
            return None
        pieces = [""]
        for literal, field, _, _ in self._parts:
            pieces[-1] += literal
            if field is not None:
                pieces.append("")
        return module.Filling(tuple(pieces), tuple(self._named), self._render)

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a template.

        :raises ValueError: it is no valid template.
        """
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is no message (expected text)")
        return cls(value)

    def _check(self, field: str | None, spec: str | None, conversion: str | None) -> None:
        if field is None:
            return
        if not NAME.match(field):
            raise self._fault(f"{{{field}}} names no field", _BRACES)
        if spec and "{" in spec:
            raise self._fault(
                f"{{{field}:{spec}}} has a field in its format",
                "a fixed format, such as {count:>5}",
            )
        numbers = _NUMBERS_OF_TIMES if spec and "%" in spec else _NUMBERS
        if spec and any(len(n) > 9 or int(n) > _WIDEST for n in numbers.findall(spec)):
            raise self._fault(
                f"{{{field}:{spec}}} would make a text of any length",
                f"{_WIDEST:,} characters at most",
            )
        if conversion not in (None, "r", "s", "a"):
            raise self._fault(f"!{conversion} is no conversion", _EXCLAIMED)

    def _fault(self, what: str, expected: str) -> ValueError:
        return ValueError(f"{shown(self.text)} is no message: {what} (expected {expected})")

    @property
    def fields(self) -> list[str]:
        """The names of the fields that the message uses, in their order."""
        return [field for _, field, _, _ in self._parts if field is not None]

    @property
    def has_words(self) -> bool:
        """Whether it says something itself, besides what its fields say."""
        return any(character.isalpha() for literal, *_ in self._parts for character in literal)

    def render(self, fields: Mapping[str, Any]) -> str:
        """The message with the values of these fields.

        A value that its format does not fit (a number's, given text) is shown without it.
        """
        return self._render(fields) if self._in_c is None else self._in_c(fields)

    def _render(self, fields: Mapping[str, Any]) -> str:
        if self._plain is not None and isinstance(fields, Entry):
            text_of = fields.text
            text = self._plain % tuple([text_of(field) or "" for field in self._named])
            return text if len(text) <= LONGEST else shortened(text, LONGEST)
        pieces: list[str] = []
        for literal, field, spec, conversion in self._parts:
            pieces.append(literal)
            if field is not None:
                value = fields.get(field)
                if value is not None:
                    pieces.append(formatted(value, spec, conversion))
        text = "".join(pieces)
        return text if len(text) <= LONGEST else shortened(text, LONGEST)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Template({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Template) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


_CONVERSIONS: dict[str, Callable[[str], str]] = {"r": repr, "a": ascii, "s": str}


def formatted(value: Any, spec: str, conversion: str | None) -> str:
    """A value as text, by its format and conversion; without them, where they do not fit it."""
    if conversion is not None:
        value = _CONVERSIONS[conversion](as_text(value))
    if not spec:
        return as_text(value)
    if not isinstance(value, int | float | datetime):
        value = as_text(value)
    try:
        return format(value, spec)
    except (ValueError, TypeError, OverflowError):
        return as_text(value)
