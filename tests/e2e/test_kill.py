"""Killed anywhere, and started again: nothing is lost, and nothing is done twice.

The long form, with hundreds of kills at random places, is ``bench/kill.py``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.kill import PLACES, Death, Run, differences, entries
from pyruse.system.native import VARIABLE, native
from pyruse.testing.plugin import need

ENTRIES = 12_000

DEATHS = [
    Death("statement", 7),  # the tables are made
    Death("call", 20_000),  # the configuration is read
    Death("write", 1 << 18),
    Death("BEGIN", 3),
    Death("statement", 1_000),
    Death("COMMIT", 3),
    Death("call", 200_000),
    Death("BEGIN", 1),
    Death("write", 300_007),
    Death("call", 400_000),
    Death("COMMIT", 1),
    # Last: how far a daemon comes until sendmail kills it depends on the machine.
    Death("mail-before"),
    Death("mail-after"),
]


@pytest.mark.realparts
def test_a_daemon_that_is_killed_again_and_again_does_what_one_does_that_is_not(
    tmp_path: Path,
) -> None:
    killed_again_and_again(tmp_path, whole=False)


@pytest.mark.realparts
@pytest.mark.skipif(native() is None, reason="pyruse-native is not installed")
def test_so_does_one_whose_reader_leads_entries_ahead_of_the_engine(tmp_path: Path) -> None:
    """It is compared with one that does all in Python, and is not killed."""
    killed_again_and_again(tmp_path, whole=True)


def killed_again_and_again(tmp_path: Path, *, whole: bool) -> None:
    from pyruse.testing.journal import make_journal, unavailable

    need(unavailable())
    journal = tmp_path / "journal"
    journal.mkdir()
    make_journal(journal / "system.journal", entries(ENTRIES, whole=whole))
    expected = Run(tmp_path / "undisturbed", journal)
    expected.undisturbed(**({VARIABLE: "0"} if whole else {}))
    content = expected.content()
    empty = {name for name, rows in content.items() if not rows}
    nothing = {"notes", "outbox"} | ({"held"} if whole else set())
    assert empty == nothing, "all others have something to compare"
    lines = sum("CONTAINER_PARTIAL_MESSAGE" not in one for one in entries(ENTRIES, whole=whole))
    assert sum(handled for _, handled, _, _ in content["days"]) == lines
    assert (lines == ENTRIES) == whole

    run = Run(tmp_path / "killed", journal)
    for death in DEATHS:
        assert run.killed(death), f"it has survived {death}"
    assert set(run.kills) == set(PLACES)
    run.undisturbed()
    assert differences(expected, run) == []
