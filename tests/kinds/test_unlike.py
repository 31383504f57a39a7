"""What is told of as unlike other days, and what is not."""

from __future__ import annotations

import pytest

from pyruse.kinds.unlike import unlike

BEFORE = [f"2026-03-{day:02}" for day in range(1, 11)]
DAY = "2026-03-11"


def said(others: list[int], today: int, before: list[str] = BEFORE) -> str | None:
    counts = {day: count for day, count in zip(before, others, strict=False) if count}
    found = unlike({**counts, DAY: today} if today else counts, DAY, before)
    return None if found is None else found.difference


@pytest.mark.parametrize(
    ("others", "today", "expected"),
    [
        ([0] * 10, 1, "new"),
        ([0] * 9 + [1], 1, None),  # it came yesterday
        ([1] * 10, 0, "gone"),
        ([1] * 9 + [0], 0, None),  # it did not come yesterday, either
        ([100] * 10, 1000, "rate"),
        ([100] * 10, 110, None),
        ([100] * 10, 250, None),
        ([1000] * 10, 20, "rate"),
        ([1] * 10, 9, None),  # small numbers
        ([2, 3, 2, 3, 2, 3, 2, 3, 2, 3], 30, "rate"),
        ([10, 900, 20, 800, 15, 700, 30, 1000, 10, 900], 2000, None),  # it always varies
        ([10, 10, 10, 10, 10, 10, 10, 10, 10, 500], 400, None),  # there was such a day
        ([0, 0, 0, 0, 0, 0, 0, 50, 60, 0], 500, None),  # it comes now and then
    ],
)
def test_unlike(others: list[int], today: int, expected: str | None) -> None:
    assert said(others, today) == expected


def test_nothing_is_unlike_a_few_days() -> None:
    assert said([0] * 6, 5, BEFORE[:6]) is None
    assert said([0] * 7, 5, BEFORE[:7]) == "new"


def test_it_says_what_is_usual() -> None:
    found = unlike({**dict.fromkeys(BEFORE, 100), DAY: 2000}, DAY, BEFORE)
    assert found is not None
    assert (found.today, found.usual) == (2000, 100)
