"""What libsystemd has passed over, and is there all the same."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from systemd import journal

from pyruse.entry.decoding import Decoder
from pyruse.journal.files import look
from pyruse.journal.passed_over import PassedOver
from pyruse.journal.position import Position
from pyruse.journal.reader import JournalReader
from pyruse.testing.journal import FIRST_TIME, make_journal, unavailable
from pyruse.testing.plugin import need


@pytest.fixture(autouse=True)
def _needed() -> None:
    need(unavailable())


def opened(raw: journal.Reader) -> JournalReader:
    return JournalReader(raw, Decoder())


@pytest.mark.parametrize("given", [["first"], ["second"], []])
def test_of_two_entries_of_one_microsecond_the_right_one_is_found(
    tmp_path: Path, given: list[str]
) -> None:
    instants = {"before": 0, "first": 1, "second": 1, "after": 2}
    file = make_journal(
        tmp_path / "system.journal",
        [
            {
                "MESSAGE": message,
                "__REALTIME_TIMESTAMP": FIRST_TIME + at,
                "__MONOTONIC_TIMESTAMP": 9 + at,
            }
            for message, at in instants.items()
        ],
    )
    reader = opened(journal.Reader(files=[str(file)]))
    cursors = {
        entry.get("MESSAGE"): (reader.cursor_at(entry.time_us), entry.time_us)
        for entry in reader.entries(9)
    }
    passed = PassedOver("", opened, partial(look, str(tmp_path)), follows=True)
    passed.begin(Position(*cursors["before"]), 1)
    has_given = [*given, "after"]
    at_work: Any = SimpleNamespace(
        given=[cursors[message][0] for message in has_given], position=1 + len(has_given),
        leaves_out=False, whole_since=None,
    )  # fmt: skip
    gap = passed.look_for(
        Position(*cursors["after"]), at_work.position, cast(JournalReader, at_work),
        stale=False, sound=True,
    )  # fmt: skip
    assert gap is None
    missed = [entry.get("MESSAGE") for entry in passed.entries()]
    assert missed == [message for message in ("first", "second") if message not in given]
    assert passed.lost is None
