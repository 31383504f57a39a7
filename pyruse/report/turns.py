"""Who has much to say takes turns with the others, so that each of them is heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from typing import TypeVar

T = TypeVar("T")


def in_turn(ones: Iterable[T], of: Callable[[T], Hashable], each: int) -> list[T]:
    """The first so many of each, then the next so many, and so on; else, in the order they have.

    :param ones: what takes turns.
    :param of: whose it is.
    :param each: so many have a turn together.
    """
    seen: Counter[Hashable] = Counter()
    turns = []
    for one in ones:
        whose = of(one)
        turns.append((seen[whose] // each, one))
        seen[whose] += 1
    return [one for _, one in sorted(turns, key=lambda turn: turn[0])]
