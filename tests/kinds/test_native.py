"""Texts are masked in C as they are in Python; what C does not know is asked of Python once."""

from __future__ import annotations

import gc
import random
import string
import weakref
from collections.abc import Sized

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.kinds import own_lines
from pyruse.kinds import masks
from pyruse.kinds.masks import Masks
from pyruse.system.native import native

pytestmark = pytest.mark.skipif(native() is None, reason="pyruse-native is not installed")

PIECES = [
    *' \t\n\x0b\x1c,;()[]{}<>"\'=|./:-_@#?!%*0159aAfFzZ', '"', '"', " ", "00", "0x", "ms", "=<", "://",
    '": "', '" :', "'a'", '"a b"', '"0"', "https://a.b/c", "example.org", "Jan 1", "é", "東",
    "\u2028", "\ud800",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from(PIECES) | st.text(max_size=3), max_size=40).map("".join)

in_c, in_python = Masks(), Masks()  # with what they remember from one text to the next


def both(text: str) -> tuple[str, str]:
    return in_c.template_of(text), in_python._template_of(text)


@given(TEXTS)
@example("")
@example('"' + "x" * 200 + '" "' + "1" * 201 + '" "1"')
@example('"a1":"b1" "a1"  : "b1" "a1"   :x "a1"://x "a1":y//z "a1": //')
@example("x" * 399 + "123")
@example("ü" * 399 + "123")
@example("0a00 00a 00 000.00 a00")
@example("\x1c00\x1f11 \x85 22")
def test_both_mask_alike(text: str) -> None:
    fresh = Masks()
    assert fresh.template_of(text) == Masks()._template_of(text)
    one, other = both(text)
    assert one == other


def test_both_mask_lines_of_programs_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "_CACHED", 50)  # the caches are emptied again and again
    often_emptied = Masks()
    dice = random.Random(4)
    lines = [line.text for line in own_lines()]
    words = sorted({word for line in lines for word in line.split(" ")})
    lines += [" ".join(dice.choices(words, k=dice.randrange(1, 30))) for _ in range(3_000)]
    for line in lines:
        assert often_emptied.template_of(line) == Masks()._template_of(line), line


WORDS = [
    string.hexdigits,
    "0123456789ABCDEF",
    string.ascii_letters + "01",
    "aZ0+/",
    "01/",
    "b0@.-_",
]
AROUND = [
    *" \t,;()[]<>'\"=|?.:!-_@/~%+*{é",
    "=<",
    "=",
    ">:",
    "://",
    "http",
    "https://",
    "ab://x0",
    "//",
    '":(',
    "/x?y=",
    '": ',
    "'.",
    "xx",
    "\x1c",
    "\xa0",
    "::",
    "2001:db8::1",
    "aa:bb:c0",
    "0:a:b:",
    "[::1]:22",
    "x" * 99,
    "0a" * 60,
    "1/" * 60,
    "a " * 60,
    "/usr/bin/x",
    "/a",
    "3/4",
    "a/b",
    "a/b/c",
    "a.b",
    "sda1",
    "ssh.service",
    "user@host.example",
    "12ms",
    "Jan",
    "secs",
    "0x1F",
    "1.2.3.4",
    "KiB",
    "00",
    "7",
]


def made_up(dice: random.Random) -> str:
    """Ids, and other words that are like them, with all around that may make a difference."""
    pieces = []
    for _ in range(dice.randrange(1, 10)):
        if dice.random() < 0.5:
            size = dice.choice([*range(1, 10), 16, 40, 199, 201])
            pieces += dice.choices(dice.choice(WORDS), k=size)
        pieces += dice.choices(AROUND, k=dice.randrange(6))
    return "".join(pieces)


def test_both_mask_ids_alike() -> None:
    """In C, texts are alike that differ in numbers, ids, paths and the like alone."""
    dice = random.Random(5)
    for _ in range(10_000):
        one, other = both(made_up(dice))
        assert one == other


def test_ids_without_end_need_no_masking() -> None:
    one, dice = Masks(), random.Random(6)
    capitals = WORDS[1]
    masked = []
    for _ in range(500):
        queued, session = (
            "".join(dice.choices(capitals, k=10)),
            "".join(dice.choices(WORDS[2], k=16)),
        )
        path, host = f"/{session[:3]}/{queued[:3]}.x", f"2001:db8::{queued[:3].lower()}:1"
        text = (
            f"{queued}: session=<{session}> of {queued.lower()}. {host} {path} https://a.b{path}?q"
        )
        masked.append(one.template_of(text))
    assert set(masked) == {"*: session=<*> of *"}
    assert len(one._chunks) < 100


def test_what_python_raises_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(masks, "_masked_word", lambda _: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        Masks().template_of("nobody knows 1 of these")


def test_no_memory_is_kept() -> None:
    one = Masks()
    gone = weakref.ref(one)
    for number in range(20_000):
        one.template_of(f'a{number}b "{number:x}" {"c" * (number % 300)}d{number % 7}')
    caches: list[Sized] = [one._of_levelled, one._chunks, one._of_chunks]
    assert max(map(len, caches)) <= masks._CACHED
    del one, caches
    gc.collect()
    assert gone() is None
