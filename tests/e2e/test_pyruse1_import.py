"""The imported configuration does what Pyruse 1 is documented to do, on thirty thousand entries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from pyruse.testing.journal import make_journal
from tests.e2e import pyruse1_journal, pyruse1_oracle

CONFIG = Path(__file__).with_name("pyruse1_full.json")
ZONE = "Europe/Paris"
CUT_OFF = {"enough", "never reached"}
"""These two are not to be reached: an empty chain, and the one below it."""


def read_config() -> dict[str, Any]:
    config: dict[str, Any] = json.loads(CONFIG.read_bytes())
    return config


def oracle(*, newest_connection: bool) -> pyruse1_oracle.Result:
    config = read_config()
    encoding = config["8bit-message-encoding"]
    zone = ZoneInfo(ZONE)
    entries = (pyruse1_oracle.as_read(raw, zone, encoding) for raw in pyruse1_journal.entries())
    return pyruse1_oracle.interpret(config, entries, newest_connection=newest_connection)


@pytest.fixture(scope="module")
def expected() -> pyruse1_oracle.Result:
    return oracle(newest_connection=True)


def pyruse(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pyruse", *map(str, arguments)],
        env={**os.environ, "TZ": ZONE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = tmp_path_factory.mktemp("imported") / "pyruse.toml"
    config.write_text(pyruse("import", "pyruse1", CONFIG), encoding="utf-8")
    return config


@pytest.fixture(scope="module")
def replayed(imported: Path) -> dict[str, Any]:
    journal = make_journal(imported.with_name("pyruse1.journal"), pyruse1_journal.entries())
    output = pyruse("replay", "-c", imported, "--format", "json", "--file", journal)
    result: dict[str, Any] = json.loads(output)
    return result


# What is compared with is worth it


def test_every_chain_has_entries(expected: pyruse1_oracle.Result) -> None:
    unused = {chain for chain, entries in expected.chains.items() if not entries}
    assert unused == CUT_OFF


def test_nothing_that_is_compared_is_empty(expected: pyruse1_oracle.Result) -> None:
    assert len(expected.report["important"]) > 100
    assert len(expected.report["interesting"]) > 100
    assert len(expected.other) > 1000
    assert len(expected.emails) > 50
    assert {level for level, _ in expected.logs} == {"ALERT", "ERR", "NOTICE", "INFO"}
    assert len({ban.nf_set for ban in expected.bans}) == 8
    assert {ban.seconds for ban in expected.bans} == {None, 3600, 7200, 86400}


def test_every_filter_and_action_is_used() -> None:
    used = {
        step.get("filter", step.get("action"))
        for chain in read_config()["actions"].values()
        for step in chain
    }
    methods = vars(pyruse1_oracle.Interpreter)
    modules = {name for name in methods if name.startswith(("filter_", "action_"))}
    assert used == modules | {"action_this_one_was_never_looked_at"}


def test_ports_are_used_again_while_they_are_remembered(expected: pyruse1_oracle.Result) -> None:
    assert oracle(newest_connection=False).logs != expected.logs


# The comparison


def test_every_entry_is_read(replayed: Mapping[str, Any]) -> None:
    assert replayed["entries"] == pyruse1_journal.COUNT


@pytest.mark.parametrize("section", ["important", "interesting"])
def test_rows_of_the_report(
    section: str, replayed: Mapping[str, Any], expected: pyruse1_oracle.Result
) -> None:
    rows = {
        row["message"]: (row["count"], [datetime.fromisoformat(time) for time in row["times"]])
        for row in replayed["report"][section]
    }
    assert rows == {
        message: (row.count, row.times) for message, row in expected.report[section].items()
    }
    assert len(rows) == len(replayed["report"][section])


def test_other_entries(replayed: Mapping[str, Any], expected: pyruse1_oracle.Result) -> None:
    lines = [
        (datetime.fromisoformat(line["time"]), line["message"])
        for line in replayed["report"]["other"]
    ]
    assert lines == expected.other


def test_mails(replayed: Mapping[str, Any], expected: pyruse1_oracle.Result) -> None:
    to = read_config()["email"]["to"]
    assert [(mail["subject"], mail["body"], mail["to"]) for mail in replayed["emails"]] == [
        (subject, body, to) for subject, body in expected.emails
    ]


def test_log_lines(replayed: Mapping[str, Any], expected: pyruse1_oracle.Result) -> None:
    assert [(line["level"], line["message"]) for line in replayed["logs"]] == expected.logs


def test_bans(imported: Path, replayed: Mapping[str, Any], expected: pyruse1_oracle.Result) -> None:
    # Bans are called by the chain that they come from, and no chain has two steps that ban.
    sets = {
        name: step["sets"]
        for name, chain in tomllib.loads(imported.read_text(encoding="utf-8"))["chains"].items()
        for step in chain
        if step.get("action") == "ban"
    }
    assert [
        (ban["ip"], sets[ban["label"]]["ipv6" if ":" in ban["ip"] else "ipv4"], ban["duration"])
        for ban in replayed["bans"]
    ] == [(ban.address, ban.nf_set, ban.seconds) for ban in with_effect(expected.bans)]


def with_effect(bans: list[pyruse1_oracle.Ban]) -> list[pyruse1_oracle.Ban]:
    """Each ban once, as it was made longer last; `replay` shows no more of a ban."""
    shown: dict[tuple[str, str, int], pyruse1_oracle.Ban] = {}
    ends: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    for ban in bans:
        place = (ban.address, ban.nf_set)
        number, end = ends.get(place, (-1, ban.time))
        if end is None:
            continue  # for ever already
        if end <= ban.time:
            number += 1
        new_end = None if ban.seconds is None else ban.time + timedelta(seconds=ban.seconds)
        if new_end is None or new_end > end:
            ends[place] = (number, new_end)
            shown[(*place, number)] = ban
    return list(shown.values())


def test_nothing_else_happens(replayed: Mapping[str, Any]) -> None:
    assert replayed["commands"] == []


def test_faults_are_those_of_what_is_no_address(replayed: Mapping[str, Any]) -> None:
    assert replayed["faults"]
    for fault in replayed["faults"]:
        assert "cannot be banned (expected an address)" in fault["text"]
