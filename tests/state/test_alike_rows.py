"""Rows that are alike but for their networks: written as if they were written one by one."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing

import pytest

from pyruse.state import alike_rows

Row = tuple[str, tuple[int, str | None]]

MANY: list[Row] = [(f"192.0.2.{n}", (1, "alike")) for n in range(200)]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        MANY[:1],
        MANY,
        [("198.51.100.1", (2, None)), *MANY, ("198.51.100.2", (2, None)), *MANY[:3]],
        [(network, (place % 2, None)) for place, (network, _) in enumerate(MANY)],
        [(network, (place // 50, 'a "reason"\n')) for place, (network, _) in enumerate(MANY)],
    ],
)
def test_the_rows_are_there_in_their_order(rows: Sequence[Row]) -> None:
    with closing(sqlite3.connect(":memory:")) as db:
        db.execute("CREATE TABLE some (number INTEGER, network TEXT, reason TEXT, twice INTEGER)")
        alike_rows.insert(
            db,
            "INSERT INTO some (network, number, reason, twice)",
            rows,
            lambda alike: (*alike, 2 * alike[0]),
        )
        found = db.execute("SELECT network, number, reason, twice FROM some ORDER BY rowid")
        assert found.fetchall() == [(network, *alike, 2 * alike[0]) for network, alike in rows]
