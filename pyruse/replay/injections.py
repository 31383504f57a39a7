"""Texts that strangers could write, put where they could write them.

Whatever a program logs of a user's name, a request or a sender, a stranger has chosen. Into every
group that a pattern takes out of a line come addresses, and the very lines that patterns look for.
Whatever comes of it, no other address than the true one may be banned, or stand in ``ip``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pyruse.addresses import parse_address
from pyruse.chains.model import Step
from pyruse.chains.values import fields_of, values_of
from pyruse.options.fields import Field
from pyruse.options.parsed_patterns import is_anchored, parsed_pattern
from pyruse.options.patterns import Pattern
from pyruse.text import shown

STRANGE = ("198.51.100.66", "2001:db8:bad::66")
"""The addresses that are put into samples; no sample may have them."""
_ANY = r"(?:\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]*:[0-9a-fA-F:]*:[0-9a-fA-F.]*)"
_ADDRESS = re.compile(rf"(?<![\w.:]){_ANY}")
_WITH_PORT = re.compile(rf"\[?{_ANY}(?:%\w+)?\]?(?:[:#]\d+)?")
LookedFor = list[tuple[Step, str, Pattern]]
"""Patterns, each with its step, and the field that it is looked for in."""


def looked_for(steps: Iterable[Step]) -> LookedFor:
    """The patterns of some steps."""
    found: LookedFor = []
    for step in steps:
        fields = [str(field) for field in fields_of(step, Field)]
        found += [
            (step, fields[0] if fields else "MESSAGE", pattern)
            for pattern in values_of(step)
            if isinstance(pattern, Pattern)
        ]
    return found


def faults_of_form(step: Step, pattern: Pattern) -> Iterator[str]:
    """What makes a pattern open to strangers, whatever the entries.

    :param step: that has the pattern.
    :param pattern: the pattern.
    """
    parsed = parsed_pattern(pattern.outline)
    if parsed is not None and not is_anchored(pattern.outline):
        yield (
            f"{step.address}: {shown(pattern.text)}: may be found anywhere in a line (expected "
            "^ at its beginning: strangers write in the middle)"
        )
    if has_loose_part(pattern):
        yield (
            f"{step.address}: {shown(pattern.text)}: a part that may be anything has no name "
            "(expected a named group around it, such as (?P<rest>.*): so it is tested with "
            "what strangers write)"
        )


STRANGERS = {str(address) for text in STRANGE if (address := parse_address(text)) is not None}


def hostile_texts(lines: Iterable[str]) -> Iterator[str]:
    """Texts that a stranger may choose for his name, a request and the like.

    :param lines: that patterns look for: a stranger can write these, too.
    """
    for address in STRANGE:
        yield address
        yield f"x {address}"
        yield f"x from {address} port 22 ssh2"
        yield f"x from {address}"
        yield f"x[{address}]"
        yield f"x rhost={address}"
        yield f"x', rip={address}, lip=192.0.2.1"
        yield f"x, client: {address}, server: x"
        yield f'x" client="{address}"'
        for line in lines:
            yield _ADDRESS.sub(address, line)


def variants(
    fields: Mapping[str, Any], patterns: LookedFor, hostile: Sequence[str], own: Sequence[str] = ()
) -> Iterator[tuple[str, str]]:
    """What strangers can make of an entry: a field with its text.

    There is something else in each of the groups, before it, and behind it.

    :param fields: of the entry.
    :param patterns: that may match it.
    :param hostile: see `hostile_texts`.
    :param own: the groups that no stranger fills.
    """
    for field in {field for _, field, _ in patterns}:
        text = fields.get(field)
        if not isinstance(text, str):
            continue
        for begin, end in sorted(_spans(text, field, patterns, own)):
            for injected in hostile:
                was = text[begin:end]
                for put in (injected, f"{was} {injected}", f"{injected} {was}"):
                    yield field, text[:begin] + put + text[end:]


def _spans(text: str, field: str, patterns: LookedFor, own: Sequence[str]) -> set[tuple[int, int]]:
    """Where in a text the groups are that a stranger may have filled: no address, no number.

    :param text: of the sample.
    :param field: that has the text.
    :param patterns: of the rules.
    :param own: the groups that no stranger fills.
    """
    spans = set()
    for _, of_field, pattern in patterns:
        match = pattern.search(text) if of_field == field else None
        if match is None:
            continue
        for name, value in match.groupdict().items():
            if name in pattern.addresses or name in own:
                continue
            if value and not value.isdecimal() and not _WITH_PORT.fullmatch(value):
                spans.add(match.span(name))
    return spans


def has_loose_part(pattern: Pattern) -> bool:
    """Whether text of any length and kind may stand outside of named groups."""
    named = set(pattern.outline.groupindex.values())

    def loose(parts: Any) -> bool:
        for code, argument in parts:
            name = str(code)
            if name == "SUBPATTERN":
                if argument[0] not in named and loose(argument[-1]):
                    return True
            elif name == "BRANCH":
                if any(loose(branch) for branch in argument[1]):
                    return True
            elif name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT"):
                _, most, inside = argument
                if (int(most) > _FEW and any(map(_is_anything, inside))) or loose(inside):
                    return True
            elif name == "ATOMIC_GROUP" and loose(argument):
                return True
        return False

    parsed = parsed_pattern(pattern.outline)
    return parsed is not None and loose(parsed)


_FEW = 6
"""Characters in which no address has room."""


def _is_anything(part: tuple[Any, Any]) -> bool:
    """Whether a single character may be one of those that addresses are made of, and others."""
    code, argument = str(part[0]), part[1]
    if code in ("ANY", "ANY_ALL", "NOT_LITERAL"):
        return True
    if code != "IN":
        return False
    kinds = {(str(kind), str(value)) for kind, value in argument}
    if any(kind == "NEGATE" for kind, _ in kinds):
        return True
    return any(value in ("CATEGORY_NOT_SPACE", "CATEGORY_NOT_DIGIT") for _, value in kinds)
