"""Kinds that differ in a name alone are shown as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping

from pyruse.kinds.masks import MASK

_VALUES = 4
"""So many different words at one place, all the others being the same, are values of one thing."""
_VALUES_OF_KEY = 8
"""The same of words such as ``user=root``: few of them mean different things."""
_NAMED = frozenset(("user", "users", "account", "group", "host", "client", "domain", "from"))
"""What comes after one of these words is a value, as soon as there are two."""
_ROUNDS = 4
_LONGEST = 100
"""Words: templates with more are compared as far."""

Words = tuple[str, ...]


def merged(templates: Iterable[str]) -> Mapping[str, str]:
    """By template, the one that stands for it and for those that differ from it in a name alone.

    The result does not depend on the order.

    :param templates: those of one program.
    """
    stands: dict[Words, Words] = {}
    by_length: dict[int, set[Words]] = defaultdict(set)
    words_of = {template: tuple(template.split(" ")) for template in templates}
    for words in words_of.values():
        by_length[len(words)].add(words)
    for length, group in by_length.items():
        if length > 1 and len(group) > 1:
            stands.update(_merged_of_length(group, min(length, _LONGEST)))
    return {template: " ".join(stands.get(words, words)) for template, words in words_of.items()}


def _merged_of_length(group: set[Words], length: int) -> dict[Words, Words]:
    stands = {words: words for words in group}
    for _ in range(_ROUNDS):
        found: dict[Words, Words] = {}
        for place in range(1, length):
            found.update(_values_at(place, set(stands.values()) - found.keys()))
        if not found:
            break
        stands = {words: found.get(now, now) for words, now in stands.items()}
    return stands


def _values_at(place: int, group: set[Words]) -> dict[Words, Words]:
    """Those that differ at this place alone, and in so many words that these are values."""
    alike: dict[tuple[str, Words, Words], list[Words]] = defaultdict(list)
    for words in group:
        key, equals, _ = words[place].partition("=")
        alike[key + equals if equals else "", words[:place], words[place + 1 :]].append(words)
    found: dict[Words, Words] = {}
    for (key, before, after), several in alike.items():
        known = any(words[place] == key + MASK for words in several)
        enough = _VALUES_OF_KEY if key else 2 if before[-1] in _NAMED else _VALUES
        if len(several) > 1 and (known or len(several) >= enough):
            one = (*before, key + MASK, *after)
            found.update((words, one) for words in several if words != one)
    return found
