"""From the schema of an older Pyruse to today's."""

from __future__ import annotations

import sqlite3

VERSION = 2
"""Of the schema (SQLite's ``PRAGMA user_version``); a change of any table is a new one."""

_STEPS = {
    2: "",
}
"""What leads to each version from the one before, besides making the tables that are new."""


def migrate(db: sqlite3.Connection, version: int, schema: str, application_id: int) -> None:
    """Bring a database up to date, or make all of an empty one, in one transaction.

    :param version: the version that it has; 0: it is empty.
    :param schema: makes the tables of today that are not there.
    :raises sqlite3.Error: it failed, and nothing has changed.
    """
    steps = "".join(_STEPS[step] for step in range(version + 1, VERSION + 1)) if version else ""
    try:
        db.executescript(
            f"""BEGIN IMMEDIATE;
            {steps}
            {schema}
            PRAGMA application_id = {application_id};
            PRAGMA user_version = {VERSION};
            COMMIT;"""
        )
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
