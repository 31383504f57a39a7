"""Counters against a reference that is too simple to be wrong, and over restarts."""

from __future__ import annotations

import sqlite3
import tempfile
import tracemalloc
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.state import counters, windows
from pyruse.state.counters import Counters
from pyruse.state.database import State
from pyruse.state.plain_windows import MOST

SECOND = 1_000_000
T0 = 1_773_489_600 * SECOND
FOREVER = float("inf")

Place = tuple[str, str]


@dataclass
class Reference:
    """Every raise in one list, looked through each time."""

    raises: list[tuple[Place, float, int, str | None]] = field(default_factory=list)
    graces: dict[Place, int] = field(default_factory=dict)

    def count(self, place: Place, at: int, within: int | None, by: int, distinct: str | None):
        if at < self.graces.get(place, 0):
            return 0
        expires = FOREVER if within is None else at + within
        self.raises.append((place, expires, by, distinct))
        counting = [one for one in self.raises if one[0] == place and one[1] > at]
        if distinct is not None:
            return len({value for *_, value in counting if value is not None})
        return sum(by for *_, by, value in counting if value is None)

    def reset(self, place: Place, at: int, grace: int | None) -> None:
        self.raises = [one for one in self.raises if one[0] != place]
        self.graces[place] = 0 if grace is None else at + grace

    def expire(self, at: int) -> None:
        self.raises = [one for one in self.raises if one[1] > at]
        self.graces = {place: until for place, until in self.graces.items() if until > at}


@dataclass(frozen=True)
class Step:
    """Something that happens to the counters, some seconds after what happened before."""

    after: int
    kind: str
    place: Place
    within: int | None
    by: int
    distinct: str | None


STEPS = st.builds(
    Step,
    after=st.integers(-4, 6),  # entries come out of order, too
    kind=st.sampled_from(["count"] * 8 + ["reset", "expire", "commit", "restart"]),
    place=st.tuples(st.sampled_from(["ssh", "mail"]), st.sampled_from(["192.0.2.7", "::1"])),
    within=st.sampled_from([None, 3, 10, 10]),
    by=st.sampled_from([1, 1, 1, 2, 3]),
    distinct=st.sampled_from([None, None, "root", "admin", ""]),
)


class Machine:
    """Counters and their reference, on which the same is done."""

    def __init__(self, state: State) -> None:
        self.state = state
        self.reference = Reference()
        self.at = T0

    def do(self, step: Step) -> None:
        self.at += step.after * SECOND
        within = None if step.within is None else step.within * SECOND
        counter, key = step.place
        match step.kind:
            case "count":
                by = 1 if step.distinct is not None else step.by
                held = self.state.counters.count(
                    counter, key, at=self.at, within=within, by=by, distinct=step.distinct
                )
                expected = self.reference.count(step.place, self.at, within, by, step.distinct)
                assert held == expected
            case "reset":
                self.state.counters.reset(counter, key, at=self.at, grace=within)
                self.reference.reset(step.place, self.at, within)
            case "expire":
                self.expire(self.at)
            case "commit":
                self.state.commit()
            case "restart":
                self.state.commit()
                self.state.close()
                self.state = State(self.state.path)
                self.state.load()

    def expire(self, at: int) -> None:
        self.state.counters.expire(at)
        self.reference.expire(at)


@settings(deadline=None, max_examples=400)
@given(
    st.lists(STEPS, max_size=60),
    st.sampled_from([1, 2, counters.KEPT]),
    st.sampled_from([1, 12]),
    st.sampled_from([0, 2, MOST]),
)
def test_as_the_reference_over_restarts_whatever_fits_in_memory(steps, kept, for_one, most):
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(counters, "KEPT", kept)
        patch.setattr(counters, "PLAIN_FOR_ONE", for_one)
        patch.setattr(windows, "MOST", most)
        machine = Machine(State(str(Path(folder, "state.sqlite"))))
        machine.state.load()
        for step in steps:
            machine.do(step)
        machine.expire(machine.at + 1000 * SECOND)
        for_ever = {place for place, *_ in machine.reference.raises}
        if kept == counters.KEPT > 2:
            assert len(machine.state.counters) == len(for_ever)
        machine.state.commit()
        rows = machine.state.db.execute("SELECT DISTINCT counter, key FROM counts")
        assert set(rows) == for_ever
        assert not machine.state.db.execute("SELECT * FROM graces").fetchall()
        machine.state.close()


def rows(state: State) -> list[tuple[int, int, str | None]]:
    return state.db.execute("SELECT expires, amount, value FROM counts ORDER BY expires").fetchall()


