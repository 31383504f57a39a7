"""What is expected, over restarts and other configurations. Instants are hours from a first one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

import pytest

from pyruse.state.database import State
from pyruse.state.expectations import absences_of, expected_of
from pyruse.times import FOREVER

HOUR = 3_600_000_000
T0 = 1_773_489_600_000_000
Opened = Callable[[], State]


def at(hours: float) -> int:
    return T0 + round(hours * HOUR)


def hours(instant: int | None) -> float | None:
    return None if instant is None else (instant - T0) / HOUR


def expect(state: State, now: float, *each: str, **every: float) -> None:
    lengths = {name: round(span * HOUR) for name, span in every.items()}
    state.expectations.expect(lengths, set(each), at(now))


def absent(state: State, now: float) -> list[tuple[str, str, float | None]]:
    """What is told, with when it began."""
    found = state.expectations.overdue(at(now))
    return [(one.name, one.key, hours(one.begin)) for one in found]


def history(state: State) -> list[tuple[str, float | None, float | None]]:
    found = absences_of(state.db, -FOREVER, FOREVER)
    return [(one.key or one.name, hours(one.begin), hours(one.end)) for one in found]


def restarted(state: State, opened: Opened, now: float, *each: str, **every: float) -> State:
    state.commit()
    state = opened()
    expect(state, now, *each, **every)
    return state


def test_a_restart_changes_nothing(opened: Opened) -> None:
    state = opened()
    expect(state, 0, backup=24)
    state = restarted(state, opened, 5, backup=24)
    assert absent(state, 23) == []
    state = restarted(state, opened, 30, backup=24)  # a stop while it was due
    assert absent(state, 30) == [("backup", "", 24)]
    state = restarted(state, opened, 31, backup=24)
    assert absent(state, 100) == [], "it was told"
    assert hours(state.expectations.next_due()) is None
    state.expectations.happened("backup", "", 24 * HOUR, at(101))
    assert hours(state.expectations.next_due()) == 125
    state = restarted(state, opened, 102, backup=24)
    assert history(state) == [("backup", 24, 101)]
    assert absent(state, 125) == [("backup", "", 125)]


def test_what_was_not_committed_is_told_again(opened: Opened) -> None:
    state = opened()
    expect(state, 0, backup=24)
    state.commit()
    assert absent(state, 30) == [("backup", "", 24)]
    state = opened()
    assert history(state) == []
    expect(state, 30, backup=24)
    assert absent(state, 30) == [("backup", "", 24)]


def test_an_absence_that_ends_before_the_commit_is_kept(opened: Opened) -> None:
    state = opened()
    expect(state, 0, backup=24)
    absent(state, 30)
    state.expectations.happened("backup", "", 24 * HOUR, at(31))
    state.commit()
    assert history(state) == [("backup", 24, 31)]


@pytest.mark.parametrize(
    ("every", "told", "due"),
    [(48.0, [], 48.0), (4.0, [("backup", "", 4)], None), (24.0, [], 24.0)],
)
def test_another_every_counts_from_the_last_time(
    opened: Opened, every: float, told: list[object], due: float | None
) -> None:
    state = opened()
    expect(state, 0, backup=24)
    state = restarted(state, opened, 6, backup=every)
    assert absent(state, 6) == told
    assert hours(state.expectations.next_due()) == due


def test_with_a_longer_every_it_is_not_absent_any_more(opened: Opened) -> None:
    state = opened()
    expect(state, 0, backup=24)
    absent(state, 30)
    state = restarted(state, opened, 30, backup=48)
    assert (absent(state, 30), hours(state.expectations.next_due())) == ([], 48)
    state.commit()
    assert history(state) == [("backup", 24, 30)]
    assert [hours(one.absent) for one in expected_of(state.db)] == [None]


def test_what_is_expected_no_longer_is_forgotten(opened: Opened) -> None:
    state = opened()
    expect(state, 0, backup=24, renewal=24)
    absent(state, 30)
    state = restarted(state, opened, 31, renewal=24)
    state.commit()
    assert history(state) == [("backup", 24, 31), ("renewal", 24, None)]
    assert [one.name for one in expected_of(state.db)] == ["renewal"]
    state = restarted(state, opened, 40, backup=24, renewal=24)
    assert absent(state, 63) == []
    assert absent(state, 64) == [("backup", "", 64)], "it counts from when it was expected again"


def test_of_each_and_of_all_are_different_expectations(opened: Opened) -> None:
    state = opened()
    expect(state, 0, backup=24)
    state = restarted(state, opened, 5, "backup", backup=24)
    assert len(state.expectations) == 0
    state.expectations.happened("backup", "web1", 24 * HOUR, at(6))
    state = restarted(state, opened, 7, "backup", backup=12)
    assert absent(state, 18) == [("backup", "web1", 18)]
    state = restarted(state, opened, 19, backup=12)
    assert [(one.name, one.key) for one in expected_of(state.db)] == [("backup", "web1")]
    state.commit()
    assert [(one.name, one.key) for one in expected_of(state.db)] == [("backup", "")]


def test_an_entry_that_is_late(opened: Opened) -> None:
    state = opened()
    expect(state, 0, backup=24)
    happened = state.expectations.happened
    happened("backup", "", 24 * HOUR, at(10))
    happened("backup", "", 24 * HOUR, at(9))
    assert hours(state.expectations.next_due()) == 34
    absent(state, 40)
    happened("backup", "", 24 * HOUR, at(33))  # it was in time, as it turns out
    assert hours(state.expectations.next_due()) == 57
    state.commit()
    assert history(state) == [("backup", 34, 34)]


def test_who_is_gone_for_good_is_forgotten(opened: Opened) -> None:
    state = opened()
    expect(state, 0, "alive", alive=1, backup=1)
    for host in ("web1", "web2"):
        state.expectations.happened("alive", host, HOUR, at(0))
    absent(state, 2)
    state.expectations.happened("alive", "web2", HOUR, at(3))
    state.commit()
    gone = state.expectations.forget_before(at(1))
    assert [one.key for one in gone] == ["web1"]
    state.commit()
    assert {(one.name, one.key) for one in expected_of(state.db)} == {
        ("alive", "web2"),
        ("backup", ""),
    }
    state.remove_before(at(3.5), date(2026, 3, 14))
    assert history(state) == [("backup", 1, None)]
