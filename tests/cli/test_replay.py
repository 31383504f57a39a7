"""``pyruse replay``: what would have happened, and nothing happens."""

from __future__ import annotations

import json
import re

import pytest

FAILED = "Failed password for a b from 203.0.113.7 port 22 ssh2"
UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]")
"""Characters that must never reach a terminal out of a log line."""


def test_in_full_each_event_is_there(process, config, journal):
    done = process("replay", "-c", config, "--file", journal, "--full")
    assert (done.code, done.err) == (0, "")
    assert "--full" not in done.out
    assert "\nOTHER: " in done.out
    done = process("replay", "-c", config, "--file", journal, "--full", "--format", "html")
    assert done.code == 2
    assert "--full: not with --format html (expected text)" in done.err


def test_the_report_and_the_effects(process, config, journal):
    done = process("replay", "-c", config, "--file", journal)
    assert (done.code, done.err) == (0, "")
    assert "vm, Saturday 2026-03-14: " in done.out
    assert "203.0.113.7 failed" in done.out
    assert "alice : COMMAND=/bin/sh" in done.out
    report, _, effects = done.out.partition("\nMails that would have been sent: 1\n")
    assert report
    assert effects.startswith(
        "  to hostmaster@example.org: SSH: 203.0.113.7\n"
        "\nBans that there would have been: 1\n"
        "  203.0.113.7 (ssh), for 1 d\n"
        "\nLines that would have been logged: 1\n"
        "  NOTICE: banned 203.0.113.7\n"
        "\nPrograms that would have been run: 1\n"
        "  /bin/false 203.0.113.7 'a b'\n"
        "\n6 entries in "
    )


def test_json(pyruse, config, journal, tmp_path):
    done = pyruse("replay", "-c", config, "--file", journal, "--format", "json")
    assert (done.code, done.err) == (0, "")
    data = json.loads(done.out)
    assert data.pop("seconds") > 0
    other = data["report"].pop("other")
    assert [line.keys() for line in other] == [{"time", "message"}] * 4
    assert other[0]["time"] == "2026-03-14T12:00:00+00:00"
    assert other[-1]["message"] == "[3/] "
    assert data == {
        "entries": 6,
        "report": {
            "important": [
                {
                    "message": "203.0.113.7 failed",
                    "count": 1,
                    "times": ["2026-03-14T12:00:02+00:00"],
                }
            ],
            "interesting": [
                {
                    "message": "alice : COMMAND=/bin/sh",
                    "count": 1,
                    "times": ["2026-03-14T12:00:03+00:00"],
                }
            ],
        },
        "emails": [
            {"subject": "SSH: 203.0.113.7", "to": ["hostmaster@example.org"], "body": FAILED}
        ],
        "bans": [{"ip": "203.0.113.7", "label": "ssh", "duration": 86400}],
        "logs": [{"level": "NOTICE", "message": "banned 203.0.113.7"}],
        "commands": [["/bin/false", "203.0.113.7", "a b"]],
        "events": [],
        "sent": [],
        "skipped": [],
        "faults": [],
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == ["pyruse.toml"]


PROFILED = r"""
[chains]
"ssh" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd", name = "is sshd" },
  { filter = "contains", text = "for root", invert = true, else = "root\u001b[31m" },
  { action = "count", counter = "c", key = "nobody", name = "\u202efaulty" },
]
"root\u001b[31m" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]
"rest" = [ { action = "discard" } ]
"too late" = [ { action = "discard" } ]
"""


@pytest.fixture
def profiled(tmp_path):
    file = tmp_path / "profiled.toml"
    file.write_text(PROFILED)
    return file


def test_a_profile(pyruse, profiled, journal):
    done = pyruse("replay", "-c", profiled, "--file", journal, "--profile")
    assert (done.code, done.err) == (0, "")
    assert not UNSAFE.search(done.out)
    _, _, shown = done.out.partition(" a second\n\n")
    shown = re.sub(r"[\d,.]+ (ms|µs|s)\b", "TIME", re.sub(r"[\d.]+%", "SHARE", shown))
    assert [re.sub("  +", "  ", line) for line in shown.splitlines()] == [
        "where the time went  time  share  an entry",
        "steps, reading aside  TIME  SHARE  TIME",
        "reading fields from the journal  TIME  SHARE  TIME",
        "moving to the next entry  TIME  SHARE  TIME",
        "between the steps: look-ups, the way  TIME  SHARE  TIME",
        "counters and events to the state, report  TIME  SHARE  TIME",
        "together  TIME  SHARE  TIME",
        "",
        "chain, step  entries  passed  faults  time  share  an entry  reading",
        "ssh  6  TIME  SHARE  TIME  TIME",
        '  [0] equals "is sshd"  6  3  TIME  SHARE  TIME',  # asked once for each program
        "  [1] not contains  3  2  TIME  SHARE  TIME  TIME",
        r'  [2] count "\u202efaulty"  2  2  TIME  SHARE  TIME  TIME',
        r"root\x1b[31m  1  TIME  SHARE  TIME  TIME",
        "  [0] report  1  TIME  SHARE  TIME  TIME",
        "rest  3  TIME  SHARE  TIME",
        "  [0] discard  3  TIME  SHARE  TIME",
        "too late  never",
    ]


def test_a_profile_in_json(pyruse, profiled, journal):
    options = ("replay", "-c", profiled, "--file", journal, "--format", "json")
    assert "profile" not in json.loads(pyruse(*options).out)
    done = pyruse(*options, "--profile")
    assert (done.code, done.err) == (0, "")
    profile = json.loads(done.out)["profile"]
    assert list(profile["seconds"]) == [
        "steps", "reading", "moving", "between", "others", "total",
    ]  # fmt: skip
    assert profile["seconds"]["reading"] > 0
    assert profile["seconds"]["moving"] > 0
    assert [(one["chain"], one["entries"]) for one in profile["chains"]] == [
        ("ssh", 6), ("root\x1b[31m", 1), ("rest", 3), ("too late", 0),
    ]  # fmt: skip
    step = profile["chains"][0]["steps"][1]
    assert 0 < step.pop("reading_seconds") < step.pop("seconds") <= profile["seconds"]["total"]
    assert step == {
        "index": 1, "kind": "filter", "plugin": "contains", "label": None, "invert": True,
        "seen": 3, "passed": 2, "faults": 0, "calls": 3,
    }  # fmt: skip


def test_a_profile_is_no_part_of_a_report_in_html(pyruse, profiled, journal):
    done = pyruse("replay", "-c", profiled, "--file", journal, "--profile", "--format", "html")
    assert (done.code, done.out) == (2, "")
    assert "--profile: not with --format html (expected text or json)" in done.err


def test_html(pyruse, config, journal):
    done = pyruse("replay", "-c", config, "--file", journal, "--format", "html")
    assert (done.code, done.err) == (0, "")
    assert done.out.lstrip().lower().startswith("<!doctype html>")
    assert "203.0.113.7 failed" in done.out
    assert not UNSAFE.search(done.out)


@pytest.mark.parametrize(
    ("options", "entries"),
    [
        (["--since", "2026-03-14 12:00:03"], 3),
        (["-S", "2026-03-14 12:00:01", "-U", "2026-03-14 12:00:02"], 2),
        (["--until", "@1773489600"], 1),
        (["--since", "tomorrow"], 0),
        (["-b"], 3),
        (["-b", "-1"], 3),
        (["--boot=1", "--since", "2026-03-14 12:00:02"], 1),
        (["-b", "a" * 32], 3),
    ],
)
def test_a_part_of_the_journal(pyruse, config, journal, options, entries):
    done = pyruse("replay", "-c", config, "--file", journal, "--format", "json", *options)
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out)["entries"] == entries


