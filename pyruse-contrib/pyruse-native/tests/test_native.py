from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pyruse_native
import pytest

from pyruse import Entry

MakeJournal = Callable[[list[Mapping[str, Any]]], Path]

CHAINS = """
[chains]
"all" = [
  { filter = "regex", pattern = '^(?P<word>\\w+) (?P<rest>.*)$', else = "others" },
  { filter = "in", field = "PRIORITY", values = [0, 1, 2, 3], else = "others" },
  { action = "report", section = "important", message = "{word}: {rest} of {_PID}" },
]
"others" = [ { action = "report", section = "other", message = "[{PRIORITY}/{A}] {MESSAGE}" } ]
"""


def test_it_is_at_work() -> None:
    assert pyruse_native._native.EntryCore in Entry.__mro__


def replayed(file: Path, native: str) -> dict[str, Any]:
    config = file.with_suffix(".toml")
    config.write_text(CHAINS)
    done = subprocess.run(
        [
            sys.executable, "-m", "pyruse", "replay", "--config", str(config),
            "--file", str(file), "--format", "json",
        ],
        env={**os.environ, "PYRUSE_NATIVE": native}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    said: dict[str, Any] = json.loads(done.stdout)
    del said["seconds"]
    return said


def test_a_replay_finds_the_same(journal_file: MakeJournal) -> None:
    chance = random.Random(1)
    words = ["one", "two three", "four five six", "\x1b[1mbold\x1b[0m text\r", b"\xe9 \x80 \xe8"]
    entries: list[Mapping[str, Any]] = [
        {
            "MESSAGE": chance.choice(words),
            "PRIORITY": chance.choice([0, 3, 6, "high"]),
            "_PID": chance.randrange(5),
            **({"A": "x" * chance.choice([1, 50, 70_000])} if chance.random() < 0.5 else {}),
        }
        for _ in range(500)
    ]
    file = journal_file(entries)
    native = replayed(file, "1")
    assert native["entries"] == 500
    assert native["report"]["important"]
    assert native == replayed(file, "0")


def test_a_class_of_ones_own() -> None:
    class Mine(Entry):
        def get(self, field: str, default: Any = None) -> Any:
            return super().get(field, default) or "mine"

    entry = Mine(0, None, {"a": "b"})
    assert (entry.get("a"), entry.get("c"), entry.text("a"), len(entry)) == ("b", "mine", "b", 1)


@pytest.mark.parametrize("wrong", [(), ("a", "b", "c")])
def test_wrong_arguments_are_refused(wrong: tuple[str, ...]) -> None:
    with pytest.raises(TypeError, match="expected field, and maybe default"):
        Entry(0).get(*wrong)
