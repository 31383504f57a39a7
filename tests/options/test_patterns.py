"""Regular expressions as options."""

from __future__ import annotations

import pytest

from pyruse.options.patterns import Pattern


def test_a_pattern_is_searched_for_anywhere() -> None:
    pattern = Pattern.parse(r"user (?P<user>\w+)")
    match = pattern.search("the user root")
    assert match is not None
    assert match["user"] == "root"
    assert pattern.groups == ["user"]
    assert pattern.text == r"user (?P<user>\w+)"


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("(", "missing ), unterminated subpattern at position 0"),
        ("*a", "nothing to repeat at position 0"),
        ("[a", "unterminated character set at position 0"),
        ("(?P<a>x)(?P<a>y)", "redefinition of group name 'a' as group 2; was group 1"),
        ("a{99999999999}", "the repetition number is too large"),
    ],
)
def test_what_is_no_pattern(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match="is no regular expression") as caught:
        Pattern.parse(text)
    assert f" is no regular expression: {fault}" in str(caught.value)
    assert str(caught.value).endswith("patterns are best written in single quotes)")


def test_a_group_cannot_set_a_field_of_the_journal() -> None:
    with pytest.raises(ValueError, match=r'^group "_UID" cannot be set \(expected a name'):
        Pattern.parse("(?P<_UID>.)")


def test_what_python_doubts_is_kept_for_check_to_tell() -> None:
    assert Pattern("[[:digit:]]+ of these").doubts == ["Possible nested set at position 1"]
    assert Pattern(r"\d+ of these").doubts == []
