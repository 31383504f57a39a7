"""The filter ``in``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from pyruse import Entry, Field, Traits, hookimpl
from pyruse_plugins.filters._equality import equal_values


@dataclass(eq=False, repr=False)
class In:
    """Pass when a field has one of several values.

    However many values there are, it takes the same time. A number equals the same number as text,
    as with `equals`. A missing field is never among them.

    ```toml
    { filter = "in", field = "PRIORITY", values = [0, 1, 2, 3] }
    ```
    """

    traits: ClassVar[Traits] = Traits(pure=True)

    field: Field
    """The field to look at."""
    values: list[str | int | float | bool]
    """What it may be."""

    def __post_init__(self) -> None:
        self._values = equal_values(self.field, self.values)

    @hookimpl
    def tested_values(self) -> tuple[str, frozenset[Any]]:
        return self.field, self._values

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        try:
            return entry.get(self.field) in self._values
        except TypeError:  # a list, or a table: equal to nothing that a configuration can say
            return False
