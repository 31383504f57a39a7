"""What equals a value that an administrator has written, for ``equals`` and ``in``."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pyruse import Field


def equal_values(field: Field, values: Iterable[Any]) -> frozenset[Any]:
    """All values that equal one of some configured ones: a number, and the same number as text.

    What a pattern takes out of a message is text, what ``count`` sets is a number, and an
    administrator need not know which is which. They are equal where they are written alike: the
    text ``401`` is the number 401, and ``0401`` is not. So they can be told one by one, and a look
    into a dictionary is all that the comparison takes.

    :raises ValueError: the field never has one of the values.
    """
    return frozenset(alike for value in values for alike in _alike(field.typed(value)))


def _alike(value: Any) -> list[Any]:
    match value:
        case bool():
            return [value, str(value).lower()]
        case int():
            return [value, str(value)]
        case float():
            whole = [str(int(value))] if value.is_integer() else []
            return [value, str(value), *whole]
        case str():
            return [value, *_number(value)]
        case _:
            return [value]


def _number(text: str) -> list[Any]:
    """The number that a text is, if it is written as Pyruse would write it."""
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:  # more digits than Python reads, too
            continue
        if str(number) == text and math.isfinite(number):
            return [number]
    return []
