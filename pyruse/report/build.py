"""A report out of what the state holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from pyruse.report.model import Report
from pyruse.state.database import State
from pyruse.state.days import Day, fill, kept_days
from pyruse.times import Calendar, datetime_of

Contribute = Callable[[Report], None]


def report_of_day(
    day: str, state: State, calendar: Calendar, host: str, contribute: Contribute
) -> Report:
    """The report of a day, named ``YYYY-MM-DD``; the state must be committed."""
    start, end = calendar.start_of(_date(day)), calendar.end_of(_date(day))
    kept = [known for known in kept_days(state.db) if known.day == day] or [Day(day)]
    return _report(day, kept, (start, end), state, calendar, host, contribute)


def report_of_all(state: State, calendar: Calendar, host: str, contribute: Contribute) -> Report:
    """One report of all that the state holds, as replaying past entries gives it."""
    days = kept_days(state.db)
    firsts = [day.first for day in days if day.first is not None]
    lasts = [day.last for day in days if day.last is not None]
    span = (min(firsts), max(lasts) + 1) if firsts and lasts else (0, 0)
    names = [day.day for day in days if day.entries]
    title = " – ".join(dict.fromkeys((names[0], names[-1]))) if names else "no entries"
    return _report(title, days, span, state, calendar, host, contribute)


def _report(  # noqa: PLR0913 -- a private helper of the two above
    title: str,
    days: list[Day],
    span: tuple[int, int],
    state: State,
    calendar: Calendar,
    host: str,
    contribute: Contribute,
) -> Report:
    begin, end = (datetime_of(time_us, calendar.zone) for time_us in span)
    report = Report(title, [host], begin, end)
    fill(report, state.db, days, calendar.zone)
    contribute(report)
    return report


def _date(day: str) -> date:
    return date.fromisoformat(day)
