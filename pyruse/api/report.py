"""A day's report, as plugins and templates see it."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal, TypeVar, get_args

from msgspec import Struct, field
from msgspec.structs import replace

from pyruse.api import checked
from pyruse.api.findings import (
    Attention,
    CellType,
    Column,
    Glance,
    KindRow,
    Summary,
    Unusual,
)

T = TypeVar("T")

Section = Literal["important", "interesting", "other"]
Details = Literal["ALL", "NONE", "FIRST", "LAST", "FIRSTLAST"]

Every = Literal["day", "week", "month"]
Part = Literal[
    "attention", "unusual", "glance", "important", "interesting", "summaries", "other", "notes"
]

SECTIONS: tuple[Section, ...] = get_args(Section)
PARTS: tuple[Part, ...] = get_args(Part)
DETAILS: tuple[Details, ...] = get_args(Details)


class Times(Struct):
    """The times of a row that one details mode shows."""

    details: Details
    """The mode."""
    count: int
    """How many events had this mode."""
    shown: Sequence[datetime]
    """Those that the mode shows, in order."""


class Row(Struct):
    """All the events of a section that have the same message."""

    message: str
    """What they all say."""
    count: int
    """How many they are."""
    details: list[Times] = field(default_factory=list)
    """The times, for each details mode that the message was reported with."""

    @property
    def times(self) -> list[datetime]:
        """Every time that is shown, in order."""
        shown = (time for times in self.details for time in times.shown)
        # By the instant: datetimes of one zone compare by what the clock on the wall shows.
        return sorted(shown, key=datetime.timestamp)


class Line(Struct):
    """An event of the section ``other``."""

    time: datetime
    """When it happened."""
    message: str
    """What it says."""


class Report(Struct):
    """What happened in a period."""

    title: str
    """The day as ``YYYY-MM-DD``, or the name of another period."""
    hosts: list[str]
    """The machines whose events it tells of."""
    begin: datetime
    """The period: from this instant …"""
    end: datetime
    """… until just before this one."""
    first: datetime | None = None
    """The time of the first entry read, None when there was none."""
    last: datetime | None = None
    """The time of the last one."""
    entries: int = 0
    """How many entries were read."""
    bans: int = 0
    """How many bans began."""
    important: Sequence[Row] = field(default_factory=list)
    """The rows of the section ``important``. There may be a million: each is read when it is asked
    for."""
    interesting: Sequence[Row] = field(default_factory=list)
    """The rows of the section ``interesting``, as above."""
    other: Sequence[Line] = field(default_factory=list)
    """The events of the section ``other``, in order; as above."""
    summaries: list[Summary] = field(default_factory=list)
    """What plugins contributed, in the order in which they are shown."""
    attention: list[Attention] = field(default_factory=list)
    """What needs attention, the most important first: one item for each cause."""
    headline: str | None = None
    """The verdict in words, where a plugin gives it; None: it is made of `attention`."""
    unusual: list[Unusual] = field(default_factory=list)
    """What is unlike other days."""
    learning: int = 0
    """So many days have to pass before it is known what is usual."""
    glance: list[Glance] = field(default_factory=list)
    """Numbers of the day beside the usual ones."""
    hours: list[int] = field(default_factory=list)
    """How many entries each hour had, from the beginning of the period on; empty: not known."""
    kinds: Sequence[KindRow] = field(default_factory=list)
    """The events by kind: important, then interesting, then other ones, in the order in which they
    are shown."""
    notes: list[str] = field(default_factory=list)
    """Notes on the report itself: missing spans, faults, mails not sent."""

    days: list[str] = field(default_factory=list)
    """The days that it is made of, as ``YYYY-MM-DD``; days begin as ``[report] at`` says."""
    every: Every = "day"
    """Whether it is the report of a day, or the digest of a week or a month."""
    parts: Collection[str] = PARTS
    """Which parts are shown, and of the summaries those whose ids are among them; all of them where
    ``summaries`` is."""
    machine: str | None = None
    """The one other machine that it tells of, where `[report] hosts = "apart"`."""
    kept: bool = True
    """Whether its events are in the state, so that it can be shown again; not those of a replay."""
    left_out: dict[Section, int] = field(default_factory=dict)
    """How many events of a section have no row here, where the rows were limited."""

    @property
    def name(self) -> str:
        """The title, and the machine where it tells of one: the name of a file, without an end.

        Of each machine it stays the same. What no file's name should have is replaced.
        """
        if self.machine is None:
            return self.title
        safe = re.sub(r"[^A-Za-z0-9._-]", "_", self.machine)[:100]
        if safe != self.machine:  # whoever uploads says his name himself
            import hashlib

            safe += f"-{hashlib.sha256(self.machine.encode(errors='replace')).hexdigest()[:8]}"
        return f"{self.title}.{safe}"

    @property
    def is_quiet(self) -> bool:
        """Whether nothing in it needs anybody: no attention, nothing important, no notes."""
        return not (self.attention or self.important or self.notes)

    def only(self, parts: Collection[str]) -> Report:
        """The same report with some of its parts alone (see `parts`)."""
        has_all = "summaries" in parts
        return replace(
            self,
            parts=parts,
            attention=self.attention if "attention" in parts else [],
            unusual=self.unusual if "unusual" in parts else [],
            glance=self.glance if "glance" in parts else [],
            hours=self.hours if "glance" in parts else [],
            important=self.important if "important" in parts else [],
            interesting=self.interesting if "interesting" in parts else [],
            other=self.other if "other" in parts else [],
            kinds=[kind for kind in self.kinds if kind.section in parts],
            notes=self.notes if "notes" in parts else [],
            summaries=[one for one in self.summaries if has_all or one.id in parts],
        )

    @property
    def events(self) -> int:
        """How many events there are in the three sections."""
        rows = events_of(self.important) + events_of(self.interesting)
        return rows + len(self.other) + sum(self.left_out.values())

    def attend(  # noqa: PLR0913 -- the facts of one item
        self,
        text: str,
        weight: int,
        *,
        time: datetime | None = None,
        cause: str = "",
        mark: str = "",
        quote: str = "",
        count: int = 1,
    ) -> None:
        """Say that something needs attention: on the first screen, and in the subject of the mail.

        The arguments are the attributes of `Attention`. Of one cause, the heaviest item stays;
        of several, the last one.

        :raises ValueError: the weight is not 1 to 100.
        :raises TypeError: something is not of the type that `Attention` has it.
        """
        checked.text("text", text), checked.text("cause", cause), checked.text("mark", mark)
        checked.text("quote", quote), checked.moment("time", time), checked.whole("count", count)
        if not 1 <= weight <= 100:
            raise ValueError(f"weight = {weight} is no weight (expected 1 to 100)")
        item = Attention(text, weight, time, cause, mark, quote, count)
        for at, other in enumerate(self.attention):
            if cause and other.cause == cause:
                heavier, lighter = (other, item) if other.weight > weight else (item, other)
                heavier.count = max(heavier.count, lighter.count)
                heavier.quote = heavier.quote or lighter.quote
                self.attention[at] = heavier
                return
        self.attention.append(item)

    def compare(
        self,
        name: str,
        today: float | Sequence[float],
        usual: float | Sequence[float] | None,
        type: CellType = "number",
    ) -> None:
        """Add a row to "at a glance": the arguments are the attributes of `Glance`.

        What is usual is that of one day: in a report of several days, it is multiplied.

        :raises TypeError: the name is no text, or something else no number.
        :raises ValueError: a number is infinite, or has hundreds of digits.
        """
        checked.text("name", name)
        for what, value in (("today", today), ("usual", usual)):
            for one in value if isinstance(value, Sequence) else [value]:
                if one is not None or what == "today":
                    checked.number(what, one)
        if usual is not None and type in ("number", "bytes", "duration") and len(self.days) > 1:
            times = len(self.days)
            usual = [one * times for one in usual] if isinstance(usual, Sequence) else usual * times
        self.glance.append(Glance(name, today, usual, type))

    def add_summary(  # noqa: PLR0913 -- the facts of one summary
        self,
        id: str,
        title: str,
        columns: Iterable[Column] = (),
        rows: Iterable[Iterable[Any]] = (),
        *,
        facts: Iterable[str] = (),
        left_out: int = 0,
        emphasis: Iterable[int] = (),
    ) -> None:
        """Contribute a summary; one without rows and facts is left out.

        The arguments are the attributes of `Summary`.

        :raises ValueError: a row has not as many cells as there are columns.
        :raises TypeError: something is not of the type that `Summary` has it.
        """
        checked.text("id", id), checked.text("title", title), checked.whole("left_out", left_out)
        of_table = [[checked.cell(cell) for cell in row] for row in rows]
        sentences, named = checked.texts("facts", facts), list(columns)
        for column in named:
            if not isinstance(column, Column):
                raise TypeError(f"a column is of type {type(column).__name__} (expected Column)")
            checked.text("the name of a column", column.name)
        if wrong := next((row for row in of_table if len(row) != len(named)), None):
            raise ValueError(f"a row has {len(wrong)} cells (expected {len(named)}, as columns)")
        stands_out = {checked.whole("emphasis", at) for at in emphasis}
        if of_table or sentences:
            self.summaries.append(
                Summary(id, title, named, of_table, sentences, left_out, stands_out)
            )

    def add_table(self, title: str, columns: Iterable[str], rows: Iterable[Iterable[Any]]) -> None:
        """Contribute a table of texts; every value becomes text. One without rows is left out."""
        texts = [[str(value) for value in row] for row in rows]
        name = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
        self.add_summary(name, title, [Column(column) for column in columns], texts)


def events_of(rows: Sequence[Row]) -> int:
    """How many events rows stand for, without reading them where that is known."""
    known: int | None = getattr(rows, "events", None)
    return sum(row.count for row in rows) if known is None else known


def shown_times(details: Details, times: Sequence[T]) -> Sequence[T]:
    """The times that a details mode shows, of all those that it was reported with (ordered)."""
    match details:
        case "NONE":
            return []
        case "FIRST":
            return times[:1]
        case "LAST":
            return times[-1:]
        case "FIRSTLAST" if len(times) >= 2:
            return [times[0], times[-1]]
        case _:
            return times
