"""A report out of what the state holds."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import date, tzinfo
from functools import partial
from itertools import starmap
from typing import cast

from pyruse.api.report import Details, Every, Line, Report, Row, Section, Times, shown_times
from pyruse.report.absences import absence_in_words
from pyruse.report.digests import Period
from pyruse.report.findings import conclude, find
from pyruse.report.stored import Candidate, Instants, KeptLines, StoredRows
from pyruse.state.database import State
from pyruse.state.days import Day, kept_days, notes_of
from pyruse.state.events import (
    Event,
    MessageTimes,
    Summary,
    count_events,
    count_messages,
    events_by_message,
    events_in_time,
    events_in_turn,
    hosts_of,
    latest_by_message,
    latest_events,
    messages_in_turn,
    times_and_messages,
)
from pyruse.state.expectations import Absence, absences_of
from pyruse.state.faults import faults_of
from pyruse.state.outbox_item import SET_ASIDE
from pyruse.times import FOREVER, Calendar, datetime_of

_FAULTS = 20  # kinds that are shown: each needs the administrator
_ABSENT = 50  # names and keys that are shown of what was absent

_EVER = (-FOREVER, FOREVER)

Contribute = Callable[[Report], None]


def report_of_day(  # noqa: PLR0913 -- all that a report is made of
    day: str,
    db: sqlite3.Connection,
    calendar: Calendar,
    host: str,
    contribute: Contribute,
    *,
    at_once: bool,
    is_over: bool,
    machine: str | None = None,
) -> Report:
    """The report of a day.

    :param day: ``YYYY-MM-DD``.
    :param db: the committed state.
    :param calendar: says when the day begins and ends.
    :param host: the name of this host.
    :param contribute: lets plugins add to it.
    :param at_once: all rows are read now; else, they are when they are asked for.
    :param is_over: whether the day has ended.
    :param machine: the one other machine that the connection shows.
    """
    start, end = calendar.start_of(_date(day)), calendar.end_of(_date(day))
    kept = [known for known in kept_days(db) if known.day == day] or [Day(day)]
    span = start, end
    return _report(
        day, kept, span, db, at_once, calendar, host, contribute, span, is_over=is_over,
        machine=machine,
    )  # fmt: skip


def report_of_period(  # noqa: PLR0913 -- all that a report is made of
    period: Period,
    db: sqlite3.Connection,
    calendar: Calendar,
    host: str,
    contribute: Contribute,
    *,
    at_once: bool,
) -> Report:
    """The digest of a week or a month: the parameters are those of `report_of_day`."""
    span = calendar.start_of(period.first), calendar.end_of(period.last)
    names = period.days
    kept = [known for known in kept_days(db) if known.day in names]
    notes = _missing(names, {day.day for day in kept})
    return _report(
        period.title, kept, span, db, at_once, calendar, host, contribute, span,
        every=period.every, notes=notes,
    )  # fmt: skip


def _missing(names: list[str], kept: set[str]) -> list[str]:
    """A note, where some days of a period are not in its digest."""
    gone = [name for name in names if name not in kept]
    if not gone:
        return []
    return [f"nothing is kept of {len(gone)} of these {len(names)} days: {', '.join(gone)}"]


def report_of_all(
    state: State, calendar: Calendar, host: str, contribute: Contribute, *, for_people: bool = True
) -> Report:
    """One report of all that the state holds, as replaying past entries gives it.

    :param state: is committed.
    :param calendar: says when days begin and end.
    :param host: the name of this host.
    :param contribute: lets plugins add to it.
    :param for_people: also find what they should know: what needs attention, kinds, usual numbers.
    """
    days = kept_days(state.db)
    firsts = [day.first for day in days if day.first is not None]
    lasts = [day.last for day in days if day.last is not None]
    span = (min(firsts), max(lasts) + 1) if firsts and lasts else (0, 0)
    names = [day.day for day in days if day.entries]
    title = " – ".join(dict.fromkeys((names[0], names[-1]))) if names else "no entries"
    report = _report(
        title, days, span, state.db, True, calendar, host, contribute, _EVER, for_people=for_people
    )
    report.kept = False
    return report


def report_in_brief(  # noqa: PLR0913 -- all that a report is made of
    wanted: str | Period,
    db: sqlite3.Connection,
    calendar: Calendar,
    host: str,
    limit: int,
    contribute: Contribute,
    *,
    is_over: bool,
    machine: str | None = None,
) -> Report:
    """A look at a day, a week or a month, quick also where a flood of events is kept.

    Of the rows, these are the ones whose messages came last, and of the times of a row the first
    and the last; `Report.left_out` counts the rest.

    :param wanted: a day as ``YYYY-MM-DD``, or a week or month.
    :param db: the committed state.
    :param calendar: says when days begin and end.
    :param host: the name of this host.
    :param limit: the number of rows of each section; 0: there are kinds of events only.
    :param contribute: lets plugins add to it.
    :param is_over: whether it has ended.
    :param machine: the one other machine that the connection shows.
    """
    names = [wanted] if isinstance(wanted, str) else wanted.days
    start, end = calendar.start_of(_date(names[0])), calendar.end_of(_date(names[-1]))
    zone = calendar.zone
    report = Report(
        names[0], [host], datetime_of(start, zone), datetime_of(end, zone), machine=machine
    )
    kept = [known for known in kept_days(db) if known.day in names]
    if not isinstance(wanted, str):
        report.title, report.every = wanted.title, wanted.every
        report.notes += _missing(names, {day.day for day in kept})
    _fill_facts(report, db, kept, zone)
    if limit:  # to count a flood's messages takes seconds
        report.important = _summaries(latest_by_message(db, names, "important", limit), zone)
        report.interesting = _summaries(latest_by_message(db, names, "interesting", limit), zone)
        report.other = [
            Line(datetime_of(event.time, zone), event.message)
            for event in latest_events(db, names, "other", limit)
        ]
    total = count_events(db, names)
    shown: dict[Section, int] = {
        "important": sum(row.count for row in report.important),
        "interesting": sum(row.count for row in report.interesting),
        "other": len(report.other),
    }
    report.notes += _absences(db, (start, end), zone)
    report.left_out = {section: total[section] - count for section, count in shown.items()}
    find(report, db, calendar, (start, end), is_over=is_over)
    contribute(report)
    conclude(report, db, calendar)
    return report


def _report(  # noqa: PLR0913 -- a private helper of the two above
    title: str,
    days: list[Day],
    span: tuple[int, int],
    db: sqlite3.Connection,
    at_once: bool,
    calendar: Calendar,
    host: str,
    contribute: Contribute,
    absent_in: tuple[int, int],
    *,
    is_over: bool = True,
    machine: str | None = None,
    every: Every = "day",
    notes: Sequence[str] = (),
    for_people: bool = True,
) -> Report:
    begin, end = (datetime_of(time_us, calendar.zone) for time_us in span)
    report = Report(title, [host], begin, end, machine=machine, every=every, notes=[*notes])
    # What is in memory already takes no more of it. It may be gone before the report is read.
    fill(report, db, days, calendar.zone, at_once=at_once)
    report.notes += _absences(db, absent_in, calendar.zone)
    if for_people:
        find(report, db, calendar, absent_in, is_over=is_over)
    contribute(report)
    conclude(report, db, calendar)
    return report


def fill(
    report: Report, db: sqlite3.Connection, days: list[Day], zone: tzinfo, *, at_once: bool = True
) -> None:
    """Put what the database holds of some days into a report.

    :param report: takes it.
    :param db: the committed state.
    :param days: the days.
    :param zone: the zone of the times.
    :param at_once: all of it; else, rows are read when they are asked for, and the database must
        stay open.
    """
    _fill_facts(report, db, days, zone)
    names = [day.day for day in days]
    important, interesting = (
        _stored_rows(db, names, section, zone) for section in ("important", "interesting")
    )
    if at_once:
        report.important, report.interesting = list(important), list(interesting)
        report.other = KeptLines(times_and_messages(db, names, "other"), zone)
    else:
        report.important, report.interesting = important, interesting
        report.other = _stored_lines(db, names, zone)


def _fill_facts(report: Report, db: sqlite3.Connection, days: list[Day], zone: tzinfo) -> None:
    """What the database holds of some days but for the events themselves."""
    names = report.days = [day.day for day in days]
    report.entries = sum(day.entries for day in days)
    first = min((day.first for day in days if day.first is not None), default=None)
    last = max((day.last for day in days if day.last is not None), default=None)
    report.first = None if first is None else datetime_of(first, zone)
    report.last = None if last is None else datetime_of(last, zone)
    report.notes += [*notes_of(db, names), *_faults(db, names, zone)]
    report.hosts = hosts_of(db, names) or report.hosts


def _faults(db: sqlite3.Connection, days: list[str], zone: tzinfo) -> Iterator[str]:
    """What went wrong within Pyruse, for the report's notes."""
    # What is set aside has a note of its own, made when it was.
    faults = [fault for fault in faults_of(db, days) if fault.kind != SET_ASIDE]
    for fault in faults[:_FAULTS]:
        times = "once" if fault.count == 1 else f"{fault.count:,} times, last"
        last = datetime_of(fault.last, zone)
        yield f"fault: {fault.place}: {fault.text} ({times} at {last:%H:%M:%S})"
    if len(faults) > _FAULTS:
        yield f"and {len(faults) - _FAULTS:,} more kinds of faults: see `pyruse status`"


