"""What the documents for contributors name is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

DOCUMENTS = [
    ROOT / "CONTRIBUTING.md",
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / "docs" / "decisions").glob("*.md"),
]
_PATH = re.compile(r"`((?:pyruse|plugins|pyruse-contrib|tests|tools|docs|bench)/[\w./-]+)`")
_FOR_A_NAME = re.compile(r"NAME|NNNN|VERSION")
"""``tests/cli/test_NAME.py`` stands for files that are to be written."""


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_that_are_named_are_there(document: Path) -> None:
    named = [
        path for path in _PATH.findall(document.read_text("utf-8")) if not _FOR_A_NAME.search(path)
    ]
    assert [path for path in named if not (ROOT / path).exists()] == []


def test_the_table_of_layers_is_the_contract() -> None:
    contract = (ROOT / "pyproject.toml").read_text("utf-8").partition("\nlayers = [\n")[2]
    contract = contract.partition("\n]\n")[0]
    layers = [
        set(re.split(r" [|:] ", names))
        for names in re.findall(r'^  "(.+)",', contract, re.M)
        if names != "__main__"
    ]
    chapter = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("## The layers\n")[2]
    rows = re.findall(r"^\| (`.+?) \| (.+) \|$", chapter.partition("\n## ")[0], re.M)
    assert [set(re.findall(r"`(\w+)`", names)) for names, _ in rows] == layers
