"""Regular expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

from pyruse.options.address_groups import AddressRegex, compiled, expanded, is_hidden
from pyruse.options.fields import NewField
from pyruse.options.quick_search import Search, doubts_of, either, quick_search
from pyruse.text import shown


class Pattern:
    """A regular expression of Python's ``re``, searched for anywhere in the text.

    ``{address}`` in it is a group named ``ip`` that takes an address, ``{address:NAME}`` one of
    another name; its port, if there is one, is the group ``NAME_port``.
    """

    IN_WORDS: ClassVar[str] = "a regular expression"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "format": "regex"}

    def __init__(self, text: str) -> None:
        """Compile a pattern.

        :raises ValueError: it is no valid regular expression, or a group has a bad name.
        """
        self.text = text
        """The expression as it was written."""
        written_out = expanded(text)
        self.addresses = written_out.addresses
        """The groups that hold an address."""
        self.outline = _compiled(written_out.outline, text)
        """The expression, with next to nothing in place of its addresses: the same groups, and the
        same for whoever analyses it."""
        self._regex = (
            AddressRegex(written_out.text, self.addresses) if self.addresses else self.outline
        )
        self.search: Search = self._regex.search
        self.groups: list[NewField] = []
        for name in self.outline.groupindex:
            if is_hidden(name, self.addresses):
                continue
            try:
                self.groups.append(NewField.parse(name))
            except ValueError as fault:
                raise ValueError(f"group {fault}") from None

    @cached_property
    def doubts(self) -> list[str]:
        """Warnings for `pyruse check`: what is most likely not meant."""
        return doubts_of(self.text)

    @cached_property
    def quick_search(self) -> Search:
        """Finds the same as `search`, with less work."""
        return quick_search(self._regex, self.outline)

    @staticmethod
    def either(patterns: Sequence[Pattern]) -> Search | None:
        """One search for all patterns; None: searching by each of them is less work."""
        return either([pattern.outline for pattern in patterns])

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a pattern.

        :raises ValueError: it is no valid regular expression.
        """
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is no regular expression (expected text)")
        return cls(value)

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)


def _compiled(text: str, written: str) -> re.Pattern[str]:
    """Compile a pattern.

    :param text: the pattern, its addresses written out.
    :param written: as the configuration has it.
    :raises ValueError: it is no valid regular expression.
    """
    try:
        return compiled(text)
    except (re.error, OverflowError, RecursionError) as fault:
        # Positions are those of what is written out.
        words = fault.msg if isinstance(fault, re.error) and text != written else fault
        raise ValueError(
            f"{shown(written)} is no regular expression: {words} (expected Python's syntax; "
            "in TOML, patterns are best written in single quotes)"
        ) from None
