"""What a report says of its events, besides the events themselves: as plugins and templates see it.

Plugins add these in the hook `contribute_to_report`, by the methods of `Report`.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from msgspec import Struct, field

CellType = Literal["text", "number", "bytes", "time", "duration", "share", "bar"]
"""What the cells of a column are, and so how they are written and aligned: a text; an int or float;
a number of bytes; a `datetime`; seconds (int or float); a part of 1; a number that is also drawn.
None is an empty cell in each."""


class Attention(Struct):
    """Something that needs doing, or at least a look: an item of the report's first screen."""

    text: str
    """What it is, as a short sentence without a full stop."""
    weight: int
    """How much it deserves a look, from 1 to 100: items are ordered by it. 90 and more: the machine
    or its data are in danger; 70: it was broken into, perhaps; 50: something does not work; 30: it
    will not work soon."""
    time: datetime | None = None
    """When it was first seen."""
    cause: str = ""
    """What it is about: items of one cause are one item, the heaviest; empty: of its own."""
    mark: str = ""
    """A remark of a word or two, such as ``new address``."""
    quote: str = ""
    """A line of the log that shows it."""
    count: int = 1
    """How many events it stands for."""

    @property
    def id(self) -> str:
        """The same each day for the same cause; without a cause, for the same text."""
        if self.cause:
            return self.cause
        import hashlib

        return f"text {hashlib.sha256(self.text.encode('utf-8', 'replace')).hexdigest()[:12]}"


class Unusual(Struct):
    """A kind of entries that is unlike other days."""

    what: Literal["new", "gone", "rate"]
    """It was never seen before; it came every day but not now; it came far more or less often."""
    kind: str
    """The id of the kind."""
    program: str
    text: str
    """An example of its messages."""
    today: int
    """How often it came."""
    usual: float
    """How often it comes on other days (their median)."""


class Glance(Struct):
    """A row of "at a glance": a number of today beside the usual one."""

    name: str
    today: float | Sequence[float]
    """A number, or several that belong together, as the name says: ``Mail sent / deferred``."""
    usual: float | Sequence[float] | None
    """The median of the kept days; None: there are none yet."""
    type: CellType = "number"


class Column(Struct):
    """A column of a summary."""

    name: str
    type: CellType = "text"


class Summary(Struct):
    """What a plugin tells of a day: some sentences and a table, or one of them."""

    id: str
    """Stays the same whatever the report is about, such as ``logins``: an anchor and a key of the
    JSON report."""
    title: str
    columns: list[Column] = field(default_factory=list)
    rows: list[list[Any]] = field(default_factory=list)
    """Rows of as many cells as there are columns, the most important first."""
    facts: list[str] = field(default_factory=list)
    """Sentences above the table."""
    left_out: int = 0
    """How many rows the plugin has left out."""
    emphasis: set[int] = field(default_factory=set)
    """The rows that are to stand out, by their index."""


class KindRow(Struct):
    """All the events of a section that are of one kind: they differ in numbers, names and the like.

    Kinds are kept from day to day.
    """

    id: str
    section: str
    program: str
    """Who wrote the entries, as the journal calls it; it may be empty."""
    template: str
    """What all of them say; what differs stands as ``*`` or ``{field}``."""
    level: int | None
    """The gravest syslog priority of the entries, 0 to 7."""
    count: int
    first: datetime
    last: datetime
    messages: list[tuple[str, int]]
    """The most frequent messages, each with its number; the first one is an example."""
    different: int
    """How many different messages there are."""
    event: str = ""
    """The event of the vocabulary that they are, if they are one."""
    cause: str = ""
    """What they are about (see `Attention.cause`)."""
    is_new: bool = False
    """Whether the kind was never seen on the kept days before."""
    usual: float | None = None
    """How many come on other days (their median); None: there are none yet."""
    is_muted: bool = False
    """Whether somebody has said that it is not worth telling."""
