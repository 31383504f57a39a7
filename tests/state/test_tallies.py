"""Tallies: what is added up, what stays of a flood, and what a commit that fails leaves."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.api.tally import Tally
from pyruse.state.database import State
from pyruse.state.tallies import (
    MOST,
    NEWCOMERS,
    REMAINDERS,
    RESERVED,
    tallied_by_day,
    tallies_before,
    tallies_of,
)

DAY = "2026-03-14"


@pytest.fixture
def state(tmp_path: Path) -> Iterator[State]:
    with State(str(tmp_path / "state.sqlite")) as state:
        state.load()
        yield state


def failed(state: State, user: str, *, time: int = 1, host: str = "h", day: str = DAY) -> None:
    fields = {"service": "ssh", "user": user, "ip": "192.0.2.1", "method": "password"}
    state.tallies.add(day, "login failed", host, fields, 2, time)


def rows(state: State, day: str = DAY) -> list[Tally]:
    state.commit()
    return list(tallies_of(state.db, [day]))


def test_a_row_adds_up_over_commits(state: State) -> None:
    for time in (5, 3, 9):
        failed(state, "alice", time=time)
        state.commit()
    (row,) = rows(state)
    assert (row.count, row.amount, row.first, row.last) == (3, 6, 3, 9)


def test_days_that_are_not_in_memory_any_more_go_on(state: State) -> None:
    for day in range(10, 20):
        failed(state, "alice", day=f"2026-03-{day}")
        state.commit()
    failed(state, "alice", day="2026-03-10")
    (row,) = rows(state, "2026-03-10")
    assert row.count == 2


def test_of_a_flood_stays_what_comes_often(state: State) -> None:
    for number in range(12_000):
        failed(state, f"nobody{number}", time=number)
        if number % 40 == 0:
            failed(state, "postmaster", time=number)
        if number % 997 == 0:
            state.commit()
    found = rows(state)
    kept, rest = ([row for row in found if row.is_rest is is_rest] for is_rest in (False, True))
    assert MOST < len(kept) <= MOST + NEWCOMERS
    assert [(row.fields["user"], row.count) for row in kept[:1]] == [("postmaster", 300)]
    (remainder,) = rest
    assert remainder.fields == {"service": "ssh", "method": "password"}
    assert sum(row.count for row in found) == 12_300
    assert (remainder.first, remainder.amount) == (0, 2 * remainder.count)


def test_a_flood_of_one_service_hides_neither_another_nor_root(state: State) -> None:
    failed(state, "root")
    imap = {"service": "imap", "user": "alice", "ip": "192.0.2.2"}
    state.tallies.add(DAY, "login failed", "h", imap, 0, 1)
    for number in range(10_000):
        failed(state, f"nobody{number}", time=number + 2)
    kept = [row.fields for row in rows(state) if not row.is_rest]
    assert any(fields.get("user") == "root" for fields in kept)
    assert imap in kept


def test_what_stays_of_root_is_bounded_too(state: State) -> None:
    for number in range(10_000):
        fields = {"service": "ssh", "user": "root", "ip": f"2001:db8::{number:x}"}
        state.tallies.add(DAY, "login failed", "h", fields, 0, number)
        failed(state, f"nobody{number}", time=number)
    found = rows(state)
    assert len(found) <= MOST + NEWCOMERS + 2
    assert sum(row.fields.get("user") == "root" for row in found) > RESERVED
    assert {"service": "ssh", "user": "root"} in [row.fields for row in found if row.is_rest]


def test_rows_that_stand_for_others_are_bounded(state: State) -> None:
    for number in range(9_000):
        fields = {"site": f"{number}.example", "status": "404"}
        state.tallies.add(DAY, "request failed", "h", fields, 0, number)
    found = rows(state)
    assert len(found) <= MOST + NEWCOMERS + REMAINDERS + 1
    assert [row.count for row in found if row.is_rest and not row.fields] != []
    assert sum(row.count for row in found) == 9_000


def test_it_does_not_matter_where_commits_are(tmp_path: Path) -> None:
    contents = []
    for every in (1, 7, 4_001):
        with State(str(tmp_path / f"{every}.sqlite")) as state:
            state.load()
            for number in range(8_000):
                failed(state, f"nobody{number % 5_000}", time=number)
                if number % every == 0 and (every > 1 or number % 50 == 0):
                    state.commit()
            contents.append(rows(state))
    assert contents[0] == contents[1] == contents[2]


def test_a_commit_that_fails_loses_nothing(state: State) -> None:
    for number in range(2_990):
        failed(state, f"nobody{number}", time=number)
    state.commit()
    for number in range(2_990, 5_000):  # some give way
        failed(state, f"nobody{number}", time=number)
    state.db.execute(
        "CREATE TRIGGER full BEFORE INSERT ON tally_totals BEGIN SELECT raise(ABORT, 'full'); END"
    )
    with pytest.raises(sqlite3.Error, match="full"):
        state.commit()
    state.db.execute("DROP TRIGGER full")
    assert sum(row.count for row in rows(state)) == 5_000
    assert state.db.execute("SELECT sum(count) FROM tally_totals").fetchone() == (5_000,)


def test_another_run_goes_on_in_the_middle_of_a_flood(tmp_path: Path) -> None:
    path = str(tmp_path / "state.sqlite")
    for run in range(3):
        with State(path) as state:
            state.load()
            for number in range(3_000 * run, 3_000 * (run + 1)):
                failed(state, f"nobody{number}", time=number)
            found = rows(state)
    assert sum(row.count for row in found) == 9_000
    assert sum(row.is_rest for row in found) == 1


def test_the_days_before(state: State) -> None:
    for day, count in (("2026-03-11", 2), ("2026-03-12", 0), ("2026-03-13", 1), (DAY, 5)):
        state.days.saw(day, 1, 1, 1)
        for _ in range(count):
            failed(state, "alice", day=day)
    state.commit()
    assert tallied_by_day(state.db, DAY, ["login failed"]) == {
        "2026-03-11": 2,
        "2026-03-12": 0,
        "2026-03-13": 1,
    }
    assert tallied_by_day(state.db, DAY, ["login failed"], "another") == {
        "2026-03-11": 0,
        "2026-03-12": 0,
        "2026-03-13": 0,
    }
    before = tallies_before(state.db, DAY, ["login failed"])
    assert [(row.day, row.count) for row in before] == [("2026-03-13", 1), ("2026-03-11", 2)]


def test_totals_of_too_many_machines_are_bounded(state: State) -> None:
    for number in range(1_500):
        failed(state, "alice", host=f"host{number}")
    state.commit()
    query = "SELECT count(*), sum(count) FROM tally_totals"
    assert state.db.execute(query).fetchone() == (1_001, 1_500)
