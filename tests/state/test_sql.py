"""All SQL is in ``pyruse/state``: whoever looks for what a table holds finds it there."""

from __future__ import annotations

import re
from pathlib import Path

import pyruse
import pyruse_plugins

_SQL = re.compile(
    r"\.execute(?:many|script)?\(|\b(?:SELECT|INSERT INTO|DELETE FROM|UPDATE|PRAGMA) [a-z*]"
)
_OTHERS = {"bans/fail2ban.py"}
"""The database of fail2ban is another program's."""


def test_no_other_module_speaks_sql() -> None:
    found = [
        f"{file.relative_to(root)}:{number}: {line.strip()}"
        for root in (Path(pyruse.__file__).parent, Path(pyruse_plugins.__file__).parent)
        for file in sorted(root.rglob("*.py"))
        if file.relative_to(root).parts[0] != "state" and str(file.relative_to(root)) not in _OTHERS
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if _SQL.search(line)
    ]
    assert found == []
