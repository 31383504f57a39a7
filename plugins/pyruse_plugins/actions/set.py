"""The action ``set``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Entry, NewField, Template, hookimpl


@dataclass(eq=False, repr=False)
class Set:
    """Set a field of the entry, for the steps after this one.

    ```toml
    { action = "set", field = "who", value = "{user}@{_HOSTNAME}" }
    ```
    """

    field: NewField
    """The field to set."""
    value: Template
    """Its value."""

    @hookimpl
    def act_on_entry(self, entry: Entry) -> None:
        entry[self.field] = self.value.render(entry)
