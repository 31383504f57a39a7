"""Texts and tables that fit a terminal: no address, date or word is broken while there is room.

What has no room beside the first columns of a table stands below them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from itertools import zip_longest

from pyruse.columns import columns as columns_of
from pyruse.columns import filled, padded, parts
from pyruse.text import late_pattern

_GAP = "  "
_BELOW = "    "
"""Before what stands below a row."""
_SHORT = 20
"""Columns: a value of so few is not broken, whatever it is made of."""
_PROSE = 20
"""Columns: so much room is enough for a text of several lines, if need be …"""
_AT_EASE = 45
"""… and so much before columns are added that can be left out."""
_TOGETHER = late_pattern(r"(?<=\d{4}-\d\d-\d\d) (?=\d\d:\d\d)|(?<=\d) (?=[×%]|[kMGT]?B\b|[mµ]?s\b)")
"""Spaces that keep what they are in whole: of times, of numbers with their units."""


def wrapped(text: str, width: int, first: str = "", rest: str | None = None) -> Iterator[str]:
    """The lines of a text, broken between words, and between characters of two columns.

    Any other word that is longer than a line is broken nowhere: a terminal does that, and copies it
    whole.

    :param text: on one line.
    :param width: of the terminal, in columns.
    :param first: stands before the first line.
    :param rest: stands before the others; None: as many spaces as ``first`` has columns.
    """
    size = columns_of(first)
    if size + columns_of(text) <= width:
        yield f"{first}{text}"
        return
    rest = " " * size if rest is None else rest
    yield from filled(((" ", word) for word in _words(text)), width, first, rest)


def _words(text: str) -> list[str]:
    return [word.replace("\0", " ") for word in _TOGETHER.sub("\0", text).split(" ") if word]


def _can_be_broken(text: str) -> bool:
    return len(parts(text)) > 1 or len(_words(text)) > 1


def _has_room(text: str, size: int) -> bool:
    """Whether a text can be broken so that it stands in a column."""
    return columns_of(text) <= size or all(
        columns_of(part) <= size
        for word in _words(text)
        if columns_of(word) > size
        for part in parts(word)
    )


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
        max(columns_of(text) for text in [heading, *(row[place] for row in rows)])
        for place, heading in enumerate(columns)
    ]
    prose = {
        place
        for place, size in enumerate(widths)
        if size > _SHORT and any(_can_be_broken(row[place]) for row in rows)
    }
    beside, below = _placed(columns, widths, prose, width, spare, first)
    left_out = [columns[place] for place in below if columns[place] in spare]
    below = [place for place in below if columns[place] not in spare]
    sizes = _shared(beside, widths, prose, width)
    to_right = [place in numbers for place in beside]
    lines: list[str] = []
    for row in rows:
        texts = [row[place] for place in beside]
        has_room = [_has_room(*one) for one in zip(texts, sizes, strict=True)]
        if not has_room[0]:
            lines += wrapped(texts[0], width)
            texts[0] = ""
        under = {*below, *(beside[at] for at in range(1, len(beside)) if not has_room[at])}
        cells = [
            [""] if place in under else list(wrapped(text, size))
            for place, text, size in zip(beside, texts, sizes, strict=True)
        ]
        if any(map(any, cells)):
            lines += (_line(cell, sizes, to_right) for cell in zip_longest(*cells, fillvalue=""))
        others = "; ".join(
            f"{columns[place]}: {row[place]}" for place in sorted(under) if row[place]
        )
        if others:
            lines += wrapped(others, width, _BELOW)
    return _line([columns[place] for place in beside], sizes, to_right), lines, left_out


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


def _line(texts: Sequence[str], sizes: Sequence[int], to_right: Sequence[bool]) -> str:
    aligned = (
        padded(text, size, to_right=is_right)
        for text, size, is_right in zip(texts, sizes, to_right, strict=True)
    )
    return _GAP.join(aligned).rstrip()
