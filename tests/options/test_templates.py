"""Messages with fields in them."""

from __future__ import annotations

import re
import string
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.options.templates import LONGEST, Template

ENTRY = {
    "user": "root",
    "ip": "192.0.2.1",
    "count": 7,
    "share": 0.125,
    "__REALTIME_TIMESTAMP": datetime(2026, 3, 14, 15, 9, 26, 535_897, tzinfo=UTC),
    "MESSAGE_ID": uuid.UUID("de5b426a63be47a7b6ac3eaac82e2f6f"),
    "several": ["a", "b"],
    "raw": b"caf\xc3\xa9 \xff",
    "empty": "",
}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("no field", "no field"),
        ("", ""),
        ("{user} from {ip}", "root from 192.0.2.1"),
        ("{{user}} {{{user}}}", "{user} {root}"),
        ("<{missing}{empty}>", "<>"),
        ("{count} times", "7 times"),
        ("{count:>5}|{count:05d}|{share:.1%}", "    7|00007|12.5%"),
        ("{user:>8}|{user:<6}|{user:.2}", "    root|root  |ro"),
        ("{user!r} {count!r} {raw!a}", "'root' '7' 'caf\\xe9 \\ufffd'"),
        ("{__REALTIME_TIMESTAMP}", "2026-03-14 15:09:26:535897"),
        ("{__REALTIME_TIMESTAMP:%H:%M}", "15:09"),
        ("{__REALTIME_TIMESTAMP:%d.%m.%Y %%}", "14.03.2026 %"),
        ("{MESSAGE_ID}", "de5b426a63be47a7b6ac3eaac82e2f6f"),
        ("{several}", "a, b"),
        ("{raw}", "café �"),
    ],
)
def test_a_message_of_an_entry(template: str, text: str) -> None:
    assert Template.parse(template).render(ENTRY) == text


@pytest.mark.parametrize("spec", ["d", ".2f", "%Y", "05d", ",", "x", "=+8"])
def test_a_format_that_does_not_fit_a_value_is_left_out(spec: str) -> None:
    assert Template(f"<{{user:{spec}}}>").render({"user": "root"}) == "<root>"


def test_a_number_in_text_is_text() -> None:
    # What a regular expression took out of a message is text, whatever it looks like.
    assert Template("{port:>6}").render({"port": "22"}) == "    22"
    assert Template("{port:06d}").render({"port": "22"}) == "22"


@pytest.mark.parametrize(
    "value", ["{}", "{user}", "{0.__class__}", "{{", "}", "%(user)s", "{a:{b}}"]
)
def test_a_value_is_never_a_template_itself(value: str) -> None:
    fields = {"hostile": value, "user": "root", "a": 1, "b": 2}
    assert Template("<{hostile}|{hostile!s}|{user}>").render(fields) == f"<{value}|{value}|root>"


def test_a_message_renders_an_entry() -> None:
    entry = make_entry({"MESSAGE": "hello", "PRIORITY": "3"}, time_us=0)
    template = Template("[{PRIORITY:02d}] {MESSAGE} {__REALTIME_TIMESTAMP:%F}{none}")
    assert template.render(entry) == "[03] hello 1970-01-01"


def test_a_message_tells_its_fields_in_order() -> None:
    assert Template("{b} {{no}} {a:>5} {b!r}").fields == ["b", "a", "b"]
    assert Template("none").fields == []


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("{}", "{} names no field"),
        ("{0}", "{0} names no field"),
        ("{a.}", "{a.} names no field"),
        ("{a[b]}", "{a[b]} names no field"),
        ("{a b}", "{a b} names no field"),
        ("{ a }", "{ a } names no field"),
        ("{été}", "{été} names no field"),
        ("{a:{b}}", "{a:{b}} has a field in its format"),
        ("{a!x}", "!x is no conversion"),
        ("{a!ss}", "after ! there is no conversion"),
        ("{a", "a brace stands alone"),
        ("a}", "a brace stands alone"),
        ("{a:{b}", "a brace stands alone"),
        ("{{a}", "a brace stands alone"),
    ],
)
def test_what_is_no_message(text: str, fault: str) -> None:
    with pytest.raises(ValueError, match=r" \(expected ") as caught:
        Template.parse(text)
    assert str(caught.value).partition(" (expected ")[0] == f'"{text}" is no message: {fault}'


