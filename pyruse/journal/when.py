"""Points in time as journalctl's options take them (systemd.time(7))."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo

from pyruse.text import late_pattern
from pyruse.times import datetime_of, time_us_of

_SECOND = 1_000_000
_UNITS = {
    unit: length
    for units, length in {
        "us usec µs": 1,
        "ms msec": 1000,
        "s sec second seconds": _SECOND,
        "m min minute minutes": 60 * _SECOND,
        "h hr hour hours": 3600 * _SECOND,
        "d day days": 86_400 * _SECOND,
        "w week weeks": 604_800 * _SECOND,
        "M month months": 2_629_800 * _SECOND,
        "y year years": 31_557_600 * _SECOND,
    }.items()
    for unit in units.split()
}
"""The units of systemd.time(7) in microseconds. A capital M is a month, a small one a minute."""
_SPAN = late_pattern(r"([0-9]{1,18}) ?([a-zµ]+) ?", re.IGNORECASE)
_RELATIVE = late_pattern(
    r"(?P<sign>[-+]?)(?P<span>(?:[0-9]{1,18} ?[a-zµ]+ ?)+?)(?P<ago> ?ago)?", re.IGNORECASE
)
_WEEKDAY = late_pattern(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]* ")
"""``Sat 2026-03-14 10:00:00 UTC``: so does journalctl show times, of boots for instance."""
_FORMATS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_LAST = time_us_of(datetime.max.replace(tzinfo=UTC))
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def parse_when(text: str, now: int, zone: tzinfo) -> int:
    """An instant in microseconds since the epoch.

    Takes ``2026-03-14 10:00[:00]``, ``2026-03-14``, ``10:00[:00]`` (today), ``yesterday``,
    ``today``, ``now``, ``-1h``, ``1h30m ago``, ``@1700000000``, ISO 8601, and times as journalctl
    shows them. Of a clock time that happens twice, it is the first one.

    :raises ValueError: it is none of these.
    """
    words = " ".join(text.split())
    relative = _RELATIVE.fullmatch(words)
    if relative is not None and (relative["sign"] or relative["ago"]):
        span = _span(relative["span"], text)
        return _limited(now + (span if relative["sign"] == "+" else -span))
    words = words.lower()
    if words == "now":
        return now
    if re.fullmatch(r"@[0-9]{1,18}(\.[0-9]{1,18})?", words):
        return _limited(round(float(words[1:]) * _SECOND))
    moment = _moment(_WEEKDAY.sub("", words, count=1), datetime_of(now, zone), zone)
    if moment is None:
        raise _unknown(text)
    return _limited(time_us_of(moment))


def _limited(time_us: int) -> int:
    """What libsystemd can look for: there are no entries before 1970, nor after the year 9999."""
    return max(0, min(time_us, _LAST))


def _moment(words: str, now: datetime, zone: tzinfo) -> datetime | None:
    if words in _DAYS:
        # By date, not by hours: days have 23 to 25 of them.
        day = now.date() + timedelta(days=_DAYS[words])
        return datetime(day.year, day.month, day.day, tzinfo=zone)
    if words.endswith(" utc"):
        words, zone = words.removesuffix(" utc"), UTC
    if re.fullmatch(r"[0-9][0-9]?:[0-9:.]+", words):
        words = f"{now:%Y-%m-%d} {words}"
    elif re.match(r"[0-9][0-9]-", words):
        words = f"20{words}"
    for form in _FORMATS:
        try:
            return datetime.strptime(words, form).replace(tzinfo=zone)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(words.upper())
    except ValueError:
        return _of_own_zone(words, zone)
    return moment if moment.tzinfo else moment.replace(tzinfo=zone)


def _of_own_zone(words: str, zone: tzinfo) -> datetime | None:
    """A time with the abbreviation of the zone, such as CET: it tells which one is meant."""
    time, _, name = words.rpartition(" ")
    try:
        moment = datetime.strptime(time, _FORMATS[1]).replace(tzinfo=zone)
    except ValueError:
        return None
    both = (moment, moment.replace(fold=1))
    return next((one for one in both if (one.tzname() or "").lower() == name), None)


def _span(text: str, whole: str) -> int:
    span = 0
    for number, unit in _SPAN.findall(text):
        length = _UNITS.get(unit) or _UNITS.get(unit.lower())
        if length is None:
            raise _unknown(whole)
        span += int(number) * length
    return span


def _unknown(text: str) -> ValueError:
    return ValueError(
        f'"{text}" is no point in time (expected "2026-03-14 10:00", "yesterday", "-2h", "1h ago", '
        '"@1700000000", …)'
    )
