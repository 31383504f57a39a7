"""JSON in a field: its members become fields, and nothing else changes."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.entry.made import make_entry
from pyruse_plugins.filters._members import DEEPEST, MOST, Chosen
from pyruse_plugins.filters.json_ import Json


def fields_of(text: str, step: Json | None = None) -> dict[str, object] | None:
    """The fields that are made of a text; None: it does not pass."""
    entry = make_entry({"MESSAGE": text, "_UID": "0"})
    before = dict(entry)
    passed = (step or Json()).match_entry(entry)
    fields = {name: value for name, value in entry.items() if before.get(name) != value}
    assert passed or not fields
    assert all(entry[name] == value for name, value in before.items())
    return fields if passed else None


def test_who_failed_to_log_in_whatever_the_order_of_the_members(pipeline):
    chains = pipeline(r"""
        [chains]
        "nextcloud" = [
          { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "Nextcloud" },
          { filter = "json" },
          { filter = "regex", field = "json.message", pattern = '^Login failed: ' },
          { action = "count", counter = "nc", key = "json.remoteAddr", within = "10m", into = "failures" },
          { filter = "at_least", field = "failures", value = 2 },
          { action = "ban", ip = "json.remoteAddr", duration = "1h" },
        ]
    """)  # noqa: E501 -- a step is one line
    message = '"message":"Login failed: x\\" (Remote IP: 198.51.100.9)"'
    agent = '"userAgent":"{\\"remoteAddr\\":\\"198.51.100.1\\",\\"message\\":\\"Login failed: \\"}"'
    for text in (
        f'{{"remoteAddr":"203.0.113.7","level":2,{message}}}',
        f'{{{message},"level":2,"remoteAddr":"203.0.113.8"}}',
        f'  {{ "remoteAddr" : "2001:db8:7::9" , {message}, "data":{{"app":"core"}} }}\n',
        f'{{{agent},"remoteAddr":"203.0.113.10",{message},{agent}}}',
    ):
        for _ in range(2):
            chains.feed(SYSLOG_IDENTIFIER="Nextcloud", MESSAGE=text)
    assert [ban.ip for ban in chains.bans] == [
        "203.0.113.7", "203.0.113.8", "2001:db8:7::9", "203.0.113.10",
    ]  # fmt: skip
    assert chains.faults == []


def test_members_become_fields():
    text = json.dumps(
        {
            "user": "root", "status": 401, "time": 0.25, "tls": True, "old": False, "no": None,
            "request": {"uri": "/", "headers": {"Accept": ["a", "b"], "User-Agent": ["curl"]}},
            "empty": {}, "none": [],
        }
    )  # fmt: skip
    assert fields_of(text) == {
        "json.user": "root", "json.status": 401, "json.time": 0.25, "json.tls": "true",
        "json.old": "false", "json.request.uri": "/", "json.request.headers.Accept.0": "a",
        "json.request.headers.Accept.1": "b",
    }  # fmt: skip


def test_chosen_members_become_fields_of_chosen_names(pipeline):
    chains = pipeline("""
        [chains]
        "caddy" = [
          { filter = "json", fields = { ip = "request.remote_ip", agent = "request.headers.User-Agent.0", port = "request.remote_port", status = "status", missing = "no.such", group = "request" } },
          { filter = "equals", field = "status", value = 401 },
          { action = "log", message = "{ip} {agent} {port} {missing}" },
        ]
    """)  # noqa: E501 -- a step is one line
    request = {
        "remote_ip": "203.0.113.7", "remote_port": "4711", "headers": {"User-Agent": ["curl/8"]},
    }  # fmt: skip
    entry = chains.feed(MESSAGE=json.dumps({"request": request, "status": 401, "user": "x"}))
    assert [line.message for line in chains.logs] == ["203.0.113.7 curl/8 4711 "]
    assert not [name for name in entry if "." in name or name in ("missing", "group", "user")]


def test_fields_have_the_names_of_their_prefix(pipeline):
    chains = pipeline("""
        [chains]
        "outer" = [
          { filter = "json" },
          { filter = "json", field = "json.message", prefix = "inner" },
          { action = "log", message = "{inner.user} {json.user}" },
        ]
    """)
    chains.feed(MESSAGE=json.dumps({"user": "a", "message": '{"user": "b"}'}))
    assert [line.message for line in chains.logs] == ["b a"]


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "}", "no JSON", '"{}"', "[{}]", "1", "null", "{'a': 1}", '{"a": 1,}', '{"a": 1} x',
        '{"a": NaN}', '{"a": Infinity}', '{"a": -Infinity}', '{"a": 01}', '{"a": 1.}', '{"a"}',
        '{"a": "\n"}', '{"a": 1}{"b": 2}', '{"a": "\\x41"}', "{1: 2}", '{"a": ' + "[" * 100_000,
        '{"a":' * 50_000, '{"a": 1…', "\ufeff{}", "{" * 1000, "\0{}",
    ],
)  # fmt: skip
def test_what_is_no_object_does_not_pass(text):
    assert fields_of(text) is None


def test_a_missing_field_does_not_pass(passes):
    assert not passes('filter = "json", field = "json.message"', MESSAGE="{}")
    assert passes('filter = "json"', MESSAGE="{}")
    assert passes('filter = "json"', MESSAGE=b'{"a": "\xff"}')


@pytest.mark.parametrize("name", ["_UID", "__CURSOR", "MESSAGE", "PRIORITY", "ip", "json", "_", ""])
def test_no_member_takes_the_place_of_another_field(name):
    text = json.dumps({name: "forged", f"json.{name}": "forged", "x": {name: "forged"}})
    fields = fields_of(text)
    assert fields is not None
    assert all(field.startswith("json.") for field in fields)


@pytest.mark.parametrize("name", ["a.b", "a b", "a-b", "ä", "{x}", "a\nb", "a\0b", "\ud800", "٣"])
def test_names_that_no_field_has_are_left_out(name):
    assert fields_of(json.dumps({name: 1, "b": {name: 2, "c": 3}})) == {"json.b.c": 3}


def test_a_name_that_occurs_twice_is_left_out():
    text = '{"ip": "192.0.2.1", "ip": "192.0.2.2", "a": {"b": 1, "b": 1}, "c": [{"d": 1, "d": {}}]}'
    assert fields_of(text) == {}
    assert fields_of('{"ip": 1, "ip": 2, "ip": 3, "IP": 4}') == {"json.IP": 4}
    assert fields_of('{"a": {"ip": 1}, "a": {"ip": 2}}') == {}


def test_numbers_that_nobody_can_count_with_are_text():
    text = '{"a": 9223372036854775808, "b": 1e999, "c": -1e999, "d": -9, "e": 1E2, "f": %s}'
    assert fields_of(text % ("9" * 5000)) == {
        "json.a": "9223372036854775808", "json.b": "1e999", "json.c": "-1e999", "json.d": -9,
        "json.e": 100.0, "json.f": "9" * 5000,
    }  # fmt: skip


def test_half_characters_become_question_marks():
    assert fields_of('{"a": "\\ud800", "b": "\\ud83d\\ude00"}') == {"json.a": "?", "json.b": "😀"}


def test_what_is_outside_comes_first():
    flood = {f"x{number}": number for number in range(10 * MOST)}
    fields = fields_of(json.dumps({"headers": flood, "deep": [[flood]], "ip": "192.0.2.1"}))
    assert fields is not None
    assert len(fields) == MOST
    assert fields["json.ip"] == "192.0.2.1"
    assert "json.headers.x0" in fields


def test_what_is_very_deep_is_left_out():
    value: object = 1
    for _ in range(DEEPEST):
        value = {"a": value}
    assert fields_of(json.dumps(value)) == {f"json{'.a' * DEEPEST}": 1}
    assert fields_of(json.dumps({"a": value})) == {}
    way = ".".join("a" * (DEEPEST + 1))
    step = Json(fields=Chosen.parse({"deep": way}))
    assert fields_of(json.dumps({"a": value}), step) == {"deep": 1}


def test_a_text_that_is_too_long_is_told(pipeline):
    chains = pipeline("""
        [chains]
        "json" = [ { filter = "json" }, { action = "set", field = "passed", value = "yes" } ]
    """)
    entry = chains.feed(MESSAGE=json.dumps({"a": "x" * (1 << 18)}))
    assert "passed" not in entry
    assert [fault.text for fault in chains.faults] == [
        "filter json: MESSAGE has 262,153 characters (expected 262,144 at most to look into)"
    ]


@pytest.mark.parametrize(
    "text",
    ["[" * 262_000, "[{}" + ",{}" * 80_000 + "]", '{"a":[' + "0," * 130_000 + "0]}", '{"":' * 9],
)
def test_hostile_texts_take_no_time(text):
    begin = time.process_time()
    fields_of("{" + text)
    fields_of(text)
    assert time.process_time() - begin < 5


@settings(max_examples=300, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_whatever_the_json_fields_are_harmless(value):
    fields = fields_of(json.dumps({"a": value}))
    for name, field in (fields or {}).items():
        assert name.startswith("json.a")
        assert isinstance(field, str | int | float)


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (
            'prefix = "_x"',
            '.prefix: "_x" is no begin of a field\'s name (expected letters, digits and '
            'underscores, such as "json": the fields are json.user, …)',
        ),
        (
            'fields = { _UID = "uid" }',
            '.fields: "_UID" cannot be set (expected a name that does not begin with an '
            "underscore: those are the journal's own)",
        ),
        (
            'fields = { "a.b" = "uid" }',
            '.fields: "a.b" cannot be set (expected a name without dots: those are parts of what a '
            "step has read, such as json.user)",
        ),
        (
            "fields = { a = 1 }",
            ".fields: 1 leads to no value (expected names with dots between them, such as "
            '"request.remote_ip")',
        ),
        (
            "fields = {}",
            '.fields: {} names no fields (expected a table such as { ip = "request.remote_ip" })',
        ),
        (
            'fields = { a = "b" }, prefix = "x"',
            ": prefix is for fields that are not named (expected either prefix or fields)",
        ),
    ],
)
def test_faulty_options(refusal, options, fault):
    assert refusal(f'filter = "json", {options}') == f'pyruse.toml: chains."test"[0]{fault}'
    assert refusal(f'filter = "logfmt", {options}') == f'pyruse.toml: chains."test"[0]{fault}'
