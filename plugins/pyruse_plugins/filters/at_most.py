"""The filter ``at_most``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyruse import Condition, Entry, Field, Traits, hookimpl
from pyruse_plugins.filters._order import compare


@dataclass(eq=False, repr=False)
class AtMost:
    """Pass when a field is lower than a value, or equal to it.

    Numbers are compared as numbers, also when the field holds text (such as a number that a regular
    expression took out of a message); text is compared with text, character by character. A missing
    field does not pass, nor does text that is no number.

    ```toml
    { filter = "at_most", field = "PRIORITY", value = 3 }
    ```
    """

    traits: ClassVar[Traits] = Traits(pure=True)

    field: Field
    """The field to look at."""
    value: int | float | str
    """The highest value that passes."""

    def __post_init__(self) -> None:
        self.value = self.field.typed(self.value)

    @hookimpl
    def condition(self) -> Condition:
        return Condition.at_most(self.field, self.value)

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        order = compare(entry.get(self.field), self.value)
        return order is not None and order <= 0
