"""What a kind of events says: its template once, and the values by which the events differ."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest
from typing import NamedTuple

from pyruse.api.findings import KindRow
from pyruse.text import brief_line, late_pattern, one_line

LEVELS = ("emerg", "alert", "crit", "err", "warning", "notice", "info", "debug")
"""The names of syslog's priorities, as journalctl writes them."""

_SLOT = late_pattern(r"<?\*>?|\{[^{}\s]*\}")
_FIELD = late_pattern(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
_NBSP = "\N{NO-BREAK SPACE}"
_LITERAL_LETTERS = 4
"""A template with fewer letters of its own says nothing."""
_LONGEST_MESSAGE = 2_000
_LONGEST_VALUE = 40
_LONGEST = {"important": 400, "interesting": 300, "other": 200}
"""Characters of what a kind says, by its section."""
_VALUES = {"important": 4, "interesting": 3, "other": 1}
"""How many messages are told of each kind, by their values."""


class Told(NamedTuple):
    """What people are told of a kind, on one line each."""

    label: str
    """Who says it, and how grave it is: ``sshd err``; empty where the text says it all."""
    text: str
    values: str
    """Those of the most frequent messages; empty where all say the same."""


def told(kind: KindRow) -> Told:
    """What people are told of a kind."""
    limit = _LONGEST.get(kind.section, 200)
    label = _label(kind) if kind.section == "other" else ""
    messages = [(_bare(message, kind), count) for message, count in kind.messages]
    example = messages[0][0] if messages else ""
    letters = sum(map(str.isalpha, _SLOT.sub("", kind.template)))
    if example and (kind.different <= 1 or letters < _LITERAL_LETTERS):
        more = "" if kind.different <= 1 else f"and {kind.different - 1:,} others like it"
        return Told(label, _cut(example, limit), more)
    template = kind.template
    if kind.different <= len(messages):
        template = _with_common(template, [message for message, _ in messages])
    text = _cut(with_names(template) or example, limit)
    return Told(label, text, _values(kind, template, messages))


def with_names(template: str) -> str:
    """A template with its fields as people write what differs: ``<user> logged in from <ip>``."""
    return _FIELD.sub(r"<\1>", template)


def _label(kind: KindRow) -> str:
    level = LEVELS[kind.level] if kind.level is not None and 0 <= kind.level <= 7 else ""
    return " ".join(part for part in (_cut(kind.program, _LONGEST_VALUE), level) if part)


def _bare(message: str, kind: KindRow) -> str:
    """A message without what the label says: chains often put level and program before it."""
    head = f"[{kind.level}/{kind.program}]"
    is_twice = kind.section == "other" and message.startswith(head) and message.strip() != head
    return message[len(head) :].lstrip() if is_twice else message


def _with_common(template: str, messages: Sequence[str]) -> str:
    """A template with the values that all its messages have in common."""
    found = [_gaps(message, template) for message in messages]
    gaps = [values for values in found if values is not None]
    if not gaps or len(gaps) < len(found):
        return template
    slots, literals = _SLOT.findall(template), _SLOT.split(template)
    filled = []
    for place, (slot, values) in enumerate(zip(slots, zip(*gaps, strict=True), strict=True)):
        is_first, is_last = place == 0, place == len(slots) - 1
        # Of gaps side by side, nobody knows where one ends.
        is_apart = (is_first or literals[place]) and (is_last or literals[place + 1])
        is_common = len(set(values)) == 1 and not _SLOT.search(values[0])
        filled.append(values[0] if is_apart and is_common else slot)
    return "".join(map("".join, zip_longest(literals, filled, fillvalue="")))


def _values(kind: KindRow, template: str, messages: Sequence[tuple[str, int]]) -> str:
    """Such as ``alice, 192.0.2.4 ×12; bob, 192.0.2.7 ×2; 20 more``."""
    shown = messages[: _VALUES.get(kind.section, 1)]
    told: Counter[str] = Counter()  # what differs may be beyond what is shown
    for message, count in shown:
        told[differing(message, template)] += count
    parts = [text + (f"{_NBSP}×{count:,}" if count > 1 else "") for text, count in told.items()]
    rest = kind.different - len(shown)
    if rest > 0 and parts:
        parts.append(f"{rest:,}{_NBSP}more")
    return "; ".join(parts)


def differing(message: str, template: str) -> str:
    """What stands in a message where its template has gaps; the message itself if it does not fit.

    Literal by literal, each found where it comes first: quick whatever strangers write.
    """
    values = _gaps(message, template)
    if values is None:
        return _cut(message, 2 * _LONGEST_VALUE)
    bare = (value.strip(" ,;:") for value in values)
    return ", ".join(_cut(value, _LONGEST_VALUE) for value in bare if value)


def _gaps(message: str, template: str) -> list[str] | None:
    """The text in each gap of a template; None where the message does not fit."""
    head = " ".join(message[:_LONGEST_MESSAGE].split())  # as masks leave spaces
    literals = _SLOT.split(template)
    values, at = [], len(literals[0])
    if len(literals) == 1 or not head.startswith(literals[0]):
        return None
    for literal in literals[1:-1]:
        found = head.find(literal, at) if literal else at
        if found < 0:
            return None
        values.append(head[at:found])
        at = found + len(literal)
    last = literals[-1]
    if last and not head[at:].endswith(last):
        return None
    values.append(head[at : len(head) - len(last)])
    return values


def _cut(text: str, limit: int) -> str:
    """On one line, and not too long."""
    if len(text) <= limit:
        return one_line(text)
    if limit > 2 * _LONGEST_VALUE:
        return brief_line(text, limit)
    return f"{one_line(text[:limit])}…"
