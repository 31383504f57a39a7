"""``name[option=value, other="a, b"][third=c]``: how jails name a filter or actions."""

from __future__ import annotations

import re

_NAME = re.compile(r"\s*([^\[\s]+)\s*")
_OPTION = re.compile(
    r"""\s*([\w.-]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^,\]"']*(?:["'][^,\]]*)?))\s*""", re.DOTALL
)
_NEXT_LIST = re.compile(r"\]\s*\[")


def read_one(text: str) -> tuple[str, dict[str, str]]:
    """A name with its options.

    :raises ValueError: it is no such thing, with where.
    """
    found = read_all(text)
    if len(found) != 1:
        raise ValueError(f"{len(found)} names (expected one)")
    return found[0]


def read_all(text: str) -> list[tuple[str, dict[str, str]]]:
    """Names with their options, with white space between them.

    :raises ValueError: it is no such thing, with where.
    """
    found: list[tuple[str, dict[str, str]]] = []
    at = 0
    while text[at:].strip():
        name = _NAME.match(text, at)
        if name is None:
            raise ValueError(f'"{text[at : at + 30].strip()}": no name')
        options, at = _options(text, name.end())
        found.append((name[1], options))
    return found


def _options(text: str, at: int) -> tuple[dict[str, str], int]:
    """The options from a bracket on, and where they end."""
    options: dict[str, str] = {}
    if not text.startswith("[", at):
        return options, at
    at += 1
    while not re.compile(r"\s*\]").match(text, at):
        option = _OPTION.match(text, at)
        if option is None:
            raise ValueError(f'"{text[at : at + 30].strip()}": no option=value')
        options[option[1].lower()] = next(v for v in option.group(2, 3, 4) if v is not None).strip()
        at = option.end()
        if text.startswith(",", at):
            at += 1
        elif between := _NEXT_LIST.match(text, at):
            at = between.end()
        elif not text.startswith("]", at):
            raise ValueError(f'"{text[at : at + 30].strip()}": neither "," nor "]"')
    closing = re.compile(r"\s*\]\s*").match(text, at)
    while closing is not None and text.startswith("[", closing.end()):
        more, at = _options(text, closing.end())
        return options | more, at
    return options, closing.end() if closing is not None else at
