from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pyruse.api.findings import CellType, Column, Summary
from pyruse.report.cells import right_aligned, texts, written


@pytest.mark.parametrize(
    ("value", "type_", "text"),
    [
        (None, "number", ""),
        (1_234_567, "number", "1,234,567"),
        (2.55, "number", "2.5"),
        (1023, "bytes", "1,023 B"),
        (1536, "bytes", "1.5 KiB"),
        (5 * 1024**3, "bytes", "5.0 GiB"),
        (0, "duration", "0 s"),
        (3_725, "duration", "1 h 2 min"),
        (86_400 + 60, "duration", "1 d"),
        (0.934, "share", "93%"),
        ("since ever", "time", "since ever"),
        (datetime(2026, 3, 14, 1, 2, 3, tzinfo=UTC), "time", "01:02:03"),
    ],
)
def test_a_cell_is_written_as_its_column_says(value: object, type_: CellType, text: str):
    assert written(value, type_, lambda moment: f"{moment:%H:%M:%S}") == text


def test_numbers_are_aligned_to_the_right():
    columns = [Column("Who"), Column("Bytes", "bytes"), Column("Port"), Column("When", "time")]
    summary = Summary("s", "S", columns, [["me", 2048, "22", "now"], ["you", None, "25", "then"]])
    assert right_aligned(summary) == [False, True, True, False]
    assert texts(summary, 1, str) == [["me", "2.0 KiB", "22", "now"]]