def test_a_window_over_a_restart(opened):
    def count(second):
        return state.counters.count("c", "k", at=T0 + second * SECOND, within=10 * SECOND)

    state = opened()
    assert [count(0), count(4)] == [1, 2]
    state.commit()
    state = opened()
    assert [count(9), count(10)] == [3, 3]


def test_what_was_not_committed_never_happened(opened):
    state = opened()
    assert state.counters.count("c", "k", at=T0) == 1
    state.commit()
    assert state.counters.count("c", "k", at=T0) == 2
    state = opened()
    assert state.counters.count("c", "k", at=T0) == 2


def test_a_grace_over_a_restart(opened):
    state = opened()
    state.counters.reset("c", "k", at=T0, grace=10 * SECOND)
    state.commit()
    state = opened()
    assert state.counters.count("c", "k", at=T0 + 10 * SECOND - 1) == 0
    assert state.counters.count("c", "k", at=T0 + 10 * SECOND) == 1


def test_a_grace_may_end_before_it_is_committed(opened):
    state = opened()
    state.counters.reset("c", "k", at=T0, grace=SECOND)
    state.counters.expire(T0 + SECOND)
    state.commit()
    assert state.db.execute("SELECT * FROM graces").fetchall() == []
    assert len(opened().counters) == 0


def test_what_counts_for_ever_is_one_row_however_often_it_rises(opened):
    state = opened()
    for number in range(1, 1001):
        assert state.counters.count("c", "k", at=T0 + number, by=2) == 2 * number
        if number % 100 == 0:
            state.commit()
    assert [amount for _, amount, _ in rows(state)] == [2000]
    state = opened()
    assert state.counters.count("c", "k", at=T0) == 2001
    state.counters.reset("c", "k", at=T0)
    state.commit()
    assert rows(state) == []


def test_values_that_count_for_ever_are_a_row_each(opened):
    state = opened()
    for number in range(100):
        state.counters.count("c", "k", at=T0 + number, distinct=str(number % 3))
    state.commit()
    assert sorted(value or "" for _, _, value in rows(state)) == ["0", "1", "2"]
    assert opened().counters.count("c", "k", at=T0, distinct="3") == 4


def test_keys_that_never_come_back_take_no_memory(opened):
    state = opened()
    for number in range(1000):
        state.counters.count("c", str(number), at=T0 + number, within=SECOND)
        state.counters.count("d", str(number), at=T0, within=SECOND, distinct="x")
        state.counters.reset("e", str(number), at=T0, grace=SECOND)
    assert len(state.counters) == 3000
    state.commit()
    state.counters.expire(T0 + SECOND)
    assert len(state.counters) == 999  # all but the first of "c"
    state.counters.expire(T0 + 2 * SECOND)
    assert len(state.counters) == 0
    state.commit()
    assert rows(state) == []


def test_the_memory_of_a_key_that_keeps_coming_is_that_of_its_window():
    one = Counters()
    for number in range(10_000):
        assert one.count("d", "k", at=T0 + number, within=10) == min(number + 1, 10)
        held = one.count("c", "k", at=T0 + number, within=10, by=2)
        one.expire(T0 + number)
    assert held == 20
    assert len(one._counters["d"].plain.windows["k"]) == 10
    assert len(one._counters["d"].plain._instants) == 10
    assert len(one._counters["c"].others["k"].events) == 10
    assert len(one._counters["c"].due) <= 2


def test_what_does_not_fit_in_memory_is_counted_all_the_same(opened, monkeypatch):
    monkeypatch.setattr(counters, "KEPT", 100)
    monkeypatch.setattr(counters, "PLAIN_FOR_ONE", 1)
    state = opened()
    state.load()
    for round_ in range(3):
        for number in range(1000):
            held = state.counters.count("c", str(number), at=T0 + number, within=100 * SECOND)
            assert held == round_ + 1
            if number % 50 == 0:
                state.commit()
                assert len(state.counters) <= 150
                assert len(state.counters._counters["c"].due) <= 150
    state.commit()
    state = opened()
    assert len(state.counters) == 0, "more than fits is not read at the start"
    assert state.counters.count("c", "7", at=T0 + SECOND, within=SECOND) == 4
    state.counters.expire(T0 + 101 * SECOND)
    state.commit()
    assert not state.counters.left_until, "what was not in memory is over"


