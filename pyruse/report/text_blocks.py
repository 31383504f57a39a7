"""The parts of a report as plain text: each a block of lines, none wider than a terminal.

What follows the first line of a block is indented: no message can pass for a line of the report.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyruse.api.findings import Attention, Glance, KindRow, Unusual
from pyruse.columns import columns, cut, padded
from pyruse.report.glances import change, numbers
from pyruse.report.kind_texts import told
from pyruse.report.plaintext import WIDTH, aside, wrapped
from pyruse.report.wording import Clock, marks, quoted
from pyruse.text import brief_line

_LONGEST_ITEM = 220
"""Characters of an item of the first screen: ten of them are on the first 40 lines."""
_LONGEST_UNUSUAL = 140
_NBSP = "\N{NO-BREAK SPACE}"
_LEFT = 34
"""Columns of the names in "at a glance"."""


def attention_block(item: Attention, number: int, clock: Clock, width: int = WIDTH) -> str:
    """What needs attention: the text with its time at the right edge, marks, a quote."""
    head = f"{number:>2}. "
    indent = len(head)
    time = "" if item.time is None else clock.minute(item.time)
    text = brief_line(item.text, _LONGEST_ITEM)
    if remarks := marks(item):
        text += f" [{remarks.replace(' ', _NBSP) if len(remarks) < 40 else remarks}]"
    room = width - (len(time) + 2 if time else 0)
    first, *rest = wrapped(text, indent, room).split("\n")
    lines = [f"{head}{padded(first, room - indent)}  {time}".rstrip(), *rest]
    if item.quote:
        quote = quoted(item.quote, width - indent - 2)
        lines.append(f"{' ' * indent}> {quote}")
    return "\n".join(lines)


def unusual_block(one: Unusual, width: int = WIDTH) -> str:
    """What is unlike other days, such as ``NEW    3 × kernel: …``."""
    program = f"{brief_line(one.program, 40)}: " if one.program else ""
    text = brief_line(one.text, _LONGEST_UNUSUAL)
    head = f"{one.what.upper():<5} "
    count = f"{one.today:,} × " if one.what != "gone" else ""
    usual = "" if one.what == "new" else f" (usually {one.usual:,.0f})"
    return head + wrapped(f"{count}{program}{text}{usual}", len(head), width)


def glance_table(rows: Sequence[Glance], width: int = WIDTH) -> str:
    """Numbers of today beside the usual ones, in columns."""
    knows_usual = any(row.usual is not None for row in rows)
    texts = [("", "today", "usual" if knows_usual else "", "")]
    for row in rows:
        today, usual = numbers(row.today, row.type), numbers(row.usual, row.type)
        texts.append((brief_line(row.name, _LEFT - 2), today, usual, change(row)))
    widths = [max(columns(one[at]) for one in texts) for at in (1, 2)]
    left = max(12, min(_LEFT, width - sum(widths) - 14))
    head = "AT A GLANCE"
    lines = []
    for name, today, usual, more in texts:
        numbers_ = f"{today.rjust(widths[0] + 2)}{usual.rjust(widths[1] + 2)}  {more:>8}"
        lines.append(f"{padded(cut(name, left)[0] or head, left)}{numbers_}".rstrip())
        head = ""
    return "\n".join(lines)


def kind_block(kind: KindRow, digits: int, clock: Clock, width: int = WIDTH) -> str:
    """A kind of events: how many, what they say, by which values they differ, from when to when.

    :param kind: the kind.
    :param digits: so wide is the number.
    :param clock: writes times.
    :param width: of the lines.
    """
    label, text, values = told(kind)
    head = f"{kind.count:,}".rjust(digits) + " × "
    new = "NEW " if kind.is_new else ""
    body = wrapped(f"{new}{f'{label}: ' if label else ''}{text}", len(head), width)
    body += aside(body, [clock.span(kind.first, kind.last)], len(head), width)
    if values:
        indent = len(head) + 2
        body += f"\n{' ' * indent}{wrapped(values, indent, width)}"
    return head + body
