"""What plugins look at on the machine itself when a day ends, and keep from day to day."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from pyruse import Context, Report, time_us_of

_LATE = timedelta(hours=12)
"""So long after its end, what the machine shows is still taken for that of the day."""
_KEPT = timedelta(days=90)


def now() -> datetime:
    """This moment, by the machine's clock."""
    return datetime.now(UTC)


def is_over(report: Report) -> bool:
    """Whether the report's period has ended."""
    return report.end <= now()


class Daily:
    """What was seen, by day. A report that is shown again has what it had."""

    def __init__(self, name: str, look: Callable[[], Any]) -> None:
        """Look at nothing yet.

        :param name: of the table where it is kept.
        :param look: gives what there is to see, as JSON can hold it.
        """
        self._name = name
        self._look = look
        self._seen: dict[str, Any] = {}

    def until(self, report: Report, context: Context) -> Mapping[str, Any]:
        """What was seen on the report's last day and on those before, by day, in order."""
        if report.machine is not None or not report.days:
            return {}  # this machine alone can be looked at
        today = max(report.days)
        table = context.table(self._name)
        kept = {day: table.get(day, at=time_us_of(report.end)) for day in table if day <= today}
        if today not in kept and report.begin <= now() < report.end + _LATE:
            kept[today] = self._seen[today] = self._look()
        return {day: kept[day] for day in sorted(kept) if kept[day] is not None}

    def keep(self, report: Report, context: Context) -> None:
        """Keep what was seen for a day's report: a day has ended."""
        table = context.table(self._name)
        for day in report.days:
            if day in self._seen:
                table.put(day, self._seen[day], until=time_us_of(report.end + _KEPT))
        self._seen.clear()