@pytest.mark.parametrize("value", [5, None, ["a"], {}])
def test_only_text_is_a_message(value: object) -> None:
    with pytest.raises(ValueError, match=r"is no message \(expected text\)"):
        Template.parse(value)


def test_messages_of_the_same_text_are_equal() -> None:
    assert Template("{a}") == Template("{a}")
    assert Template("{a}") != Template("{b}")
    assert len({Template("{a}"), Template("{a}")}) == 1
    assert (str(Template("{a}")), repr(Template("{a}"))) == ("{a}", "Template('{a}')")


@given(st.text())
def test_a_text_without_fields_renders_itself(text: str) -> None:
    assert Template(text.replace("{", "{{").replace("}", "}}")).render(ENTRY) == text


@given(st.text(), st.text(string.ascii_letters, min_size=1))
def test_a_value_is_rendered_as_it_is(value: str, field: str) -> None:
    assert Template(f"<{{{field}}}>").render({field: value}) == f"<{value}>"


RENDERED: list[Any] = ["x", 5, 0.5, ENTRY["__REALTIME_TIMESTAMP"], None, [1]]


@given(st.text(st.sampled_from("{}a:!.[] \n0%"), max_size=12))
def test_a_text_is_a_message_that_can_be_rendered_or_is_refused(text: str) -> None:
    try:
        template = Template.parse(text)
    except ValueError as refused:
        fault = str(refused)
    else:
        fault = ""
        for value in RENDERED:
            assert isinstance(template.render({"a": value}), str)
    assert not fault or re.fullmatch(r"(?s).* is no message: .* \(expected .*\)", fault)


@pytest.mark.parametrize(
    "template",
    ["{MESSAGE:>999999999}", "{count:999999999d}", "{share:.2000f}", "{user:x<1001}",
     "{count:٩٩٩٩٩}", "{user:%>999999}", "{__REALTIME_TIMESTAMP:%99999d}", "{user!r:>5000}"],
)  # fmt: skip
def test_a_format_makes_no_text_of_any_length(template: str) -> None:
    with pytest.raises(ValueError, match=r"would make a text of any length \(expected 1,000 char"):
        Template.parse(template)


@pytest.mark.parametrize(
    "template", ["{user:>1000}", "{__REALTIME_TIMESTAMP:%Y and 20260314}", "{count:0=+1000,}"]
)
def test_a_format_may_be_wide(template: str) -> None:
    assert len(Template.parse(template).render(ENTRY)) <= 1_340


def test_a_message_is_cut_and_says_so() -> None:
    text = Template("{long}{long}{user}").render({"long": "x" * 100_000, "user": "root"})
    assert text == "x" * LONGEST + f"… ({200_004 - LONGEST} more characters)"
    assert Template("{long}").render({"long": "x" * LONGEST}) == "x" * LONGEST


VALUES = st.sampled_from(
    [None, "", "a", "é{b}%s", "\ud800", "x" * (LONGEST // 2), 7, 0.5, ["a", None], b"\xff"]
)


@given(st.lists(st.sampled_from(["{{", "}}", "%", "words", "{a}", "{B}", "{_C}"])), VALUES, VALUES)
def test_an_entry_fills_in_a_message_as_what_it_has_does(
    parts: list[str], first: Any, second: Any
) -> None:
    template = Template("".join(parts))
    values = {"a": first, "B": second, "_C": "c"}
    entry = make_entry(values)
    text = template.render(entry)
    assert text == template._render(entry)
    assert text == template.render({name: entry.get(name) for name in values})


def test_what_an_entry_raises_is_raised() -> None:
    class Faulty(Entry):
        def text(self, field: str) -> str | None:
            raise ValueError(field)

    with pytest.raises(ValueError, match="a"):
        Template("{a}").render(Faulty(1, None, {"a": "b"}))
    with pytest.raises(AttributeError):
        Template("{a}").render(Entry(1, object(), {}))  # type: ignore[arg-type]
