"""Each row of docs/comparison.md names what shows it, and that is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import ROOT

TEXT = (ROOT / "docs" / "comparison.md").read_text("utf-8")
ROWS = [
    line.strip("| ").split(" | ")
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| |")
]
_SHOWN = re.compile(r"`(?:python (?:-m )?)?(?P<place>(?:tests|bench|pyruse-contrib)[/.][\w./-]+)`")


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_what_shows_a_row_is_there(row: list[str]) -> None:
    assert len(row) in (5, 6), (
        row
    )  # the last column may be empty where a row says how much is installed
    if len(row) == 6:
        for one in row[5].split(", "):
            shown = _SHOWN.fullmatch(one)
            assert shown, one
            place = ROOT / shown["place"]
            module = ROOT / (shown["place"].replace(".", "/") + ".py")
            assert place.exists() or module.is_file(), one


def test_it_says_what_pyruse_does_not_do() -> None:
    assert "## What Pyruse does not do" in TEXT
    assert len(ROWS) > 15
