"""Searching by regular expressions with less work, and with the same result.

``re`` tries a pattern at each place of a text, also one that begins with ``^`` and can be found at
the first place only; and it tries one that begins with ``.*`` or a group, though a word that must
be somewhere behind it is nowhere in the text.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

# CPython's own parser of patterns. It is private: what is asked of it here is little, has been the
# same for twenty years, and is tested with each version of Python.
from re import _constants as ops  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any

Search = Callable[[str], re.Match[str] | None]

_WORTH = 3
"""Characters: a shorter text is found nearly everywhere."""


def quick_search(regex: re.Pattern[str]) -> Search:
    """What finds the same as ``regex.search``."""
    parsed = parser.parse(regex.pattern, regex.flags)
    if _is_anchored(parsed, regex.flags):
        return regex.match
    literal = "" if regex.flags & re.IGNORECASE else _literal(parsed)
    if literal and not _begins_literally(parsed):
        return _with_literal(regex, literal)
    return regex.search


def either(regexes: Sequence[re.Pattern[str]]) -> Search | None:
    """What finds something where one of these finds something; None: better one by one.

    Only for patterns without groups that are all anchored: these can be found at one place alone.
    """
    if len(regexes) < 2 or any(regex.groups or not _is_alone(regex) for regex in regexes):
        return None
    texts = "|".join(f"(?:{regex.pattern})" for regex in regexes)
    return re.compile(texts).match


def _is_alone(regex: re.Pattern[str]) -> bool:
    """Whether a pattern means the same as a part of a larger one, at its beginning."""
    if regex.flags != re.UNICODE.value:  # an inline flag, such as (?i), would be for all of them
        return False
    return _is_anchored(parser.parse(regex.pattern, regex.flags), regex.flags)


def _is_anchored(parsed: Any, flags: int) -> bool:
    """Whether a pattern can match at the beginning of a text only."""
    if not len(parsed):
        return False
    operation, argument = parsed[0]
    if operation is not ops.AT:
        return False
    at_line = argument is ops.AT_BEGINNING and not flags & re.MULTILINE
    return at_line or argument is ops.AT_BEGINNING_STRING


def _begins_literally(parsed: Any) -> bool:
    """``re`` itself looks for a literal beginning first."""
    return bool(len(parsed)) and parsed[0][0] is ops.LITERAL


def _literal(parsed: Any) -> str:
    """The longest text that is in everything that the pattern matches, or nothing."""
    found = run = ""
    for operation, argument in parsed:
        run = run + chr(argument) if operation is ops.LITERAL else ""
        found = max(found, run, key=len)
    return found if len(found) >= _WORTH else ""


def _with_literal(regex: re.Pattern[str], literal: str) -> Search:
    search = regex.search

    def found(text: str) -> re.Match[str] | None:
        return search(text) if literal in text else None

    return found
