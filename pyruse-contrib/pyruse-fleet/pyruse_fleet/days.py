"""A host's day for the fleet's report: small, whatever the day was like."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, NamedTuple

from pyruse import Report, one_line, shortened

_MOST_ATTENTION = 20
_LONGEST = 200
_HIGHEST = 100
_FURTHEST = 16 * 60
"""Minutes: no time zone is further from UTC."""


class Need(NamedTuple):
    """Something on a host that needs attention."""

    text: str
    weight: int


class Day(NamedTuple):
    """What a host has said of a day; each part checked, as another host wrote it."""

    headline: str
    entries: int
    bans: int
    important: int
    notes: int
    needs: list[Need]
    more_needs: int
    offset: int | None
    """How many minutes its clock was before UTC, at the beginning of its day; None: not told."""

    @property
    def is_quiet(self) -> bool:
        """Whether nothing there needs anybody."""
        return not (self.needs or self.more_needs or self.important or self.notes)


def told(report: Report) -> dict[str, Any]:
    """What a host says of its day."""
    needs = sorted(report.attention, key=lambda one: -one.weight)
    return {
        "headline": _text(report.headline or ""),
        "entries": report.entries,
        "bans": report.bans,
        "important": sum(row.count for row in report.important[:1_000]),
        "notes": len(report.notes),
        "needs": [[_text(one.text), one.weight] for one in needs[:_MOST_ATTENTION]],
        "more_needs": max(0, len(needs) - _MOST_ATTENTION),
        "offset": _minutes(report.begin.utcoffset()),
    }


def checked(value: Any) -> Day:
    """What another host has said; what is not understood of it is left out."""
    value = value if isinstance(value, dict) else {}
    needs = value.get("needs")
    found = [
        Need(_text(one[0]), min(_HIGHEST, _number(one[1])))
        for one in (needs if isinstance(needs, list) else [])[:_MOST_ATTENTION]
        if isinstance(one, list) and len(one) == 2 and isinstance(one[0], str)
    ]
    headline, offset = value.get("headline"), value.get("offset")
    return Day(
        headline=_text(headline) if isinstance(headline, str) else "",
        entries=_number(value.get("entries")),
        bans=_number(value.get("bans")),
        important=_number(value.get("important")),
        notes=_number(value.get("notes")),
        needs=found,
        more_needs=_number(value.get("more_needs")),
        offset=offset if type(offset) is int and abs(offset) <= _FURTHEST else None,
    )


def _minutes(offset: timedelta | None) -> int:
    return round((offset or timedelta()).total_seconds() / 60)


def _text(value: str) -> str:
    return shortened(one_line(value[: 4 * _LONGEST]), _LONGEST)


def _number(value: Any) -> int:
    return min(value, 2**53) if type(value) is int and value > 0 else 0
