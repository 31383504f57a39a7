"""The types of options: what they take, what they refuse, and what they do with entries."""

from __future__ import annotations

import ipaddress
import re
import string
import uuid
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyruse.config.reference import duration_in_words
from pyruse.entry.made import make_entry
from pyruse.options.types import (
    Duration,
    Field,
    Networks,
    NewField,
    Pattern,
    Template,
    address_of,
    parse_address,
    parse_network,
    quoted,
    shown,
)

# ---- Fields


@pytest.mark.parametrize("name", ["MESSAGE", "ip", "_UID", "__REALTIME_TIMESTAMP", "a1", "_"])
def test_a_field_has_a_name(name: str) -> None:
    assert Field.parse(name) == name


@pytest.mark.parametrize(
    "name", ["", "1a", "a b", "a-b", "a.b", "été", "a\n", "{a}", None, 5, ["a"]]
)
def test_anything_else_names_no_field(name: object) -> None:
    with pytest.raises(ValueError, match=r"is no field name \(expected letters, digits"):
        Field.parse(name)


def test_the_journals_own_fields_cannot_be_set() -> None:
    assert NewField.parse("ip") == "ip"
    with pytest.raises(ValueError, match=r'^"_UID" cannot be set \(expected a name that'):
        NewField.parse("_UID")


def test_a_configured_value_has_the_type_that_entries_have() -> None:
    assert Field("PRIORITY").typed("3") == 3
    assert Field("PRIORITY").typed(3) == 3
    assert Field("status").typed("404") == "404"
    with pytest.raises(ValueError, match=r'^PRIORITY is never "high" \(expected a whole number\)'):
        Field("PRIORITY").typed("high")


# ---- Durations


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (90, 90), ("90", 90), ("90s", 90), ("15m", 900), ("2h", 7200), ("5d", 432_000),
        ("1w", 604_800), ("1h30m", 5400), ("1d12h", 129_600), ("500ms", 0.5), ("1s1ms", 1.001),
        ("0h1s", 1),
    ],
)  # fmt: skip
def test_a_span_of_time(value: str | int, seconds: float) -> None:
    duration = Duration.parse(value)
    assert duration == timedelta(seconds=seconds)
    assert duration.us == round(seconds * 1_000_000)


@pytest.mark.parametrize(
    "value",
    [
        0, -5, "0", "0s", "", "s", "5 m", " 5m", "5m ", "5M", "1.5h", "-1h", "1h 30m", "5min", "h5",
        "٥m", "²", "1m\n", 1.5, float("inf"), float("nan"), True, None, [5], {}, 10**10, "9" * 5000,
        "9" * 5000 + "w", 16**9000, "600000w",
    ],
    ids=lambda value: shown(value)[:20],
)  # fmt: skip
def test_no_span_of_time(value: object) -> None:
    with pytest.raises(ValueError, match=r'is no duration \(expected seconds, or "90s", "15m"'):
        Duration.parse(value)


@given(st.integers(1, 10**12))
def test_a_duration_in_words_is_read_back(milliseconds: int) -> None:
    duration = Duration(milliseconds=milliseconds)
    assert Duration.parse(duration_in_words(duration)) == duration


# ---- Templates

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
        ("{a.b}", "{a.b} names no field"),
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


# ---- Patterns


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


# ---- Networks and addresses


def test_an_address_is_in_its_networks() -> None:
    networks = Networks.parse(
        ["192.168.1.7/24", "2001:db8::/32", "203.0.113.9", "::ffff:10.0.0.0/104"]
    )
    assert len(networks) == 4
    inside = ["192.168.1.255", "2001:db8:ffff::1", "203.0.113.9", "10.255.0.1", "::ffff:10.1.2.3"]
    outside = ["192.168.2.0", "2001:db9::", "203.0.113.10", "11.0.0.0", "::1"]
    for text in inside:
        address = parse_address(text)
        assert address is not None
        assert address in networks, text
    for text in outside:
        address = parse_address(text)
        assert address is not None
        assert address not in networks, text


def test_everything_is_in_the_network_of_everything() -> None:
    networks = Networks.parse(["0.0.0.0/0"])
    assert ipaddress.ip_address("203.0.113.9") in networks
    assert ipaddress.ip_address("2001:db8::1") not in networks


@pytest.mark.parametrize("value", ["192.168.1.0/24", 5, None, {"a": "192.0.2.1"}])
def test_networks_are_a_list(value: object) -> None:
    with pytest.raises(ValueError, match=r"is no list of networks \(expected"):
        Networks.parse(value)


@pytest.mark.parametrize(
    "value",
    ["", "example.org", "192.168.1", "192.168.1.0/33", "::/129", "1.2.3.4/a", 5, None, True],
)
def test_what_is_no_network(value: object) -> None:
    with pytest.raises(ValueError, match=r"is no network \(expected an address or"):
        parse_network(value)
    with pytest.raises(ValueError, match=r"is no network"):
        Networks.parse(["192.0.2.1", value])


V4 = st.ip_addresses(v=4)
V6 = st.ip_addresses(v=6)


@st.composite
def networks(draw: st.DrawFn) -> Any:
    address = draw(V4 | V6)
    length = draw(st.integers(0, address.max_prefixlen))
    return ipaddress.ip_network((address, length), strict=False)


@given(st.lists(networks(), max_size=8), V4 | V6, st.data())
def test_membership_is_that_of_ipaddress(
    nets: list[Any], address: Any, data: st.DataObject
) -> None:
    likely_inside = data.draw(st.booleans())
    if nets and likely_inside:
        one = data.draw(st.sampled_from(nets))
        address = one[data.draw(st.integers(0, one.num_addresses - 1))]
    inside = any(address in net for net in nets if net.version == address.version)
    assert (address in Networks(nets)) == inside


@given(networks())
def test_a_network_is_read_as_it_is_written(network: Any) -> None:
    mapped = network.version == 6 and network.network_address.ipv4_mapped
    if not (mapped and network.prefixlen >= 96):
        assert parse_network(str(network)) == network


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.1", "192.0.2.1"),
        (" 192.0.2.1\n", "192.0.2.1"),
        ("2001:DB8::1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:c000:201]", "192.0.2.1"),
        ("::192.0.2.1", "::c000:201"),
        ("::1", "::1"),
    ],
)
def test_an_address_as_logs_write_it(text: str, address: str) -> None:
    assert str(parse_address(text)) == address


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "localhost", "192.0.2", "192.0.2.256", "192.0.2.01", "192.0.2.1:22",
        "192.0.2.1/32", "[192.0.2.1", "2001:db8::1::", "٣.0.2.1", "1", None, 3221225985,
        ["192.0.2.1"], b"\xc0\0\2\1",
    ],
)  # fmt: skip
def test_what_is_no_address(text: object) -> None:
    assert parse_address(text) is None


@given(V4 | V6)
def test_an_address_is_read_as_it_is_written(address: Any) -> None:
    expected = address if address.version == 4 else address.ipv4_mapped or address
    assert parse_address(str(address)) == expected


@given(st.text(st.sampled_from("0123456789abcdef:.[]%/ \n"), max_size=20))
def test_any_text_is_an_address_or_not(text: str) -> None:
    address = parse_address(text)
    assert address is None or parse_address(str(address)) == address


def test_the_address_in_a_field() -> None:
    entry = make_entry({"ip": "::ffff:192.0.2.1", "user": "root"})
    assert address_of(entry, "ip") == ipaddress.ip_address("192.0.2.1")
    assert address_of(entry, "user") is None
    assert address_of(entry, "missing") is None


# ---- Values in messages


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
