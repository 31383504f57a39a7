"""The filter ``at_hours``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Entry, hookimpl
from pyruse_plugins.filters._times import Hours


@dataclass(eq=False, repr=False)
class AtHours:
    """Pass when an entry was logged at some hours of the day.

    The hours are those of the clocks in `[report] timezone`, summer time and all, and it is the
    time of the entry that counts: a replay, and a daemon that has to catch up, decide the same. A
    range may go over midnight. Its begin belongs to it, its end does not; "00:00-24:00" is the
    whole day.

    ```toml
    { filter = "at_hours", hours = "22:00-06:00" }
    { filter = "at_hours", hours = ["00:00-08:30", "18:00-24:00"] }
    ```
    """

    hours: Hours
    """A range of hours, or a list of them."""

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        time = entry["__REALTIME_TIMESTAMP"]
        return self.hours.has(time.hour * 60 + time.minute)
