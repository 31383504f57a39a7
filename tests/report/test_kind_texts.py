"""What a kind of events says, and what it leaves to the values behind it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pyruse.api.findings import KindRow
from pyruse.report.kind_texts import told, with_names

AT = datetime(2026, 3, 14, tzinfo=UTC)
LOGIN = "{user} logged in from {ip} ({service}, {method}){remark}"


def kind(template: str, *messages: str, different: int | None = None) -> KindRow:
    return KindRow(
        "1", "important", "sshd", template, 6, len(messages), AT, AT,
        [(message, 1) for message in messages],
        len(messages) if different is None else different,
    )  # fmt: skip


def test_what_all_messages_share_is_written_out():
    row = kind(
        LOGIN,
        "ann logged in from 192.0.2.1 (ssh, password)",
        "bob logged in from 192.0.2.7 (ssh, publickey)",
    )
    assert told(row)[1:] == (
        "<user> logged in from <ip> (ssh, <method>)",
        "ann, 192.0.2.1, password; bob, 192.0.2.7, publickey",
    )


@pytest.mark.parametrize(
    ("template", "messages"),
    [
        (
            "{user} runs {command}{unsure}",
            ["ann runs ls", "bob runs ls"],
        ),  # where does the command end?
        ("{user} logged in as {who}", ["ann logged in as {ip}", "bob logged in as {ip}"]),
        ("{user} logged in", ["ann logged in", "something else"]),
    ],
)
def test_what_is_not_sure_is_left_to_the_values(template: str, messages: list[str]):
    assert told(kind(template, *messages)).text == with_names(template)


def test_where_not_all_messages_are_known_nothing_is():
    row = kind(LOGIN, "ann logged in from 192.0.2.1 (ssh, password)", different=9)
    assert told(row).text == with_names(LOGIN)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{user} logged in from {ip}", "<user> logged in from <ip>"),
        ("Connection from * closed", "Connection from * closed"),
        ('{"level": 3} and {} and { a }', '{"level": 3} and {} and { a }'),
    ],
)
def test_no_field_stands_in_braces(template: str, text: str):
    assert with_names(template) == text
