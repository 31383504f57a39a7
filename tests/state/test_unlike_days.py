"""A day is compared with those before it, kind by kind."""

from __future__ import annotations

from collections.abc import Callable

from pyruse.state.database import State
from pyruse.state.host_views import only_of
from pyruse.state.unlike_days import unlike_days
from tests.state.filed import count_kind

T = 1_773_489_600_000_000
BEFORE = [f"2026-03-{day:02}" for day in range(1, 9)]
DAY = "2026-03-09"
Opened = Callable[[], State]


def came(state: State, template: str, *days: str, number: int = 1, level: int = 6) -> int:
    kind = 0
    for day in days:
        for _ in range(number):
            kind = count_kind(
                state.kinds, day, "h", "other", "", "app", template, level, template, T
            )
    return kind


def found(state: State) -> list[tuple[str, str, int, float]]:
    state.commit()
    kinds = unlike_days(state.db, DAY).kinds
    return [(kind.difference, kind.template, kind.today, kind.usual) for kind in kinds]


def test_new_gone_and_another_rate(opened: Opened) -> None:
    state = opened()
    came(state, "daily", *BEFORE)
    came(state, "steady", *BEFORE, DAY, number=10)
    came(state, "often", *BEFORE, number=10)
    came(state, "often", DAY, number=500)
    came(state, "new", DAY)
    came(state, "disk failed", DAY)
    came(state, "warning", DAY, level=4)
    came(state, "now and then", BEFORE[1], BEFORE[3])
    assert found(state) == [
        ("new", "warning", 1, 0),
        ("new", "disk failed", 1, 0),
        ("new", "new", 1, 0),
        ("gone", "daily", 0, 1),
        ("rate", "often", 500, 10),
    ]
    assert [kind.is_grave for kind in unlike_days(state.db, DAY).kinds[:3]] == [True, True, False]


def test_it_learns_for_a_week(opened: Opened) -> None:
    state = opened()
    came(state, "other", *BEFORE[:5])
    came(state, "new", DAY)
    state.commit()
    assert unlike_days(state.db, DAY) == ([], 2)


def test_a_new_name_is_nothing_new(opened: Opened) -> None:
    state = opened()
    for number, day in enumerate(BEFORE):
        came(state, f"hello user {'abcdefgh'[number]}", day)
    came(state, "hello user new", DAY)
    assert found(state) == []


def test_muted_kinds_are_left_out(opened: Opened) -> None:
    state = opened()
    came(state, "old", *BEFORE, DAY)
    kind = came(state, "new", DAY)
    state.kinds.mute(kind, T)
    assert found(state) == []


def test_of_one_machine(opened: Opened) -> None:
    state = opened()
    came(state, "old", *BEFORE, DAY)
    for day in BEFORE:
        count_kind(state.kinds, day, "there", "other", "", "app", "old", 6, "old", T)
    state.commit()
    with only_of(state.db, "there"):
        assert [kind.difference for kind in unlike_days(state.db, DAY).kinds] == ["gone"]
    assert unlike_days(state.db, DAY).kinds == []
