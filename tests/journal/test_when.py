from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from pyruse.journal.when import parse_when
from pyruse.times import datetime_of, time_us_of

PARIS = ZoneInfo("Europe/Paris")
NOW = datetime(2026, 3, 14, 15, 9, 26, 535897, tzinfo=PARIS)


def when(text: str, now: datetime = NOW, zone: ZoneInfo = PARIS) -> datetime:
    return datetime_of(parse_when(text, time_us_of(now), zone), zone)


def paris(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=PARIS)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        # systemd.time(7), PARSING TIMESTAMPS
        ("2026-01-02 03:04:05.678", paris(2026, 1, 2, 3, 4, 5, 678_000)),
        ("2026-01-02 03:04:05", paris(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02 03:04", paris(2026, 1, 2, 3, 4)),
        ("2026-01-02", paris(2026, 1, 2)),
        ("26-01-02 03:04", paris(2026, 1, 2, 3, 4)),
        ("2026-1-2", paris(2026, 1, 2)),
        ("03:04:05", paris(2026, 3, 14, 3, 4, 5)),
        ("03:04:05.5", paris(2026, 3, 14, 3, 4, 5, 500_000)),
        ("03:04", paris(2026, 3, 14, 3, 4)),
        ("9:05", paris(2026, 3, 14, 9, 5)),
        ("now", NOW),
        ("today", paris(2026, 3, 14)),
        ("yesterday", paris(2026, 3, 13)),
        ("tomorrow", paris(2026, 3, 15)),
        ("@1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("@1700000000.25", datetime(2023, 11, 14, 22, 13, 20, 250_000, tzinfo=UTC)),
        # as journalctl --list-boots shows them
        ("Fri 2026-01-02 03:04:05 CET", paris(2026, 1, 2, 3, 4, 5)),
        ("Thu 2026-07-02 03:04:05 CEST", paris(2026, 7, 2, 3, 4, 5)),
        ("Fri 2026-01-02 03:04:05 UTC", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02 03:04 UTC", datetime(2026, 1, 2, 3, 4, tzinfo=UTC)),
        ("Fri 2026-01-02", paris(2026, 1, 2)),
        # ISO 8601
        ("2026-01-02T03:04:05", paris(2026, 1, 2, 3, 4, 5)),
        ("2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
        ("2026-01-02T03:04:05.000001+05:30", datetime(2026, 1, 1, 21, 34, 5, 1, tzinfo=UTC)),
        ("  2026-01-02   03:04 ", paris(2026, 1, 2, 3, 4)),
    ],
)
def test_points_in_time(text, moment):
    assert when(text) == moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("-1h", -3600),
        ("+1h", 3600),
        ("1h ago", -3600),
        ("2 hours ago", -7200),
        ("1h30min ago", -5400),
        ("-1d 2h", -93_600),
        ("-90s", -90),
        ("-5 seconds", -5),
        ("5 min ago", -300),
        ("-1m", -60),
        ("-1M", -2_629_800),
        ("1 month ago", -2_629_800),
        ("-2weeks", -1_209_600),
        ("-1w1d", -691_200),
        ("-1y", -31_557_600),
        ("-500ms", -0.5),
        ("-250us", -0.00025),
        ("3 HOURS AGO", -10_800),
    ],
)
def test_spans_before_and_after_now(text, seconds):
    now = time_us_of(NOW)
    assert parse_when(text, now, PARIS) - now == round(seconds * 1_000_000)


@pytest.mark.parametrize(
    "text",
    [
        "", "noon", "1h", "ago", "-", "-5", "-1 fortnight", "5 parsecs ago", "25:00", "10:60",
        "2026-02-30", "2026-13-01", "14.03.2026", "2026-03-14 10:00 Mars", "@", "@x", "@-5",
        "٣h ago", "@" + "9" * 400, "-" + "9" * 5000 + "d",
        "2026-01-02 03:04:05 CEST", "now now", "-1h;reboot",
    ],
)  # fmt: skip
def test_what_is_no_point_in_time(text):
    with pytest.raises(ValueError, match="is no point in time") as refused:
        when(text)
    assert str(refused.value) == (
        f'"{text}" is no point in time (expected "2026-03-14 10:00", "yesterday", "-2h", '
        '"1h ago", "@1700000000", …)'
    )


def test_days_are_dates_and_spans_are_hours_when_the_clocks_change():
    after = paris(2026, 3, 30, 0, 30)
    assert when("yesterday", after) == paris(2026, 3, 29)
    assert parse_when("today", time_us_of(after), PARIS) - parse_when(
        "yesterday", time_us_of(after), PARIS
    ) == (23 * 3600 * 1_000_000)
    assert when("-1d", after) == paris(2026, 3, 28, 23, 30)
    assert when("today", paris(2026, 10, 25, 12)) == paris(2026, 10, 25)


def test_a_clock_time_that_happens_twice_is_the_first_one_unless_its_name_tells():
    moments = [
        when(text).astimezone(UTC).hour
        for text in (
            "2026-10-25 02:30",
            "Sun 2026-10-25 02:30:00 CEST",
            "Sun 2026-10-25 02:30:00 CET",
        )
    ]
    assert moments == [0, 0, 1]


def test_a_clock_time_that_never_happens_is_the_one_that_the_clock_then_shows():
    assert when("2026-03-29 02:30") == paris(2026, 3, 29, 3, 30)


def test_the_zone_is_that_of_the_report():
    tokyo = ZoneInfo("Asia/Tokyo")
    assert when("2026-01-02", zone=tokyo) == datetime(2026, 1, 1, 15, tzinfo=UTC)
    assert when("today", NOW.replace(hour=23), tokyo) == datetime(2026, 3, 15, tzinfo=tokyo)


@pytest.mark.parametrize("text", ["1900-01-01", "0001-01-01T00:00:00+14:00", "1000y ago"])
def test_before_1970_there_is_nothing(text):
    assert when(text) == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9999-12-31T23:59:59-14:00", "+999999999y", "@" + "9" * 18])
def test_farther_than_the_calendar_goes(text):
    assert parse_when(text, time_us_of(NOW), PARIS) == time_us_of(datetime.max.replace(tzinfo=UTC))
