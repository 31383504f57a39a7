"""What chains counted, as it is printed."""

from __future__ import annotations

import pytest

from pyruse.cli.chains import show_counts


def test_columns_are_aligned_and_long_names_cut(capsys: pytest.CaptureFixture[str]) -> None:
    step = {
        "index": 0, "kind": "filter", "plugin": "equals", "label": "l\n" * 60, "invert": True,
        "seen": 1_234_567, "passed": 1, "faults": 0,
    }  # fmt: skip
    show_counts(
        [
            {"chain": "name " * 20, "entries": 1_234_567, "steps": [step]},
            {"chain": "b", "entries": 2, "steps": [{**step, "kind": "action", "faults": 1}]},
            {"chain": "unused", "entries": 0, "steps": [step]},
        ]
    )
    assert capsys.readouterr().out == (
        "chain, step                                             entries  passed  faults\n"
        "name name name name name name name name name name…    1,234,567\n"
        '  [0] not equals "l l l l l l l l l l l l l l l l l…  1,234,567       1\n'
        "b                                                             2\n"
        '  [0] not equals "l l l l l l l l l l l l l l l l l…  1,234,567               1\n'
        "unused                                                    never\n"
    )


def test_without_chains_there_is_nothing_but_a_heading(capsys: pytest.CaptureFixture[str]) -> None:
    show_counts([])
    assert capsys.readouterr().out == "chain, step  entries  passed  faults\n"
