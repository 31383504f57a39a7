"""Entries that do not come from a journal: what people write, and what journalctl writes."""

import json
import subprocess
import uuid
from datetime import UTC, datetime

import pytest

from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.entry.made import entry_of_export, entry_of_fields, make_entry
from pyruse.errors import UserError
from pyruse.journal.selection import Selection

T0 = 1_773_489_600_000_000


def test_fields_in_words():
    before = datetime.now(UTC)
    entry = entry_of_fields(["MESSAGE=a = b", "PRIORITY=3", "user=", "X=\udcff"], Decoder())
    assert (entry["MESSAGE"], entry["PRIORITY"], entry["user"]) == ("a = b", 3, "")
    assert entry["X"] == "ÿ"  # a byte that is not UTF-8
    assert before <= entry.time <= datetime.now(UTC)


@pytest.mark.parametrize("word", ["hello", "=value", ""])
def test_a_word_that_is_no_field(word):
    with pytest.raises(ValueError, match="is no field") as refused:
        entry_of_fields(["MESSAGE=x", word], Decoder())
    expected = "(expected FIELD=VALUE, such as MESSAGE=hello)"
    assert str(refused.value) == f'"{word}" is no field {expected}'


def test_as_a_test_makes_it():
    fields = {"MESSAGE": b"caf\xe9", "PRIORITY": "3", "n": 5, "gone": None, "several": ["1", "2"]}
    entry = make_entry(fields, time_us=T0)
    assert dict(entry) == {
        "MESSAGE": "café",
        "PRIORITY": 3,
        "n": 5,
        "several": "1",
        "__REALTIME_TIMESTAMP": datetime(2026, 3, 14, 12, tzinfo=UTC),
    }
    assert entry.values_of("several") == ["1", "2"]
    assert entry.time_us == T0


def test_what_journalctl_writes_is_the_entry_that_the_journal_has(journal_file):
    file = journal_file(
        [
            {
                "MESSAGE": b"caf\xe9 \x1b[0m",
                "TEXT": "line\u2028separator, next\x85line, vertical\x0btab",
                "MESSAGE_ID": "8d45620c1a4348dbb17410da57c60c66",
                "PRIORITY": 3,
                "_UID": 0,
                "SEVERAL": ["one", "two"],
                "EMPTY": "",
                "NUMBERS": "[1, 2]",
            }
        ]
    )
    line = subprocess.run(
        ["journalctl", "--all", "-o", "json", "--file", file], check=True, capture_output=True
    ).stdout.decode()
    (read,) = Selection(files=[file]).open(Decoder()).entries(1)
    made = entry_of_export(line, Decoder())

    def fields(entry: Entry) -> dict[str, object]:
        return {name: entry[name] for name in entry if not name.startswith("__")}

    assert fields(made) == fields(read)
    assert made["MESSAGE_ID"] == uuid.UUID("8d45620c1a4348dbb17410da57c60c66")
    assert made.values_of("SEVERAL") == read.values_of("SEVERAL") == ["one", "two"]
    assert made["__CURSOR"] == read["__CURSOR"]
    assert made["__REALTIME_TIMESTAMP"] == read["__REALTIME_TIMESTAMP"]
    assert made.time_us == read.time_us


def test_a_field_that_journalctl_leaves_out_is_missing():
    entry = entry_of_export('\n{"MESSAGE": null, "PRIORITY": "6"}\n{"MESSAGE": "x"}', Decoder())
    assert dict(entry).keys() == {"PRIORITY", "__REALTIME_TIMESTAMP"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        "[]",
        "5",
        '{"MESSAGE": ',
        '{"__REALTIME_TIMESTAMP": "yesterday"}',
        json.dumps({"__REALTIME_TIMESTAMP": "9" * 30}),
        json.dumps({"__REALTIME_TIMESTAMP": [1]}),
        json.dumps({"MESSAGE": [300]}),
        "\ufffd\0",
    ],
)
def test_what_journalctl_never_writes(text):
    with pytest.raises(UserError) as refused:
        entry_of_export(text, Decoder())
    said = str(refused.value)
    assert said.startswith("standard input: no entry: ")
    assert said.endswith("(expected a line of `journalctl -o json`)")
