"""What a text must have for a pattern to be found in it: never more than that."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from pyruse.options.patterns import Pattern
from pyruse.options.searches import needs_of, search_of


@pytest.mark.parametrize(
    ("pattern", "begin", "inside", "anchored"),
    [
        ("abc", "", "abc", False),
        ("^abc", "abc", "", True),
        (r"\Aabc", "", "abc", True),
        ("^ab*c", "a", "", True),
        ("^ab{2}cd", "a", "cd", True),
        (r"^x\.y \[z\]", "x.y [z]", "", True),
        (r"a\x27b \d{2,3}cd", "", "b ", False),
        (r"\bfoo\b", "", "foo", False),
        (r"a[)|(]bc", "", "bc", False),
        ("^(?:dis)?connect from ", "", "connect from ", True),
        (r"^from {address} port \d+ ssh2$", "from ", " port ", True),
        ("^ab|cd", "", "", False),
        ("^ab(?:x|y)cd", "ab", "cd", True),
        ("(?i:abc)", "", "", False),
        ("(?s)abc", "", "", False),
        ("ab(?#no ( )cd|e", "", "", False),
        ("été", "", "", False),
    ],
)
def test_what_is_needed(pattern: str, begin: str, inside: str, anchored: bool) -> None:
    assert needs_of(Pattern(pattern))[:3] == (begin.encode(), inside.encode(), anchored)


@pytest.mark.parametrize(
    ("pattern", "inside", "caseless"),
    [
        ("(?i)<Script", "<script", True),
        (r"(?i)^Union(?:\s|%20)+select", "select", True),
        ("(?i)(?m)ab", "", False),
        ("(?is)ab", "", False),
        ("(?i)ab|cd", "", False),
        ("<Script", "<Script", False),
    ],
)
def test_case_may_not_matter(pattern: str, inside: str, caseless: bool) -> None:
    needs = needs_of(Pattern(pattern))
    assert (needs.inside, needs.caseless) == (inside.encode(), caseless)
    assert not needs.begin


@pytest.mark.parametrize(
    ("pattern", "is_all"),
    [
        ("abc", True),
        (r"^pam_unix\(sshd:", True),
        ("^a", True),
        ("a", False),  # not looked for: it is found nearly everywhere
        ("abc$", False),
        ("abc*", False),
        ("^^abc", False),
        ("(?i)abc", False),
        ("ab{address}", False),
        ("(abc)", False),
        ("", False),
    ],
)
def test_it_may_be_all(pattern: str, is_all: bool) -> None:
    assert needs_of(Pattern(pattern)).is_all is is_all


def test_groups_become_fields_and_addresses_are_known() -> None:
    pattern = Pattern(r"^(\w+) (?P<user>\w+) {address} {address:other}$")
    search, groups = search_of(pattern, [(1, "word")])
    match = search("a b 192.0.2.1 2001:db8::1")
    assert match is not None
    assert {name: match.groups()[index] for index, name, _ in groups} == {
        "word": "a", "user": "b", "ip": "192.0.2.1", "ip_port": None, "other": "2001:db8::1",
        "other_port": None,
    }  # fmt: skip
    assert [name for _, name, is_address in groups if is_address] == ["ip", "other"]


PARTS = st.sampled_from(
    [
        "a", "b", "ab", "c ", " ", r"\.", r"\[", r"\(", r"\|", r"\x61", r"\u0061", r"\d", r"\141",
        ".", "[ab]", "[^a]", "[]a]", "[|(]", "*", "+", "?", "{2}", "{1,2}", "{,2}", "{", "}", "]",
        "(", "(?:", "(?=", "(?!", "(?<!", "(?i:", "(?P<n>", "(?>", ")", ")", ")?", "|", "^", "$",
        r"\A", r"\b", "é", "-", "#", "(?i)", "(?x)", "(?m)", "(?s)", "(?#a(b)", "++", "+?",
        "B",
    ]
)  # fmt: skip
TEXTS = st.text("ab c.[(|d#é-1A\n{}],2", max_size=12)


@settings(max_examples=2_000, deadline=None)
@given(st.sampled_from(["", "(?i)"]), st.lists(PARTS, max_size=8), st.lists(TEXTS, max_size=4))
def test_a_text_without_it_is_none_in_which_the_pattern_is_found(
    flags: str, parts: list[str], texts: list[str]
) -> None:
    written = flags + "".join(parts)
    pattern = None
    with suppress(ValueError):
        pattern = Pattern(written)
    assume(pattern is not None)
    assert pattern is not None
    needs = needs_of(pattern)
    search, _ = search_of(pattern, [])
    # What the pattern itself says in plain words is what it is most likely found in.
    plain = re.sub(r"\(\?i\)|[\\^$|?*+()]|\(\?:", "", written)
    texts = [*texts, plain, plain.swapcase()]
    for text in [*texts, *(before + plain for before in texts)]:
        found = pattern.regex.search(text)
        has_all = text.encode().startswith(needs.begin) and (
            needs.inside in text.lower().encode()
            if needs.caseless and text.isascii()
            else needs.caseless or needs.inside in text.encode()
        )
        if found is not None:
            assert has_all
        if needs.is_all:
            assert has_all == (found is not None)
        assert (search(text) is None) == (found is None)
