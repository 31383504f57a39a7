"""The action ``reset``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Duration, Entry, Field, NewField, hookimpl


@dataclass
class Reset:
    """Set a counter back to 0, for the value that a field has.

    With `grace`, the counter does not rise for that long: after a successful login, say, a few more
    errors are forgiven.

    ```toml
    { action = "reset", counter = "ssh", key = "ip", grace = "1m" }
    ```
    """

    counter: str
    """The counter's name."""
    key: Field
    """The field whose values are counted apart."""
    grace: Duration | None = None
    """How long the counter stays at 0, whatever happens."""
    into: NewField | None = None
    """The field that gets the number 0."""

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        key = entry.text(self.key)
        if key is None:
            raise ValueError(f"the entry has no {self.key} whose counter could be reset")
        grace = None if self.grace is None else self.grace.us
        context.counters.reset(self.counter, key, now=entry.time_us, grace=grace)
        if self.into is not None:
            entry[self.into] = 0
