"""Instants as the journal keeps them (microseconds since the epoch), days, and time zones."""

from __future__ import annotations

import os
import time as clock
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

HOUR_US = 3_600_000_000
"""Microseconds of an hour."""
_QUARTER_US = HOUR_US // 4
FOREVER = (1 << 63) - 1
"""The instant of what never happens, in microseconds since the epoch; SQLite can keep it."""

Clock = Callable[[], int]
"""A clock: gives this moment, in microseconds since the epoch. Pyruse has two times. What is named
``now`` is the machine's, by a clock; what is named ``at`` is an entry's, or derived from one."""


def now_us() -> int:
    """This moment by the machine's clock, in microseconds since the epoch."""
    return clock.time_ns() // 1000


def datetime_of(time_us: int, zone: tzinfo) -> datetime:
    """The aware datetime of an instant given in microseconds since the epoch."""
    return (_EPOCH + timedelta(microseconds=time_us)).astimezone(zone)


def iso_texts(times_us: Iterable[int], zone: tzinfo) -> Iterator[str]:
    """What `datetime.isoformat` makes of instants given in microseconds since the epoch.

    Of those that are in order, most cost no datetime: quarters of hours begin with each other.
    """
    clock_of = _clocks()
    begin = end = second = 0
    before = after = ""
    for time_us in times_us:
        if not begin <= time_us < end:
            quarter = quarter_of(time_us, zone)
            if isinstance(quarter, str):
                yield quarter
                continue
            begin, end, second, before, after = quarter
        clock = clock_of[second + time_us // 1_000_000]
        if time_us % 1_000_000:
            yield f"{before}{clock}.{str(time_us)[-6:]}{after}"
        else:
            yield f"{before}{clock}{after}"


def quarter_of(time_us: int, zone: tzinfo) -> str | tuple[int, int, int, str, str]:
    """What the texts of instants in the same quarter of an hour have in common.

    :return: its begin and end, in microseconds since the epoch; what is to be added to the seconds
        since the epoch to have those of the clock's hour; what stands before the minutes, and what
        stands behind the seconds. Or the text of this instant: long ago, or where the clocks
        change, or were set by the sun.
    """
    begin = time_us - time_us % _QUARTER_US
    end = begin + _QUARTER_US
    start = datetime_of(begin, zone)
    same = start.utcoffset() == datetime_of(end - 1, zone).utcoffset()
    if begin <= 0 or not same or start.minute % 15 or start.second:
        return datetime_of(time_us, zone).isoformat()
    text = start.isoformat()
    second = 60 * start.minute - begin // 1_000_000
    return begin, end, second, text[: len("YYYY-MM-DDThh:")], text[len("YYYY-MM-DDThh:mm:ss") :]


@cache
def _clocks() -> list[str]:
    """Minutes and seconds, by the seconds of an hour."""
    return [f"{second // 60:02}:{second % 60:02}" for second in range(3600)]


def time_us_of(moment: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exactly (``timestamp()`` rounds)."""
    return (moment - _EPOCH) // _MICROSECOND


def zone_named(name: str) -> ZoneInfo:
    """The time zone of a name such as ``Europe/Paris``.

    :raises ValueError: there is no such zone.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(
            f'"{name}" is no time zone (expected a name such as "Europe/Paris" or "UTC")'
        ) from None


def system_zone() -> tzinfo:
    """The machine's time zone with its rules: ``TZ``, else ``/etc/localtime`` (localtime(5))."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if name:
        try:
            return zone_named(name)
        except ValueError:
            pass  # a POSIX rule such as CET-1CEST, which zoneinfo does not read
    local = Path("/etc/localtime")
    try:
        _, found, zone = str(local.resolve()).partition("/zoneinfo/")
        if found:
            return ZoneInfo(zone)
        with local.open("rb") as file:
            return ZoneInfo.from_file(file, key="localtime")
    except (OSError, ValueError, ZoneInfoNotFoundError):
        return UTC


class Calendar:
    """Which day an instant belongs to.

    The day named D begins on D at the wall-clock time ``at`` and lasts until the next date's
    ``at``: 23 or 25 hours when the clocks change.
    """

    def __init__(self, zone: tzinfo, at: time = time(0)) -> None:
        self.zone = zone
        self.at = at
        self._last = (0, 0, date.min, "")
        """The two ends of the day that was found last: most instants are in the same one."""

    def day_of(self, time_us: int) -> date:
        """The day that an instant belongs to."""
        start, end, day, _ = self._last
        return day if start <= time_us < end else self._turn_to(time_us)[2]

    def name_of(self, time_us: int) -> str:
        """The same day as ``YYYY-MM-DD``: quick, as each event that is reported needs it."""
        start, end, _, name = self._last
        return name if start <= time_us < end else self._turn_to(time_us)[3]

    def _turn_to(self, time_us: int) -> tuple[int, int, date, str]:
        day = self._find(time_us)
        self._last = self.start_of(day), self.end_of(day), day, day.isoformat()
        return self._last

    def _find(self, time_us: int) -> date:
        local = datetime_of(time_us, self.zone)
        day = local.date()
        # Instants are compared, not wall-clock times: a clock hour may happen twice or never.
        if time_us < self.start_of(day):
            return day - timedelta(days=1)
        return day if time_us < self.end_of(day) else day + timedelta(days=1)

    def start_of(self, day: date) -> int:
        """The first instant of a day, in microseconds since the epoch."""
        return time_us_of(datetime.combine(day, self.at, self.zone))

    def end_of(self, day: date) -> int:
        """The first instant after a day, in microseconds since the epoch."""
        return self.start_of(day + timedelta(days=1))
