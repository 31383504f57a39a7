"""Kinds that differ in a name alone are shown as one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from pyruse.kinds.masks import MASK
from pyruse.text import late_pattern

_VALUES = 5
"""So many different words at one place, all the others being the same, are values of one thing."""
_NAMED = frozenset(("user", "users", "account", "group", "host", "client", "domain", "from"))
"""What comes after one of these words is a value, as soon as there are two."""
_KEY = late_pattern(r"[\w.-]+=")
_ROUNDS = 4
_SENTENCE = 6
"""Words: in a text of so many, the first one may be a value, too."""
_LONGEST = 60
"""Words: what comes behind them is not compared, only told apart."""

Words = tuple[str, ...]


class Template(Struct, frozen=True):
    """What is known of a kind, to find those that are shown with it."""

    id: int
    group: Hashable
    """Only kinds of one group are shown as one: of the same program and section, for instance."""
    text: str
    message_id: str = ""
    """What its program calls the message: of one id, all are one."""


class ShownAs(NamedTuple):
    """The kinds that a kind is shown with."""

    id: int
    """The lowest id of them: the same for all."""
    text: str
    """What they have in common."""


def shown_as(templates: Iterable[Template]) -> dict[int, ShownAs]:
    """By id, the kinds that it is shown with, whatever the order."""
    groups: dict[tuple[Hashable, str], list[Template]] = defaultdict(list)
    for template in templates:
        groups[template.group, template.message_id].append(template)
    shown: dict[int, ShownAs] = {}
    for (_, message_id), group in groups.items():
        texts = {one.text for one in group}
        if message_id and len(texts) > 1:
            stands: Mapping[str, str] = dict.fromkeys(texts, _common(texts))
        else:
            stands = merged(texts)
        lowest: dict[str, int] = {}
        for one in group:
            text = stands[one.text]
            lowest[text] = min(one.id, lowest.get(text, one.id))
        shown.update((one.id, ShownAs(lowest[stands[one.text]], stands[one.text])) for one in group)
    return shown


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
        before = stands
        for place in range(0 if length >= _SENTENCE else 1, length):
            found = _values_at(place, set(stands.values()))
            if found:
                stands = {words: found.get(now, now) for words, now in stands.items()}
        if stands == before:
            break
    return stands


def _values_at(place: int, group: set[Words]) -> dict[Words, Words]:
    """Those that differ at this place alone, and in so many words that these are values."""
    alike: dict[tuple[str, Words, Words], list[Words]] = defaultdict(list)
    for words in group:
        found_key = _KEY.match(words[place])
        alike[found_key[0] if found_key else "", words[:place], words[place + 1 :]].append(words)
    found: dict[Words, Words] = {}
    for (key, before, after), several in alike.items():
        if len(several) == 1:
            continue
        known = any(words[place] == key + MASK for words in several)
        enough = 2 if not key and before and before[-1] in _NAMED else _VALUES
        if known or len(several) >= enough:
            one = (*before, key + MASK, *after)
            found.update((words, one) for words in several if words != one)
    return found


def _common(texts: Iterable[str]) -> str:
    """How all of them begin and end, in whole words."""
    several = sorted(text.split(" ") for text in texts)
    first, last = several[0], several[-1]  # what these two share, all do
    begin = _shared(first, last)
    reversed_ = sorted(words[::-1] for words in several)
    shortest = min(map(len, several))
    end = min(_shared(reversed_[0], reversed_[-1]), shortest - begin)
    return " ".join([*first[:begin], MASK, *first[len(first) - end :]])


def _shared(one: list[str], other: list[str]) -> int:
    number = 0
    for mine, theirs in zip(one, other, strict=False):
        if mine != theirs:
            break
        number += 1
    return number
