"""Pairs in a field: they become fields, and nothing else changes."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.entry.made import make_entry
from pyruse_plugins.filters._members import MOST
from pyruse_plugins.filters.logfmt import Logfmt


def fields_of(text: str) -> dict[str, object] | None:
    """The fields that are made of a text; None: it does not pass."""
    entry = make_entry({"MESSAGE": text})
    before = dict(entry)
    passed = Logfmt().match_entry(entry)
    fields = {name: value for name, value in entry.items() if before.get(name) != value}
    assert passed or not fields
    assert all(entry[name] == value for name, value in before.items())
    return fields if passed else None


def test_who_failed_to_log_in(pipeline):
    chains = pipeline(r"""
        [chains]
        "grafana" = [
          { filter = "logfmt", fields = { ip = "remote_addr", error = "error", line = "http.line" } },
          { filter = "regex", field = "error", pattern = '^.*: invalid username or password$' },
          { action = "log", message = "{ip} {line}" },
        ]
    """)  # noqa: E501 -- a step is one line
    line = (
        'logger=context userId=0 t=2026-03-14T12:00:00Z level=info msg="Invalid x=\\"y\\"" '
        'uname="a remote_addr=192.0.2.9" remote_addr=203.0.113.7 http.line=7 '
        'error="[identity] x: invalid username or password"'
    )
    chains.feed(MESSAGE=line)
    assert [line.message for line in chains.logs] == ["203.0.113.7 7"]


def test_pairs_become_fields():
    text = r'level=info  n=1 debug msg="a \"b\" \\ \n\x41\u00e9\q=" empty= quoted="" url=/a?b=c'
    assert fields_of(f" {text}\n") == {
        "logfmt.level": "info", "logfmt.n": "1", "logfmt.debug": "true",
        "logfmt.msg": 'a "b" \\ \nAéq=', "logfmt.empty": "", "logfmt.quoted": "",
        "logfmt.url": "/a?b=c",
    }  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "", "Failed password for root", "=", "=a", 'a="', 'a="b', 'a="b\\"', 'a="b"c', 'a=b"c',
        'a="b"c=d', '"a"=b', "a = b", 'a=b "c"',
    ],
)  # fmt: skip
def test_what_is_not_all_pairs_does_not_pass(text):
    assert fields_of(text) is None


def test_a_name_that_occurs_twice_is_left_out():
    assert fields_of("ip=192.0.2.1 a=1 ip=192.0.2.2") == {"logfmt.a": "1"}
    assert fields_of("ip a=1 ip=192.0.2.2") == {"logfmt.a": "1"}


@pytest.mark.parametrize("name", ["_UID", "__CURSOR", "MESSAGE", "PRIORITY", "ip"])
def test_no_pair_takes_the_place_of_another_field(name):
    assert fields_of(f"{name}=forged") == {f"logfmt.{name}": "forged"}


@pytest.mark.parametrize("name", ["a.b", "a-b", "ä", "{x}", "a\0b"])
def test_names_that_no_field_has_are_left_out(name):
    assert fields_of(f"{name}=1 c=3") == {"logfmt.c": "3"}


def test_no_more_than_so_many():
    fields = fields_of(" ".join(f"x{number}=1" for number in range(10 * MOST)))
    assert fields is not None
    assert len(fields) == MOST


@pytest.mark.parametrize("text", ["a=" * 130_000, 'a="' + "\\" * 262_000, "a " * 130_000, '"' * 9])
def test_hostile_texts_take_no_time(text):
    begin = time.process_time()
    fields_of(text)
    assert time.process_time() - begin < 5


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet='ab= "\\x41u\n_é', max_size=40))
def test_whatever_the_text_fields_are_harmless(text):
    for name in fields_of(text) or {}:
        assert name.startswith("logfmt.")
