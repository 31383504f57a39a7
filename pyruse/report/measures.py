# ruff: noqa: D102 -- what each method is for is told once, by `Measure`
"""How much room the parts of a report take: lines of text, or bytes of HTML, about."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from markupsafe import escape

from pyruse.api.findings import KindRow, Summary
from pyruse.report.cells import texts, without_empty
from pyruse.report.kind_texts import told
from pyruse.report.plaintext import text_table, wrapped
from pyruse.report.stored import Candidate
from pyruse.report.text_blocks import kind_block
from pyruse.report.wording import MESSAGE_CHARACTERS, TIMES_AT_EACH_END, Clock, brief

_TIMES = 2 * TIMES_AT_EACH_END
_DIGITS = 5
_LOOKED_AT = 12
"""The first rows of a table tell how much room one takes."""
FACTS = 6
"""Sentences of a summary that people are shown."""


class Bytes(NamedTuple):
    """Bytes that a row takes, in a form of which only the size matters."""

    row: int
    """Bytes of a row without its message and times."""
    character: float
    """Bytes of a character of its message, with what the form makes of it."""
    time: int
    """Bytes of one of its times."""

    def of(self, one: Candidate) -> float:
        """Of a row."""
        return (
            self.row
            + self.character * min(one.characters, MESSAGE_CHARACTERS)
            + self.time * min(one.events, _TIMES)
        )


BYTES = {"text": Bytes(20, 1.2, 12), "html": Bytes(200, 1.2, 12)}


class Measure(Protocol):
    """What each part takes of the room."""

    def row(self, one: Candidate) -> float:
        """A row, or a line."""

    def kind(self, kind: KindRow) -> float:
        """A kind of events."""

    def note(self, text: str) -> float:
        """A note."""

    def table(self, table: Summary, limit: int) -> tuple[float, float]:
        """A summary without its rows; and one of its first rows, on average."""


class Lines(Measure):
    """In lines of plain text."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def row(self, one: Candidate) -> float:
        characters = min(one.characters, MESSAGE_CHARACTERS)
        return 1 + characters // 65 + 10 * (min(one.events, _TIMES) - 1) // 70

    def kind(self, kind: KindRow) -> float:
        return 1 + kind_block(kind, _DIGITS, self._clock).count("\n")

    def note(self, text: str) -> float:
        return 1 + wrapped(brief(text), 2).count("\n")

    def table(self, table: Summary, limit: int) -> tuple[float, float]:
        facts = sum(1 + wrapped(brief(fact)).count("\n") for fact in table.facts[:FACTS])
        shown = min(limit, len(table.rows))
        if not shown or not table.columns:
            return facts + 5, 1
        looked_at = min(shown, _LOOKED_AT)
        some = without_empty(table, looked_at)
        lines = text_table(some, looked_at, self._clock.minute).count("\n")
        return facts + 6, lines / looked_at


class Markup(Measure):
    """In bytes of HTML."""

    def row(self, one: Candidate) -> float:
        return BYTES["html"].of(one)

    def kind(self, kind: KindRow) -> float:
        label, text, values = told(kind)
        return 270 + sum(map(_bytes, (label, text, values))) + (40 if values else 0)

    def note(self, text: str) -> float:
        return 12 + _bytes(brief(text))

    def table(self, table: Summary, limit: int) -> tuple[float, float]:
        facts = sum(40 + _bytes(brief(fact)) for fact in table.facts[:FACTS])
        head = 500 + _bytes(table.title) + sum(90 + _bytes(one.name) for one in table.columns)
        looked_at = min(limit, _LOOKED_AT)
        rows = texts(without_empty(table, looked_at), looked_at, str)
        cells = sum(70 + _bytes(brief(cell)) for row in rows for cell in row)
        return facts + head, 12 + cells / (len(rows) or 1)


def _bytes(text: str) -> int:
    return len(escape(text).encode(errors="replace"))
