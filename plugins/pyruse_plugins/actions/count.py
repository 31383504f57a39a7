"""The action ``count``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import (
    Context,
    Duration,
    Entry,
    Field,
    NewField,
    WorkedOut,
    hookimpl,
    printable,
    shortened,
)
from pyruse_plugins.actions._networks import (
    Ipv4PrefixLength,
    Ipv6PrefixLength,
    counted_under,
    with_one_spelling,
)

_MOST = 1_000_000
"""The highest fixed amount."""
_LARGEST = 10**12
"""What one entry counts at most, by its field: bytes, say."""


@dataclass(eq=False, repr=False)
class Count:
    """Raise a counter, one for each value of a field.

    With `within`, it is a sliding window in the time of the entries: each raise counts for exactly
    that long. Counters are shared by all the steps that name them, and survive a restart. During
    the grace that `reset` has granted, a counter stays at 0. An address counts as one however it is
    written, with a port or without. An entry without the key, or without
    the field of `distinct`, ends its journey here: there is nothing to count by.

    With `by`, an entry counts for several: `by = "times"` counts what the field says, such as the 5
    of "message repeated 5 times". An entry without that field counts once; more than a million
    million counts as that much; what is no whole number ends the entry's journey, and Pyruse says
    so.

    With `prefix4` or `prefix6`, the key is an address, and is counted under its network; give `ban`
    and `reset` the same prefixes. An attacker with a network of IPv6 has as many addresses as there
    are attempts.

    ```toml
    { action = "count", counter = "ssh", key = "ip", within = "10m", into = "failures" }
    { action = "count", counter = "ssh", key = "ip", prefix6 = 64, within = "10m", into = "failures" }
    { action = "count", counter = "sent", key = "user", by = "bytes", within = "1d", into = "sent" }
    { action = "count", counter = "ssh", key = "ip", by = 0, into = "failures" }
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
    by: int | Field = 1
    """How much one entry counts: a number, or the field that says it. 0 counts nothing: `into` gets
    what the counter holds."""
    distinct: Field | None = None
    """Count the different values of this field instead of entries."""
    into: NewField | None = None
    """The field that gets what the counter holds then."""

    def __post_init__(self) -> None:
        if not isinstance(self.by, Field) and not 0 <= self.by <= _MOST:
            raise ValueError(f"by = {self.by} cannot be counted (expected 0 to {_MOST})")
        if self.distinct is not None and self.by not in (0, 1):
            raise ValueError("distinct counts values, by counts entries (expected one of the two)")
        if self.by == 0 and self.into is None:
            raise ValueError("by = 0 counts nothing (expected into, for what the counter holds)")
        self._within = None if self.within is None else self.within.us
        self._by_one = self.by == 1 and self.distinct is None

    @hookimpl
    def worked_out(self, context: Context) -> WorkedOut | None:
        if self.prefix4 is not None or self.prefix6 is not None or self.by != 1:
            return None
        count, counter, within = context.counters.count, self.counter, self._within

        def raised(text: str, at: int) -> tuple[int]:
            return (count(counter, with_one_spelling(text), at=at, within=within),)

        def seen(text: str, value: str, at: int) -> tuple[int]:
            key, value = with_one_spelling(text), with_one_spelling(value)
            return (count(counter, key, at=at, within=within, distinct=value),)

        into = () if self.into is None else (self.into,)
        if self.distinct is None:
            return WorkedOut((self.key,), raised, into)
        return WorkedOut((self.key, self.distinct), seen, into)

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        key = counted_under(entry, self.key, self.prefix4, self.prefix6)
        counters = context.counters
        if self._by_one:
            held = counters.count(self.counter, key, at=entry.time_us, within=self._within)
        elif by := _amount(entry, self.by) if isinstance(self.by, Field) else self.by:
            held = counters.count(
                self.counter,
                key,
                at=entry.time_us,
                within=self._within,
                by=by,
                distinct=None if self.distinct is None else _text(entry, self.distinct),
            )
        else:
            held = counters.held(
                self.counter, key, at=entry.time_us, distinct=self.distinct is not None
            )
        if self.into is not None:
            entry[self.into] = held


def _amount(entry: Entry, field: Field) -> int:
    """How much an entry counts, by one of its fields."""
    value = entry.get(field)
    if value is None:
        return 1
    text = entry.text(field) or ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return min(value, _LARGEST)
    if text.isascii() and text.isdecimal():
        return min(int(text), _LARGEST) if len(text) < len(str(_LARGEST)) else _LARGEST
    raise ValueError(
        f'{field} = "{shortened(printable(text), 80)}" cannot be counted (expected a whole number, '
        "0 or more)"
    )


def _text(entry: Entry, field: Field) -> str:
    value = entry.text(field)
    if value is None:
        raise ValueError(f"the entry has no {field} to count by")
    return with_one_spelling(value)