def _absences(db: sqlite3.Connection, span: tuple[int, int], zone: tzinfo) -> Iterator[str]:
    """What did not happen that is expected, for the report's notes: a line for each, the last."""
    times: Counter[tuple[str, str]] = Counter()
    last: dict[tuple[str, str], Absence] = {}
    for absence in absences_of(db, *span):
        key = absence.name, absence.key
        times[key] += 1
        last[key] = absence
    for key in list(last)[:_ABSENT]:
        more = f" ({times[key]:,} times in all)" if times[key] > 1 else ""
        yield absence_in_words(last[key], zone) + more
    if len(last) > _ABSENT:
        yield f"and {len(last) - _ABSENT:,} more were absent: see `pyruse status`"


def _stored_rows(
    db: sqlite3.Connection, days: list[str], section: str, zone: tzinfo
) -> StoredRows[Row, MessageTimes]:
    """The rows of a section, one for each message."""

    def read() -> Iterator[tuple[int, MessageTimes]]:
        return ((one.id, one) for one in events_by_message(db, days, section))

    def ranked(limit: int) -> Iterator[Candidate]:
        return starmap(Candidate, messages_in_turn(db, days, section, limit))

    make = partial(_row, zone)
    return StoredRows(*count_messages(db, days, section), read, make, ranked)


