"""How many columns of a terminal a text takes, and where it may be broken.

Chinese, Japanese and Korean characters and most emoji take two (Unicode Standard Annex #11), marks
that are drawn over the character before them take none. Texts are `printable` already.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from functools import lru_cache

from pyruse.text import late_pattern

_AS_EMOJI = "\N{VARIATION SELECTOR-16}"
"""Has the symbol before it drawn as an emoji, in two columns (Unicode Technical Standard #51)."""
_WORD = late_pattern(r"(\s*)(\S+)")


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    if text.isascii():
        return len(text)
    return sum(size for _, size in _characters(text))


def padded(text: str, size: int, *, to_right: bool = False) -> str:
    """The text with spaces behind it, or before it, so that it has so many columns."""
    space = " " * (size - columns(text))
    return space + text if to_right else text + space


def cut(text: str, size: int) -> tuple[str, str]:
    """The beginning of a text that has so many columns at most, and the rest.

    A mark stays with its character.
    """
    if text.isascii():
        return text[:size], text[size:]
    used = place = 0
    for character, more in _characters(text):
        if used + more > size:
            break
        used += more
        place += len(character)
    return text[:place], text[place:]


def briefly(text: str, size: int) -> str:
    """The text; if it has more than so many columns, its beginning and dots."""
    return text if columns(text) <= size else f"{cut(text, size - 1)[0]}…"


def words(text: str) -> Iterator[tuple[str, str]]:
    """The words of a text, each with the spaces before it."""
    return ((found[1], found[2]) for found in _WORD.finditer(text))


def parts(word: str) -> list[str]:
    """What a word may be broken into: there is a place beside each character of two columns."""
    if word.isascii():
        return [word]
    found: list[str] = []
    was_wide = True
    for character, size in _characters(word):
        if size > 1 or was_wide:
            found.append(character)
        else:
            found[-1] += character
        was_wide = size > 1
    return found


def filled(
    spaced: Iterable[tuple[str, str]], width: int, first: str = "", rest: str = ""
) -> Iterator[str]:
    """Lines of words.

    A word that is wider than a line is broken between wide characters only: one that has none is
    whole, on a line that is too long.

    :param spaced: the words, each with the spaces before it.
    :param width: of the lines, in columns.
    :param first: stands before the first line.
    :param rest: stands before the others.
    """
    line, used, is_empty = first, columns(first), True
    indent = columns(rest)
    for spaces, word in spaced:
        pieces = [word] if indent + columns(word) <= width else parts(word)
        for number, piece in enumerate(pieces):
            gap = "" if is_empty or number else spaces
            size = columns(piece)
            if not is_empty and used + len(gap) + size > width:
                yield line
                line, used, gap = rest, indent, ""
            line += gap + piece
            used += len(gap) + size
            is_empty = False
    yield line.rstrip() if is_empty else line


def _characters(text: str) -> Iterator[tuple[str, int]]:
    """The characters that people see, each with its columns: marks belong to the one before."""
    whole, size = "", 0
    for one in text:
        more = _columns_of(one)
        if whole and one == _AS_EMOJI and size == 1:
            is_symbol = unicodedata.category(whole[0]) in ("So", "Sm") or whole[0].isdigit()
            more = 1 if is_symbol else 0
        elif whole and size == 2 and unicodedata.category(one) == "Sk":
            more = 0  # the colour of a skin
        elif more or not whole:
            if whole:
                yield whole, size
            whole, size = one, more
            continue
        whole += one
        size += more
    if whole:
        yield whole, size


@lru_cache(maxsize=4096)
def _columns_of(character: str) -> int:
    if unicodedata.east_asian_width(character) in "WF":
        return 2
    category = unicodedata.category(character)
    is_over = category in ("Mn", "Me", "Cf") and character != "\N{SOFT HYPHEN}"
    # The vowels and final consonants of Korean syllables that are written in pieces.
    return 0 if is_over or "\u1160" <= character <= "\u11ff" else 1
