"""The action ``count``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Duration, Entry, Field, NewField, hookimpl
from pyruse_plugins.actions._networks import (
    Ipv4PrefixLength,
    Ipv6PrefixLength,
    counted_under,
    with_one_spelling,
)

_MOST = 1_000_000
"""Billions of entries can be counted so, before the sum is too large for the state."""


@dataclass
class Count:
    """Raise a counter, one for each value of a field.

    With `within`, it is a sliding window in the time of the entries: each raise counts for exactly
    that long. Counters are shared by all the steps that name them, and survive a restart. During
    the grace that `reset` has granted, a counter stays at 0. An address counts as one however it is
    written, with a port or without. An entry without the key, or without
    the field of `distinct`, ends its journey here: there is nothing to count by.

    With `prefix4` or `prefix6`, the key is an address, and is counted under its network; give `ban`
    and `reset` the same prefixes. An attacker with a network of IPv6 has as many addresses as there
    are attempts.

    ```toml
    { action = "count", counter = "ssh", key = "ip", within = "10m", into = "failures" }
    { action = "count", counter = "ssh", key = "ip", prefix6 = 64, within = "10m", into = "failures" }
    { action = "count", counter = "ssh users", key = "ip", distinct = "user", within = "1h", into = "users" }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    counter: str
    """The counter's name."""
    key: Field
    """The field whose values are counted apart, such as an address."""
    prefix4: Ipv4PrefixLength | None = None
    """Count IPv4 addresses under their network of this prefix length."""
    prefix6: Ipv6PrefixLength | None = None
    """The same for IPv6."""
    within: Duration | None = None
    """How long a raise counts; without it, for ever."""
    by: int = 1
    """How much one entry counts."""
    distinct: Field | None = None
    """Count the different values of this field instead of entries."""
    into: NewField | None = None
    """The field that gets what the counter holds then."""

    def __post_init__(self) -> None:
        if not 1 <= self.by <= _MOST:
            raise ValueError(f"by = {self.by} cannot be counted (expected 1 to {_MOST})")
        if self.distinct is not None and self.by != 1:
            raise ValueError("distinct counts values, by counts entries (expected one of the two)")
        self._within = None if self.within is None else self.within.us

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        held = context.counters.count(
            self.counter,
            counted_under(entry, self.key, self.prefix4, self.prefix6),
            at=entry.time_us,
            within=self._within,
            by=self.by,
            distinct=None if self.distinct is None else _text(entry, self.distinct),
        )
        if self.into is not None:
            entry[self.into] = held


def _text(entry: Entry, field: Field) -> str:
    value = entry.text(field)
    if value is None:
        raise ValueError(f"the entry has no {field} to count by")
    return with_one_spelling(entry, field, value)
