"""What is unlike other days: kinds that are new, that are absent, or that come at another rate."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import sqrt
from typing import Literal

from msgspec import Struct

from pyruse.text import late_pattern

Difference = Literal["new", "gone", "rate"]

LEARNING = 7
"""Days that are needed before anything is unlike them."""
_FAR = 6.0
"""So many times the usual deviation from the usual number is far."""
_TIMES = 3.0
"""And so many times the usual number, or the same part of it."""
_SMALL = 20
"""Numbers that differ by less are small."""
_STEADY = 0.6745
"""The median of deviations is this part of a standard deviation, of what is distributed
normally (NIST/SEMATECH e-Handbook of Statistical Methods, 1.3.5.17)."""


_GRAVE = late_pattern(
    r"\b(?:fail(?:s|ed|ing|ures?)?|den(?:y|ied|ies)|fatal|errors?|critical|panic|corrupt(?:ed|ion)?"
    r"|refus(?:ed|es|ing)|unable|cannot|crash(?:ed|es)?|segfault|violations?|expired|exhausted"
    r"|broken|lost|emergency|not permitted|out of memory|no space)\b",
    re.IGNORECASE,
)


def median(numbers: Iterable[float]) -> float:
    """The number in the middle; there must be one.

    Not that of `statistics`, which takes longer to import than anything else here.
    """
    ordered = sorted(numbers)
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return (ordered[middle - 1] + ordered[middle]) / 2


class Unlike(Struct, frozen=True):
    """What is unlike other days about a kind."""

    difference: Difference
    today: int
    usual: float
    """The median of the days before."""


def is_grave(level: int | None, text: str) -> bool:
    """Whether something that is new deserves to be told: a warning or worse, or such a word."""
    return (level is not None and level <= 4) or _GRAVE.search(text) is not None


def unlike(counts: Mapping[str, int], day: str, before: Sequence[str]) -> Unlike | None:
    """Compare a day with those before it.

    :param counts: how often the kind came, by day.
    :param day: the day, as ``YYYY-MM-DD``.
    :param before: the days to compare it with.
    :return: None: the day is like others, or there are too few others.
    """
    if len(before) < LEARNING:
        return None
    today = counts.get(day, 0)
    others = [counts.get(one, 0) for one in before]
    usual = median(others)
    if today and not any(others):
        return Unlike("new", today, 0.0)
    if not today:
        return Unlike("gone", 0, usual) if all(others) else None
    return Unlike("rate", today, usual) if _is_far(today, others, usual) else None


def _is_far(today: int, others: Sequence[int], usual: float) -> bool:
    if sum(1 for one in others if one) * 2 < len(others):
        return False  # it comes now and then: there is no usual number
    if abs(today - usual) < _SMALL:
        return False
    if usual / _TIMES < today < usual * _TIMES or min(others) <= today <= max(others):
        return False
    deviation = median(abs(one - usual) for one in others) / _STEADY
    # Of numbers that are always the same, the root is what chance alone makes of them.
    return abs(today - usual) > _FAR * max(deviation, sqrt(usual), 1.0)
