"""Days of the week, where the report is read."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

WEEK = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def days_that_pass(pipeline, days, zone="Europe/Berlin", time="12:00"):
    """The days of a week of which entries pass."""
    chains = pipeline(f"""
        [report]
        timezone = "{zone}"
        [chains]
        "days" = [
          {{ filter = "on_days", days = {days} }},
          {{ action = "set", field = "passed", value = "yes" }},
        ]
    """)
    found = []
    for number, day in enumerate(WEEK):
        when = f"2026-03-{9 + number:02}T{time}"
        chains.clock.now = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone))
        if "passed" in chains.feed(MESSAGE="hello"):
            found.append(day)
    assert chains.faults == []
    return found


@pytest.mark.parametrize(
    ("days", "passing"),
    [
        ('"Sat"', ["Sat"]),
        ('["saturday", "SUN"]', ["Sat", "Sun"]),
        ('"Mon-Fri"', WEEK[:5]),
        ('"Fri - Mon"', ["Mon", "Fri", "Sat", "Sun"]),
        ('["Mon", "Wednesday-Thu"]', ["Mon", "Wed", "Thu"]),
        ('"Tue-Tue"', ["Tue"]),
        ('"Mon-Sun"', WEEK),
    ],
)
def test_days_of_a_week(pipeline, days, passing):
    assert days_that_pass(pipeline, days) == passing


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize("time", ["00:00", "23:59:59"])
def test_a_day_begins_at_midnight_of_the_reports_time_zone(pipeline, zone, time):
    assert days_that_pass(pipeline, '"Wed"', zone, time) == ["Wed"]


@pytest.mark.parametrize(
    ("days", "fault"),
    [
        ('"Caturday"', ': "Caturday" is no day (expected "Saturday", "Sat" or "Mon-Fri")'),
        ('"Mon-"', ': "Mon-" is no day (expected "Saturday", "Sat" or "Mon-Fri")'),
        ('"Mon-Tue-Wed"', ': "Mon-Tue-Wed" is no day (expected "Saturday", "Sat" or "Mon-Fri")'),
        ('["Sat", 7]', '[1]: 7 is no day (expected "Saturday", "Sat" or "Mon-Fri")'),
        ("[]", ': the list is empty (expected days, such as "Sat" or "Mon-Fri")'),
    ],
)
def test_what_is_no_day(refusal, days, fault):
    said = refusal(f'filter = "on_days", days = {days}')
    assert said == f'pyruse.toml: chains."test"[0].days{fault}'
