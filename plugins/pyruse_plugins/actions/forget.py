"""The action ``forget``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Entry, Key, hookimpl
from pyruse_plugins.actions._memory import table


@dataclass(eq=False, repr=False)
class Forget:
    """Forget what `remember` has remembered under a key.

    A key under which nothing is remembered is no fault. An entry without a field of the key ends
    its journey here.

    ```toml
    { action = "forget", name = "clients", key = "queue_id" }
    ```
    """

    key: Key
    """What the value is remembered under."""
    name: str = ""
    """The same as that of the `remember` steps."""

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        table(context, self.name).remove(self.key.of(entry))
