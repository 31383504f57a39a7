"""What is unlike other days, as a report tells of it, and what of that deserves attention."""

from __future__ import annotations

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import tzinfo

from msgspec import Struct

from pyruse.api.findings import Attention, Unusual
from pyruse.state.kinds import shown_id
from pyruse.state.unlike_days import UnlikeKind, unlike_days
from pyruse.text import late_pattern, one_line
from pyruse.times import datetime_of

_NEW, _NEW_GRAVE, _GONE, _RATE = 40, 55, 35, 30
"""Weights: of something new; of that, where its program calls it an error; of what is gone; …"""
_CRITICAL, _ERROR, _WARNING = 2, 3, 4  # syslog(3)
_MOST = 50
"""Items of each sort; the rest is counted in one."""
_TOGETHER = 3
"""So many items of a sort and a program are told apart."""
_MANY = 20
"""What comes so often every day is not absent by chance."""
_LONGEST = 200  # characters

_WORDS = late_pattern(
    r"\b(?:fails|failed|failures?|fatal|denied|panic|corrupt(?:ed|ion)?|crash(?:ed)?|critical"
    r"|unable to)\b",
    re.IGNORECASE,
)
_ADDRESS = late_pattern(
    r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])"
    r"|(?<![\w:])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){3,}"
)
_GIVEN = late_pattern(r"[\"'=<(\[{/@]")
"""What follows may be anybody's text: values, quotes, paths."""
_NOTHING = "no entry came: the machine was off, or nothing was read of its journal"
_LEFT = {
    "new": "that were never seen before",
    "gone": "that came every day, but not on this one",
    "rate": "that came much more often",
}


class Comparison(Struct, frozen=True):
    """A day beside those before it."""

    unusual: list[Unusual]
    attention: list[Attention]


def compared(
    db: sqlite3.Connection, day: str, zone: tzinfo, *, is_over: bool, is_empty: bool
) -> Comparison:
    """Compare a day with those before it.

    :param db: the committed state.
    :param day: as ``YYYY-MM-DD``.
    :param zone: the zone of the times.
    :param is_over: whether the day has ended: before, nothing is absent yet.
    :param is_empty: whether there was no entry at all.
    """
    kinds = unlike_days(db, day).kinds
    if is_empty and is_over and kinds:  # that this or that is absent goes without saying
        return Comparison([], [Attention(_NOTHING, _GONE, cause="no entries")])
    if not is_over:
        kinds = [one for one in kinds if one.difference != "gone" and one.today >= one.usual]
    unusual = [
        Unusual(one.difference, shown_id(one.id), one.program, _example(one), one.today, one.usual)
        for one in kinds
        # What is important stands above already.
        if one.section != "important" or one.difference == "gone"
    ]
    return Comparison(unusual, list(_items(kinds, zone)))


def _items(kinds: Sequence[UnlikeKind], zone: tzinfo) -> Iterator[Attention]:
    """What of it deserves attention: of a program that has much of a sort, all in one item."""
    found: dict[tuple[str, str], list[Attention]] = {}
    for one in kinds:
        item = _item(one)
        if item is None:
            continue
        item.time = None if one.first is None else datetime_of(one.first, zone)
        found.setdefault((one.difference, one.program), []).append(item)
    shown: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for (difference, program), items in found.items():
        is_much = len(items) > _TOGETHER
        for item in [_together(difference, program, items)] if is_much else items:
            if shown[difference] >= _MOST:
                left[difference] += 1
                continue
            shown[difference] += 1
            yield item
    for difference, count in left.items():
        yield Attention(
            f"{count:,} more programs have kinds {_LEFT[difference]}: see `pyruse kinds`", _RATE
        )


def _together(difference: str, program: str, items: Sequence[Attention]) -> Attention:
    """Many of a program as one."""
    first = items[0]
    return Attention(
        f"{_named(program)}: {len(items):,} kinds of entries {_LEFT[difference]}",
        max(item.weight for item in items),
        min((item.time for item in items if item.time is not None), default=None),
        f"kinds {difference} {program}",
        quote=first.text,
        count=sum(item.count for item in items),
    )


def _item(one: UnlikeKind) -> Attention | None:
    if one.section != "other" or one.event:
        return None  # a chain has said what it thinks of it
    text = _example(one)
    who = f"{_named(one.program)}: " if one.program and one.program not in text else ""
    cause = f"kind {shown_id(one.id)}"
    match one.difference:
        case "new" if _is_alarming(one):
            weight = _NEW_GRAVE if one.level is not None and one.level <= _ERROR else _NEW
            mark = "never seen before"
            return Attention(f"{who}{text}", weight, cause=cause, mark=mark, count=one.today)
        case "gone" if min(one.before) == max(one.before) or min(one.before) >= _MANY:
            times = "once" if one.usual == 1 else f"{one.usual:,.0f} times"
            words = f"came every day ({times}), but not on this one"
            return Attention(f"{who}“{text}” {words}", _GONE, cause=cause)
        case "rate" if one.today > one.usual and _is_alarming(one):
            words = f"came {one.today:,} times, usually {one.usual:,.0f}"
            return Attention(f"{who}“{text}” {words}", _RATE, cause=cause, count=one.today)
    return None


def _is_alarming(one: UnlikeKind) -> bool:
    """Whether its program cries; not, whether somebody far away has made it write such words."""
    if one.level is not None and one.level <= _CRITICAL:
        return True
    if _ADDRESS.search(one.example):
        return False
    if one.level is not None and one.level <= _WARNING:
        return True
    return _WORDS.search(_GIVEN.split(one.template, maxsplit=1)[0]) is not None


def _example(one: UnlikeKind) -> str:
    """A message of a kind, without what its program and level say already."""
    return _short(one.example.removeprefix(f"[{one.level}/{one.program}] "))


def _named(program: str) -> str:
    """A program: whoever logs chooses its name, which may look like what a report says."""
    name = _short(program) or "several programs"
    return f"“{name}”" if " " in name else name


def _short(text: str) -> str:
    text = one_line(text[: 2 * _LONGEST])
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
