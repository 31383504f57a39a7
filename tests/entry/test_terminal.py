r"""What terminals add is not in MESSAGE, wherever an entry comes from; and it hides nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.entry.decoding import Decoder
from pyruse.entry.terminal import without_codes


@pytest.mark.parametrize(
    ("line", "text"),
    [
        ("\x1b[36m12:00:00\x1b[0m [\x1b[1;33mW\x1b[m] from \x1b[1m192.0.2.1\x1b[0m",
         "12:00:00 [W] from 192.0.2.1"),
        ("\x1b[38;5;208morange\x1b[39;49m \x1b[38:2::255:0:0mred", "orange red"),
        ("\x1b[2K\x1b[1G\x1b[?25lready\x1b[?25h", "ready"),
        ("\x1b(B\x1b[mplain\x1b7\x1b8", "plain"),
        ("\x1b]0;title\x07hello", "hello"),
        ("see \x1b]8;;https://example.org/a?b=1\x1b\\this\x1b]8;;\x1b\\.", "see this."),
        ("a line of Windows\r", "a line of Windows"),
        ("green\r\x1b[0m\r", "green"),
        ("10 %\r20 %\r", "10 %\r20 %"),
        ("no code: [0m \\x1b[0m ^[[0m", "no code: [0m \\x1b[0m ^[[0m"),
        ("alone \x1b at the end \x1b", "alone  at the end "),
    ],
)  # fmt: skip
def test_the_text_is_what_a_person_sees(line: str, text: str) -> None:
    assert without_codes(line) == text
    assert Decoder()("MESSAGE", line.encode()) == text
    assert Decoder()("COMMENT", line.encode()) == line


@pytest.mark.parametrize(
    "line",
    [
        "login of x\x1b[ from 192.0.2.1",
        "user=<x\x1b[>, rip=192.0.2.1",
        "user=<x\x1b>, rip=192.0.2.1",
        "user=x\x1b[;ip=192.0.2.1",
        "user=x\x1b[1;ip=192.0.2.1",
        "[x\x1b[] 192.0.2.1",
        "(x\x1b[) 192.0.2.1",
        "login of x\x1b]0; from 192.0.2.1",
        "login of x\x1b]0; from 192.0.2.1 by \x07 from 203.0.113.99",
        "login of x\x1b]8;; from 192.0.2.1 by \x1b\\ from 203.0.113.99",
        "login of x\x1bP from 192.0.2.1 by \x1b\\",
    ],
)
def test_what_a_stranger_writes_takes_nothing_away_of_what_the_program_writes(line: str) -> None:
    assert without_codes(line).startswith(line[: line.index("\x1b")])
    assert without_codes(line).replace("\x07", "") in line.replace("\x1b", "").replace("\x07", "")
    assert "192.0.2.1" in without_codes(line)


def test_what_is_not_utf_8_has_no_codes_either() -> None:
    assert Decoder()("MESSAGE", b"\x1b[31mM\xe4rz\x1b[0m\r") == "März"


@given(st.text(st.sampled_from("\x1b[]0;m \\\x07\r?(B8Pax")))
def test_no_escape_is_left_and_nothing_is_added(line: str) -> None:
    text = without_codes(line)
    assert "\x1b" not in text
    assert not text.endswith("\r")
    rest = iter(line)
    assert all(character in rest for character in text)  # in the same order


def test_a_megabyte_of_beginnings_takes_no_time() -> None:
    for beginning in ("\x1b[", "\x1b[1;", "\x1b]8;;x", "\x1b", "\x1b[1" + ";1" * 50):
        without_codes(beginning * (1_000_000 // len(beginning)))
    without_codes("\x1b[1" + ";1" * 500_000)
    without_codes("\x1b]" + "x" * 1_000_000)
