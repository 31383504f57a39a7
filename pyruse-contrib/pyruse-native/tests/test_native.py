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


@pytest.mark.parametrize(
    ("quarter", "fault"),
    [
        (None, "expected the quarter of an hour of this instant"),
        ((1, 2), "Clock"),
        ((0, 900_000_000, 0, "x" * 65, ""), "expected shorter texts"),
        ((0, 900_000_000, 3_000, "", ""), "expected the quarter of an hour of this instant"),
        ((0, 900_000_000, -1, "", ""), "expected the quarter of an hour of this instant"),
        ((0, 5, 0, "", ""), "expected the quarter of an hour of this instant"),
    ],
)
def test_a_quarter_of_an_hour_that_is_none_is_refused(quarter: Any, fault: str) -> None:
    clock = pyruse_native.Clock(lambda _: quarter)
    for _ in range(2):
        with pytest.raises((TypeError, ValueError), match=fault):
            clock.text(77_000_000)


def test_texts_of_instants() -> None:
    asked = []

    def quarter_of(time_us: int) -> str | tuple[int, int, int, str, str]:
        asked.append(time_us)
        if time_us < 0:
            return "long ago"
        begin = time_us - time_us % 900_000_000
        return begin, begin + 900_000_000, 0, "T00:", "Z"

    clock = pyruse_native.Clock(quarter_of)
    times = [-1, 77_000_000, 899_000_001, 900_000_000, -1, 901_999_999]
    texts = ["long ago", "T00:01:17Z", "T00:14:59.000001Z", "T00:15:00Z", "long ago"]
    assert list(map(clock.text, times)) == [*texts, "T00:15:01.999999Z"]
    assert asked == [-1, 77_000_000, 900_000_000, -1]
    with pytest.raises(TypeError):
        clock.text("now")  # type: ignore[arg-type]
    with pytest.raises(OverflowError):
        clock.text(1 << 64)


@pytest.mark.parametrize(
    "said", [None, (), (("a",), print), ("a", print, ()), (("a",), print, "b")]
)
def test_what_is_not_worked_out_is_refused(said: Any) -> None:
    with pytest.raises(TypeError, match="expected the fields, a function"):
        pyruse_native.Condition(bool, "worked_out", "", said)
