"""The filter ``at_least``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyruse import Condition, Entry, Field, Traits, hookimpl
from pyruse_plugins.filters._order import compare


@dataclass(eq=False, repr=False)
class AtLeast:
    """Pass when a field is higher than a value, or equal to it.

    Values are compared as by `at_most`. With a field that `count` has set, it is the threshold.

    ```toml
    { filter = "at_least", field = "failures", value = 5 }
    ```
    """

    traits: ClassVar[Traits] = Traits(pure=True)

    field: Field
    """The field to look at."""
    value: int | float | str
    """The lowest value that passes."""

    def __post_init__(self) -> None:
        self.value = self.field.typed(self.value)

    @hookimpl
    def condition(self) -> Condition:
        return Condition.at_least(self.field, self.value)

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        order = compare(entry.get(self.field), self.value)
        return order is not None and order >= 0
