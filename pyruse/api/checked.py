"""Looks at what plugins put into a report, while it is known which plugin does.

What is of a wrong type would come to light only where all of the report is written, and cost it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from math import isfinite
from typing import Any

_MOST_BITS = 512
"""Of a whole number: larger ones cannot be divided into units, nor written in JSON."""


def text(name: str, value: object) -> str:
    """What people are to read: an argument of this name.

    :raises TypeError: it is no text.
    """
    if not isinstance(value, str):
        raise TypeError(f"{name} is of type {type(value).__name__} (expected str)")
    return value


def texts(name: str, values: Iterable[object]) -> list[str]:
    """Several of them.

    :raises TypeError: one of them is no text, or all are one.
    """
    if isinstance(values, str):
        raise TypeError(f"{name} is a text (expected several)")
    return [text(f"{name}[{at}]", value) for at, value in enumerate(values)]


def whole(name: str, value: object) -> int:
    """A whole number.

    :raises TypeError: it is none.
    """
    if not isinstance(value, int):
        raise TypeError(f"{name} is of type {type(value).__name__} (expected int)")
    return value


def moment(name: str, value: object) -> datetime | None:
    """An instant, or none.

    :raises TypeError: it is something else.
    """
    if value is not None and not isinstance(value, datetime):
        raise TypeError(f"{name} is of type {type(value).__name__} (expected datetime)")
    return value


def number(name: str, value: object) -> float:
    """A number that can be compared with others.

    :raises TypeError: it is no number.
    :raises ValueError: it is infinite, or has hundreds of digits.
    """
    if not isinstance(value, int | float):
        raise TypeError(f"{name} is of type {type(value).__name__} (expected int or float)")
    if not is_number(value):
        raise ValueError(f"{name} is no number that can be written")
    return value


def is_number(value: float) -> bool:
    """Whether it is finite, and not of hundreds of digits."""
    return value.bit_length() <= _MOST_BITS if isinstance(value, int) else isfinite(value)


def cell(value: Any) -> Any:
    """A cell of a table: what is no number, such as a share of nothing, is an empty one.

    :raises Exception: it has no text.
    """
    if value is None or isinstance(value, str | datetime):
        return value
    if isinstance(value, int | float):
        return value if is_number(value) else None
    return str(value)
