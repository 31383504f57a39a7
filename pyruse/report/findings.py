"""What a report says of its events, besides the events: before and after plugins have their say."""

from __future__ import annotations

import sqlite3

from pyruse.api.report import Report
from pyruse.kinds.unlike import LEARNING
from pyruse.report.attention import attend, ordered
from pyruse.report.kind_rows import kind_rows
from pyruse.report.other_days import compared
from pyruse.report.usual import compare, count_bans, hours
from pyruse.state.kinds import days_with_counts
from pyruse.times import Calendar


def find(
    report: Report,
    db: sqlite3.Connection,
    calendar: Calendar,
    absent_in: tuple[int, int],
    *,
    is_over: bool,
) -> None:
    """Add what the state alone tells: attention, what is unlike other days, kinds, hours.

    :param report: has the events of its days.
    :param db: the committed state.
    :param calendar: says when days begin and end.
    :param absent_in: the instants (µs since the epoch) within which something may be absent.
    :param is_over: whether all of the last day is there.
    """
    report.bans = count_bans(report, db)
    attend(report, db, calendar.zone, absent_in)
    first = min(report.days, default="")
    known = [day for day in days_with_counts(db) if day < first]
    report.learning = max(0, LEARNING - len(known))
    if len(report.days) == 1:  # several are like no other
        (day,) = report.days
        is_empty = not report.entries
        comparison = compared(db, day, calendar.zone, is_over=is_over, is_empty=is_empty)
        report.unusual = comparison.unusual
        report.attention += comparison.attention
        report.hours = hours(db, day, calendar)
    report.kinds = kind_rows(report, db, calendar.zone)


def conclude(report: Report, db: sqlite3.Connection, calendar: Calendar) -> None:
    """Put in order what plugins have added, and add the numbers that the core knows.

    :param report: has what plugins contribute.
    :param db: the committed state.
    :param calendar: says when days begin and end.
    """
    report.attention = ordered(report.attention)
    if report.days:
        compare(report, db, calendar)
