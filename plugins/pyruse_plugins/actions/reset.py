"""The action ``reset``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Duration, Entry, Field, NewField, WorkedOut, hookimpl
from pyruse_plugins.actions._networks import (
    Ipv4PrefixLength,
    Ipv6PrefixLength,
    counted_under,
    with_one_spelling,
)


@dataclass(eq=False, repr=False)
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
    prefix4: Ipv4PrefixLength | None = None
    """The same as that of the `count` steps: the network of the address is reset."""
    prefix6: Ipv6PrefixLength | None = None
    """The same for IPv6."""
    grace: Duration | None = None
    """How long the counter stays at 0, whatever happens."""
    into: NewField | None = None
    """The field that gets the number 0."""

    def __post_init__(self) -> None:
        self._grace = None if self.grace is None else self.grace.us

    @hookimpl
    def worked_out(self, context: Context) -> WorkedOut | None:
        if self.prefix4 is not None or self.prefix6 is not None:
            return None
        reset, counter, grace = context.counters.reset, self.counter, self._grace

        def done(text: str, at: int) -> tuple[int]:
            reset(counter, with_one_spelling(text), at=at, grace=grace)
            return (0,)

        return WorkedOut((self.key,), done, () if self.into is None else (self.into,))

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        key = counted_under(entry, self.key, self.prefix4, self.prefix6)
        context.counters.reset(self.counter, key, at=entry.time_us, grace=self._grace)
        if self.into is not None:
            entry[self.into] = 0
