"""The filter ``equals``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pyruse import Entry, Field, Traits, hookimpl
from pyruse_plugins.filters._equality import equal_values


@dataclass(eq=False, repr=False)
class Equals:
    """Pass when a field has one value.

    A number equals the same number as text, as long as both are written alike: `value = 401` and
    `value = "401"` are the same, for a field of the journal, for what a pattern took out of a
    message, and for what `count` has counted. The text `0401` is another one (`at_least` and
    `at_most` compare what it is worth). A missing field never equals anything.

    ```toml
    { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" }
    { filter = "equals", field = "status", value = 401 }
    ```
    """

    traits: ClassVar[Traits] = Traits(pure=True)

    field: Field
    """The field to look at."""
    value: str | int | float | bool
    """What it must be."""

    def __post_init__(self) -> None:
        self._values = equal_values(self.field, [self.value])

    @hookimpl
    def tested_values(self) -> tuple[str, frozenset[Any]]:
        return self.field, self._values

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        try:
            return entry.get(self.field) in self._values
        except TypeError:  # a list, or a table: equal to nothing that a configuration can say
            return False
