"""Each promise of docs/reliability.md names tests and commands that are there."""

from __future__ import annotations

import re

import pytest

from tests.docs.markdown import ROOT

TEXT = (ROOT / "docs" / "reliability.md").read_text("utf-8")
ROWS = [
    line.strip("| ").split(" | ")
    for line in TEXT.splitlines()
    if line.startswith("| ") and not line.startswith("| fault")
]
NAMED = re.compile(
    r"`(?:python )?(?:-m )?((?:pyruse-contrib/[a-z-]+/)?(?:tests|bench)[/.][^`: ]+)(?:::(\w+))?"
)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:40])
def test_what_shows_a_promise_is_there(row: list[str]) -> None:
    fault, promise, shown = row
    assert fault
    assert promise
    named = NAMED.findall(shown)
    assert len(named) == len(shown.split(", ")), shown
    for file, name in named:
        path = ROOT / (file if file.endswith(".py") else file.replace(".", "/") + ".py")
        assert path.is_file(), file
        assert not name or f"\ndef {name}(" in path.read_text("utf-8"), f"{file}::{name}"
