"""What is due when."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pyruse.state.due import Due
from pyruse.times import FOREVER


def test_keys_come_in_the_order_in_which_they_are_due() -> None:
    due: Due[str] = Due()
    due.set("late", 30)
    due.set("early", 10)
    assert due.next() == 10
    assert list(due.pop_until(9)) == []
    assert list(due.pop_until(30)) == ["early", "late"]
    assert due.next() is None


def test_the_instant_that_was_set_last_counts() -> None:
    due: Due[str] = Due()
    due.set("key", 10)
    due.set("key", 20)
    assert due.next() == 20
    assert list(due.pop_until(19)) == []
    due.set("key", 5)
    assert list(due.pop_until(5)) == ["key"]
    assert list(due.pop_until(99)) == []


def test_what_is_forgotten_or_lasts_for_ever_is_never_due() -> None:
    due: Due[str] = Due()
    due.set("gone", 10)
    due.discard("gone")
    due.set("always", 10)
    due.set("always", FOREVER)
    assert due.next() is None
    assert list(due.pop_until(99)) == []
    assert "always" in due
    assert "gone" not in due


def test_a_key_that_is_put_off_again_and_again_is_looked_at_once() -> None:
    due: Due[str] = Due()
    due.set("key", 0)
    for at in range(10_000):
        due.set("key", at)
    assert len(due._heap) == 1
    assert due.next() == 9_999


def test_a_key_that_is_due_ever_earlier_takes_no_memory() -> None:
    due: Due[str] = Due()
    for at in range(10_000, 0, -1):
        due.set("key", at)
    assert len(due._heap) < 100
    assert list(due.pop_until(1)) == ["key"]


def test_keys_that_come_and_go_take_no_memory() -> None:
    due: Due[int] = Due()
    for number in range(10_000):
        due.set(number, 10 + number)
        due.discard(number)
    assert len(due._heap) < 100


_STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("set"), st.integers(0, 5), st.integers(0, 20) | st.just(FOREVER)),
        st.tuples(st.just("discard"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("pop"), st.just(0), st.integers(0, 20)),
    ),
    max_size=60,
)


@given(_STEPS)
def test_it_does_what_a_plain_dictionary_does(steps: list[tuple[str, int, int]]) -> None:
    due: Due[int] = Due()
    plain: dict[int, int] = {}
    for what, key, at in steps:
        if what == "set":
            due.set(key, at)
            plain[key] = at
        elif what == "discard":
            due.discard(key)
            plain.pop(key, None)
        else:
            popped = list(due.pop_until(at))
            assert set(popped) == {one for one in plain if plain[one] <= at}
            instants = [plain.pop(one) for one in popped]
            assert instants == sorted(instants)
        first = min((one for one in plain.values() if one < FOREVER), default=None)
        assert due.next() == first
        assert len(due) == len(plain)


def test_many_keys_at_once() -> None:
    due: Due[str] = Due()
    due.set("gone", 1)
    due.fill({"late": 30, "early": 10, "never": FOREVER})
    due.set("early", 20)
    assert due.next() == 20
    assert list(due.pop_until(40)) == ["early", "late"]
