"""``pyruse try``: what a pattern, a chain or rules take, and what they do not."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import pytest

from pyruse.replay import tried

FAILED = r"^Failed password for (?P<user>.*) from {address} port \d+ ssh2$"
TEXT = """\
Failed password for root from 203.0.113.9 port 4711 ssh2
Failed password for admin from 203.0.113.9 port 4712 ssh2
Connection closed by 198.51.100.7 port 1 [preauth]
Connection closed by 198.51.100.8 port 2 [preauth]

error: kex_exchange_identification: read: Connection reset by peer
"""


@pytest.fixture
def text(tmp_path: Path) -> Path:
    file = tmp_path / "auth.log"
    file.write_text(TEXT)
    return file


def lines(out: str, title: str) -> list[str]:
    """The lines under a title, each in words."""
    part = out.partition(f"\n{title}")[2].partition("\n\n")[0]
    return [" ".join(line.split()) for line in part.splitlines()[1:]]


def test_a_pattern_on_a_text(pyruse, text):
    done = pyruse("try", FAILED, "--text", text, "-t", "sshd")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"pattern {FAILED}: takes 2 of 5 entries\n")
    assert lines(done.out, "Fields") == [
        "user: root (1 ×), admin (1 ×)",
        "ip: 203.0.113.9 (2 ×)",
    ]
    assert lines(done.out, "Not taken of sshd: 3") == [
        "2 Connection closed by 198.51.100.7 port 1 [preauth]",
        "1 error: kex_exchange_identification: read: Connection reset by peer",
    ]


def test_what_nothing_takes_is_shown_of_the_programs_of_what_is_taken(pyruse, journal):
    done = pyruse("try", "COMMAND=(?P<command>.*)", "--file", journal)
    assert done.code == 0
    assert done.out.startswith("pattern COMMAND=(?P<command>.*): takes 1 of 6 entries\n")
    assert "Not taken" not in done.out  # of sudo, there is nothing else
    done = pyruse("try", "for root", "--file", journal)
    assert lines(done.out, "Not taken of sshd: 2") == [
        "1 Failed password for admin from 203.0.113.7 port 22 ssh2",
        "1 Failed password for a b from 203.0.113.7 port 22 ssh2",
    ]


def test_nothing_is_taken(pyruse, journal):
    done = pyruse("try", "^nothing of the kind$", "--file", journal)
    assert (done.code, done.err) == (1, "")
    assert done.out == (
        "pattern ^nothing of the kind$: takes 0 of 6 entries\n\n"
        "Nothing to show of lines that are not taken (expected -t NAME, for a program)\n"
    )
    done = pyruse("try", "^nothing of the kind$", "--file", journal, "-t", "sshd", "--groups", "1")
    assert done.out.startswith("pattern ^nothing of the kind$: takes 0 of 3 entries\n")
    assert lines(done.out, "Not taken of sshd: 3") == [
        "1 Failed password for root from 203.0.113.7 port 22 ssh2",
        "2 other lines (expected --groups, to see more of them)",
    ]


def test_fields_choose_entries_and_another_field_is_looked_at(pyruse, journal):
    done = pyruse("try", "d", "--field", "SYSLOG_IDENTIFIER", "--file", journal, "PRIORITY=6")
    assert (done.code, done.out.splitlines()[0]) == (0, "pattern d: takes 3 of 3 entries")
    done = pyruse("try", "d", "--file", journal, "PRIORITY=6", "SYSLOG_IDENTIFIER=sudo")
    assert (done.code, done.out.splitlines()[0]) == (1, "pattern d: takes 0 of 0 entries")


def test_a_chain_takes_what_some_action_is_done_with(pyruse, config, journal):
    done = pyruse("try", "ssh", "-c", config, "--file", journal)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("chain ssh: takes 3 of 6 entries\n")
    assert lines(done.out, "Taken by") == ['2 chains."ssh"[2] count', '1 chains."ssh"[8] ban']
    assert "ip: 203.0.113.7 (3 ×)" in lines(done.out, "Fields")
    done = pyruse("try", "sudo", "-c", config, "--file", journal, "--as", "chain")
    assert done.out.startswith("chain sudo: takes 1 of 6 entries\n")


RULES = """
title = "A door"
programs = ["door"]
[chains]
"door" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "door" },
  { filter = "equals", field = "_UID", value = 0 },
  { filter = "regex", pattern = '^opened by (?P<user>\\w+)$' },
  { action = "event", name = "login", service = "door" },
]
[[samples]]
entry = { SYSLOG_IDENTIFIER = "door", _UID = 0, MESSAGE = "opened by ann" }
event = "login"
"""


def test_rules_by_the_path_of_their_file(pyruse, tmp_path):
    rules, text = tmp_path / "door.toml", tmp_path / "door.log"
    rules.write_text(RULES)
    text.write_text("opened by ann\nopened by joe\nopened from the inside\n")
    done = pyruse("try", rules, "--text", text, "-t", "door", "_UID=0")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"rules {rules}: takes 2 of 3 entries\n")
    assert lines(done.out, "Taken by") == ["2 event login"]
    assert lines(done.out, "Not taken of door: 1") == ["1 opened from the inside"]
    done = pyruse("try", rules, "--text", text, "-t", "door", "_UID=1000")
    assert done.code == 1


def test_rules_by_their_name(pyruse, tmp_path):
    text = tmp_path / "cron.log"
    text.write_text("(root) CMD (run-parts /etc/cron.daily)\n")
    done = pyruse("try", "cron", "--text", text, "-t", "CRON", "_UID=0", "--format", "json")
    found = json.loads(done.out)
    assert (found["kind"], found["taken"], found["by"]) == ("rules", 1, {"event job ran": 1})
    assert found["examples"][0]["fields"]["user"] == "root"
    assert found["not_taken"] == {}


def test_json(pyruse, text):
    done = pyruse("try", FAILED, "--text", text, "-t", "sshd", "--format", "json")
    found = json.loads(done.out)
    assert (done.code, found["kind"], found["what"]) == (0, "pattern", FAILED)
    assert (found["entries"], found["taken"]) == (5, 2)
    assert found["fields"]["ip"] == {"count": 2, "values": [["203.0.113.9", 2]]}
    assert [one["fields"]["user"] for one in found["examples"]] == ["root", "admin"]
    assert found["not_taken"]["sshd"]["count"] == 3


def test_standard_input(process):
    done = process("try", "b(?P<rest>.*)", "--text", "-", stdin=b"abc\nxyz\n")
    assert done.out.startswith("pattern b(?P<rest>.*): takes 1 of 2 entries\n")


def test_what_lines_hold_does_nothing_to_a_terminal(pyruse, journal):
    for options in ([], ["--format", "json"]):
        done = pyruse("try", "(?P<all>.*)", "--file", journal, *options)
        assert not {"\x1b", "\x9b", "\u202e"} & set(done.out)


def test_many_different_lines_are_bounded(pyruse, tmp_path):
    groups = tried.Groups(5)
    for number in range(20):
        groups.add("x" * number, "example")
    assert (len(groups), groups.count, groups.left_out) == (5, 20, 15)
    file = tmp_path / "many.log"
    words = ["".join(letters) for letters in product("abcdefghijklmno", repeat=3)]
    file.write_text("".join(f"{word} {number}\n" for number, word in enumerate(words)))
    done = pyruse("try", "nothing", "--text", file, "-t", "p", "--groups", "2")
    assert "3,373  other lines (expected --groups" in done.out


@pytest.mark.parametrize(
    ("arguments", "fault"),
    [
        (["("], '"(" is no regular expression: missing ), unterminated subpattern'),
        (["x", "-c", "no.toml"], "no.toml: "),
        (["x", "--file", "no.journal"], "no.journal: "),
        (["x", "--text", "no.log"], "no.log: cannot be read: No such file or directory"),
        (["x", "y"], '"y" is no field (expected FIELD=VALUE, such as _UID=0; a pattern'),
        (["x", "--field", "a b"], '--field: "a b" is no field name'),
        (["sssd", "--as", "rules"], 'there are no rules "sssd" (expected a name that'),
        (["x", "--as", "chain"], 'there is no chain "x" (expected one of the configuration'),
    ],
)
def test_what_goes_wrong_is_not_nothing_taken(pyruse, arguments, fault):
    done = pyruse("try", *arguments)
    assert done.code == 2
    assert fault in done.err
    assert "Traceback" not in done.err


def test_a_pattern_that_can_take_for_ever_is_told_of_and_stopped(pyruse, tmp_path):
    text = tmp_path / "made.log"
    text.write_text(f"fine\n{'x' * 64}!\nfine again\n")
    done = pyruse("try", r"^(\w+\s?)*$", "--text", text)
    assert (done.code, done.out.splitlines()[0]) == (
        0,
        r"pattern ^(\w+\s?)*$: takes 2 of 3 entries",
    )
    assert "a line that is made for this pattern can keep it busy for ever" in done.err
    assert "the pattern took too long for 1 entries: it was stopped" in done.err
    config = tmp_path / "pyruse.toml"
    config.write_text(
        """[chains]\n"slow" = [ { filter = "regex", pattern = '^(\\w+\\s?)*$' }, """
        """{ action = "discard" } ]"""
    )
    done = pyruse("try", "slow", "--text", text, "-c", config)
    assert done.out.splitlines()[0] == "chain slow: takes 2 of 3 entries"
    assert 'chains."slow"[0]: filter regex: ' in done.err
    assert "took too long with this entry" in done.err
