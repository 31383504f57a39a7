"""What is filed under a day is in its report: after a commit, after a restart, and once only."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from pyruse.api.report import Report
from pyruse.report.rows import fill
from pyruse.state.database import State
from pyruse.state.days import Day, kept_days
from pyruse.state.events import (
    events_by_message,
    latest_by_message,
)
from pyruse.times import time_us_of
from tests.state.filed import file_event

PARIS = ZoneInfo("Europe/Paris")
MIDNIGHT = datetime(2026, 3, 14, tzinfo=PARIS)
SECOND = 1_000_000
DAY, NEXT, LATER = date(2026, 3, 14), date(2026, 3, 15), date(2026, 3, 20)


def us(hour: float, day: date = DAY) -> int:
    return time_us_of(MIDNIGHT + (day - DAY)) + int(hour * 3600) * SECOND


@pytest.fixture
def state(tmp_path):
    opened = State(str(tmp_path / "state.sqlite"))
    opened.load()
    yield opened
    opened.close()


def reopened(state: State) -> State:
    """What the next start finds."""
    again = State(state.path)
    again.load()
    return again


def add(state, message, hour=1.0, section="interesting", details="ALL", host="aubergine", day=DAY):
    name = state.days.open_day(day)
    file_event(state.days, name, section, message, details, us(hour, day), host)


def filled(state, *days: date) -> Report:
    """The report of some days, by default of all."""
    names = [day.isoformat() for day in days]
    kept = [day for day in kept_days(state.db) if not names or day.day in names]
    report = Report("x", ["here"], MIDNIGHT, MIDNIGHT + timedelta(days=1))
    fill(report, state.db, kept, PARIS)
    return report


def rows(report, section="interesting"):
    return [
        (row.message, row.count, [(one.details, one.count, len(one.shown)) for one in row.details])
        for row in getattr(report, section)
    ]


def other(report):
    return [(f"{line.time:%d %H:%M}", line.message) for line in report.other]


def test_events_are_in_the_report_after_the_commit(state):
    add(state, "alice logged in", 8)
    add(state, "disk failure", 9, "important")
    add(state, "line", 10, "other")
    assert rows(filled(state)) == []
    state.commit()
    report = filled(state)
    assert rows(report) == [("alice logged in", 1, [("ALL", 1, 1)])]
    assert rows(report, "important") == [("disk failure", 1, [("ALL", 1, 1)])]
    assert other(report) == [("14 10:00", "line")]
    state.commit()
    assert filled(state) == report  # nothing is written twice
    assert filled(reopened(state)) == report


def test_a_row_for_each_message_in_alphabetical_order(state):
    for hour, message in enumerate(["b", "a", "b", "C", "b"]):
        add(state, message, hour)
    state.commit()
    assert [(row.message, row.count) for row in filled(state).interesting] == [
        ("C", 1),
        ("a", 1),
        ("b", 3),
    ]


def test_a_message_comes_once_however_its_events_are_mixed_with_others(state):
    day = DAY.isoformat()
    for time in range(9):
        message, details = "ab"[time % 2], ("ALL", "LAST", "FIRST")[time % 3]
        file_event(state.days, day, "important", message, details, time, None)
        state.commit()
    found = [
        (one.message, {details: list(times) for details, times in one.times.items()}, one.id)
        for one in events_by_message(state.db, [day], "important")
    ]
    assert found == [
        ("a", {"ALL": [0, 6], "FIRST": [2, 8], "LAST": [4]}, 1),
        ("b", {"ALL": [3], "FIRST": [5], "LAST": [1, 7]}, 2),
    ]
    latest = dict(latest_by_message(state.db, [day], "important", 9))
    assert {name: [one.count for one in found] for name, found in latest.items()} == {
        "a": [2, 2, 1],
        "b": [1, 1, 2],
    }


def test_each_details_mode_of_a_message_shows_its_own_times(state):
    for hour, details in enumerate(["ALL", "FIRST", "LAST", "FIRSTLAST", "NONE"] * 3):
        add(state, "x", hour, details=details)
    add(state, "once", 20, details="FIRSTLAST")
    state.commit()
    once, row = filled(state).interesting
    assert [(one.details, one.count) for one in once.details] == [("FIRSTLAST", 1)]
    assert once.times == [MIDNIGHT + timedelta(hours=20)]
    assert row.count == 15
    assert {one.details: [f"{time:%H}" for time in one.shown] for one in row.details} == {
        "ALL": ["00", "05", "10"],
        "FIRST": ["01"],
        "LAST": ["12"],
        "FIRSTLAST": ["03", "13"],
        "NONE": [],
    }
    assert {one.count for one in row.details} == {3}


def test_times_are_in_order_whatever_the_order_of_the_entries(state):
    """Journals of several machines, merged, are not quite in order."""
    for hour in (5, 3, 4):
        add(state, "row", hour)
        add(state, f"line of {hour}", hour, "other")
    state.commit()
    report = filled(state)
    assert [time.hour for time in report.interesting[0].times] == [3, 4, 5]
    assert [line.time.hour for line in report.other] == [3, 4, 5]


def test_lines_of_one_instant_stay_in_the_order_in_which_they_came(state):
    messages = ["traceback:", "  line 2", "  line 1", "error"]
    for message in messages:
        add(state, message, 5, "other")
    state.commit()
    assert [line.message for line in filled(state).other] == messages


def test_times_are_of_the_reports_time_zone(state):
    add(state, "line", 5, "other")
    state.commit()
    assert filled(state).other[0].time.isoformat() == "2026-03-14T05:00:00+01:00"


def test_totals_of_entries(state):
    days = state.days
    days.saw("2026-03-14", 10, us(2), us(5))
    days.saw("2026-03-14", 5, us(1), us(4))
    state.commit()
    days.saw("2026-03-14", 1, us(6), us(6))
    days.saw("2026-03-15", 100, us(1, NEXT), us(2, NEXT))
    state.commit()
    again = reopened(state)
    again.days.saw("2026-03-14", 1, us(3), us(3))  # after a restart, counted on
    again.commit()
    report = filled(again, DAY)
    assert (report.entries, report.first, report.last) == (
        17,
        MIDNIGHT + timedelta(hours=1),
        MIDNIGHT + timedelta(hours=6),
    )
    assert filled(again).entries == 117


def test_an_empty_day(state):
    state.days.begin("2026-03-14")
    state.commit()
    report = filled(state)
    assert (report.entries, report.first, report.last) == (0, None, None)
    assert report.hosts == ["here"]
    assert report.events == 0


def test_a_report_of_no_days(state):
    report = filled(state, LATER)
    assert (report.entries, report.events, report.hosts) == (0, 0, ["here"])


def test_the_hosts_are_those_of_the_events(state):
    add(state, "x", host="basil")
    add(state, "y", host="aubergine")
    add(state, "z", host="basil")
    add(state, "z", host=None)
    add(state, "x", host="chili", day=NEXT)
    state.commit()
    assert filled(state, DAY).hosts == ["aubergine", "basil"]


def test_notes_are_those_of_the_day_in_their_order(state):
    state.days.begin("2026-03-14")
    state.days.begin("2026-03-15")
    for text in ("z", "a", "m"):
        state.days.note("2026-03-14", text)
    state.days.note("2026-03-15", "of the next day")
    state.commit()
    state.commit()
    assert filled(state, DAY).notes == ["z", "a", "m"]
    assert filled(reopened(state)).notes == ["z", "a", "m", "of the next day"]


def test_a_day_has_its_own_events_only(state):
    add(state, "of the day")
    add(state, "of the next day", day=NEXT)
    state.commit()
    assert rows(filled(state, DAY)) == [("of the day", 1, [("ALL", 1, 1)])]
    assert [row.message for row in filled(state).interesting] == ["of the day", "of the next day"]


def test_days_are_unreported_until_they_end(state):
    state.days.saw("2026-03-15", 1, us(1, NEXT), us(1, NEXT))
    state.days.begin("2026-03-14")
    assert state.days.unreported() == ["2026-03-14", "2026-03-15"]
    state.commit()
    again = reopened(state)
    assert again.days.unreported() == ["2026-03-14", "2026-03-15"]
    again.days.end("2026-03-14", us(24))
    assert again.days.unreported() == ["2026-03-15"]
    again.commit()
    assert reopened(again).days.unreported() == ["2026-03-15"]
    assert kept_days(again.db) == [
        Day("2026-03-14", 0, None, None, us(24)),
        Day("2026-03-15", 1, us(1, NEXT), us(1, NEXT), None),
    ]


def test_an_event_alone_opens_its_day(state):
    add(state, "x")
    assert state.days.unreported() == ["2026-03-14"]


def test_what_comes_late_is_reported_the_next_day(state):
    """The report of its own day is out: nothing is reported under no day, nothing twice."""
    add(state, "in time", 1)
    state.days.end("2026-03-14", us(24))
    state.commit()
    for opened in (state, reopened(state)):
        assert opened.days.open_day(DAY) == "2026-03-15"
        assert opened.days.open_day(DAY - timedelta(days=30)) == "2026-03-15"
        assert opened.days.open_day(NEXT) == "2026-03-15"
        assert opened.days.open_day(LATER) == "2026-03-20"
    add(state, "late", 23)
    state.commit()
    assert [row.message for row in filled(state, DAY).interesting] == ["in time"]
    (late,) = filled(state, NEXT).interesting
    assert late.times == [MIDNIGHT + timedelta(hours=23)]  # its own time, all the same


def test_what_comes_late_is_reported_with_the_first_day_that_is_open(state):
    """The next report may be days away: nobody opens a day for a late entry alone."""
    state.days.end("2026-03-14", us(24))
    state.days.begin("2026-03-20")
    state.commit()
    assert state.days.open_day(DAY) == "2026-03-20"
    assert reopened(state).days.open_day(DAY) == "2026-03-20"


def test_a_day_that_is_reported_is_not_opened_again(state):
    state.days.end("2026-03-14", us(24))
    state.days.begin("2026-03-14")
    assert state.days.unreported() == []


def test_days_that_end_one_after_the_other(state):
    """After some days without Pyruse."""
    for day in (DAY, NEXT, LATER):
        state.days.begin(day.isoformat())
    for name in state.days.unreported()[:2]:
        state.days.end(name, us(48))
        state.commit()
    assert state.days.open_day(DAY) == "2026-03-20"
    assert reopened(state).days.unreported() == ["2026-03-20"]


def test_old_days_are_removed_with_all_that_they_hold(state):
    for day in (DAY, NEXT):
        state.days.saw(day.isoformat(), 1, us(1, day), us(1, day))
        add(state, f"event of {day}", day=day)
        state.days.note(day.isoformat(), f"note of {day}")
    state.days.end("2026-03-14", us(24))
    state.days.end("2026-03-15", us(48))
    state.commit()
    state.remove_before(0, NEXT)
    report = filled(state)
    assert [day.day for day in kept_days(state.db)] == ["2026-03-15"]
    assert [row.message for row in report.interesting] == ["event of 2026-03-15"]
    assert report.notes == ["note of 2026-03-15"]
    for table in ("events", "event_heads", "event_texts", "event_ranges", "notes"):
        assert state.db.execute(f"SELECT count(*) FROM {table}").fetchone() == (1,)


def test_what_takes_the_events_of_a_day_goes_with_it_and_stays_while_it_is_open(state):
    reported, still_open = (state.days.file(day, "other") for day in ("2026-03-13", "2026-03-14"))
    state.days.end("2026-03-13", us(0))
    state.commit()
    state.remove_before(0, NEXT)
    assert state.days.events.file("2026-03-13", "other") is not reported
    assert state.days.events.file("2026-03-14", "other") is still_open


def test_a_day_that_is_not_reported_yet_keeps_all_that_it_holds(state):
    """However old: after a long time off, days are reported while older ones are removed."""
    add(state, "event")
    state.days.note("2026-03-14", "note")
    state.commit()
    list(state.days.remove_before(state.db, 0, "2026-06-01"))
    report = filled(state)
    assert [day.day for day in kept_days(state.db)] == ["2026-03-14"]
    assert [row.message for row in report.interesting] == ["event"]
    assert report.notes == ["note"]


def test_what_was_not_committed_is_gone_after_a_crash(state):
    add(state, "kept")
    state.commit()
    add(state, "lost")
    state.days.note("2026-03-14", "lost")
    state.days.end("2026-03-14", us(24))
    again = reopened(state)
    report = filled(again)
    assert [row.message for row in report.interesting] == ["kept"]
    assert report.notes == []
    assert again.days.unreported() == ["2026-03-14"]
