"""Plain text in columns: wrapped lines and tables."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import zip_longest

from pyruse.api.findings import Summary
from pyruse.report.cells import bar_lengths, right_aligned, texts
from pyruse.report.wording import brief
from pyruse.text import one_line, printable

WIDTH = 78
"""Columns of a terminal, and of a mail that may be quoted (RFC 5322 §2.1.1)."""
_GAP = 2
_NARROWEST = 12
"""Columns that a table's column keeps where there is little room …"""
_NARROWEST_OF_MANY = 4
"""… and where there are many of them."""
_BAR = 20
"""Columns of the longest bar."""


def wrapped(text: str, indent: int = 0, width: int = WIDTH) -> str:
    """The text in lines of at most ``width`` columns, all but the first one indented.

    The indentation also marks what belongs to a message: none can pass for a line of the report.
    """
    return f"\n{' ' * indent}".join(_lines(printable(text), width - indent))


def aside(text: str, remarks: list[str], indent: int = 0, width: int = WIDTH) -> str:
    """What follows a wrapped text, so that remarks stand beside it.

    One alone stands at the right edge, in the last line where it has room; others stand below.
    """
    if len(remarks) == 1 and indent + len(remarks[0]) <= width:
        last = text.rpartition("\n")[2]
        used = len(last) if "\n" in text else indent + len(last)
        room = width - used - len(remarks[0])
        return f"{' ' * room}{remarks[0]}" if room > 1 else f"\n{remarks[0].rjust(width)}"
    indent += 2
    return "".join(f"\n{' ' * indent}{wrapped(remark, indent, width)}" for remark in remarks)


def _lines(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in text.expandtabs(4).split("\n"):
        if len(line) <= width:
            lines.append(line.rstrip())
        else:
            # Log lines are full of paths, options and names: a hyphen is no place to break them.
            lines += textwrap.wrap(line, width, break_on_hyphens=False)
    return lines


def text_table(
    table: Summary, limit: int, clock: Callable[[datetime], str], width: int = WIDTH
) -> str:
    """The first ``limit`` rows of a table in aligned columns, below their names.

    The widest columns are wrapped where there is no room. Rows that are to stand out begin with an
    exclamation mark.
    """
    shown, more = _columns(table, width)
    names = [column.name for column in shown.columns]
    rows = [
        [one_line(brief(cell)) for cell in row] for row in (names, *_cells(shown, limit, clock))
    ]
    marked = any(at < limit for at in table.emphasis)
    room = width - 2 * marked
    widths = _fitted([max(map(len, cells)) for cells in zip(*rows, strict=True)], room)
    right = right_aligned(shown)
    lines = [
        _row(row, widths, right, ("! " if at - 1 in table.emphasis else "  ") * marked)
        for at, row in enumerate(rows)
    ]
    if more:
        lines.append(f"(and {more:,} more columns)")
    return "\n".join(lines)


def _columns(table: Summary, width: int) -> tuple[Summary, int]:
    """The table with so many columns as there is room for, and how many are left out."""
    most = (width + _GAP) // (_NARROWEST_OF_MANY + _GAP)
    if len(table.columns) <= most:
        return table, 0
    rows = [row[:most] for row in table.rows]
    cut = Summary(table.id, table.title, table.columns[:most], rows, emphasis=table.emphasis)
    return cut, len(table.columns) - most


def _cells(table: Summary, limit: int, clock: Callable[[datetime], str]) -> Iterator[Sequence[str]]:
    lengths = bar_lengths(table, limit, _BAR)
    rows = texts(table, limit, clock)
    digits = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    for row, of_row in zip(rows, lengths, strict=True):
        yield [
            cell if length is None else f"{cell.rjust(width)} {'█' * length}".rstrip()
            for cell, length, width in zip(row, of_row, digits, strict=True)
        ]


def _fitted(widths: list[int], room: int) -> list[int]:
    widths = list(widths)
    gaps = _GAP * (len(widths) - 1)
    narrowest = max(_NARROWEST_OF_MANY, min(_NARROWEST, (room - gaps) // len(widths)))
    excess = sum(widths) + gaps - room
    while excess > 0 and max(widths) > narrowest:
        widest = widths.index(max(widths))
        # Down to the next widest one at once: a cell may have thousands of characters.
        others = [width for width in widths if width < widths[widest]]
        cut = min(excess, max(1, widths[widest] - max(others, default=narrowest)))
        cut = min(cut, widths[widest] - narrowest)
        widths[widest] -= cut
        excess -= cut
    return widths


def _row(cells: list[str], widths: list[int], right: list[bool], mark: str) -> str:
    columns = [_lines(cell, width) for cell, width in zip(cells, widths, strict=True)]
    lines = []
    for parts in zip_longest(*columns, fillvalue=""):
        aligned = (
            part.rjust(width) if to_right else part.ljust(width)
            for part, width, to_right in zip(parts, widths, right, strict=True)
        )
        lines.append((mark + (" " * _GAP).join(aligned)).rstrip())
        mark = " " * len(mark)
    return "\n".join(lines)
