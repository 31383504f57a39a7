"""The filter ``contains``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from pyruse import Condition, Entry, Field, Traits, hookimpl


@dataclass(eq=False, repr=False)
class Contains:
    """Pass when a field contains a text.

    It is faster than a regular expression, and nothing in the text has a special meaning.

    ```toml
    { filter = "contains", field = "MESSAGE", text = "I/O error" }
    ```
    """

    traits: ClassVar[Traits] = Traits(pure=True)

    text: str
    """What to look for, in this very case."""
    field: Field = Field("MESSAGE")
    """Where to look."""

    @hookimpl
    def condition(self) -> Condition:
        return Condition.contains(self.field, self.text)

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        text = entry.text(self.field)
        return text is not None and self.text in text
