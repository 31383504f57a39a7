"""Killed at any instant, and started again: nothing is lost, and nothing is done twice.

The long form, with hundreds of kills, is ``bench/kill.py``.
"""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from bench.kill import Run, differences, entries
from pyruse.testing.plugin import need

ENTRIES = 20_000
LIVES = 12


@pytest.mark.realparts
def test_a_daemon_that_is_killed_again_and_again_does_what_one_does_that_is_not(
    tmp_path: Path,
) -> None:
    from pyruse.testing.journal import make_journal, unavailable

    need(unavailable())
    journal = tmp_path / "journal"
    journal.mkdir()
    make_journal(journal / "system.journal", entries(ENTRIES))
    expected = Run(tmp_path / "undisturbed", journal)
    expected.undisturbed()
    content = expected.content()
    empty = {name for name, rows in content.items() if not rows}
    assert empty == {"notes", "outbox"}, "all others have something to compare"
    assert sum(entries for _, entries, _, _ in content["days"]) == ENTRIES

    run = Run(tmp_path / "killed", journal)
    dice = random.Random(5)
    for _ in range(LIVES):
        if run.killed(dice):
            break
    assert run.kills.total() > 5
    run.undisturbed()
    assert differences(expected, run) == []
