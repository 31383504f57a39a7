"""Lines that a pattern matches, made of the pattern: so examples need no samples of their own."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from pyruse.options.parsed_patterns import parsed_pattern
from pyruse.options.patterns import Pattern

TRUE = "203.0.113.9"
"""The address of whom a line is about."""
_OF_CATEGORY = {"DIGIT": "7", "SPACE": " ", "WORD": "w", "NOT_DIGIT": "x", "NOT_SPACE": "x"}
_MOST = 8
"""Lines of a pattern: so many branches are tried."""


def made_lines(pattern: Pattern, addresses: Collection[str]) -> list[str]:
    """Lines that a pattern matches: one for each branch, with and without its optional parts.

    :param pattern: the pattern.
    :param addresses: the groups that are to hold an address.
    """
    parsed = parsed_pattern(pattern.outline)
    assert parsed is not None, f"{pattern.text}: is not understood"
    groups = {
        index: name
        for name, index in pattern.outline.groupindex.items()
        if name in addresses or name in pattern.addresses
    }
    ports = {
        index
        for name, index in pattern.outline.groupindex.items()
        if name not in pattern.groups or name.removesuffix("_port") in pattern.addresses
    } - set(groups)
    lines = [_Maker(choice, groups, ports).text(parsed) for choice in range(_MOST)]
    return [line for line in dict.fromkeys(lines) if pattern.search(line)]


class _Maker:
    def __init__(self, choice: int, addresses: dict[int, str], empty: Collection[int]) -> None:
        self._choice = choice
        self._addresses = addresses
        self._empty = empty
        self._written: dict[int, str] = {}

    def text(self, parts: Any) -> str:
        return "".join(self._part(str(code), argument) for code, argument in parts)

    def _part(self, code: str, argument: Any) -> str:
        match code:
            case "LITERAL":
                text = chr(argument)
            case "NOT_LITERAL":
                text = "x" if argument != ord("x") else "y"
            case "ANY" | "ANY_ALL":
                text = "x"
            case "IN":
                text = next(_characters(argument))
            case "BRANCH":
                branches = argument[1]
                text = self.text(branches[self._choice % len(branches)])
            case "SUBPATTERN":
                text = self._group(argument[0], argument[-1])
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                least, most, inside = argument
                often = 2 if int(most) > 2 else int(most)
                text = self.text(inside) * (max(int(least), often if self._choice % 2 == 0 else 0))
            case "ATOMIC_GROUP":
                text = self.text(argument)
            case "GROUPREF":
                text = self._written.get(argument, "")
            case _:  # places in the text, and what looks ahead or behind
                text = ""
        return text

    def _group(self, index: int | None, inside: Any) -> str:
        if index in self._addresses:
            return TRUE
        if index in self._empty:
            return ""
        text = self.text(inside)
        if index is not None:
            self._written[index] = text = text or "x" * _may_be_longer(inside)
        return text


def _may_be_longer(parts: Any) -> int:
    """2 where a group that is empty need not be so: a stranger has something to fill."""
    return 2 * any(str(code).endswith("_REPEAT") for code, _ in parts)


def _characters(alternatives: Any) -> Iterator[str]:
    found = [(str(kind), value) for kind, value in alternatives]
    if found[0][0] == "NEGATE":
        refused = {chr(value) for kind, value in found[1:] if kind == "LITERAL"}
        yield from (one for one in "xyz7 -/" if one not in refused)
    for kind, value in found:
        if kind == "LITERAL":
            yield chr(value)
        elif kind == "RANGE":
            yield chr(value[0])
        elif kind == "CATEGORY":
            yield _OF_CATEGORY.get(str(value).removeprefix("CATEGORY_"), "x")
