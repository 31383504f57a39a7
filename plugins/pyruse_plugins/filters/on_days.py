"""The filter ``on_days``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Entry, hookimpl
from pyruse_plugins.filters._times import Days


@dataclass(eq=False, repr=False)
class OnDays:
    """Pass when an entry was logged on some days of the week.

    Days begin at midnight in `[report] timezone`, and it is the time of the entry that counts. Days
    have their English names, or the first three letters of these; a range may go over the end of
    the week.

    ```toml
    { filter = "on_days", days = ["Sat", "Sun"] }
    { filter = "on_days", days = "Mon-Fri" }
    ```
    """

    days: Days
    """A day, a range of days, or a list of them."""

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        return entry["__REALTIME_TIMESTAMP"].weekday() in self.days
