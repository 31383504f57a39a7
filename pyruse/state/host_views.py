"""The events of one machine, as if there were no others: for reports by host.

Queries stay as they are: temporary views of a connection stand before the tables
(sqlite.org/lang_naming.html).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

_ABOUT_PYRUSE = ("notes", "faults", "absences", "ban_history", "hours")
"""What is about this machine, and Pyruse itself, alone."""
_BUT = "host IS NULL OR host NOT IN temp.chosen_hosts"
_BY_HOST = ("events", "event_heads", "kind_counts", "tallies", "tally_totals")
_VIEWS = (*_BY_HOST, "days", *_ABOUT_PYRUSE)


@contextmanager
def only_of(db: sqlite3.Connection, host: str) -> Iterator[None]:
    """Show the events of one machine, and nothing that is not about it; to be read only.

    What counts as a day's entries are its events: entries are not counted by machine.

    :param db: a connection to a state.
    :param host: the machine's name.
    """
    with _shown(db, [host], "host IN temp.chosen_hosts"):
        db.execute(
            """CREATE TEMP VIEW days AS
               SELECT day, (SELECT count(*) FROM events WHERE day = whole.day) AS entries,
                      (SELECT min(time) FROM events WHERE day = whole.day) AS first,
                      (SELECT max(time) FROM events WHERE day = whole.day) AS last, reported
               FROM main.days AS whole"""
        )
        for table in _ABOUT_PYRUSE:
            db.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE FALSE")
        yield


@contextmanager
def all_but(db: sqlite3.Connection, hosts: Sequence[str]) -> Iterator[None]:
    """Leave out the events of some machines; to be read only.

    :param db: a connection to a state.
    :param hosts: the machines' names.
    """
    with _shown(db, hosts, _BUT):
        yield


def leave_out(db: sqlite3.Connection, hosts: Sequence[str]) -> None:
    """The same for as long as the connection is open."""
    _show(db, hosts, _BUT)


@contextmanager
def _shown(db: sqlite3.Connection, hosts: Sequence[str], which: str) -> Iterator[None]:
    try:
        _show(db, hosts, which)
        yield
    finally:
        for view in _VIEWS:
            db.execute(f"DROP VIEW IF EXISTS temp.{view}")
        db.execute("DROP TABLE IF EXISTS temp.chosen_hosts")


def _show(db: sqlite3.Connection, hosts: Sequence[str], which: str) -> None:
    db.execute("CREATE TEMP TABLE chosen_hosts (host TEXT PRIMARY KEY) WITHOUT ROWID")
    db.executemany("INSERT INTO temp.chosen_hosts VALUES (?)", [(host,) for host in hosts])
    for table in _BY_HOST:
        db.execute(f"CREATE TEMP VIEW {table} AS SELECT * FROM main.{table} WHERE {which}")
