"""Spans of time."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.config.reference import duration_in_words
from pyruse.options.durations import Duration
from pyruse.text import shown


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 90), ("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("5d", 432_000),
        ("1w", 604_800), ("1h30m", 5400), ("1d12h", 129_600), ("500ms", 0.5), ("1s1ms", 1.001),
        ("0h1s", 1),
    ],
)  # fmt: skip
def test_a_span_of_time(value: str | int, seconds: float) -> None:
    duration = Duration.parse(value)
    assert duration == timedelta(seconds=seconds)
    assert duration.us == round(seconds * 1_000_000)


@pytest.mark.parametrize(
    "value",
    [
        0, -5, "0", "0s", "", "s", "5 m", " 5m", "5m ", "5M", "1.5h", "-1h", "1h 30m", "5min", "h5",
        "٥m", "²", "1m\n", 1.5, float("inf"), float("nan"), True, None, [5], {}, 10**10, "9" * 5000,
        "9" * 5000 + "w", 16**9000, "600000w",
    ],
    ids=lambda value: shown(value)[:20],
)  # fmt: skip
def test_no_span_of_time(value: object) -> None:
    with pytest.raises(ValueError, match=r'is no duration \(expected seconds, or "90s", "15m"'):
        Duration.parse(value)


@given(st.integers(1, 10**12))
def test_a_duration_in_words_is_read_back(milliseconds: int) -> None:
    duration = Duration(milliseconds=milliseconds)
    assert Duration.parse(duration_in_words(duration)) == duration
