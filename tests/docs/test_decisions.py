"""Each decision has its parts, and a line in the index."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

FOLDER = ROOT / "docs" / "decisions"
RECORDS = sorted(FOLDER.glob("[0-9]*.md"))
INDEX = re.findall(
    r"^\* \[(\d{4})\]\((\S+)\) (.+)$", (FOLDER / "README.md").read_text("utf-8"), re.M
)

HEAD = re.compile(r"# (?P<number>\d{4}) \S.*\n\n\d{4}-\d{2}-\d{2}\n(?:Superseded by \d{4}\n)?\n")
PARTS = ["Context", "Choice", "Rejected", "Price"]


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_has_a_date_and_four_parts(record: Path) -> None:
    text = record.read_text("utf-8")
    head = HEAD.match(text)
    assert head, "expected '# NNNN Title', an empty line, the date"
    assert record.name.startswith(f"{head['number']}-")
    assert re.findall(r"^\*\*(\w+)\.\*\* \S", text, re.M) == PARTS


@pytest.mark.parametrize("record", RECORDS, ids=lambda record: record.name)
def test_a_record_fits_a_screen(record: Path) -> None:
    assert len(record.read_text("utf-8").splitlines()) <= 30


def test_the_index_has_each_record_once_with_its_title() -> None:
    titles = {
        (record.name[:4], record.name, record.read_text("utf-8").splitlines()[0][7:])
        for record in RECORDS
    }
    assert len(INDEX) == len(RECORDS)
    assert set(INDEX) == titles


def test_the_numbers_have_no_gap() -> None:
    numbers = [int(record.name[:4]) for record in RECORDS]
    assert numbers == list(range(1, len(RECORDS) + 1))
