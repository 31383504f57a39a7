"""Texts and tables that fit a terminal: no address, date or word is broken while there is room.

What has no room beside the first columns of a table stands below them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest

_GAP = "  "
_BELOW = "    "
"""Before what stands below a row."""
_SHORT = 20
"""Columns: a value of so few is not broken, whatever it is made of."""
_PROSE = 20
"""Columns: so much room is enough for a text of several lines, if need be …"""
_AT_EASE = 45
"""… and so much before columns are added that can be left out."""
_TOGETHER = re.compile(r"(?<=\d{4}-\d\d-\d\d) (?=\d\d:\d\d)|(?<=\d) (?=[×%]|[kMGT]?B\b|[mµ]?s\b)")
"""Spaces that keep what they are in whole: of times, of numbers with their units."""


def cells(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1
        for one in text
    )


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> Iterator[str]:
    """The lines of a text, broken between words.

    A word that is longer than a line is broken nowhere: a terminal does that, and copies it whole.

    :param text: on one line.
    :param width: of the terminal, in columns.
    :param first: stands before the first line.
    :param rest: stands before the others; None: as many spaces as ``first`` has columns.
    """
    if cells(first) + cells(text) <= width:
        yield f"{first}{text}"
        return
    rest = " " * cells(first) if rest is None else rest
    line, is_empty = first, True
    for word in _words(text):
        if not is_empty and cells(line) + 1 + cells(word) > width:
            yield line
            line, is_empty = rest, True
        line += word if is_empty else f" {word}"
        is_empty = False
    yield line.rstrip() if is_empty else line


def _words(text: str) -> list[str]:
    return [word.replace("\0", " ") for word in _TOGETHER.sub("\0", text).split(" ") if word]


def drawn(  # noqa: PLR0913 -- what is known of a table
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    width: int,
    *,
    numbers: Collection[int] = (),
    spare: Collection[str] = (),
    first: Sequence[str] = (),
) -> tuple[str, list[str], list[str]]:
    """A table that fits.

    :param columns: their headings.
    :param rows: their texts, each on one line.
    :param width: of the terminal, in columns.
    :param numbers: the places of columns that stand at the right.
    :param spare: the columns that are left out where there is no room.
    :param first: the columns that have room before others.
    :return: the line of headings, the lines of the table, and the columns that are left out.
    """
    widths = [
        max(cells(text) for text in [heading, *(row[place] for row in rows)])
        for place, heading in enumerate(columns)
    ]
    prose = {
        place
        for place, size in enumerate(widths)
        if size > _SHORT and any(len(_words(row[place])) > 1 for row in rows)
    }
    beside, below = _placed(columns, widths, prose, width, spare, first)
    left_out = [columns[place] for place in below if columns[place] in spare]
    below = [place for place in below if columns[place] not in spare]
    sizes = _shared(beside, widths, prose, width)
    right = [place in numbers for place in beside]
    lines: list[str] = []
    for row in rows:
        parts = [list(wrapped(row[place], size)) for place, size in zip(beside, sizes, strict=True)]
        lines += (_line(texts, sizes, right) for texts in zip_longest(*parts, fillvalue=""))
        others = "; ".join(f"{columns[place]}: {row[place]}" for place in below if row[place])
        if others:
            lines += wrapped(others, width, _BELOW)
    return _line([columns[place] for place in beside], sizes, right), lines, left_out


def _placed(  # noqa: PLR0913 -- as above
    columns: Sequence[str],
    widths: Sequence[int],
    prose: set[int],
    width: int,
    spare: Collection[str],
    first: Sequence[str],
) -> tuple[list[int], list[int]]:
    """The columns that stand beside each other, and those that have no room there."""
    order = sorted(
        range(len(columns)),
        key=lambda place: (
            first.index(columns[place]) if columns[place] in first else len(first),
            columns[place] in spare,
            place in prose,
            place,
        ),
    )
    room = width + len(_GAP)
    beside: list[int] = []
    for place in order:
        needed = min(widths[place], _PROSE) if place in prose else widths[place]
        if columns[place] in spare:
            needed += sum(
                max(0, min(widths[one], _AT_EASE) - _PROSE) for one in prose.intersection(beside)
            )
        if needed + len(_GAP) <= room or not beside:
            beside.append(place)
            room -= needed + len(_GAP)
        elif columns[place] not in spare:
            room = 0  # what comes behind it is of less use
    return sorted(beside), [place for place in range(len(columns)) if place not in beside]


def _shared(
    beside: Sequence[int], widths: Sequence[int], prose: Collection[int], width: int
) -> list[int]:
    """The widths of columns: texts of several lines share what the others leave."""
    sizes = [min(widths[one], _PROSE) if one in prose else widths[one] for one in beside]
    left = width - sum(sizes) - len(_GAP) * (len(beside) - 1)
    for number, place in enumerate(beside):
        more = max(0, min(left, widths[place] - sizes[number]))
        sizes[number] += more
        left -= more
    return sizes


def _line(texts: Sequence[str], sizes: Sequence[int], right: Sequence[bool]) -> str:
    parts = []
    for text, size, is_right in zip(texts, sizes, right, strict=True):
        space = " " * (size - cells(text))
        parts.append(space + text if is_right else text + space)
    return _GAP.join(parts).rstrip()
