"""Regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cached_property
from typing import Any, ClassVar, Self

from pyruse.options.address_groups import AddressRegex, compiled, expanded, is_hidden
from pyruse.options.fields import NewField
from pyruse.options.parsed_patterns import (
    Search,
    Tried,
    beginnings,
    doubts_of,
    either,
    is_anchored,
    one_after_another,
)
from pyruse.text import late_pattern, shown

_valid: ContextVar[bool] = ContextVar("_valid", default=False)
_GROUP = late_pattern(
    r"\\. | \[\^?\]?(?:\\.|[^\]\\])*\] | \(\?P<(?P<name>\w+)>", re.DOTALL | re.VERBOSE
)
"""Where a group begins; escapes and sets of characters are stepped over."""


@contextmanager
def taken_as_valid(are_valid: bool) -> Iterator[None]:
    """Take patterns as valid that are read meanwhile: they are compiled when they are looked for.

    Compiling takes a millisecond each: a start with all the rules would take a second more.

    :param are_valid: whether tests have seen that they are valid.
    """
    token = _valid.set(are_valid)
    try:
        yield
    finally:
        _valid.reset(token)


class Pattern:
    """A regular expression of Python's ``re``, searched for anywhere in the text.

    ``{address}`` in it is a group named ``ip`` that takes an address, ``{address:NAME}`` one of
    another name; its port, if there is one, is the group ``NAME_port``.
    """

    IN_WORDS: ClassVar[str] = "a regular expression"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "format": "regex"}

    def __init__(self, text: str) -> None:
        """Compile a pattern, unless it is `taken_as_valid`.

        :raises ValueError: it is no valid regular expression, or a group has a bad name.
        """
        self.text = text
        """The expression as it was written."""
        written_out = expanded(text)
        self.addresses = written_out.addresses
        """The groups that hold an address."""
        self._written_out = written_out
        self.groups: list[NewField] = []
        for name in self._names():
            if is_hidden(name, self.addresses):
                continue
            try:
                self.groups.append(NewField.parse(name))
            except ValueError as fault:
                raise ValueError(f"group {fault}") from None

    def _names(self) -> Iterable[str]:
        if not _valid.get():
            return self.outline.groupindex
        names = (group["name"] for group in _GROUP.finditer(self._written_out.outline))
        return [name for name in names if name is not None]

    @cached_property
    def outline(self) -> re.Pattern[str]:
        """The expression, with next to nothing in place of its addresses.

        It has the same groups, and is the same for whoever analyses it.
        """
        return _compiled(self._written_out.outline, self.text)

    @property
    def is_compiled(self) -> bool:
        """Whether looking for it costs no compiling any more, but that of addresses."""
        return "outline" in self.__dict__

    @cached_property
    def _regex(self) -> AddressRegex | re.Pattern[str]:
        if self.addresses:
            return AddressRegex(self._written_out.text, self.addresses)
        return self.outline

    @property
    def written_out(self) -> str:
        """The expression as `outline` has it: not compiled."""
        return self._written_out.outline

    @property
    def regex(self) -> re.Pattern[str]:
        """The expression with its addresses written out."""
        found = self._regex
        return found.regex if isinstance(found, AddressRegex) else found

    @property
    def search(self) -> Search:
        """Finds the pattern anywhere in a text."""
        return self._regex.search

    @cached_property
    def doubts(self) -> list[str]:
        """Warnings for `pyruse check`: what is most likely not meant."""
        return doubts_of(self.text)

    @staticmethod
    def first_of(patterns: Sequence[Pattern], *, optimize: bool = True) -> Search:
        """One search for several patterns.

        :param patterns: the first one that is found counts.
        :param optimize: take short cuts (see `pyruse.options.parsed_patterns`).
        """
        if not optimize:
            return one_after_another([(pattern.search, "", False) for pattern in patterns])
        if len(patterns) == 1:
            return patterns[0]._quickest
        outlines = [pattern.outline for pattern in patterns]
        together = either(outlines)
        if together is not None:
            return together
        return one_after_another([one._tried() for one in patterns], beginnings(outlines))

    def _tried(self) -> Tried:
        from pyruse.options.needs import needs_of_text

        needs = needs_of_text(self.written_out)
        return self._quickest, needs.inside.decode(), needs.caseless

    @property
    def _quickest(self) -> Search:
        """The same as `search`: not beyond the beginning, where it can be found there alone."""
        return self._regex.match if is_anchored(self.outline) else self._regex.search

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
