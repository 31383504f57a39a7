"""The filter ``exists``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyruse import Condition, Entry, Field, Traits, hookimpl


@dataclass(eq=False, repr=False)
class Exists:
    """Pass when an entry has a field, whatever its value.

    ```toml
    { filter = "exists", field = "COREDUMP_EXE" }
    ```
    """

    traits: ClassVar[Traits] = Traits(pure=True)

    field: Field
    """The field to look for: the journal's, or one that a step has set."""

    @hookimpl
    def condition(self) -> Condition:
        return Condition.exists(self.field)

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        return self.field in entry
