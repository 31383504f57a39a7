"""Hours of the day and days of the week, for ``at_hours`` and ``on_days``."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Self

from pyruse import shown

_RANGE = re.compile(r"(\d\d?):([0-5]\d)\s*-\s*(\d\d?):([0-5]\d)", re.ASCII)
_DAY = 24 * 60  # minutes
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def _items(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


class Hours(tuple[tuple[int, int], ...]):
    """Ranges of the day, in minutes: the begin belongs to a range, the end does not."""

    IN_WORDS: ClassVar[str] = 'hours, such as "22:00-06:00", or a list of them'
    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string", "pattern": "-"},
            {"type": "array", "items": {"type": "string", "pattern": "-"}, "minItems": 1},
        ]
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read ranges of hours.

        :raises ValueError: one is none, or there is none.
        """
        if value == []:
            raise ValueError('the list is empty (expected hours, such as "22:00-06:00")')
        return cls(map(cls.parse_item, _items(value)))

    @staticmethod
    def parse_item(value: Any) -> tuple[int, int]:
        """Read one range.

        :raises ValueError: it is none.
        """
        found = _RANGE.fullmatch(value.strip()) if isinstance(value, str) else None
        if found is not None:
            hour, minute, to_hour, to_minute = map(int, found.groups())
            begin, end = hour * 60 + minute, to_hour * 60 + to_minute
            if begin < _DAY and end <= _DAY and begin != end:
                return begin, end
        raise ValueError(
            f'{shown(value)} are no hours (expected a begin and an end: "22:00-06:00")'
        )

    def has(self, minute: int) -> bool:
        """Whether a minute of the day is inside of a range; one may go over midnight."""
        return any(
            begin <= minute < end if begin < end else minute >= begin or minute < end
            for begin, end in self
        )


class Days(frozenset[int]):
    """Days of the week; Monday is 0."""

    IN_WORDS: ClassVar[str] = 'days, such as "Sat", "Mon-Fri", or a list of them'
    SCHEMA: ClassVar[dict[str, Any]] = {
        "anyOf": [
            {"type": "string"},
            {"type": "array", "items": {"type": "string"}, "minItems": 1},
        ]
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read days of the week.

        :raises ValueError: one is none, or there is none.
        """
        if value == []:
            raise ValueError('the list is empty (expected days, such as "Sat" or "Mon-Fri")')
        return cls(day for item in _items(value) for day in cls.parse_item(item))

    @staticmethod
    def parse_item(value: Any) -> list[int]:
        """Read a day, or a range of them.

        :raises ValueError: it is none.
        """
        words = value.split("-") if isinstance(value, str) else []
        days = [_day(word) for word in words]
        match days:
            case [int(day)]:
                return [day]
            case [int(first), int(last)]:
                return [(first + after) % 7 for after in range((last - first) % 7 + 1)]
        raise ValueError(f'{shown(value)} is no day (expected "Saturday", "Sat" or "Mon-Fri")')


def _day(word: str) -> int | None:
    word = word.strip().lower()
    for number, name in enumerate(DAYS):
        if word in (name, name[:3]):
            return number
    return None
