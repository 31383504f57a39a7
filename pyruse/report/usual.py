"""Numbers that the core knows, of a day beside the usual ones, and the hours of the day."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import date

from pyruse.api.report import Report
from pyruse.kinds.unlike import median
from pyruse.state.ban_history import bans_begun
from pyruse.state.days import days_before, hours_of
from pyruse.state.kinds import section_counts
from pyruse.times import HOUR_US, Calendar, time_us_of

LOOKED_AT = 28
"""So many days before are compared at most: what is usual changes."""


def compare(report: Report, db: sqlite3.Connection, calendar: Calendar) -> None:
    """Add how many entries, important events and bans there are, and how many there usually are.

    :param report: has its days.
    :param db: the committed state.
    :param calendar: says when days begin and end.
    """
    before = days_before(db, min(report.days, default=""), LOOKED_AT)
    names = [day.day for day in before]
    important = section_counts(db, [*report.days, *names], "important")
    today = sum(important.get(day, 0) for day in report.days)
    usual = usual_of([important.get(day, 0) for day in names])
    if today or usual:
        report.compare("Important events", today, usual)
    if report.machine is None:  # bans are this machine's
        bans = [_bans_on(db, calendar, day) for day in names]
        usual = usual_of(bans)
        if report.bans or usual:
            report.compare("Bans", report.bans, usual)
    if report.entries or before:
        report.compare("Entries", report.entries, usual_of([day.entries for day in before]))


def usual_of(numbers: Sequence[int]) -> float | None:
    """What is usual, out of the numbers of the days before; None: there are none."""
    return median(numbers) if numbers else None


def count_bans(report: Report, db: sqlite3.Connection) -> int:
    """How many bans began in a report's period."""
    return bans_begun(db, time_us_of(report.begin), time_us_of(report.end))


def hours(db: sqlite3.Connection, day: str, calendar: Calendar) -> list[int]:
    """How many entries each hour of a day had: 23 to 25 of them; none, where that is not known."""
    counted = hours_of(db, day)
    if not counted:
        return []
    start, end = (of(date.fromisoformat(day)) for of in (calendar.start_of, calendar.end_of))
    return [counted.get(hour, 0) for hour in range(-((start - end) // HOUR_US))]


def _bans_on(db: sqlite3.Connection, calendar: Calendar, day: str) -> int:
    begun = date.fromisoformat(day)
    return bans_begun(db, calendar.start_of(begun), calendar.end_of(begun))
