"""The filter ``equals``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyruse import Entry, Field, hookimpl


@dataclass
class Equals:
    """Pass when a field has one value.

    Numbers are numbers: `PRIORITY`, `_UID`, `_PID` and the like are compared as such, whether the
    value is written `3` or `"3"`. A missing field never equals anything.

    ```toml
    { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" }
    ```
    """

    field: Field
    """The field to look at."""
    value: str | int | float | bool
    """What it must be."""

    def __post_init__(self) -> None:
        self.value = self.field.typed(self.value)

    @hookimpl
    def tested_values(self) -> tuple[str, list[Any]]:
        return self.field, [self.value]

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        return bool(entry.get(self.field) == self.value)
