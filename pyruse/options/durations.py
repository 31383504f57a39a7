"""Spans of time."""

from __future__ import annotations

from datetime import timedelta
from functools import cached_property
from typing import Any, ClassVar, Self

from pyruse.text import late_pattern, shown

_DURATION = late_pattern(r"(?:[0-9]{1,12}(?:ms|[wdhms]))+\Z")
_DIGITS = late_pattern(r"[0-9]{1,12}\Z")
_PART = late_pattern(r"(\d+)(ms|[wdhms])")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


LONGEST = 1e10
"""Seconds, some 300 years: no duration reaches it. `timedelta` itself ends at 2.7 million years."""


def written(us: int) -> str:
    """A span of microseconds as it is written in a configuration: ``1h30m``."""
    left, parts = us // 1000, []
    for unit, seconds in (*((unit, _SECONDS[unit]) for unit in "wdhms"), ("ms", 0.001)):
        number, left = divmod(left, round(seconds * 1000))
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


class Duration(timedelta):
    """A span of time above zero: ``90`` or ``"90s"``, ``"15m"``, ``"2h"``, ``"1h30m"``."""

    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "integer", "minimum": 1},
            {"type": "string", "pattern": "^([0-9]+(ms|[wdhms]))+$"},
        ]
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a span of time.

        :raises ValueError: it is no duration, or not above zero.
        """
        seconds = 0.0
        if isinstance(value, int) and not isinstance(value, bool):
            seconds = value
        elif isinstance(value, str) and _DIGITS.match(value):
            seconds = int(value)
        elif isinstance(value, str) and _DURATION.match(value):
            seconds = sum(int(n) * _SECONDS[unit] for n, unit in _PART.findall(value))
        if 0 < seconds < LONGEST:
            return cls(seconds=seconds)
        raise ValueError(
            f'{shown(value)} is no duration (expected seconds, or "90s", "15m", "2h", "5d", "1w", '
            '"1h30m")'
        )

    @cached_property
    def us(self) -> int:
        """The same in microseconds."""
        return self // timedelta(microseconds=1)
