"""Searches by regular expressions with less work, and with the same result.

``re`` tries a pattern at each position of a text, even if the pattern begins with ``^`` and can be
found at the first position only. It tries a pattern that begins with ``.*`` or a group, even if a
word that must follow is nowhere in the text.
"""

from __future__ import annotations

import importlib
import re
import warnings
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol

_PARSER = "re._parser"
"""CPython's own parser of patterns. It is private, so Pyruse asks little of it, and tests that with
each version of Python. Without the parser, there are no short cuts."""


class Match(Protocol):
    """What a search has found: what a plugin may ask of a match of Python's ``re``."""

    def __getitem__(self, group: int | str, /) -> str | Any:
        """The text of a group; None: it took no part."""

    def groupdict(self) -> dict[str, Any]:
        """The texts of all named groups; None for those that took no part."""

    def span(self, group: int | str = 0, /) -> tuple[int, int]:
        """Where a group begins and ends in the text."""


Search = Callable[[str], Match | None]


class Regex(Protocol):
    """What searches: a pattern of ``re``, or what stands for one."""

    def search(self, text: str, /) -> Match | None:
        """Find the pattern anywhere in a text."""

    def match(self, text: str, /) -> Match | None:
        """Find the pattern at the beginning of a text."""


_WORTH = 3
"""Characters: a shorter text is found nearly everywhere."""


def parsed_pattern(regex: re.Pattern[str]) -> Any | None:
    """The parts of a pattern, each an operation and its argument; None: this Python cannot tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of doubts about it (see `Pattern`)
            return importlib.import_module(_PARSER).parse(regex.pattern, regex.flags)
    except (ImportError, AttributeError):
        return None


def doubts_of(pattern: str) -> list[str]:
    """What Python warns of: it works as it is written, if hardly as it is meant."""
    with warnings.catch_warnings(record=True) as doubts, suppress(ImportError, AttributeError):
        warnings.simplefilter("always")
        importlib.import_module(_PARSER).parse(pattern)
    return [str(doubt.message) for doubt in doubts]


def quick_search(regex: Regex, outline: re.Pattern[str]) -> Search:
    """A search that finds the same as ``regex.search``.

    :param regex: the pattern.
    :param outline: the pattern itself, or one like it: with the same beginning and literal texts.
    """
    parsed = parsed_pattern(outline)
    if parsed is None:
        return regex.search
    if is_anchored(parsed, outline.flags):
        return regex.match
    literal = "" if outline.flags & re.IGNORECASE else _literal(parsed)
    if literal and not _begins_literally(parsed):
        return _with_literal(regex, literal)
    return regex.search


def either(regexes: Sequence[re.Pattern[str]]) -> Search | None:
    """One search for all patterns; None: searching by each of them is less work.

    For patterns without groups that are all anchored: they match at one position only.
    """
    if len(regexes) < 2 or any(regex.groups or not _is_alone(regex) for regex in regexes):
        return None
    texts = "|".join(f"(?:{regex.pattern})" for regex in regexes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return re.compile(texts).match


def _is_alone(regex: re.Pattern[str]) -> bool:
    """Whether a pattern means the same as a part of a larger one, at its beginning."""
    if regex.flags != re.UNICODE.value:  # an inline flag, such as (?i), would be for all of them
        return False
    parsed = parsed_pattern(regex)
    return parsed is not None and is_anchored(parsed, regex.flags)


def is_anchored(parsed: Any, flags: int) -> bool:
    """Whether a pattern can match at the beginning of a text only."""
    if not len(parsed):
        return False
    operation, argument = map(str, parsed[0])
    if operation != "AT":
        return False
    at_line = argument == "AT_BEGINNING" and not flags & re.MULTILINE
    return at_line or argument == "AT_BEGINNING_STRING"


def _begins_literally(parsed: Any) -> bool:
    """``re`` itself looks for a literal beginning first."""
    return bool(len(parsed)) and str(parsed[0][0]) == "LITERAL"


def _literal(parsed: Any) -> str:
    """The longest text that is in everything that the pattern matches, or nothing."""
    found = run = ""
    for operation, argument in parsed:
        run = run + chr(argument) if str(operation) == "LITERAL" else ""
        found = max(found, run, key=len)
    return found if len(found) >= _WORTH else ""


def _with_literal(regex: Regex, literal: str) -> Search:
    search = regex.search

    def found(text: str) -> Match | None:
        return search(text) if literal in text else None

    return found
