"""pyruse-native gives what Python gives, of whatever there is in a journal."""

from __future__ import annotations

import json
import os
import random
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pyruse.system.native import VARIABLE
from pyruse.testing.journal import FIRST_TIME

NAMES = [
    "MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "MESSAGE_ID", "_PID", "_UID", "_BOOT_ID",
    "_SOURCE_REALTIME_TIMESTAMP", "CODE_LINE", "A", "B", "LONG", "X_1",
]  # fmt: skip
"""Of fields that entries may have; some are converted, some are not text."""
OTHERS = ["NONE", "ip", "", "__REALTIME_TIMESTAMP", "__CURSOR", "_", "1A", "É", "A" * 65, "A=B"]

ASKED = """
import random, sys
from pathlib import Path
from pyruse.entry.decoding import Decoder
from pyruse.journal.selection import JournalError, Selection

seed, longest, names, *files = eval(sys.argv[1])
chance = random.Random(seed)

def say(*values):
    print(*map(ascii, values))

def tried(call):
    try:
        say(call())
    except (KeyError, RuntimeError, ValueError) as fault:
        say(type(fault).__name__, str(fault))

def ask(entry):
    name = chance.choice(names)
    match chance.randrange(9):
        case 0: say(entry.get(name))
        case 1: say(entry.get(name, default="nothing"))
        case 2: say(entry.text(name))
        case 3: tried(lambda: entry[name])
        case 4: say(name in entry)
        case 5: say(entry.values_of(name))
        case 6: tried(lambda: entry.__setitem__(name, chance.choice(["x", "é", "\\ud800", 1])))
        case 7: tried(lambda: entry.set_many({name: "x", chance.choice(names): "\\ud800"}))
        case 8: tried(lambda: entry.__delitem__(name))

def read(file):
    decoder = Decoder("cp1252", longest=longest)
    journal = Selection(files=[Path(file)]).open(decoder)
    before, handled = None, 1
    while handled:
        handled = 0
        for handled, entry in enumerate(journal.entries(chance.choice([1, 7, 50])), 1):
            say(handled, entry.time_us, journal.position)
            for _ in range(chance.randrange(8)):
                ask(entry)
            if chance.random() < 0.05:
                say(sorted(entry.items()))
            if before is not None and chance.random() < 0.2:
                tried(lambda: before.get(chance.choice(names)))
            before = entry if chance.random() < 0.5 else None
    say(journal.damaged, journal.unread_fields, decoder.cuts)
    journal.close()

for file in files:
    try:
        read(file)
    except (JournalError, OSError) as fault:
        say(type(fault).__name__, str(fault))
"""


