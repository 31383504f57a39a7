"""Numbers of a day beside the usual ones, in words."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

from pyruse.api.findings import CellType, Glance
from pyruse.report.cells import written

_DEVIATIONS = 3
"""Where things happen by chance, a number is this many roots away from the usual one on one day in
hundreds."""
_SHARE = 0.2
"""Less than a fifth more or less is not worth telling."""


def numbers(value: float | Sequence[float] | None, type_: CellType) -> str:
    """A number, or several: ``1,431/9/3``."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return written(value, type_, str)
    return "/".join(written(one, type_, str) for one in value)


def change(row: Glance) -> str:
    """How far today is from the usual, such as ``+636 %``; empty where it may be by chance."""
    if not isinstance(row.today, int | float) or not isinstance(row.usual, int | float):
        return ""
    more = row.today - row.usual
    if abs(more) <= _SHARE * abs(row.usual):
        return ""
    if row.type in ("number", "bar") and abs(more) <= _DEVIATIONS * sqrt(abs(row.usual)):
        return ""
    if row.type == "share" or not row.usual:
        return ""
    percent = 100 * more / row.usual
    return f"{percent:+,.0f} %" if percent < 1_000 else f"×{row.today / row.usual:,.0f}"
