from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.state import tables
from pyruse.state.database import State
from pyruse.state.tables import Table

T0 = 1_773_489_600_000_000


def test_a_value_until_an_instant():
    table = Table()
    table.put("203.0.113.7", {"port": 4711}, until=T0 + 10)
    assert table.get("203.0.113.7", at=T0 + 9) == {"port": 4711}
    assert table.get("203.0.113.7", at=T0 + 10) is None
    assert table.get("203.0.113.8", at=T0) is None


def test_a_value_for_ever():
    table = Table()
    table.put("k", 1)
    table.expire(1 << 62)
    assert table.get("k", at=1 << 62) == 1


def test_the_last_value_and_the_last_instant_count():
    table = Table()
    for value, until in (("long", T0 + 100), ("short", T0 + 10), ("medium", T0 + 50)):
        table.put("k", value, until=until)
    table.expire(T0 + 49)
    assert table.get("k", at=T0 + 49) == "medium"
    table.expire(T0 + 50)
    assert len(table) == 0
    table.put("k", "shorter again", until=T0 + 60)
    table.put("k", "for ever")
    table.expire(T0 + 1000)
    assert table.get("k", at=T0 + 1000) == "for ever"


def test_what_is_forgotten():
    table = Table()
    for key in ("a", "b", "c"):
        table.put(key, key, until=T0)
    table.remove("a")
    table.remove("a")
    table.remove("never there")
    table.put("b", None)
    assert list(table) == ["c"]
    assert [table.get(key, at=T0 - 1) for key in ("a", "b", "c")] == [None, None, "c"]


def test_expiry_frees_memory():
    table = Table()
    for number in range(10_000):
        table.put(str(number % 10), number, until=T0 + number)
    table.expire(T0 + 10_000)
    assert (len(table), len(table._until)) == (0, 0)


def test_over_a_restart(opened):
    values = [1, 1.5, "text \0 é", True, [1, [2]], {"a": {"b": None}}, "", 0, False]
    state = opened()
    for number, value in enumerate(values):
        state.tables.table("one").put(str(number), value, until=T0 + number)
        state.tables.table("two").put(str(number), -number)
    state.commit()
    state = opened()
    one, two = (state.tables.table(name) for name in ("one", "two"))
    assert [one.get(str(number), at=T0 - 1) for number in range(len(values))] == values
    assert [two.get(str(number), at=T0) for number in range(1, 4)] == [-1, -2, -3]
    state.expire(T0 + 4)
    assert sorted(one) == ["5", "6", "7", "8"]
    state.commit()
    assert sorted(opened().tables.table("one")) == ["5", "6", "7", "8"]


def test_what_was_not_committed_never_happened(opened):
    state = opened()
    table = state.tables.table("t")
    table.put("kept", 1)
    table.put("removed", 1)
    state.commit()
    table.put("kept", 2)
    table.remove("removed")
    table.put("new", 1)
    table = opened().tables.table("t")
    assert {key: table.get(key, at=T0) for key in table} == {"kept": 1, "removed": 1}


def test_what_cannot_be_kept_is_refused_at_once(opened):
    state = opened()
    table = state.tables.table("t")
    table.put("k", "before")
    with pytest.raises(TypeError):
        table.put("k", object())
    with pytest.raises(TypeError, match="7 is no key of a table"):
        table.put(7, "x")
    state.commit()
    assert opened().tables.table("t").get("k", at=T0) == "before"


def test_a_value_is_kept_as_it_was_put(opened):
    state = opened()
    value = [1]
    state.tables.table("t").put("k", value)
    value.append(2)
    state.commit()
    assert opened().tables.table("t").get("k", at=T0) == [1]


def test_what_was_put_longest_ago_goes_first_also_over_a_restart(opened, monkeypatch):
    monkeypatch.setattr(tables, "KEPT", 4)
    state = opened()
    table = state.tables.table("t")
    for key in "abcd":
        table.put(key, key, until=T0 + 10)
    state.commit()
    table.put("a", "again", until=T0 + 5)
    state.expire(T0)
    state.commit()
    state = opened()
    table = state.tables.table("t")
    table.put("e", "e")
    state.expire(T0)
    assert list(table) == ["c", "d", "a", "e"]
    assert state.tables.take_dropped() == {"t": 1}
    assert state.tables.take_dropped() == {}
    state.commit()
    assert list(opened().tables.table("t")) == ["c", "d", "a", "e"]


def test_the_largest_tables_share_what_is_too_much(opened, monkeypatch):
    monkeypatch.setattr(tables, "KEPT", 10)
    state = opened()
    for name, number in (("few", 2), ("many", 9), ("more", 13)):
        for key in range(number):
            state.tables.table(name).put(str(key), key)
    state.expire(T0)
    sizes = {name: len(state.tables.table(name)) for name in ("few", "many", "more")}
    assert sizes == {"few": 2, "many": 4, "more": 4}
    assert list(state.tables.table("more")) == ["9", "10", "11", "12"]
    assert state.tables.take_dropped() == {"many": 5, "more": 9}


OPERATIONS = st.tuples(
    st.integers(-2, 5),
    st.sampled_from(["put", "put", "put", "remove", "expire", "commit", "restart"]),
    st.sampled_from(["a", "b", "c"]),
    st.integers(0, 9),
    st.sampled_from([None, 1, 5, 20]),
)


@settings(deadline=None, max_examples=100)
@given(st.lists(OPERATIONS, max_size=40))
def test_as_a_dictionary_over_restarts_at_any_time(operations):
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder, "state.sqlite"))
        state = State(path)
        expected: dict[str, tuple[int, float]] = {}
        at = T0
        for after, kind, key, value, keep in operations:
            at += after
            table = state.tables.table("t")
            match kind:
                case "put":
                    table.put(key, value, until=None if keep is None else at + keep)
                    expected[key] = value, float("inf") if keep is None else at + keep
                case "remove":
                    table.remove(key)
                    expected.pop(key, None)
                case "expire":
                    state.expire(at)
                    expected = {key: one for key, one in expected.items() if one[1] > at}
                    assert set(table) == set(expected)
                case "commit":
                    state.commit()
                case "restart":
                    state.commit()
                    state.close()
                    state = State(path)
                    state.load()
            for one in "abc":
                held, until = expected.get(one, (None, 0))
                found = state.tables.table("t").get(one, at=at)
                assert found == (held if until > at else None)
        state.commit()
        rows = state.db.execute("SELECT key FROM remembered")
        assert {key for (key,) in rows} == set(expected)
        state.close()
