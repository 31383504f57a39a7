"""The action ``remember``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Duration, Entry, Field, Key, Template, hookimpl, shortened
from pyruse_plugins.actions._memory import LONGEST, table

_LARGEST = 2**63 - 1


@dataclass(eq=False, repr=False)
class Remember:
    """Remember a value under a key, for entries that come later.

    `recall` gives it to them, `forget` ends it. So lines that belong together share what one of
    them says: those of a process (`_PID`), of a mail (its queue id), of a user. The key is a field,
    or several: `"{_HOSTNAME} {_PID}"`.

    What is remembered is the value of `field`, or the text `value`, or, without either, the time of
    the entry. It is remembered for `keep` in the time of the entries, over restarts. To remember a
    key again puts the new value in the place of the old one, and begins anew with `keep`. An entry
    without a field of the key ends its journey here; one without `field` changes nothing.

    Text is cut after 1,000 characters. 100,000 values are kept, in all memories together.
    Where there are more, the oldest of the largest memory are forgotten, and the log and the report
    tell of it. So what a stranger can make up (a sender, a user's name before the login)
    makes a good key only with a short `keep`.

    ```toml
    { action = "remember", name = "logins", key = "{user} {ip}", keep = "90d" }
    { action = "remember", name = "clients", key = "queue_id", field = "ip", keep = "1d" }
    ```
    """

    key: Key
    """What the value is remembered under."""
    keep: Duration
    """How long it is remembered."""
    field: Field | None = None
    """The field whose value is remembered."""
    value: Template | None = None
    """Text that is remembered instead."""
    name: str = ""
    """The memory's name: what is remembered for different ends is kept apart by it."""

    def __post_init__(self) -> None:
        if self.field is not None and self.value is not None:
            raise ValueError("field and value are both given (expected one of them)")

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        key = self.key.of(entry)
        value = self._value(entry, context)
        if value is None:
            return
        at = entry.time_us
        memory = table(context, self.name)
        known = memory.get(key, at=at)
        if known is None or known[0] <= at:  # else the entry is late, and what is known is newer
            memory.put(key, [at, value], until=at + self.keep.us)

    def _value(self, entry: Entry, context: Context) -> str | int | None:
        if self.field is None:
            if self.value is None:  # 2026-03-14 07:05:00
                return entry.time.astimezone(context.zone).isoformat(" ", "seconds")[:19]
            return shortened(self.value.render(entry), LONGEST)
        value = entry.get(self.field)
        if isinstance(value, int) and abs(value) <= _LARGEST:
            return value
        text = entry.text(self.field)
        return None if text is None else shortened(text, LONGEST)
