"""Hours of the day, where the report is read."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest


def passed(pipeline, hours, when, zone="Europe/Berlin", fold=0):
    """Whether an entry of a local time passes."""
    chains = pipeline(f"""
        [report]
        timezone = "{zone}"
        [chains]
        "night" = [
          {{ filter = "at_hours", hours = {hours} }},
          {{ action = "set", field = "passed", value = "yes" }},
        ]
    """)
    chains.clock.now = datetime.fromisoformat(when).replace(tzinfo=ZoneInfo(zone), fold=fold)
    found = "passed" in chains.feed(MESSAGE="hello")
    assert chains.faults == []
    return found


@pytest.mark.parametrize(
    ("hours", "inside", "outside"),
    [
        ('"22:00-06:00"', ["22:00:00", "23:59:59", "00:00", "05:59:59"], ["21:59:59", "06:00"]),
        ('"8:30-17:00"', ["08:30", "16:59:59.999999"], ["08:29:59", "17:00", "00:00"]),
        ('["0:00-6:00", "22:00 - 24:00"]', ["00:00", "05:59", "23:59"], ["06:00", "21:59"]),
        ('"00:00-24:00"', ["00:00", "12:00", "23:59:59"], []),
    ],
)  # fmt: skip
def test_a_range_has_its_begin_and_not_its_end(pipeline, hours, inside, outside):
    for time in inside:
        assert passed(pipeline, hours, f"2026-03-14T{time}"), time
    for time in outside:
        assert not passed(pipeline, hours, f"2026-03-14T{time}"), time


def test_the_hours_are_those_of_the_reports_time_zone(pipeline):
    for zone in ("Asia/Tokyo", "America/New_York", "Etc/UTC"):
        assert passed(pipeline, '"03:00-04:00"', "2026-03-14T03:30", zone)
        assert not passed(pipeline, '"03:00-04:00"', "2026-03-14T04:30", zone)


@pytest.mark.parametrize("day", ["2026-01-15", "2026-07-15"])
def test_summer_time_has_the_hours_of_the_clock_on_the_wall(pipeline, day):
    assert passed(pipeline, '"08:00-09:00"', f"{day}T08:30")
    assert not passed(pipeline, '"08:00-09:00"', f"{day}T07:30")
    assert not passed(pipeline, '"08:00-09:00"', f"{day}T09:30")


@pytest.mark.parametrize("fold", [0, 1])
def test_an_hour_that_comes_twice_is_inside_twice(pipeline, fold):
    assert passed(pipeline, '"02:00-03:00"', "2026-10-25T02:30", fold=fold)
    assert not passed(pipeline, '"03:00-04:00"', "2026-10-25T02:30", fold=fold)


@pytest.mark.parametrize("hours", ['"22-6"', '"24:00-06:00"', '"22:00-24:01"', '"9:00-9:00"', "22"])
def test_what_are_no_hours(refusal, hours):
    said = 'are no hours (expected a begin and an end: "22:00-06:00")'
    place = 'pyruse.toml: chains."test"[0].hours'
    assert refusal(f'filter = "at_hours", hours = {hours}') == f"{place}: {hours} {said}"
    step = f'filter = "at_hours", hours = ["22:00-06:00", {hours}]'
    assert refusal(step) == f"{place}[1]: {hours} {said}"


def test_no_hours_at_all(refusal):
    assert refusal('filter = "at_hours", hours = []') == (
        'pyruse.toml: chains."test"[0].hours: the list is empty (expected hours, such as '
        '"22:00-06:00")'
    )
