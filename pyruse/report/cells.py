"""Writes the cells of summaries, as the types of their columns say."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from math import ceil, isfinite
from typing import Any

from msgspec.structs import replace

from pyruse.api.findings import CellType, Summary
from pyruse.text import brief_line

LONGEST = 200
"""Characters of a cell that people are shown."""
_UNITS = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_SPANS = ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s"))


def written(value: Any, type_: CellType, clock: Callable[[datetime], str]) -> str:
    """A cell as text.

    :param value: what it holds; None: it is empty. Text is for people as it is, in each column.
    :param type_: of its column.
    :param clock: writes times.
    """
    if value is None:
        return ""
    if isinstance(value, datetime):
        return clock(value)
    if not isinstance(value, int | float):
        return str(value)
    write = {"bytes": _bytes, "duration": _duration, "share": "{:.0%}".format}.get(type_, _number)
    return write(value)


def _number(number: float) -> str:
    return f"{number:,.0f}" if float(number).is_integer() else f"{number:,.1f}"


def _bytes(size: float) -> str:
    for unit in _UNITS:
        if abs(size) < 1024 or unit == _UNITS[-1]:
            break
        size /= 1024
    return f"{size:,.0f} {unit}" if unit == "B" or abs(size) >= 10 else f"{size:,.1f} {unit}"


def _duration(seconds: float) -> str:
    """The two largest units: ``3 d 4 h``."""
    rest, parts = round(seconds), []
    for length, unit in _SPANS:
        count, rest = divmod(rest, length)
        if count:
            parts.append(f"{count} {unit}")
        elif parts:
            break
    return " ".join(parts[:2]) or "0 s"


def without_empty(summary: Summary, limit: int) -> Summary:
    """The summary without the columns that have nothing in its first rows."""
    rows = summary.rows[:limit]
    used = [
        at
        for at in range(len(summary.columns))
        if not rows or any(row[at] not in (None, "") for row in rows)
    ]
    if len(used) == len(summary.columns):
        return summary
    columns = [summary.columns[at] for at in used]
    return replace(summary, columns=columns, rows=[[row[at] for at in used] for row in rows])


def texts(
    summary: Summary, limit: int, clock: Callable[[datetime], str], longest: int = LONGEST
) -> list[list[str]]:
    """The first rows of a summary as texts, each of one line and ``longest`` characters at most."""
    types = [column.type for column in summary.columns]
    return [
        [
            brief_line(written(cell, type_, clock), longest)
            for cell, type_ in zip(row, types, strict=True)
        ]
        for row in summary.rows[:limit]
    ]


def bar_lengths(summary: Summary, limit: int, longest: int) -> list[list[int | None]]:
    """For each cell of the first rows, the length of its bar; None where there is none."""
    bars = [column.type == "bar" for column in summary.columns]
    most = [
        max((_size(row[at]) for row in summary.rows), default=0) if is_bar else 0
        for at, is_bar in enumerate(bars)
    ]
    return [
        [
            ceil(_size(cell) * longest / most[at]) if bars[at] and most[at] > 0 else None
            for at, cell in enumerate(row)
        ]
        for row in summary.rows[:limit]
    ]


def _size(cell: Any) -> float:
    return max(0, cell) if isinstance(cell, int | float) and isfinite(cell) else 0


def right_aligned(summary: Summary) -> list[bool]:
    """For each column, whether it is aligned to the right: numbers are."""
    return [
        column.type not in ("text", "time", "bar")
        or (column.type == "text" and _is_decimal(summary, at))
        for at, column in enumerate(summary.columns)
    ]


def _is_decimal(summary: Summary, at: int) -> bool:
    """Whether all the cells of a column are whole numbers, written as text."""
    cells = [row[at] for row in summary.rows]
    return bool(cells) and all(isinstance(cell, str) and cell.isdecimal() for cell in cells)
