"""What steps remember by."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.entry.made import make_entry
from pyruse.options.keys import LONGEST, Key


def key(text: str, **fields: object) -> str:
    return Key.parse(text).of(make_entry(fields))


def test_the_value_of_a_field() -> None:
    assert key("ip", ip="192.0.2.1") == "192.0.2.1"
    assert key("_PID", _PID="4711") == "4711"
    assert key("ip", ip="") == ""


def test_several_fields_and_text_around_them() -> None:
    assert key("{user} {ip}", user="root", ip="192.0.2.1") == key(
        "{user} {ip}", user="root", ip="192.0.2.1"
    )
    assert key("{ip}", ip="192.0.2.1") == key("ip", ip="192.0.2.1")
    assert key("{day:%F}", day="not a time") == key("{day!s}", day="not a time")
    different = {
        key("{user} {ip}", user="a", ip="b"),
        key("{user} {ip}", user="a b", ip=""),
        key("user {user}", user="a", ip="b"),
        key("ip {ip}", user="a", ip="a"),
        key("user", user="a", ip="b"),
    }
    assert len(different) == 5


TEXTS = st.text(st.sampled_from('ab ,"[]\\\0é'), max_size=6)


@given(TEXTS, TEXTS, TEXTS, TEXTS)
def test_no_value_makes_the_key_of_other_values(one: str, two: str, three: str, four: str) -> None:
    assert (key("{a} {b}", a=one, b=two) == key("{a} {b}", a=three, b=four)) == (
        (one, two) == (three, four)
    )
    assert key("a", a=key("{a} {b}", a=one, b=two)) != key("{a} {b}", a=one, b=two)


def test_a_long_key_is_kept_short_and_stays_another_than_those_like_it() -> None:
    ends = {key("user", user="x" * 100_000 + end) for end in ("", "1", "2")}
    assert len(ends) == 3
    assert max(map(len, ends)) < LONGEST
    assert key("user", user="x" * LONGEST) == "x" * LONGEST


def test_an_entry_that_lacks_a_field_of_the_key() -> None:
    with pytest.raises(ValueError, match=r'^the entry has no ip \(expected it: the key is "{'):
        key("ip", user="root")
    with pytest.raises(ValueError, match=r"^the entry has no ip \("):
        key("{user} {ip}", user="root")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("user ip", '"user ip" is no field name (expected letters'),
        ("", '"" is no field name (expected letters'),
        (5, "5 is no field name (expected letters"),
        ("{user", '"{user" is no message: a brace stands alone'),
        ("{{user}}", '"{{user}}" is the same for all entries (expected a field in it, such as'),
        ("{user-name}", '"{user-name}" is no message: {user-name} names no field'),
    ],
)
def test_what_is_no_key(text: object, fault: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(fault)}"):
        Key.parse(text)