def said(native: str, *what: Any) -> str:
    done = subprocess.run(
        [sys.executable, "-c", ASKED, repr(what)],
        env={**os.environ, VARIABLE: native}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.fixture
def _native() -> None:
    if find_spec("pyruse_native") is None:
        pytest.skip("pyruse-native is not installed")


def value_of(name: str, chance: random.Random) -> Any:
    match name:
        case "PRIORITY" | "_PID" | "_UID" | "CODE_LINE":
            return chance.choice([chance.randrange(10), 4711, "many", "007", ""])
        case "MESSAGE_ID" | "_BOOT_ID":
            return chance.choice(["a" * 32, "8d45620c1a4348dbb17410da57c60c66"])
        case "_SOURCE_REALTIME_TIMESTAMP":
            return chance.randrange(10**15, 10**15 + 5)
        case "LONG":
            return "x" * chance.choice([600, 40, 41, 70_000, 70_001, 200_000])
    text = chance.choice(
        ["one", "two words", "é€", "\x1b[1mbold\x1b[0m\r", "a=b", "", "\n", "x" * 39]
    )
    raw = bytes(chance.randrange(256) for _ in range(chance.randrange(60)))
    return chance.choice([text, text * 3, raw, f"{text} {chance.random()}"])


def entries_of(chance: random.Random, number: int) -> list[dict[str, Any]]:
    found = []
    for _ in range(number):
        names = [name for name in NAMES if chance.random() < 0.6]
        entry = {name: value_of(name, chance) for name in names}
        for name in names:
            if chance.random() < 0.05 and name not in ("_BOOT_ID", "LONG"):
                entry[name] = [entry[name], value_of(name, chance), value_of(name, chance)]
        found.append(entry or {"A": "1"})
    return found


@pytest.mark.usefixtures("_native")
@pytest.mark.parametrize("longest", [1 << 20, 30, 1_000])
def test_both_give_the_same(
    journal_file: Callable[[list[dict[str, Any]]], Path], longest: int
) -> None:
    chance = random.Random(longest)
    files = [str(journal_file(entries_of(chance, 200))) for _ in range(3)]
    what = (longest, longest, NAMES + OTHERS, *files)
    plain = said("0", *what)
    assert len(plain.splitlines()) > 2_000
    assert said("1", *what) == plain


@pytest.mark.usefixtures("_native")
def test_both_give_the_same_of_damaged_files(
    journal_file: Callable[[list[dict[str, Any]]], Path], tmp_path: Path
) -> None:
    chance = random.Random(int(os.environ.get("PYRUSE_FUZZ", "1")))
    written = journal_file(entries_of(chance, 300)).read_bytes()
    damaged = []
    for number in range(20):
        data = bytearray(written)
        for _ in range(chance.choice([1, 10, 100])):
            data[chance.randrange(300, len(data))] = chance.randrange(256)
        if chance.random() < 0.3:
            del data[chance.randrange(len(data) // 2, len(data)) :]
        damaged.append(tmp_path / f"damaged-{number}.journal")
        damaged[-1].write_bytes(data)
    what = (1, 1 << 20, NAMES + OTHERS, *map(str, damaged))
    plain = said("0", *what)
    assert len(plain.splitlines()) > 2_000
    assert said("1", *what) == plain


CHAINS = """
[journal]
start = "head"
[report]
timezone = "UTC"
[chains]
"numbers" = [
  { filter = "at_most", field = "PRIORITY", value = 3, then = "urgent" },
  { filter = "equals", field = "_UID", value = 0, else = "quiet" },
]
"quiet" = [
  { filter = "in", field = "SYSLOG_IDENTIFIER", values = ["a", "b"] },
  { filter = "exists", field = "A", invert = true },
  { action = "discard" },
]
"urgent" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "c", then = "nothing" },
  { action = "count", counter = "all", key = "SYSLOG_IDENTIFIER", within = "1h", into = "n" },
  { action = "report", section = "important", message = "{SYSLOG_IDENTIFIER} {n}" },
]
"nothing" = [ { action = "discard" } ]
"some" = [
  { filter = "contains", text = "7" },
  { action = "report", section = "other", message = "{MESSAGE}" },
]
"""


def machine(chance: random.Random, number: int) -> list[dict[str, Any]]:
    """Entries of some hours, of which most go nowhere; at times many after one another."""
    at = FIRST_TIME + chance.randrange(10**9)
    found = []
    for index in range(number):
        at += chance.choice([0, 1, 10**6, 10**7, 10**9]) if index % 50 else 3 * 10**9
        entry = {
            "__REALTIME_TIMESTAMP": at,
            "MESSAGE": f"entry {index}",
            "SYSLOG_IDENTIFIER": chance.choice("abcd"),
            "PRIORITY": chance.choice([1, 6, 6, 6, 6, 7, "x"]),
            "_UID": chance.choice([0, 1000]),
        }
        if chance.random() < 0.2:
            entry["A"] = "1"
        found.append(entry)
    return found


@pytest.mark.usefixtures("_native")
@pytest.mark.parametrize("machines", [1, 2, 5])
def test_entries_that_go_nowhere_are_counted_as_others_are(
    journal_file: Callable[[list[dict[str, Any]]], Path], tmp_path: Path, machines: int
) -> None:
    chance = random.Random(machines)
    folder = tmp_path / "journals"
    folder.mkdir()
    for number in range(machines):
        journal_file(machine(chance, 600)).rename(folder / f"remote-{number}.journal")
    config = tmp_path / "pyruse.toml"
    config.write_text(CHAINS)
    outcomes = []
    for native in "01":
        command = ["replay", "-c", str(config), "-D", str(folder), "--format", "json"]
        done = subprocess.run(
            [sys.executable, "-m", "pyruse", *command],
            env={**os.environ, VARIABLE: native}, capture_output=True, text=True, check=True,
        )  # fmt: skip
        outcomes.append(json.loads(done.stdout))
        del outcomes[-1]["seconds"]
    plain, native_ = outcomes
    assert plain["entries"] == 600 * machines
    assert plain["report"]["important"]
    assert native_ == plain


@pytest.mark.usefixtures("_native")
def test_a_daemon_counts_them_by_the_hour(
    journal_file: Callable[[list[dict[str, Any]]], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    journal_file(machine(random.Random(1), 3_000)).rename(folder / "system.journal")
    counted = []
    for native in "01":
        state = tmp_path / f"state-{native}.sqlite"
        config = tmp_path / f"{native}.toml"
        places = f'[state]\nurl = "sqlite:///{state}"\n[journal]\ndirectory = "{folder}"'
        config.write_text(CHAINS.replace("[journal]", places))
        for _ in range(2):  # the second time, there is nothing left
            done = subprocess.run(
                [sys.executable, "-m", "pyruse", "run", "--once", "-c", str(config)],
                env={**os.environ, VARIABLE: native}, capture_output=True, text=True, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
        with closing(sqlite3.connect(state)) as db:
            days = [row[:4] for row in db.execute("SELECT * FROM days ORDER BY day")]
            counted.append((days, sorted(db.execute("SELECT * FROM hours"))))
    assert sum(day[1] for day in counted[0][0]) == 3_000
    assert len(counted[0][1]) > 20
    assert counted[1] == counted[0]


COMMITS = """
import sys
from pathlib import Path
from msgspec.structs import replace
from pyruse.config.load import load
from pyruse.engine.faults import Faults
from pyruse.journal.selection import Selection
from pyruse.replay import replay
from pyruse.state.database import State

commit, commits = State.commit, []
State.commit = lambda state: (commits.append(state), commit(state))[1]
replay.DRY = replace(replay.DRY, batch=40)
config, folder = sys.argv[1:]
replay.replay(load(config), Selection(directory=Path(folder)), Faults(lambda *_: None))
print(len(commits))
"""


@pytest.mark.usefixtures("_native")
def test_what_skipped_entries_are_counted_by_is_committed_now_and_then(
    journal_file: Callable[[list[dict[str, Any]]], Path], tmp_path: Path
) -> None:
    folder = tmp_path / "journals"
    folder.mkdir()
    for number in range(2):  # one after the other
        entries = machine(random.Random(number), 600)
        for entry in entries:
            entry["__REALTIME_TIMESTAMP"] += number * 10**13
        journal_file(entries).rename(folder / f"remote-{number}.journal")
    config = tmp_path / "pyruse.toml"
    counted = '{ action = "count", counter = "all", key = "MESSAGE" }'
    config.write_text(f'[chains]\n"all" = [{counted}]\n')
    done = subprocess.run(
        [sys.executable, "-c", COMMITS, str(config), str(folder)],
        env={**os.environ, VARIABLE: "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) >= 1200 // 40 // 5


SHORT_BATCHES = """
import sys
from pathlib import Path
from msgspec.structs import replace
from pyruse.config.load import load
from pyruse.engine.faults import Faults
from pyruse.journal.selection import Selection
from pyruse.replay import replay

replay.DRY = replace(replay.DRY, batch=1)
config, folder = sys.argv[1:]
outcome = replay.replay(load(config), Selection(directory=Path(folder)), Faults(lambda *_: None))
print([row["message"] for row in outcome.data()["report"]["other"]])
"""
COUNTED = """
[chains]
"all" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "counted" },
  { action = "count", counter = "all", key = "SYSLOG_IDENTIFIER", within = "1h", into = "n" },
  { action = "report", section = "other", message = "{MESSAGE}: {n}" },
]
"""


@pytest.mark.usefixtures("_native")
@pytest.mark.parametrize("native", ["0", "1"])
def test_an_entry_that_waits_for_other_machines_makes_nothing_expire(
    journal_file: Callable[[list[dict[str, Any]]], Path], tmp_path: Path, native: str
) -> None:
    """It was read to know how far entries may be skipped, and the one before it was skipped."""
    folder = tmp_path / "journals"
    folder.mkdir()
    minutes = {
        "a": {0: "skipped", 1: "counted", 2: "skipped", 300: "counted"},
        "b": {30: "counted"},
    }
    for name, entries in minutes.items():
        made = [
            {"MESSAGE": f"{name} {at}", "SYSLOG_IDENTIFIER": program,
             "__REALTIME_TIMESTAMP": FIRST_TIME + at * 60_000_000}
            for at, program in entries.items()
        ]  # fmt: skip
        journal_file(made).rename(folder / f"remote-{name}.journal")
    config = tmp_path / "pyruse.toml"
    config.write_text(COUNTED)
    done = subprocess.run(
        [sys.executable, "-c", SHORT_BATCHES, str(config), str(folder)],
        env={**os.environ, VARIABLE: native}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "['a 1: 1', 'b 30: 2', 'a 300: 1']\n"
