"""Regular expressions."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from functools import cached_property
from typing import Any, ClassVar, Self

from pyruse.options.fields import NewField
from pyruse.options.quick_search import Search, doubts_of, either, quick_search
from pyruse.text import shown


class Pattern:
    """A regular expression of Python's ``re``, searched for anywhere in the text."""

    IN_WORDS: ClassVar[str] = "a regular expression"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "format": "regex"}

    def __init__(self, text: str) -> None:
        """Compile a pattern.

        :raises ValueError: it is no valid regular expression, or a group has a bad name.
        """
        try:
            # Python warns of a pattern that it compiles, but not when it finds it in its cache.
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self.regex = re.compile(text)
        except (re.error, OverflowError, RecursionError) as fault:
            raise ValueError(
                f"{shown(text)} is no regular expression: {fault} (expected Python's syntax; "
                "in TOML, patterns are best written in single quotes)"
            ) from None
        self.doubts = doubts_of(self.regex)
        """Warnings for `pyruse check`: what is most likely not meant."""
        self.search: Search = self.regex.search
        self.groups: list[NewField] = []
        for name in self.regex.groupindex:
            try:
                self.groups.append(NewField.parse(name))
            except ValueError as fault:
                raise ValueError(f"group {fault}") from None

    @cached_property
    def quick_search(self) -> Search:
        """Finds the same as `search`, with less work."""
        return quick_search(self.regex)

    @staticmethod
    def either(patterns: Sequence[Pattern]) -> Search | None:
        """One search for all patterns; None: searching by each of them is less work."""
        return either([pattern.regex for pattern in patterns])

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a pattern.

        :raises ValueError: it is no valid regular expression.
        """
        if not isinstance(value, str):
            raise ValueError(f"{shown(value)} is no regular expression (expected text)")
        return cls(value)

    @property
    def text(self) -> str:
        """The expression as it was written."""
        return self.regex.pattern

    def __repr__(self) -> str:
        return f"Pattern({self.text!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Pattern) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)
