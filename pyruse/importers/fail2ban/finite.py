"""Which texts an expression stands for, where these are few: ``dovecot(?:-auth)?`` is two names."""

from __future__ import annotations

import re
from itertools import product
from typing import Any

from pyruse.options.parsed_patterns import parsed_pattern

_MOST = 12


def texts_of(expression: str) -> list[str] | None:
    """The texts that an expression matches as a whole, or None: they are many, or not known."""
    try:
        parsed = parsed_pattern(re.compile(expression))
        return None if parsed is None else _row(parsed)
    except (re.error, OverflowError, RecursionError, AttributeError, LookupError, TypeError):
        return None


def _row(items: Any) -> list[str] | None:
    texts = [""]
    for operation, argument in items:
        found = _one(str(operation), argument)
        if found is None or len(texts) * len(found) > _MOST:
            return None
        texts = ["".join(pair) for pair in product(texts, found)]
    return list(dict.fromkeys(texts))


def _one(operation: str, argument: Any) -> list[str] | None:
    match operation:
        case "LITERAL":
            return [chr(argument)]
        case "SUBPATTERN":
            return None if argument[1] or argument[2] else _row(argument[3])
        case "BRANCH":
            return _joined([_row(branch) for branch in argument[1]])
        case "IN":
            return _joined([_one(str(one), of) for one, of in argument])
        case "MAX_REPEAT" | "MIN_REPEAT" if argument[:2] == (0, 1):
            return _joined([[""], _row(argument[2])])
    return None


def _joined(parts: list[list[str] | None]) -> list[str] | None:
    texts: list[str] = []
    for part in parts:
        if part is None:
            return None
        texts += part
    return texts if len(texts) <= _MOST else None
