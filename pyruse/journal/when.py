"""Points in time as journalctl's options take them (systemd.time(7))."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, tzinfo

from pyruse.times import datetime_of, time_us_of

_UNITS = {
    "s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hr": 3600,
    "hour": 3600, "d": 86400, "day": 86400, "w": 604800, "week": 604800,
    "month": 2_629_800, "y": 31_557_600, "year": 31_557_600,
}  # fmt: skip
_SPAN = re.compile(r"(\d+)\s*([a-z]+)\s*")
_RELATIVE = re.compile(r"(?P<sign>[-+]?)(?P<span>(?:\d+\s*[a-z]+\s*)+?)(?P<ago>\s*ago)?\Z")
_FORMATS = ("%Y-%m-%d %H:%M:%S.%f", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d")
_DAYS = {"yesterday": -1, "today": 0, "tomorrow": 1}


def parse_when(text: str, now_us: int, zone: tzinfo) -> int:  # noqa: PLR0911 -- a form each
    """An instant in microseconds since the epoch.

    Takes ``2026-03-14 10:00[:00]``, ``2026-03-14``, ``10:00[:00]`` (today), ``yesterday``,
    ``today``, ``now``, ``-1h``, ``1h30m ago``, ``@1700000000`` and ISO 8601.

    :raises ValueError: it is none of these.
    """
    word = " ".join(text.split()).lower()
    today = datetime_of(now_us, zone).replace(hour=0, minute=0, second=0, microsecond=0)
    if word == "now":
        return now_us
    if word in _DAYS:
        # By date, not by hours: days have 23 to 25 of them.
        day = today.date() + timedelta(days=_DAYS[word])
        return time_us_of(datetime(day.year, day.month, day.day, tzinfo=zone))
    if re.fullmatch(r"@\d+(\.\d+)?", word):
        return round(float(word[1:]) * 1_000_000)
    if re.fullmatch(r"\d\d?:\d\d(:\d\d)?", word):
        return parse_when(f"{today:%Y-%m-%d} {word.zfill(5)}", now_us, zone)
    relative = _RELATIVE.match(word)
    if relative is not None and (relative["sign"] or relative["ago"]):
        span = _span(relative["span"], text)
        return now_us + (span if relative["sign"] == "+" else -span)
    for form in _FORMATS:
        try:
            return time_us_of(datetime.strptime(word, form).replace(tzinfo=zone))
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise _unknown(text) from None
    return time_us_of(moment if moment.tzinfo else moment.replace(tzinfo=zone))


def _span(text: str, whole: str) -> int:
    seconds = 0
    for number, unit in _SPAN.findall(text):
        length = _UNITS.get(unit) or _UNITS.get(unit.removesuffix("s"))
        if length is None:
            raise _unknown(whole)
        seconds += int(number) * length
    return seconds * 1_000_000


def _unknown(text: str) -> ValueError:
    return ValueError(
        f'"{text}" is no point in time (expected "2026-03-14 10:00", "yesterday", "-2h", "1h ago", '
        '"@1700000000", …)'
    )
