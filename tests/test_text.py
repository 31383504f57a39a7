"""Text from log lines cannot move the cursor, turn around, or break a line."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.text import (
    is_harmless_json,
    json_escaped,
    one_line,
    printable,
    quoted,
    shortened,
    shown,
)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("plain", "plain"),
        ("été ✓ 漢字 🙂", "été ✓ 漢字 🙂"),
        ("a\tb\nc", "a\tb\nc"),
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\rb\0c\x7f", "a\\x0db\\x00c\\x7f"),
        ("\x9b31m", "\\x9b31m"),
        ("user\u202etxt.exe", "user\\u202etxt.exe"),
        ("a\u200bb\ufeff\u2028", "a\\u200bb\\ufeff\\u2028"),
        ("\udcff", "\\udcff"),
    ],
)
def test_controls_are_shown_as_escapes(text: str, harmless: str) -> None:
    assert printable(text) == harmless


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("  a\n\n   b\r\nc\td  ", "a b c d"),
        ("a\u2028b\x1b", "a\\u2028b\\x1b"),
        ("\n", ""),
    ],
)
def test_a_line_is_one_line(text: str, line: str) -> None:
    assert one_line(text) == line


def test_a_long_text_is_cut_and_says_so() -> None:
    assert shortened("abcdef", 6) == "abcdef"
    assert shortened("abcdefg", 6) == "abcdef… (1 more characters)"


@given(st.text(st.characters(codec=None)))
def test_whatever_a_text_is_it_can_be_shown(text: str) -> None:
    shown = printable(text)
    assert not any(ord(one) < 32 and one not in "\t\n" for one in shown)
    assert shown.encode() or not text  # no surrogates are left
    assert "\n" not in one_line(text)
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("plain", '"plain"'),
        (r"^\S+$", r"'^\S+$'"),
        ('a"b', "'a\"b'"),
        ('it\'s "this"', '"it\'s "this""'),
        ("a\nb\tc\x1b", "'a\\nb\\tc\\x1b'"),
        ("\u202e", "'\\u202e'"),
        (True, "true"),
        (5, "5"),
        (1.5, "1.5"),
        (float("inf"), "inf"),
        ([], "[]"),
        ([1, "a", [True]], '[1, "a", [true]]'),
        ({}, "{}"),
        ({"a": 1, "b": "x"}, '{ a = 1, b = "x" }'),
        ([[[[["deep"]]]]], "[[[…]]]"),
        (datetime(2026, 3, 14, tzinfo=timezone(timedelta(hours=1))), "2026-03-14 00:00:00+01:00"),
    ],
)
def test_a_value_as_messages_show_it(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_long_value_is_cut() -> None:
    assert shown("x" * 81) == f'"{"x" * 78}…'
    assert shown("x" * 78) == f'"{"x" * 78}"'
    assert len(shown(["abc"] * 10**6)) == 80
    assert quoted("y" * 100) == f'"{"y" * 80}…"'


@given(st.recursive(st.text() | st.integers() | st.floats() | st.booleans(), st.lists))
def test_whatever_a_value_is_it_is_shown_on_one_short_line(value: object) -> None:
    text = shown(value)
    assert len(text) <= 80
    assert not any(ord(character) < 32 for character in text)


def test_json_is_harmless_where_nothing_of_it_is_escaped() -> None:
    characters = [chr(code) for code in range(0x20, 0x11_0000) if not 0xD800 <= code < 0xE000]
    for character in characters:
        text = f'["a{character}b"]'
        if is_harmless_json(text.encode()) != (json_escaped(text) == text):
            pytest.fail(f"U+{ord(character):04X}")
