"""Whether a regular expression can take for ever: two ways to match one text, again and again.

Python's ``re`` tries every way of matching before it gives up. Where a repeated part can match the
same text in two ways, there are twice as many with each round: 30 characters of a hostile line are
a thousand million. Such an expression is found as in the literature (Weber and Seidl, "On the
degree of ambiguity of finite automata", 1991): from one of its *positions*, the parts for a single
character, two ways lead back to it over the same text.

Expressions that are slow within bounds (``.*a.*b``) are not looked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pyruse.options.parsed_patterns import parsed_pattern

_MOST_POSITIONS = 120
"""Larger ones are left alone: comparing each position with each other one takes time."""
_WRITTEN_OUT = 4
"""A part that occurs from twice up to so many times is looked at as if it were written so often."""

_ALPHABET = [chr(code) for code in range(256)] + ["ё", "中", "\u0660", "\u2028"]
"""Characters stand for all of their kind; those that the pattern itself names are added."""
_CATEGORIES = {
    "CATEGORY_DIGIT": r"\d", "CATEGORY_NOT_DIGIT": r"\D", "CATEGORY_SPACE": r"\s",
    "CATEGORY_NOT_SPACE": r"\S", "CATEGORY_WORD": r"\w", "CATEGORY_NOT_WORD": r"\W",
}  # fmt: skip


def can_take_for_ever(regex: re.Pattern[str]) -> bool:
    """Whether matching may take twice as long for each further character of a text.

    False, too, where nobody can tell: the pattern is very large, or this Python has another parser.
    """
    parsed = parsed_pattern(regex)
    if parsed is None:
        return False
    try:
        automaton = _Automaton(parsed, regex.flags)
    except (AttributeError, LookupError, TypeError, _TooLarge):
        return False
    return automaton.is_ambiguous()


class _TooLarge(Exception):
    """The pattern has too many parts to be looked at."""


@dataclass
class _Part:
    """The positions that a part of the pattern begins with and ends with.

    They come several times where several ways lead to them.
    """

    first: list[int] = field(default_factory=list)
    last: list[int] = field(default_factory=list)
    empty: int = 1
    """In how many ways it may be empty: 0, 1, or 2 for several."""

    def then(self, part: _Part) -> _Part:
        """This one and another one after it."""
        return _Part(
            [*self.first, *part.first * self.empty],
            [*part.last, *self.last * part.empty],
            min(self.empty * part.empty, 2),
        )


class _Automaton:
    """The positions of a pattern, and which may follow which (Glushkov's automaton)."""

    def __init__(self, parsed: Any, flags: int) -> None:
        self._flags = flags
        self._positions: list[tuple[str, Any]] = []
        """Each with its operation and argument in the parsed pattern."""
        self._sets: dict[int, frozenset[str]] = {}
        """The characters that positions match, as far as they were asked for."""
        self._follows: Counter[tuple[int, int]] = Counter()
        """How many ways there are from one position straight to another one."""
        self._loops: set[int] = set()
        """Positions inside of a repetition that something comes after that may not match."""
        self._alphabet = [*_ALPHABET, *_characters(parsed)]
        self._sequence(parsed, can_fail=False)

    def is_ambiguous(self) -> bool:
        following: dict[int, list[int]] = {}
        for (before, after), ways in self._follows.items():
            if {before, after} <= self._loops:
                following.setdefault(before, []).extend([after] * min(ways, 2))
        return any(self._two_ways_round(start, following) for start in self._loops)

    def _two_ways_round(self, start: int, following: dict[int, list[int]]) -> bool:
        """Whether two different ways lead from a position back to it, over the same text."""
        # A pair of positions that both ways are at, and whether the ways have differed so far.
        seen = {(start, start, False)}
        to_follow = list(seen)
        while to_follow:
            one, other, differed = to_follow.pop()
            for a, b, differs in self._steps(following.get(one, []), following.get(other, [])):
                state = (a, b, differed or differs or a != b)
                if state == (start, start, True):
                    return True
                if state not in seen:
                    seen.add(state)
                    to_follow.append(state)
        return False

    def _steps(self, ones: list[int], others: list[int]) -> Iterator[tuple[int, int, bool]]:
        """Where two ways may go with the same character; and whether to one place, but differently.

        :param ones: what may follow; twice, where there are two ways to it.
        """
        for a in set(ones):
            for b in set(others):
                if a == b or self._characters(a) & self._characters(b):
                    yield a, b, a == b and ones is others and ones.count(a) > 1

    def _sequence(self, parsed: Any, *, can_fail: bool) -> _Part:
        """A part after the other; of each, whether something after it may not match."""
        parts: list[_Part] = []
        for operation, argument in reversed(list(parsed)):
            part = self._part(str(operation), argument, can_fail=can_fail)
            parts.append(part)
            can_fail = can_fail or not part.empty or str(operation).startswith(("AT", "ASSERT"))
        whole = _Part()
        for part in reversed(parts):
            self._connect(whole.last, part.first)
            whole = whole.then(part)
        return whole

    def _connect(self, before: list[int], after: list[int]) -> None:
        for one in before:
            for other in after:
                self._follows[one, other] += 1

    def _part(  # noqa: PLR0911 -- a table of the operations that there are
        self, operation: str, argument: Any, *, can_fail: bool
    ) -> _Part:
        match operation:
            case "MAX_REPEAT" | "MIN_REPEAT":
                return self._repeat(*argument, can_fail=can_fail)
            case "SUBPATTERN":
                return self._sequence(argument[3], can_fail=can_fail)
            case "BRANCH":
                ways = [self._sequence(way, can_fail=can_fail) for way in argument[1]]
                return _Part(
                    [one for way in ways for one in way.first],
                    [one for way in ways for one in way.last],
                    min(sum(way.empty for way in ways), 2),
                )
            case "LITERAL" | "NOT_LITERAL" | "ANY" | "IN":
                return self._position(operation, argument)
            case "POSSESSIVE_REPEAT" | "ATOMIC_GROUP" | "GROUPREF":
                # Matched in one way only, whatever that is: one character that is like no other.
                return self._position("NONE", None)
            case "ASSERT" | "ASSERT_NOT":
                self._sequence(argument[1], can_fail=False)
                return _Part()
            case "AT":
                return _Part()
            case _:
                raise LookupError(operation)

    def _position(self, operation: str, argument: Any) -> _Part:
        position = len(self._positions)
        if position == _MOST_POSITIONS:
            raise _TooLarge
        self._positions.append((operation, argument))
        return _Part([position], [position], empty=0)

    def _repeat(self, least: int, most: int, body: Any, *, can_fail: bool) -> _Part:
        endless = most > _WRITTEN_OUT
        begin = len(self._positions)
        # A round comes after the one before it: a(a(a)?)?, and not a?a?a?.
        rounds, last, empty = _Part(), list[int](), int(not least)
        for number in range(1, (min(max(least, 1), _WRITTEN_OUT) if endless else most) + 1):
            part = self._sequence(body, can_fail=can_fail or number < least)
            self._connect(rounds.last, part.first)
            rounds = rounds.then(part)
            if number >= min(least, _WRITTEN_OUT):
                last += rounds.last
                empty = min(empty + rounds.empty, 2)
        if endless:
            self._connect(part.last, part.first)
            if can_fail:
                self._loops.update(range(begin, len(self._positions)))
        return _Part(rounds.first, last, empty)

    def _characters(self, position: int) -> frozenset[str]:
        """The characters of the alphabet that a position matches."""
        if position not in self._sets:
            self._sets[position] = frozenset(self._matched(*self._positions[position]))
        return self._sets[position]

    def _matched(self, operation: str, argument: Any) -> Iterator[str]:
        for character in self._alphabet:
            cases = {character}
            if self._flags & re.IGNORECASE:
                cases |= {character.lower(), character.upper()}
            if any(self._is_in(case, operation, argument) for case in cases):
                yield character

    def _is_in(  # noqa: PLR0911 -- the same
        self, character: str, operation: str, argument: Any
    ) -> bool:
        match operation:
            case "LITERAL":
                return character == chr(argument)
            case "NOT_LITERAL":
                return character != chr(argument)
            case "ANY":
                return character != "\n" or bool(self._flags & re.DOTALL)
            case "RANGE":
                return bool(argument[0] <= ord(character) <= argument[1])
            case "NONE":
                return False
            case "CATEGORY":
                return bool(re.match(_CATEGORIES[str(argument)], character))
            case "IN" if str(argument[0][0]) == "NEGATE":
                return not any(self._is_in(character, str(kind), one) for kind, one in argument[1:])
            case _:
                return any(self._is_in(character, str(kind), one) for kind, one in argument)


def _characters(parsed: Any) -> Iterator[str]:
    """The characters beyond the alphabet that a pattern names."""
    for item in parsed:
        match item:
            case int() if 256 <= item <= 0x10FFFF:
                yield chr(item)
            case str() | int() | None:
                continue
            case _ if hasattr(item, "__iter__"):
                yield from _characters(item)
