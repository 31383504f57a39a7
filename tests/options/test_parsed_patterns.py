"""Whatever the pattern and the text: what is known of it is true."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.options.parsed_patterns import beginnings, either
from pyruse.options.patterns import Pattern

PARTS = [
    "a", "b", "ab", "abc", "x y", "^", "$", r"\A", r"\Z", r"\b", ".", ".*", ".+?", "[ab]", r"\S+",
    r"\d", r"\s*", "(?P<one>a|b)", "(a)", "(?:abc)?", "|", "a|^b", "(?=abc)", "(?!b)", "(?<=a)",
    "(?i:AB)", "(?s:.)", "(?m:^b)", "(?>a*)", "a{2,3}", r"\.", "é", "\n", "(?:)", "(?#note)",
]  # fmt: skip
FLAGS = ["", "", "(?i)", "(?m)", "(?s)", "(?x)", "(?a)", "(?im)"]


@st.composite
def patterns(draw: st.DrawFn) -> re.Pattern[str]:
    names = draw(st.lists(st.sampled_from(PARTS), max_size=6))
    if "(?P<one>a|b)" in names:  # a name may be used once
        names = [*dict.fromkeys(names)]
    try:
        return re.compile(draw(st.sampled_from(FLAGS)) + "".join(names))
    except re.error:
        return re.compile("a")


TEXTS = st.lists(
    st.sampled_from(["a", "b", "ab", "abc", "A", "x y", " ", "\n", "é", "1", "."]), max_size=12
).map("".join)


@settings(max_examples=300, deadline=None)
@given(st.lists(patterns(), min_size=2, max_size=4), TEXTS)
def test_one_of_several_is_found_where_one_of_them_is(
    regexes: list[re.Pattern[str]], text: str
) -> None:
    search = either(regexes)
    if search is not None:
        assert (search(text) is None) == all(regex.search(text) is None for regex in regexes)


@settings(max_examples=800, deadline=None)
@given(st.lists(patterns(), min_size=1, max_size=4), TEXTS, st.booleans())
def test_the_first_one_that_is_found_counts(
    regexes: list[re.Pattern[str]], text: str, optimize: bool
) -> None:
    found = Pattern.first_of([Pattern(one.pattern) for one in regexes], optimize=optimize)(text)
    expected = next((match for one in regexes if (match := one.search(text))), None)
    assert (found is None) == (expected is None)
    if found is not None and expected is not None:
        assert (found.span(), found.groupdict()) == (expected.span(), expected.groupdict())


@pytest.mark.parametrize("text", ["ſcript", "SCRIPT", "\u212aB", "kb", "é SCRIPT"])
def test_letters_are_alike_whose_case_does_not_matter(text: str) -> None:
    search = Pattern.first_of([Pattern("(?i)script"), Pattern("(?i)kb")])
    assert search(text) is not None


@settings(max_examples=500, deadline=None)
@given(st.lists(patterns(), min_size=1, max_size=3), TEXTS)
def test_what_is_found_has_one_of_the_beginnings(regexes: list[re.Pattern[str]], text: str) -> None:
    known = beginnings(regexes)
    if known is not None and any(regex.search(text) for regex in regexes):
        assert text.startswith(known)


@pytest.mark.parametrize(
    ("patterns", "known"),
    [
        (["^abc"], ("abc",)),
        (["^a(?P<one>b|cd)?e", "^x(?:y)z*"], ("abe", "acde", "ae", "xy")),
        (["^(?:un)?known [xy].*$"], ("known x", "known y", "unknown x", "unknown y")),
        (["^(?!abd)(?:ab){2,}c"], ("ab",)),
        (["^a\\d"], ("a",)),
        (["^a", "^.b"], None),
        (["^a|b"], None),
        (["a"], None),
        (["(?i)^a"], None),
        (["(?m)^a"], None),
        (["^(?i:a)b"], None),
        (["^a?"], None),
    ],
)  # fmt: skip
def test_beginnings(patterns: list[str], known: tuple[str, ...] | None) -> None:
    assert beginnings([re.compile(pattern) for pattern in patterns]) == known


@pytest.mark.parametrize(
    ("texts", "together"),
    [
        (["^a", "^b c", r"\Ad"], True),
        (["^a"], False),
        (["^a", "b"], False),
        (["^a", "^(b)"], False),
        (["^a", "(?i)^b"], False),
        (["^a", "^b|c"], False),
    ],
)
def test_which_patterns_are_looked_for_together(texts: list[str], together: bool) -> None:
    assert (either([re.compile(text) for text in texts]) is not None) == together


@pytest.mark.parametrize("text", ["^[[a]", ".*[[a]b", "[[a]"])
def test_a_pattern_that_python_doubts_is_doubted_once(text: str) -> None:
    """By `Pattern`, which keeps it for `pyruse check`: the daemon's log has no use for it."""
    pattern = Pattern(text)
    assert pattern.doubts
    assert Pattern(text).doubts == pattern.doubts, "of each step that has it"
    assert pattern.search("a[b") is not None  # a warning would be an error here
    assert Pattern.first_of([Pattern("^[[a]"), Pattern("^b")])("b") is not None


def test_a_python_without_that_parser_searches_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pyruse.options.parsed_patterns._PARSER", "re._no_longer")
    regex = re.compile("^a")
    assert beginnings([regex]) is None
    assert either([regex, re.compile("^b")]) is None