def _stored_lines(db: sqlite3.Connection, days: list[str], zone: tzinfo) -> StoredRows[Line, Event]:
    """The events of the section ``other``."""

    def read() -> Iterator[tuple[int, Event]]:
        return events_in_time(db, days, "other")

    def ranked(limit: int) -> Iterator[Candidate]:
        return starmap(Candidate, events_in_turn(db, days, "other", limit))

    events = count_events(db, days)["other"]
    return StoredRows(events, events, read, partial(_line, zone), ranked)


def _row(zone: tzinfo, one: MessageTimes) -> Row:
    row = Row(one.message, 0)
    for details, times in one.times.items():
        row.count += len(times)
        mode = cast(Details, details)
        row.details.append(Times(mode, len(times), Instants(shown_times(mode, times), zone)))
    return row


def _line(zone: tzinfo, event: Event) -> Line:
    return Line(datetime_of(event.time, zone), event.message)


def _summaries(messages: Iterator[tuple[str, list[Summary]]], zone: tzinfo) -> list[Row]:
    rows = []
    for message, of_message in messages:
        row = Row(message, 0)
        for one in of_message:
            details = cast(Details, one.details)
            if details == "ALL" and one.count > 1:
                details = "FIRSTLAST"
            ends = sorted({one.first, one.last})
            shown = [datetime_of(time_us, zone) for time_us in shown_times(details, ends)]
            row.count += one.count
            row.details.append(Times(details, one.count, shown))
        rows.append(row)
    return rows


def _date(day: str) -> date:
    return date.fromisoformat(day)
