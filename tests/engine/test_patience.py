"""A regular expression that takes for ever costs its own entry alone."""

from __future__ import annotations

import time
from pathlib import Path
from types import FrameType

import pytest

from pyruse.chains.link import Node
from pyruse.chains.model import Step
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.faults import Faults
from pyruse.engine.patience import Patience, StepTooSlow
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.replay.replay import replay

CHAINS = r"""
[chains]
"catastrophe" = [
  { filter = "regex", field = "MESSAGE", pattern = '^(a+)+$' },
  { action = "report", section = "important", message = "only a's" },
]
"everything else" = [{ action = "report", section = "other", message = "{MESSAGE}" }]
"""


def test_a_catastrophic_pattern_is_interrupted(journal_file):
    hostile = "a" * 60 + "!"
    journal = journal_file([{"MESSAGE": message} for message in ("aaa", hostile, "hello")])
    logged = []
    faults = Faults(lambda message, level, fields: logged.append((message, fields)))
    outcome = replay(
        configure(from_text(CHAINS), Registry()), Selection(files=[Path(journal)]), faults
    )
    assert [row.message for row in outcome.report.important] == ["only a's"]
    assert [line.message for line in outcome.report.other] == [hostile, "hello"]
    ((message, fields),) = logged
    assert message == (
        'chains."catastrophe"[0]: filter regex: StepTooSlow: took too long with this entry '
        "(over 1 s)"
    )
    assert fields["PYRUSE_CHAIN"] == "catastrophe"
    assert str(fields["PYRUSE_CURSOR"]).startswith("s=")


def test_a_step_is_stopped_and_pyruse_itself_never():
    """A fault may take long to tell, where a disk is slow: nobody would catch the exception."""
    node = Node(Step("chain", 0, "filter", "plugin", None), lambda _: True)
    looks = 0

    def at_work(frame: FrameType | None) -> Node | None:
        nonlocal looks
        looks += 1
        return None if looks <= 4 else node  # four looks are two seconds, twice the limit

    with Patience(lambda: 0, at_work), pytest.raises(StepTooSlow):
        time.sleep(600)
    assert looks > 5, "a step is given its time"