def test_a_folder_and_a_variable_with_the_configuration(pyruse, config, journal, monkeypatch):
    monkeypatch.setenv("PYRUSE_CONFIG", str(config.parent))
    done = pyruse("replay", "-D", journal.parent)
    assert done.code == 0
    assert "\n6 entries in " in done.out


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["-D", "nowhere"], "nowhere: no such folder (expected a folder with *.journal files)"),
        (["--file", "nowhere"], "nowhere: no such file (expected a journal file)"),
        (["--file", "pyruse.toml"], "pyruse.toml: no readable journal file ("),
    ],
)
def test_no_such_journal(pyruse, config, options, told):
    done = pyruse("replay", "-c", config, *options)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"pyruse: {told}")
    assert done.err.count("\n") == 1


def test_a_step_that_fails_is_told_of(pyruse, tmp_path, journal):
    file = tmp_path / "pyruse.toml"
    file.write_text('[chains]\n"c" = [ { action = "count", counter = "c", key = "nobody" } ]')
    done = pyruse("replay", "-c", file, "--file", journal)
    assert done.code == 0
    told = 'chains."c"[0]: action count: the entry has no nobody to count by (6 times)'
    assert f"\nFaults: 1\n  {told}\n" in done.out


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_a_log_line_does_nothing_to_a_terminal(pyruse, config, journal, form):
    done = pyruse("replay", "-c", config, "--file", journal, "--format", form)
    assert done.code == 0
    assert "evil" in done.out
    assert not UNSAFE.search(done.out)


def test_a_log_line_cannot_pass_for_an_effect(pyruse, tmp_path, journal):
    file = tmp_path / "pyruse.toml"
    file.write_text(
        '[chains]\n"c" = [ { action = "log", message = "{MESSAGE}" }, '
        '{ action = "run", command = ["tell", "{MESSAGE}"] }, '
        '{ action = "email", message = "x", subject = "{MESSAGE}" } ]'
    )
    done = pyruse("replay", "-c", file, "--file", journal)
    assert done.out.count("evil") == 3
    assert not [line for line in done.out.splitlines() if line.startswith("Bans")]


def test_on_a_terminal_it_is_drawn(on_terminal, config, journal):
    done = on_terminal("replay", "-c", config, "--file", journal)
    assert done.code == 0
    assert "203.0.113.7 failed" in done.out
    assert "\n6 entries in " in done.out
    assert "=====" not in done.out  # the underlined headings of plain text
    # What the terminal is told comes from Pyruse alone: colours and the progress bar.
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", done.out).replace("\r", "")
    assert not UNSAFE.search(plain)
    assert r"\x1b[31mred\x1b[0m" in plain.replace("\n", "")
    assert "[bold]x[/bold]" in plain
