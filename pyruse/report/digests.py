"""Digests: one report of the days of a week (ISO 8601, from Monday on), or of a month."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from pyruse.text import late_pattern

Length = Literal["week", "month"]

_NAMES = late_pattern(r"(?P<year>\d{4})-(?:W(?P<week>\d\d)|(?P<month>\d\d))")


class Period(Struct, frozen=True):
    """A week or a month."""

    every: Length
    title: str
    """``2026-W48`` or ``2026-11``."""
    first: date
    last: date

    @property
    def days(self) -> list[str]:
        """All its days, as ``YYYY-MM-DD``."""
        count = (self.last - self.first).days + 1
        return [(self.first + timedelta(days=number)).isoformat() for number in range(count)]


def period_around(day: date, every: Length) -> Period:
    """The week or the month that a day is in."""
    if every == "week":
        year, week, weekday = day.isocalendar()
        first = day - timedelta(days=weekday - 1)
        return Period("week", f"{year:04}-W{week:02}", first, first + timedelta(days=6))
    first = day.replace(day=1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return Period("month", f"{day:%Y-%m}", first, last)


def period_named(title: str) -> Period | None:
    """The period of a title; None: it is none."""
    match = _NAMES.fullmatch(title)
    if match is None:
        return None
    try:
        year = int(match["year"])
        if match["week"]:
            return period_around(date.fromisocalendar(year, int(match["week"]), 1), "week")
        return period_around(date(year, int(match["month"]), 1), "month")
    except (ValueError, OverflowError):
        return None


def period_expected(title: str) -> str | None:
    """What the year of a week or a month that is none has instead; None: it is no such title."""
    match = _NAMES.fullmatch(title)
    if match is None or not date.min.year <= (year := int(match["year"])) < date.max.year:
        return None
    if match["month"]:
        return f'"{year:04}-01" to "{year:04}-12"'
    weeks = date(year, 12, 28).isocalendar().week  # it is always in the last one (ISO 8601)
    return f'"{year:04}-W01" to "{year:04}-W{weeks}"'


def due(day: str, reported: Sequence[str], wanted: Sequence[Length]) -> Iterator[Period]:
    """The periods that are over with a day's report.

    :param day: whose report is made, as ``YYYY-MM-DD``.
    :param reported: the days that were reported before.
    :param wanted: the lengths of the periods.
    """
    this = date.fromisoformat(day)
    before = max((one for one in reported if one < day), default=None)
    for every in dict.fromkeys(wanted):
        current = period_around(this, every)
        if before is not None:
            # Nothing came on its last day: the machine was switched off.
            former = period_around(date.fromisoformat(before), every)
            if former.title != current.title and before < former.last.isoformat():
                yield former
        if this == current.last:
            yield current
