"""Programs that no rules know, and rules begun with what one of them has written."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from pyruse.testing.journal import make_journal, unavailable
from pyruse.testing.plugin import need

TRUSTED = {
    "SYSLOG_IDENTIFIER": "frobberd",
    "_SYSTEMD_UNIT": "frobber.service",
    "_UID": 998,
    "_EXE": "/usr/sbin/frobberd",
}
LINES = [
    "started",
    "client 198.51.100.23 has asked for 17 frobs",
    "client 198.51.100.24 has asked for 4 frobs",
    "mail of ann@mail.corp.example.com isn't frobbed",
    "client 192.0.2.77 is not let in: wrong password of root",
]


@pytest.fixture(scope="module")
def frobbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    need(unavailable())
    entries: list[dict[str, Any]] = [{**TRUSTED, "MESSAGE": line} for line in LINES * 3]
    cron = {"SYSLOG_IDENTIFIER": "CRON", "_UID": 0, "_COMM": "cron"}
    entries += [{**cron, "MESSAGE": "(root) CMD (run-parts /etc/cron.hourly)"}] * 2
    entries += [{"SYSLOG_IDENTIFIER": "quux", "_UID": 1000, "MESSAGE": "one\nof two"}]
    for number, entry in enumerate(entries):
        entries[number] = {
            **entry,
            "_BOOT_ID": "b" * 32,
            "__REALTIME_TIMESTAMP": 1_773_480_000_000_000 + number * 1_000_000,
        }
    return make_journal(tmp_path_factory.mktemp("missing") / "frob.journal", entries)


def test_programs_that_no_rules_know_by_volume(pyruse, frobbed: Path) -> None:
    done = pyruse("rules", "--missing", "--file", frobbed, "--format", "json")
    assert (done.code, done.err) == (0, "")
    assert json.loads(done.out) == {
        "entries": 18,
        "missing": [
            {"program": "frobberd", "entries": 15, "share": 0.8333, "example": LINES[-1]},
            {"program": "quux", "entries": 1, "share": 0.0556, "example": "one\nof two"},
        ],
    }
    table = pyruse("rules", "--missing", "--file", frobbed).out.splitlines()
    assert table[0].split("\t") == ["frobberd", "15", "83.3%", LINES[-1]]


def test_options_that_do_not_go_together(pyruse, frobbed: Path) -> None:
    assert "expected --missing" in pyruse("rules", "--file", frobbed).err
    assert "expected neither a name" in pyruse("rules", "sshd", "--missing").err
    assert "expected --rules" in pyruse("new-plugin", "frobber", "--from-journal", "x").err


def test_rules_begin_with_what_a_program_writes(pyruse, frobbed: Path, tmp_path: Path) -> None:
    done = pyruse(
        "new-plugin", "frobber", "--rules", "--from-journal", "frobberd", "--file", frobbed
    )
    assert (done.code, done.err) == (0, "")
    assert "4 of 4 kinds of lines, from 15 entries." in done.out
    file = tmp_path / "pyruse-frobber/pyruse_frobber/frobber.toml"
    text = file.read_text()
    for told in ("198.51.100", "192.0.2", "corp.example"):  # nobody's address is published
        assert told not in text
    rules = tomllib.loads(text)
    steps = rules["chains"]["frobber"]
    assert steps[:2] == [
        {"filter": "equals", "field": "SYSLOG_IDENTIFIER", "value": "frobberd"},
        {
            "filter": "equals", "field": "_SYSTEMD_UNIT", "value": "frobber.service",
            "else": "forged",
        },
    ]  # fmt: skip
    patterns = [step["pattern"] for step in steps[2:]]
    assert patterns[0] == r"^client {address} has asked for \d+ frobs$"
    assert "^started$" in patterns
    # It passes its own tests as it stands.
    plugins = tmp_path / "etc/plugins"
    plugins.mkdir(parents=True)
    shutil.copy(file, plugins / "frobber.toml")
    (tmp_path / "etc/pyruse.toml").write_text('use = ["frobber"]\n')
    done = pyruse("rules", "frobber", "--test", "-c", tmp_path / "etc")
    assert (done.code, done.err) == (0, "")
    done = pyruse("stats", "--recognised", "--file", frobbed, "-c", tmp_path / "etc")
    assert ["frobberd", "15", "", "100%"] in [line.split("\t") for line in done.out.splitlines()]


def test_a_program_that_the_journal_does_not_have(pyruse, frobbed: Path) -> None:
    done = pyruse("new-plugin", "x", "--rules", "--from-journal", "nobody", "--file", frobbed)
    assert done.code == 1
    assert '"nobody": the journal has no entries of it' in done.err


def test_nothing_is_missing(pyruse, tmp_path):
    """An empty table would not say whether anything was looked at."""
    known: dict[str, Any] = {"SYSLOG_IDENTIFIER": "sshd", "_UID": 0, "_COMM": "sshd", "MESSAGE": ""}
    known["MESSAGE"] = "Failed password for root from 203.0.113.9 port 4711 ssh2"
    journal = make_journal(tmp_path / "known.journal", [known])
    done = pyruse("rules", "--missing", "--file", journal)
    assert (done.code, done.out) == (0, "")
    assert done.err == "of all 1 entries, some rules know the program\n"
    assert pyruse("rules", "--missing", "--file", journal, "_UID=0", "-u", "ssh").out == ""
    done = pyruse("rules", "--missing", "--file", journal, "--format", "json")
    assert '"missing": []' in done.out


def test_rules_without_their_chains(pyruse):
    brief, whole = pyruse("rules", "sshd").out, pyruse("rules", "sshd", "--chains").out
    assert "\nChains:\n" not in brief
    assert "\nChains:\n  sshd\n    [0] in field = " in whole
    assert "\nBans:\n  Who guesses passwords or keys is banned (guessing)\n" in brief
    assert "  login failed: Failed password for root from " in brief
    assert "  failures = 5\n" in brief
    assert brief.endswith("\nIts chains: pyruse rules sshd --chains\n")
    assert "expected the name of rules" in pyruse("rules", "--chains").err