def test_a_commit_that_fails_can_be_done_again(opened, monkeypatch):
    state = opened()
    state.counters.count("c", "k", at=T0, within=SECOND)
    state.counters.count("d", "k", at=T0)
    state.counters.reset("e", "k", at=T0, grace=SECOND)
    with monkeypatch.context() as patched:
        patched.setattr(state.outbox, "save", lambda db: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            state.commit()
    assert rows(state) == []
    state.commit()
    state = opened()
    assert state.counters.count("c", "k", at=T0, within=SECOND) == 2
    assert state.counters.count("d", "k", at=T0) == 2
    assert state.counters.count("e", "k", at=T0) == 0


def has_index(state: State) -> bool:
    query = "SELECT 1 FROM sqlite_schema WHERE name = 'counts_by_key'"
    return state.db.execute(query).fetchone() is not None


def test_keys_have_an_index_only_while_not_all_are_in_memory(opened, monkeypatch):
    monkeypatch.setattr(counters, "KEPT", 10)
    monkeypatch.setattr(counters, "PLAIN_FOR_ONE", 1)
    state = opened()
    for number in range(10):
        state.counters.count("c", str(number), at=T0, within=SECOND)
    state.commit()
    assert not has_index(state)
    for number in range(10, 20):
        state.counters.count("c", str(number), at=T0 + SECOND, within=10 * SECOND)
    state.commit()
    assert has_index(state)
    state = opened()
    state.counters.reset("c", "15", at=T0 + SECOND)  # it may be anywhere
    state.commit()
    state = opened()
    assert state.counters.held("c", "15", at=T0 + SECOND) == 0
    assert state.counters.held("c", "16", at=T0 + SECOND) == 1
    state.counters.expire(T0 + 11 * SECOND)
    state.commit()
    assert not has_index(state)
    assert rows(state) == []


def test_a_reset_takes_what_counts_for_a_time_and_for_ever_and_nothing_else(opened):
    state = opened()
    for key in ("k", "l"):
        state.counters.count("c", key, at=T0, within=SECOND)
        state.counters.count("c", key, at=T0, within=SECOND)  # at the same instant
        state.counters.count("c", key, at=T0 + 1, within=SECOND, distinct="x")
        state.counters.count("c", key, at=T0, distinct="y")
        state.counters.count("c", key, at=T0, by=3)
    state.commit()
    state = opened()
    state.counters.reset("c", "k", at=T0)
    state.counters.count("c", "k", at=T0, within=SECOND)
    state.commit()
    found = state.db.execute("SELECT key, count(*) FROM counts GROUP BY key ORDER BY key")
    assert dict(found) == {"k": 1, "l": 5}


def test_a_full_disk_keeps_windows_in_memory_until_there_is_room(opened, monkeypatch):
    monkeypatch.setattr(counters, "KEPT", 10)
    state = opened()
    with monkeypatch.context() as patched:
        patched.setattr(Counters, "_index", lambda self, db: db.execute("no room"))
        for number in range(20):
            state.counters.count("c", str(number), at=T0, within=SECOND, by=2)
        state.commit()
        assert len(state.counters) == 20
    state.commit()
    assert len(state.counters) == 5
    assert state.counters.count("c", "1", at=T0, within=SECOND, by=2) == 4


@pytest.mark.parametrize(
    ("call", "fault"),
    [
        ("_index", sqlite3.OperationalError("database or disk is full")),
        ("_index", sqlite3.DatabaseError("database disk image is malformed")),
        ("_last_end", sqlite3.OperationalError("disk I/O error")),
    ],
)
def test_what_fails_after_a_commit_has_nothing_committed_twice(opened, monkeypatch, call, fault):
    monkeypatch.setattr(counters, "KEPT", 10)
    state = opened()

    def fail(*_: object) -> None:
        raise fault

    for number in range(20):
        state.counters.count("c", str(number), at=T0, within=SECOND, by=2)
    state.days.file("2026-03-14", "other").extend((0, T0, "once"))
    with monkeypatch.context() as patched:
        patched.setattr(Counters, call, fail)
        state.commit()
    state.commit()
    assert state.db.execute("SELECT count(*) FROM event_texts").fetchone() == (1,)
    assert len(state.counters) == 5
    assert state.counters.count("c", "1", at=T0, within=SECOND, by=2) == 4


def test_a_million_keys_take_some_200_megabytes():
    one = Counters()
    tracemalloc.start()
    for number in range(20_000):
        one.count("c", f"192.0.2.{number}", at=T0 + number, within=SECOND)
    one.saved()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size / 20_000 < 300
    one.expire(T0 + SECOND + 20_000)
    assert len(one) == 0
    assert not one._counters["c"].plain._keys


def test_a_reset_of_what_nothing_is_held_of_writes_nothing() -> None:
    with State() as state:
        state.load()
        state.commit()
        said: list[str] = []
        state.db.set_trace_callback(said.append)
        state.counters.reset("mail", "192.0.2.1", at=T0)
        state.commit()
        assert [text for text in said if "DELETE" in text] == []
        state.counters.reset("mail", "192.0.2.1", at=T0, grace=SECOND)
        state.commit()
        assert [text for text in said if "DELETE" in text] != []
        assert state.counters.count("mail", "192.0.2.1", at=T0) == 0
