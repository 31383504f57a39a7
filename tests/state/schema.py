"""The tables of a state as text; ``python -m tests.state.schema`` records a new version."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

from pyruse.state.database import State
from pyruse.state.migrations import VERSION

_SPACE = re.compile(r" (?=[,)])")
FILE = Path(__file__).parent / f"schema_{VERSION}.txt"


def schema(db: sqlite3.Connection) -> dict[str, str]:
    """What makes each table and index, in one line, as a column that was added is written."""
    query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    return {name: _SPACE.sub("", " ".join(sql.split())) for name, sql in db.execute(query)}


def schema_of_today() -> str:
    """What the file of this version is to hold."""
    with State() as state:
        return "".join(f"{sql};\n" for sql in schema(state.db).values())


if __name__ == "__main__":
    FILE.write_text(schema_of_today())
    print(f"{FILE.name}: written")
