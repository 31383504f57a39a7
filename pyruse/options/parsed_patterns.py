"""What is known of regular expressions without looking for them: how texts must begin, and more.

Most patterns that are tried fail at the beginning of a text, so what they may begin with is looked
at first; patterns that can be found there alone are looked for by one search.
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
Tried = tuple[Search, str, bool]
"""One of several searches, a text that whatever it finds has in it, and whether that is so when the
letters are made small, if all of them are ASCII's."""


_MOST = 100
"""So many texts are looked for at the beginning; more take longer than the patterns."""
_FEW = 3
"""Characters of a set: each makes one more beginning."""


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
    return is_anchored(regex)


def one_after_another(all_tried: Sequence[Tried], begins: tuple[str, ...] | None = None) -> Search:
    """One search for several.

    :param all_tried: the first one that finds anything counts.
    :param begins: whatever they find begins with one of these texts; None: nothing is known.
    """
    if len(all_tried) == 1:
        return all_tried[0][0]
    ignores_case = any(caseless for _, _, caseless in all_tried)

    def search(text: str) -> Match | None:
        if begins is not None and not text.startswith(begins):
            return None
        small = text.lower() if ignores_case and text.isascii() else None
        for one, needed, caseless in all_tried:
            if needed in text if not caseless else small is None or needed in small:
                match = one(text)
                if match is not None:
                    return match
        return None

    return search


def is_anchored(regex: re.Pattern[str]) -> bool:
    """Whether a pattern can match at the beginning of a text only, as far as Python can tell."""
    parsed = parsed_pattern(regex)
    return parsed is not None and _is_anchored(parsed, regex.flags)


def _is_anchored(parsed: Any, flags: int) -> bool:
    if not len(parsed):
        return False
    operation, argument = map(str, parsed[0])
    if operation != "AT":
        return False
    at_line = argument == "AT_BEGINNING" and not flags & re.MULTILINE
    return at_line or argument == "AT_BEGINNING_STRING"


def beginnings(regexes: Sequence[re.Pattern[str]]) -> tuple[str, ...] | None:
    """Texts, of which one begins everything that one of the patterns finds; None: nothing is known.

    ``text.startswith(…)`` takes less time than to try the patterns: most of them fail.
    """
    texts: list[str] = []
    for regex in regexes:
        parsed = parsed_pattern(regex)
        if (
            parsed is None
            or regex.flags & (re.IGNORECASE | re.MULTILINE)
            or not _is_anchored(parsed, regex.flags)
        ):
            return None
        texts += [text for text, _ in _beginnings(parsed)]
        if "" in texts or len(texts) > _MOST:
            return None
    return tuple(sorted(set(texts)))


def _beginnings(parts: Any) -> list[tuple[str, bool]]:
    """How texts may begin that some parts match.

    :return: texts, and whether all of the parts are in each: then what follows goes on with it.
    """
    open_ends, closed = [""], []
    for operation, argument in parts:
        following = _of_part(str(operation), argument)
        closed += [one + text for one in open_ends for text, goes_on in following if not goes_on]
        open_ends = [one + text for one in open_ends for text, goes_on in following if goes_on]
        if len(open_ends) + len(closed) > _MOST:
            return [("", False)]
    return [(text, False) for text in closed] + [(text, True) for text in open_ends]


def _of_part(operation: str, argument: Any) -> list[tuple[str, bool]]:
    """The same of one part; what is not known begins with any text."""
    found = [("", False)]
    match operation:
        case "LITERAL":
            found = [(chr(argument), True)]
        case "AT" | "ASSERT" | "ASSERT_NOT":
            found = [("", True)]  # nothing is taken there
        case "IN" if len(argument) <= _FEW and all(str(one[0]) == "LITERAL" for one in argument):
            found = [(chr(character), True) for _, character in argument]
        case "SUBPATTERN" if not (argument[1] or argument[2]):  # flags of its own
            found = _beginnings(argument[3])
        case "BRANCH":
            found = [one for alternative in argument[1] for one in _beginnings(alternative)]
        case "MAX_REPEAT" | "MIN_REPEAT" if argument[0] or argument[1] == 1:
            least, most, repeated = argument
            found = [(text, goes_on and most == 1) for text, goes_on in _beginnings(repeated)]
            found += [] if least else [("", True)]
    return found
