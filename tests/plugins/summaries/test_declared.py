"""The tables that files of rules declare: a third party's file, as it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.errors import ConfigError
from pyruse.testing.waiting import TIME_LIMIT
from tests.plugins.summaries.conftest import table

RULES = """
title = "Doors"
programs = ["doord"]
[chains]
"doors" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "doord" },
  { filter = "regex", pattern = '^(?P<user>\\S+) opened (?P<door>.*)$', then = "doors opened" },
  { filter = "regex", pattern = '^GET (?P<path>\\S+) (?P<status>\\d+) (?P<size>\\d+)$' },
  { action = "event", name = "request failed", service = "doors" },
]
"doors opened" = [ { action = "event", name = "door opened", fields = ["door", "user"] } ]

[[summaries]]
title = "Doors"
event = "door opened"
rows = ["door"]
columns = ["count", "first", "last", "user"]
top = 2

[[summaries]]
title = "Requests of doors"
event = ["request", "request failed"]
rows = ["status", "path"]
columns = ["amount"]
"""


@pytest.fixture
def doors(tmp_path: Path) -> Path:
    file = tmp_path / "doors.toml"
    file.write_text(RULES)
    return file


def say(flow, *lines: str) -> None:
    for line in lines:
        flow.feed(SYSLOG_IDENTIFIER="doord", MESSAGE=line)


def test_what_a_file_of_rules_declares(pipeline, clock, doors):
    flow = pipeline('use = ["doors"]', plugins=doors)
    say(flow, "ann opened the safe", "bob opened the safe")
    clock.advance("1h")
    say(flow, "ann opened the safe", "bob opened cellar | 9", "ann opened attic")
    say(flow, "GET /key 404 2048", "GET /key 404 2048")
    report = flow.end_day()
    assert (
        table(report, "doors-doors")
        == """\
# Doors
Door | Times | First | Last | User
the safe | 3 | 12:00:00 | 13:00:00 | ann (2), bob (1)
attic | 1 | 13:00:00 | 13:00:00 | ann
+ 1
"""
    )
    assert (
        table(report, "doors-requests-of-doors")
        == """\
# Requests of doors
Status | Path | Size
404 | /key | 4.0 KiB
"""
    )
    assert [one.id for one in flow.end_day().summaries if one.id.startswith("doors")] == []


def test_those_of_rules_that_are_not_used_are_not_shown(pipeline, doors):
    flow = pipeline('use = ["sshd"]', plugins=doors)
    say(flow, "ann opened the safe")
    assert flow.end_day().summaries == []


def test_values_that_strangers_make_up_stay_in_their_cells(pipeline, doors):
    flow = pipeline('use = ["doors"]', plugins=doors)
    say(flow, "a opened x\x02\u202e" + "y" * 5_000, "(7),b opened z", "b opened z")
    lines = table(flow.end_day(), "doors-doors").splitlines()
    assert lines[2].endswith("| “(7),b” (1), b (1)")
    assert lines[3].startswith("x\\x02\\u202eyyy")
    assert len(lines[3]) < 120


FAULTS = {
    "summaries = 5": "summaries: 5 is no list (expected [[summaries]])",
    "summaries = [5]": "summaries[0]: 5 is no table (expected title, event, rows)",
    'titel = "x"': "summaries[0].titel: unknown (expected one of: title, event, rows, columns, "
    'top; did you mean "title"?)',
    "title = 5": 'summaries[0].title: missing (expected text, such as "Doors")',
    'event = "door open"': 'summaries[0].event: "door open" is no event (expected one of the '
    "vocabulary, or one that a step of these rules has with its fields; did you mean "
    '"door opened"?)',
    "event = [5]": "summaries[0].event: [5] is no name (expected the name of an event, or a list "
    "of names)",
    'rows = "door"': 'summaries[0].rows: "door" is no list of names (expected a list of: service, '
    "door, user)",
    'rows = ["dor"]': 'summaries[0].rows: "dor" is unknown (expected one of: service, door, user; '
    'did you mean "door"?)',
    'columns = ["counts"]': 'summaries[0].columns: "counts" is unknown (expected one of: count, '
    'amount, first, last, service, door, user; did you mean "count"?)',
    "top = 0": "summaries[0].top: 0 is no number of rows (expected 1 to 1000)",
}


@pytest.mark.parametrize("faulty", FAULTS)
def test_what_is_wrong_is_told_with_its_place(pipeline, doors, faulty):
    head, _, rest = RULES.partition("[[summaries]]")
    if faulty.startswith("summaries"):
        doors.write_text(head.replace("[chains]", f"{faulty}\n[chains]"))
    else:
        key = faulty.split()[0]
        first = [line for line in rest.partition("[[summaries]]")[0].splitlines()
                 if not line.startswith(f"{key} =")]  # fmt: skip
        doors.write_text(f"{head}[[summaries]]\n" + "\n".join([*first, faulty]))
    with pytest.raises(ConfigError) as refused:
        pipeline('use = ["doors"]', plugins=doors)
    assert refused.value.faults == [f"{doors}: {FAULTS[faulty]}"]


def test_two_of_one_title_are_refused(pipeline, doors):
    head, _, rest = RULES.partition("[[summaries]]")
    one = "[[summaries]]" + rest.partition("[[summaries]]")[0]
    doors.write_text(head + one + one)
    with pytest.raises(ConfigError, match=r"summaries\[1\]\.title: \"Doors\" is there already"):
        pipeline('use = ["doors"]', plugins=doors)


def test_pyruse_rules_lists_them(doors, tmp_path):
    config = tmp_path / "etc"
    (config / "plugins").mkdir(parents=True)
    (config / "pyruse.toml").write_text('use = ["doors"]\n')
    doors.rename(config / "plugins" / "doors.toml")

    def said(*arguments: str) -> str:
        command = [sys.executable, "-m", "pyruse", "rules", "doors", *arguments]
        where = {**os.environ, "PYRUSE_CONFIG": str(config / "pyruse.toml")}
        return subprocess.run(
            command, env=where, capture_output=True, text=True, check=True, timeout=TIME_LIMIT
        ).stdout

    assert "Summaries:\n  Doors: door opened by door\n" in said()
    assert json.loads(said("--format", "json"))[0]["summaries"][0] == {
        "id": "doors-doors", "title": "Doors", "events": ["door opened"], "rows": ["door"],
        "columns": ["count", "first", "last", "user"], "top": 2,
    }  # fmt: skip
