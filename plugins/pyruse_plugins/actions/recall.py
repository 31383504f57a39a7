"""The action ``recall``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Entry, Key, NewField, hookimpl
from pyruse_plugins.actions._memory import table


@dataclass(eq=False, repr=False)
class Recall:
    """Give an entry what `remember` has remembered under its key.

    Where nothing is remembered, or no longer, the entry has no field `into` afterwards, also if it
    had one before. So the filter `exists` tells whether something is remembered, whatever the
    sender of the entry has put into it. An entry without a field of the key ends its journey here.

    ```toml
    { action = "recall", name = "logins", key = "{user} {ip}", into = "last_login" },
    { filter = "exists", field = "last_login", else = "first login from there" },
    ```
    """

    key: Key
    """What the value is remembered under."""
    into: NewField
    """The field that gets the value."""
    name: str = ""
    """The same as that of the `remember` steps."""

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        known = table(context, self.name).get(self.key.of(entry), at=entry.time_us)
        if known is not None:
            entry[self.into] = known[1]
        elif self.into in entry:
            del entry[self.into]
