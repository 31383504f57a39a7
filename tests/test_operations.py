"""What an entry costs does not change unnoticed: counted, not timed (see `bench.operations`)."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.operations import KINDS, Costs, configurations, costs, differences, record, version
from pyruse.testing.journal import unavailable
from pyruse.testing.plugin import need


@pytest.mark.realparts
def test_an_entry_costs_what_is_recorded(tmp_path: Path) -> None:
    need(unavailable())
    if version() not in record():
        pytest.skip(f"nothing is recorded for Python {version()}")
    for what, file in configurations(tmp_path).items():
        recorded = record()[what]
        assert set(recorded) == set(KINDS)
        found = differences(recorded, costs(tmp_path, file))
        assert not found, "\n".join([f"Python {what}:", *found])


RECORDED: Costs = {"opcodes": 200, "calls into C": 20}


def test_a_tenth_more_or_less_is_as_recorded() -> None:
    assert differences(RECORDED, {"opcodes": 220, "calls into C": 18}) == []


def test_more_is_told_with_where_to_look_and_how_to_accept_it() -> None:
    assert differences(RECORDED, {"opcodes": 230, "calls into C": 20}) == [
        "opcodes for an entry: 230, recorded are 200 (+15%); expected no more: see where they come "
        "from with `python -m bench.operations`, or, if they are worth it, record them with "
        "`make operations`"
    ]


def test_less_is_told_too_so_that_the_record_follows() -> None:
    assert differences(RECORDED, {"opcodes": 200, "calls into C": 10}) == [
        "calls into C for an entry: 10, recorded are 20 (-50%); well done: renew the record with "
        "`make operations`"
    ]
