"""How values are ordered, for ``at_most`` and ``at_least``."""

from __future__ import annotations

from typing import Any


def compare(value: Any, limit: float | str) -> int | None:
    """Below (-1), at (0) or above (1) the limit; None where the two cannot be compared."""
    if isinstance(limit, str):
        if not isinstance(value, str):
            return None
        return (value > limit) - (value < limit)
    if isinstance(value, str):
        try:
            value = int(value) if value.isdecimal() else float(value)
        except ValueError:
            return None
    if not isinstance(value, int | float) or value != value:  # noqa: PLR0124 -- not a number
        return None
    return (value > limit) - (value < limit)
