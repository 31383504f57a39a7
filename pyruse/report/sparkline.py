"""The hours of a day as a row of bars."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

_BLOCKS = "▁▂▃▄▅▆▇█"
_NOTHING = "·"
MOST = 48
"""Bars, at most: of many days, several hours share one."""


def bars(hours: Sequence[int]) -> list[int]:
    """What each bar stands for: an hour, or several where there are many."""
    width = ceil(len(hours) / MOST)
    return [sum(hours[at : at + width]) for at in range(0, len(hours), width or 1)]


def heights(hours: Sequence[int], highest: int) -> list[int]:
    """The height of each bar, from 0 (nothing at all) to ``highest``."""
    shown = bars(hours)
    most = max(shown, default=0)
    return [ceil(count * highest / most) if count > 0 else 0 for count in shown]


def sparkline(hours: Sequence[int]) -> str:
    """The bars as a text, such as ``▁▁▂·▃█``."""
    return "".join(
        _BLOCKS[height - 1] if height else _NOTHING for height in heights(hours, len(_BLOCKS))
    )
