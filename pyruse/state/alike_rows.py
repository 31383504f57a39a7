"""Writing many rows that are alike but for their networks, as lists of bans are."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from typing import TypeVar

import msgspec

G = TypeVar("G")

MANY = 8
"""From so many rows on, one statement for all of them is quicker than one for each."""


def insert(
    db: sqlite3.Connection,
    beginning: str,
    rows: Iterable[tuple[str, G]],
    values: Callable[[G], tuple[object, ...]],
) -> None:
    """Insert rows, in their order.

    Of many in a row that are alike, SQLite is given the networks, and the rest once: that takes a
    quarter of the time.

    :param db: a connection to a state.
    :param beginning: of the statement, with the columns: that of the network is the first.
    :param rows: a network each, and what stands for the rest of the row.
    :param values: gives the rest of the row.
    """
    single: list[tuple[object, ...]] = []
    for alike, some in groupby(rows, itemgetter(1)):
        networks = [network for network, _ in some]
        rest = values(alike)
        if len(networks) < MANY:
            single += [(network, *rest) for network in networks]
            continue
        _insert_single(db, beginning, single)
        marks = ", ?" * len(rest)
        db.execute(f"{beginning} SELECT value{marks} FROM json_each(?)", (*rest, as_json(networks)))
    _insert_single(db, beginning, single)


def _insert_single(db: sqlite3.Connection, beginning: str, rows: list[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ?" * (len(rows[0]) - 1)
        db.executemany(f"{beginning} VALUES (?{marks})", rows)
        rows.clear()


def as_json(networks: Sequence[str]) -> str:
    """Networks, as SQLite's ``json_each`` takes them."""
    return msgspec.json.encode(networks).decode()
