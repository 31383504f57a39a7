"""The tables of a state as text; ``python -m tests.state.schema`` records a new version."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from pyruse.state.database import State
from pyruse.state.migrations import VERSION

FILE = Path(__file__).parent / f"schema_{VERSION}.txt"


def schema(db: sqlite3.Connection) -> dict[str, str]:
    """What makes each table and index, in one line."""
    query = "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY name"
    return {name: " ".join(sql.split()) for name, sql in db.execute(query)}


def schema_of_today() -> str:
    """What the file of this version is to hold."""
    with State() as state:
        return "".join(f"{sql};\n" for sql in schema(state.db).values())


if __name__ == "__main__":
    FILE.write_text(schema_of_today())
    print(f"{FILE.name}: written")
