"""Plain text in columns: wrapped lines and tables."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import zip_longest

from pyruse.api.findings import Summary
from pyruse.columns import columns, cut, filled, padded, words
from pyruse.report.cells import LONGEST, bar_lengths, right_aligned, texts
from pyruse.text import brief_line, printable

WIDTH = 78
"""Columns of a terminal, and of a mail that may be quoted (RFC 5322 §2.1.1)."""
_GAP = 2
_NARROWEST = 4
"""Columns that a table's column keeps, however many there are."""
_LONGEST_WORD = 28
"""Columns of words that are not broken before all other columns are as narrow as can be."""
_LINES_OF_CELL = 5
"""A cell of more lines is cut, and ends with dots; with a larger ``longest``, none is."""
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
    if len(remarks) == 1 and indent + columns(remarks[0]) <= width:
        last = text.rpartition("\n")[2]
        used = columns(last) if "\n" in text else indent + columns(last)
        room = width - used - columns(remarks[0])
        return f"{' ' * room}{remarks[0]}" if room > 1 else f"\n{_right(remarks[0], width)}"
    indent += 2
    return "".join(f"\n{' ' * indent}{wrapped(remark, indent, width)}" for remark in remarks)


def _right(text: str, size: int) -> str:
    return padded(text, size, to_right=True)


def _lines(text: str, width: int) -> list[str]:
    lines: list[str] = []
    for line in text.expandtabs(4).split("\n"):
        size = columns(line)
        if size <= width:
            lines.append(line.rstrip())
        elif size == len(line):
            # Log lines are full of paths, options and names: a hyphen is no place to break them.
            lines += textwrap.wrap(line, width, break_on_hyphens=False)
        else:
            lines += filled(_broken(line, width), width)
    return lines


def _broken(line: str, width: int) -> Iterator[tuple[str, str]]:
    """The words of a line, each with the spaces before it; longer ones than a line in pieces."""
    for spaces, word in words(line):
        before, rest = spaces, word
        while rest:
            head, rest = cut(rest, max(2, width))
            yield before, head
            before = ""


def text_table(
    table: Summary,
    limit: int,
    clock: Callable[[datetime], str],
    longest: int = LONGEST,
    width: int = WIDTH,
) -> str:
    """The first ``limit`` rows of a table in aligned columns, below their names.

    The widest columns are wrapped where there is no room. Rows that are to stand out begin with an
    exclamation mark.
    """
    shown, more = _columns(table, width)
    names = [brief_line(column.name, longest) for column in shown.columns]
    rows = [names, *_cells(shown, limit, clock, longest)]
    marked = any(at < limit for at in table.emphasis)
    widths = _fitted(rows, width - 2 * marked)
    right = right_aligned(shown)
    most = _LINES_OF_CELL if longest <= LONGEST else longest
    lines = [
        _row(row, widths, right, ("! " if at - 1 in table.emphasis else "  ") * marked, most)
        for at, row in enumerate(rows)
    ]
    if more:
        lines.append(f"(and {more:,} more columns)")
    return "\n".join(lines)


def _columns(table: Summary, width: int) -> tuple[Summary, int]:
    """The table with so many columns as there is room for, and how many are left out."""
    most = (width + _GAP) // (_NARROWEST + _GAP)
    if len(table.columns) <= most:
        return table, 0
    rows = [row[:most] for row in table.rows]
    cut = Summary(table.id, table.title, table.columns[:most], rows, emphasis=table.emphasis)
    return cut, len(table.columns) - most


def _cells(
    table: Summary, limit: int, clock: Callable[[datetime], str], longest: int
) -> Iterator[Sequence[str]]:
    lengths = bar_lengths(table, limit, _BAR)
    rows = texts(table, limit, clock, longest)
    digits = [max(map(columns, cells)) for cells in zip(*rows, strict=True)]
    for row, of_row in zip(rows, lengths, strict=True):
        yield [
            cell if length is None else f"{_right(cell, width)} {'█' * length}".rstrip()
            for cell, length, width in zip(row, of_row, digits, strict=True)
        ]


def _fitted(rows: Sequence[Sequence[str]], room: int) -> list[int]:
    """How wide the columns are: long texts give way first, then long words."""
    down = list(zip(*rows, strict=True))
    widths = [max(map(columns, cells)) for cells in down]
    excess = sum(widths) + _GAP * (len(widths) - 1) - room
    words = [
        max(
            (min(columns(word), _LONGEST_WORD) for cell in cells for word in cell.split()),
            default=0,
        )
        for cells in down
    ]
    for least in (words, [_NARROWEST] * len(widths)):
        while excess > 0:
            wide = [at for at, width in enumerate(widths) if width > least[at]]
            if not wide:
                break
            widest = max(wide, key=widths.__getitem__)
            # Down to the next widest one at once: a cell may have thousands of characters.
            next_ = max((widths[at] for at in wide if widths[at] < widths[widest]), default=0)
            cut = min(excess, widths[widest] - max(next_, least[widest]))
            widths[widest] -= cut
            excess -= cut
    return widths


def _row(cells: Sequence[str], widths: list[int], right: list[bool], mark: str, most: int) -> str:
    cells_ = [
        _some(_lines(cell, width), width, most) for cell, width in zip(cells, widths, strict=True)
    ]
    lines = []
    for parts in zip_longest(*cells_, fillvalue=""):
        aligned = (
            padded(part, width, to_right=to_right)
            for part, width, to_right in zip(parts, widths, right, strict=True)
        )
        lines.append((mark + (" " * _GAP).join(aligned)).rstrip())
        mark = " " * len(mark)
    return "\n".join(lines)


def _some(lines: list[str], width: int, most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], f"{cut(lines[most - 1], width - 1)[0]}…"]
