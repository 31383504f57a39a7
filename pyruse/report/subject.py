"""The subject of a report's mail: what needs doing, in one line."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from pyruse.api.report import Report
from pyruse.text import one_line

LONGEST = 200
"""Characters of a subject."""
_HOST, _REASON, _REASONS = 60, 70, 130
"""Characters of names of machines, of one reason, of all of them."""


def subject_fields(report: Report) -> Mapping[str, Any]:
    """What `[report] subject` may have."""
    return {
        "day": report.title,
        "date": _day(report),
        "host": _hosts(report),
        "entries": report.entries,
        "important": len(report.important),
        "interesting": len(report.interesting),
        "other": len(report.other),
        "bans": report.bans,
        "attention": len(report.attention),
        "reasons": reasons(report),
        "verdict": verdict(report),
    }


def verdict(report: Report) -> str:
    """Whether anything needs attention, and what: ``2 need attention: root logged in …; …``."""
    if report.headline:
        return _cut(report.headline, _REASONS)
    if count := len(report.attention):
        which = "" if report.every == "day" else f" in {report.title}"
        words = "needs" if count == 1 else "need"
        return f"{count:,} {words} attention{which}: {reasons(report)}"
    counts = [_counted(report.entries, "entry", "entries")]
    if report.bans:
        counts.append(_counted(report.bans, "ban", "bans"))
    return f"nothing unusual on {_day(report)} ({', '.join(counts)})"


def reasons(report: Report) -> str:
    """The first things that need attention, as far as there is room."""
    told: list[str] = []
    room = _REASONS
    for item in report.attention:
        text = _cut(item.text, _REASON)
        if told and len(text) > room:
            break
        told.append(text)
        room -= len(text) + 2
    more = len(report.attention) > len(told)
    return "; ".join([*told, *(["…"] if more else [])])


def _hosts(report: Report) -> str:
    """The machines, as far as there is room: ``web1, web2 and 198 more``."""
    told: list[str] = []
    room = _HOST
    for host in report.hosts:
        name = _cut(host, _HOST)
        if told and len(name) > room:
            break
        told.append(name)
        room -= len(name) + 2
    more = len(report.hosts) - len(told)
    return ", ".join(told) + (f" and {more:,} more" if more else "")


def _day(report: Report) -> str:
    """The day: ``Fri 27 Nov``; another period's name, as it is."""
    try:
        day = date.fromisoformat(report.title)
    except ValueError:
        return report.title
    return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"


_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
"""Whatever the locale: programs filter mails by their subject."""


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def _cut(text: str, limit: int) -> str:
    text = one_line(text[: 4 * limit])
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"
