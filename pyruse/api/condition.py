"""Conditions: what a filter tests, as data."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Self

if TYPE_CHECKING:
    from pyruse.options.fields import NewField
    from pyruse.options.patterns import Pattern


class Condition(NamedTuple):
    """What a filter tests (see the hook `condition`): made by one of the functions below."""

    kind: str
    """The name of the function."""
    field: str
    """The field that is looked at. Where it is missing, the filter does not pass."""
    operand: Any = None
    """What it is tested for."""
    saved: Sequence[tuple[int, NewField]] = ()
    """Groups of a pattern that set a field, beside those with names."""

    @classmethod
    def exists(cls, field: str) -> Self:
        """There is such a field."""
        return cls("exists", field)

    @classmethod
    def contains(cls, field: str, text: str) -> Self:
        """The text is in the field's value as text (see `Entry.text`)."""
        return cls("contains", field, text)

    @classmethod
    def at_least(cls, field: str, value: float | str) -> Self:
        """The field's value is the value or above it, as the filter `at_least` compares them."""
        return cls("at_least", field, value)

    @classmethod
    def at_most(cls, field: str, value: float | str) -> Self:
        """The field's value is the value or below it, as the filter `at_most` compares them."""
        return cls("at_most", field, value)

    @classmethod
    def told(cls, field: str, tell: Callable[[str], bool]) -> Self:
        """The field's value is a text of which a function says so.

        :param field: is looked at.
        :param tell: is given the text, and nothing else counts for what it says.
        """
        return cls("told", field, tell)

    @classmethod
    def patterns(
        cls, field: str, patterns: Sequence[Pattern], saved: Sequence[tuple[int, NewField]] = ()
    ) -> Self:
        """One of the patterns is found in the field's value as text: the first one counts.

        All of its named groups that took part become fields, as with the filter `regex`.

        :param field: is looked at.
        :param patterns: what to look for.
        :param saved: further groups, by their numbers, that become fields.
        """
        return cls("patterns", field, tuple(patterns), tuple(saved))
