"""How wide texts are on a terminal, and where they are broken."""

from __future__ import annotations

import pytest
from rich.cells import cell_len

from pyruse.columns import briefly, columns, cut, filled, padded, parts, words

WIDE = "日本語"


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("plain", 5),
        ("", 0),
        ("é", 1),
        ("e\N{COMBINING ACUTE ACCENT}", 1),
        (WIDE, 6),
        ("한글", 4),
        ("ﾊﾝｶｸ", 4),
        ("ＡＢ", 4),
        ("\u1112\u1161\u11ab", 2),
        ("हिन्दी", 5),
        ("🔥", 2),
        ("⚠", 1),
        ("⚠\N{VARIATION SELECTOR-16}", 2),
        ("👍\N{EMOJI MODIFIER FITZPATRICK TYPE-5}", 2),
        ("a\N{VARIATION SELECTOR-16}", 1),
        ("🇫🇷", 2),
        ("× – … µ █", 9),
        ("\N{COMBINING ACUTE ACCENT}", 0),
    ],
)
def test_columns(text, size):
    assert columns(text) == size


@pytest.mark.parametrize("text", [WIDE, "⚠\ufe0f", "e\u0301", "👍\U0001f3fd", "🔥x", "🇫🇷"])
def test_the_same_as_what_draws_reports(text):
    assert columns(text) == cell_len(text)


def test_a_text_is_cut_between_characters():
    assert cut(WIDE, 5) == ("日本", "語")
    assert cut("e\u0301e\u0301", 1) == ("e\u0301", "e\u0301")
    assert cut("plain", 3) == ("pla", "in")
    assert cut(WIDE, 1) == ("", WIDE)
    assert briefly(WIDE, 6) == WIDE
    assert briefly(WIDE, 5) == "日本…"
    assert padded(WIDE, 8) + "|" == "日本語  |"
    assert padded(WIDE, 8, to_right=True) == "  日本語"


def test_lines_are_broken_beside_wide_characters_only():
    assert parts("ip=192.0.2.1日本e\u0301x語") == ["ip=192.0.2.1", "日", "本", "e\u0301x", "語"]
    assert list(filled(words("a 日本語日本語 b"), 8)) == ["a 日本語", "日本語 b"]
    assert list(filled(words(f"日本 {'x' * 9}"), 5)) == ["日本", "x" * 9]
