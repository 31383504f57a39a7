"""Patterns as pyruse-native looks for them: what a text must have in it is seen to first."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from pyruse.options.address_groups import is_hidden
from pyruse.options.needs import Needs, needs_of_text
from pyruse.options.patterns import Pattern


class Search(NamedTuple):
    """How a pattern is looked for."""

    search: Callable[[str], re.Match[str] | None]
    groups: tuple[tuple[int, str, bool], ...]
    """The groups that become fields: the place in ``Match.groups()``, the name of the field, and
    whether it has to be an address."""


def needs_of(pattern: Pattern) -> Needs:
    """What a text must have, told without compiling the pattern."""
    return needs_of_text(pattern.written_out)


def search_of(pattern: Pattern, saved: Sequence[tuple[int, str]]) -> Search:
    """How a pattern is looked for; it is compiled, if it is not yet.

    :param pattern: what to look for.
    :param saved: further groups that become fields: the number of the group, and the field.
    """
    regex = pattern.regex
    named = [
        (number - 1, name, name in pattern.addresses)
        for name, number in regex.groupindex.items()
        if not is_hidden(name, pattern.addresses)
    ]
    further = [(number - 1, str(name), False) for number, name in saved]
    search = regex.match if needs_of(pattern).anchored else regex.search
    return Search(search, (*named, *further))
