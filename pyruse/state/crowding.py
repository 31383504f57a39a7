"""Which kind gives way where there are too many: the least of the program that has the most.

So a program that says something else in each line, as strangers can make it do, pushes out none of
another program's kinds: neither what came but once today, nor what is known of other days.
"""

from __future__ import annotations

import heapq
from collections import defaultdict

from msgspec import Struct

WARNING = 4
_GRAVE = 16
"""A warning, or worse, counts as so many: it stays longer, but not before all that comes often."""

_Rank = tuple[int, int, int]


class Known(Struct):
    """What decides which kind gives way, of one that is kept."""

    count: int
    time: int
    """When it came last, in microseconds since the epoch."""
    level: int | None
    section: str
    program: str
    """Empty: of several programs."""

    def rank(self, of: int) -> _Rank:
        """The lowest gives way first: what came least often; of these, what came longest ago."""
        is_grave = self.level is not None and self.level <= WARNING
        return (self.count * (_GRAVE if is_grave else 1), self.time, of)


class Crowd:
    """The kinds that are kept."""

    def __init__(self) -> None:
        self.kinds: dict[int, Known] = {}
        """By id; changed by the methods only."""
        self._of_program: defaultdict[str, set[int]] = defaultdict(set)
        self._of_size: defaultdict[int, dict[str, None]] = defaultdict(dict)
        """The programs that have so many kinds."""
        self._largest = 0
        """The most kinds that a program has."""
        self._ranks: dict[str, list[_Rank]] = {}
        """A heap of the ranks that kinds had, which only ever rise: of programs that gave way."""

    def add(self, kind: int, known: Known) -> None:
        """Keep one more."""
        self.kinds[kind] = known
        program = known.program
        of_program = self._of_program[program]
        of_program.add(kind)
        self._resize(program, len(of_program) - 1, len(of_program))
        if program in self._ranks:
            heapq.heappush(self._ranks[program], known.rank(kind))

    def discard(self, kind: int) -> None:
        """Keep a kind no more, if it is kept."""
        if kind in self.kinds:
            self._ranks.pop(self.kinds[kind].program, None)
            self._remove(kind)

    def pop_least(self) -> tuple[int, Known]:
        """Take out the kind that gives way.

        :raises StopIteration: there is none.
        """
        program = next(iter(self._of_size[self._largest]))
        ranks = self._ranks.get(program)
        if ranks is None:
            ranks = [self.kinds[kind].rank(kind) for kind in self._of_program[program]]
            heapq.heapify(ranks)
            self._ranks[program] = ranks
        while True:
            kind = ranks[0][2]
            now = self.kinds[kind].rank(kind)
            if now == ranks[0]:
                break
            heapq.heapreplace(ranks, now)
        heapq.heappop(ranks)
        if not ranks:
            del self._ranks[program]
        return kind, self._remove(kind)

    def _remove(self, kind: int) -> Known:
        known = self.kinds.pop(kind)
        of_program = self._of_program[known.program]
        of_program.remove(kind)
        self._resize(known.program, len(of_program) + 1, len(of_program))
        if not of_program:
            del self._of_program[known.program]
        return known

    def _resize(self, program: str, before: int, after: int) -> None:
        """Note that a program has one kind more, or one less."""
        alike = self._of_size[before]
        alike.pop(program, None)
        if after:
            self._of_size[after][program] = None
        if after > self._largest or (before == self._largest and not alike):
            self._largest = after
        if not alike:
            del self._of_size[before]


def worse(one: int | None, other: int | None) -> int | None:
    """The more severe of two priorities."""
    if one is None or other is None:
        return other if one is None else one
    return min(one, other)
