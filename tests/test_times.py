"""Instants, time zones, and days of 23, 24 and 25 hours."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pyruse import times
from pyruse.testing.plugin import need
from pyruse.times import Calendar, datetime_of, iso_texts, system_zone, time_us_of, zone_named

HOUR = 3_600_000_000
PARIS = ZoneInfo("Europe/Paris")
SYDNEY = ZoneInfo("Australia/Sydney")

ZONES = [
    "UTC", "Europe/Paris", "Australia/Sydney", "America/Havana", "Asia/Beirut",
    "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia", "America/Sao_Paulo",
]  # fmt: skip
"""The clocks change at 02:00 or 03:00 (Paris, Sydney), at midnight (Havana, Beirut), by half an
hour (Lord Howe), not at all (UTC, Kathmandu); in 2011, Samoa left out a whole day."""


def us(text: str) -> int:
    return time_us_of(datetime.fromisoformat(text))


def hours(calendar: Calendar, day: date) -> float:
    return (calendar.end_of(day) - calendar.start_of(day)) / HOUR


@given(st.integers(0, us("2200-01-01T00:00:00+00:00")), st.sampled_from(ZONES))
def test_an_instant_as_a_datetime_is_the_same_instant(time_us, zone):
    moment = datetime_of(time_us, ZoneInfo(zone))
    assert time_us_of(moment) == time_us
    assert moment.utcoffset() is not None


def test_no_microsecond_is_lost():
    """`datetime.timestamp` rounds: some 50 years after 1970 a float has not enough digits."""
    assert time_us_of(datetime_of(8_999_999_999_999_999, UTC)) == 8_999_999_999_999_999


@given(
    st.integers(0, us("2100-01-01T00:00:00+00:00")),
    st.sampled_from(ZONES),
    st.times().map(lambda moment: moment.replace(second=0, microsecond=0)),
)
@example(us("2026-10-25T00:30:00+00:00"), "Europe/Paris", time(2, 30))
@example(us("2026-10-25T01:30:00+00:00"), "Europe/Paris", time(2, 30))
@example(us("2026-03-29T01:30:00+00:00"), "Europe/Paris", time(2, 30))
@example(us("2011-12-30T10:00:00+00:00"), "Pacific/Apia", time(0))
@example(us("2011-12-30T09:59:59+00:00"), "Pacific/Apia", time(6))
@example(us("2026-11-01T04:30:00+00:00"), "America/Havana", time(0, 30))
@example(us("2026-11-01T05:10:00+00:00"), "America/Havana", time(0, 30))
def test_every_instant_is_within_its_day(time_us, zone, at):
    calendar = Calendar(ZoneInfo(zone), at)
    day = calendar.day_of(time_us)
    assert calendar.start_of(day) <= time_us < calendar.end_of(day)


@given(st.dates(date(1970, 1, 2), date(2100, 1, 1)), st.sampled_from(ZONES), st.times())
def test_a_day_ends_when_the_next_one_starts(day, zone, at):
    calendar = Calendar(ZoneInfo(zone), at.replace(tzinfo=None))
    start, end = calendar.start_of(day), calendar.end_of(day)
    assert end == calendar.start_of(day + timedelta(days=1))
    if (zone, day.year) != ("Pacific/Apia", 2011):
        assert 22 * HOUR <= end - start <= 26 * HOUR
        assert calendar.day_of(start) == calendar.day_of(end - 1) == day


@pytest.mark.parametrize(
    ("zone", "day", "at", "length"),
    [
        (PARIS, "2026-03-28", "00:00", 24),
        (PARIS, "2026-03-29", "00:00", 23),
        (PARIS, "2026-10-25", "00:00", 25),
        (PARIS, "2026-03-28", "06:00", 23),  # from 06:00 to the next day's 06:00
        (PARIS, "2026-03-29", "06:00", 24),
        (PARIS, "2026-10-24", "06:00", 25),
        (PARIS, "2026-10-25", "06:00", 24),
        (PARIS, "2026-03-28", "02:30", 24),  # until 03:30: there is no 02:30
        (PARIS, "2026-03-29", "02:30", 23),
        (PARIS, "2026-10-24", "02:30", 24),  # until the first of two 02:30
        (PARIS, "2026-10-25", "02:30", 25),
        (SYDNEY, "2026-10-04", "00:00", 23),
        (SYDNEY, "2026-04-05", "00:00", 25),
        (SYDNEY, "2026-10-03", "06:00", 23),
        (SYDNEY, "2026-04-04", "06:00", 25),
        (SYDNEY, "2026-10-03", "02:30", 24),
        (SYDNEY, "2026-04-05", "02:30", 25),
        (UTC, "2026-03-29", "00:00", 24),
        (UTC, "2026-10-25", "02:30", 24),
    ],
)
def test_days_on_which_the_clocks_change(zone, day, at, length):
    assert hours(Calendar(zone, time.fromisoformat(at)), date.fromisoformat(day)) == length


@pytest.mark.parametrize(
    ("at", "moment", "day"),
    [
        ("00:00", "2026-03-14T00:00:00+01:00", "2026-03-14"),
        ("00:00", "2026-03-13T23:59:59.999999+01:00", "2026-03-13"),
        ("00:00", "2026-03-13T23:00:00+00:00", "2026-03-14"),
        ("06:00", "2026-03-14T05:59:59+01:00", "2026-03-13"),
        ("06:00", "2026-03-14T06:00:00+01:00", "2026-03-14"),
        ("02:30", "2026-03-29T01:59:59+01:00", "2026-03-28"),
        ("02:30", "2026-03-29T03:29:59+02:00", "2026-03-28"),
        ("02:30", "2026-03-29T03:30:00+02:00", "2026-03-29"),
        ("02:30", "2026-10-25T02:29:59+02:00", "2026-10-24"),
        ("02:30", "2026-10-25T02:30:00+02:00", "2026-10-25"),
        ("02:30", "2026-10-25T02:10:00+01:00", "2026-10-25"),  # 40 minutes into it
    ],
)
def test_the_day_of_an_instant_in_paris(at, moment, day):
    calendar = Calendar(PARIS, time.fromisoformat(at))
    assert calendar.day_of(us(moment)) == date.fromisoformat(day)


def test_the_start_of_a_day_in_sydney():
    calendar = Calendar(SYDNEY, time(6))
    assert calendar.start_of(date(2026, 3, 14)) == us("2026-03-13T19:00:00+00:00")
    assert calendar.day_of(us("2026-03-13T18:59:59+00:00")) == date(2026, 3, 13)


@pytest.mark.parametrize("name", ["Europe/Atlantis", "", "/etc/passwd", "../UTC", "Europe", "\0"])
def test_a_zone_that_is_none(name):
    with pytest.raises(ValueError, match="is no time zone \\(expected a name such as"):
        zone_named(name)


def test_the_machines_zone_is_that_of_the_environment(monkeypatch):
    monkeypatch.setenv("TZ", ":Australia/Sydney")
    assert system_zone() == SYDNEY


@pytest.fixture
def localtime(tmp_path, monkeypatch):
    """A place for another ``/etc/localtime``."""
    monkeypatch.delenv("TZ", raising=False)
    file = tmp_path / "localtime"
    monkeypatch.setattr(times, "Path", lambda _: file)
    return file


def zone_file(name: str) -> bytes:
    for folder in ("/usr/share/zoneinfo", "/usr/lib/zoneinfo"):
        try:
            with open(f"{folder}/{name}", "rb") as file:
                return file.read()
        except OSError:
            continue
    need("there is no time zone database")
    raise AssertionError


def test_the_machines_zone_is_that_of_its_localtime(localtime):
    localtime.symlink_to("/usr/share/zoneinfo/Europe/Paris")
    zone_file("Europe/Paris")
    assert system_zone() == PARIS


def test_a_localtime_without_a_name_keeps_its_rules(localtime):
    localtime.write_bytes(zone_file("Europe/Paris"))
    zone = system_zone()
    assert datetime(2026, 1, 1, tzinfo=zone).utcoffset() == timedelta(hours=1)
    assert datetime(2026, 7, 1, tzinfo=zone).utcoffset() == timedelta(hours=2)


@pytest.mark.parametrize("content", [None, b"", b"garbage"])
def test_without_a_localtime_it_is_utc(localtime, content):
    if content is not None:
        localtime.write_bytes(content)
    assert system_zone() is UTC


@pytest.mark.parametrize(
    "name", ["UTC", "Europe/Paris", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Monrovia"]
)
def test_texts_of_instants_are_those_of_their_datetimes(name: str) -> None:
    """Also where the clocks change, and where noon was the sun's."""
    zone = ZoneInfo(name)
    changes = [datetime(1969, 3, 1, tzinfo=UTC), datetime(2026, 3, 29, tzinfo=UTC)]
    changes += [datetime(2026, 4, 4, 14, tzinfo=UTC), datetime(2026, 10, 25, tzinfo=UTC)]
    times = [time_us_of(change) + step * 97_000_001 for change in changes for step in range(200)]
    times += [times[0], times[0] + 1, times[-1] + 999_999, times[1] - 1, 0, -1]

    assert list(iso_texts(times, zone)) == [datetime_of(at, zone).isoformat() for at in times]
