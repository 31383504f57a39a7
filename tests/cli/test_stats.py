"""``pyruse stats``: what to write chains for."""

from __future__ import annotations

import json
import re


def test_in_a_pipe_columns_are_separated_by_tabs(process, journal):
    done = process("stats", "--file", journal)
    assert (done.code, done.err) == (0, "")
    rows = [line.split("\t") for line in done.out.splitlines()]
    # name, total, then err, notice and info: the priorities that occur
    assert rows[0] == ["sshd", "3", "", "", "3"]
    assert ["sudo", "1", "", "1", ""] in rows
    assert ["-", "1", "1", "", ""] in rows
    assert len(rows) == 4
    assert "\x1b" not in done.out


def test_json(pyruse, journal):
    done = pyruse("stats", "--file", journal, "--format", "json")
    rows = json.loads(done.out)
    assert rows[0] == {
        "SYSLOG_IDENTIFIER": "sshd", "total": 3, "emerg": 0, "alert": 0, "crit": 0, "err": 0,
        "warning": 0, "notice": 0, "info": 3, "debug": 0, "none": 0,
    }  # fmt: skip
    assert sum(row["total"] for row in rows) == 6
    assert "\x9b" not in done.out


def test_another_field_and_a_part_of_the_journal(pyruse, journal):
    options = ["--by", "PRIORITY", "-b", "-1", "--format", "json"]
    done = pyruse("stats", "--file", journal, *options)
    assert [(row["PRIORITY"], row["total"], row["info"]) for row in json.loads(done.out)] == [
        ("6", 3, 3)
    ]


def test_nothing_at_all(pyruse, tmp_path):
    done = pyruse("stats", "-D", tmp_path)
    assert (done.code, done.out) == (0, "")
    told = f"pyruse: {tmp_path}: no entry is selected (expected other options for which entries: "
    assert done.err.startswith(told)
    assert pyruse("stats", "-D", tmp_path, "--format", "json").out == "[]\n"


def test_on_a_terminal_it_is_a_table(on_terminal, journal):
    done = on_terminal("stats", "--file", journal)
    assert done.code == 0
    assert "6 entries" in done.out
    assert "SYSLOG_IDENTIFIER" in done.out
    assert re.search(r"^SYSLOG_IDENTIFIER +total +err", re.sub(r"\x1b\[\d*m", "", done.out), re.M)
    assert "\t" not in done.out
    assert "[bold]x[/bold]" in done.out.replace("\n", "")
    assert "\x9b" not in done.out
    assert "\x1b[31mred" not in done.out


def test_rules_that_are_not_in_use_are_named(pyruse, tmp_path, journal):
    (tmp_path / "c.toml").write_text('use = ["sudo"]\n')
    done = pyruse("stats", "-c", tmp_path / "c.toml", "--file", journal, "--recognised")
    assert done.code == 0
    assert done.err == "rules for these programs are not in use: sshd (3) (add them to `use`)\n"


def test_no_such_journal(pyruse):
    done = pyruse("stats", "--file", "nowhere")
    assert done.code == 1
    assert done.err == "pyruse: nowhere: no such file (expected a journal file)\n"


def test_what_is_no_field(pyruse):
    done = pyruse("stats", "--by", "no such")
    assert (done.code, done.out) == (2, "")
    assert '--by: "no such" is no field name (expected ' in done.err
