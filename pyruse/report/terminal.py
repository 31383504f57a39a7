"""A report on a terminal, in colours. Nothing of an entry is ever read as rich's markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Sized
from itertools import chain

from rich import box
from rich.console import Console
from rich.panel import Panel
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table
from rich.text import Text

from pyruse.api.findings import Summary
from pyruse.api.report import Line, Report, Row, events_of
from pyruse.report import wording
from pyruse.report.cells import right_aligned, texts
from pyruse.report.plaintext import aside, wrapped
from pyruse.text import one_line, printable

_STYLES = {"important": "bold red", "interesting": "bold blue", "other": "bold"}
_WIDEST = 110
"""On a wider terminal, the eye would not find from a message to its times."""


def print_report(report: Report, console: Console, limit: int = 10_000) -> None:
    """Print a report.

    :param report: the report.
    :param console: where to print it.
    :param limit: the number of rows of a section that are printed at most.
    """
    clock = wording.Clock(report.begin, report.end)
    _print_header(report, console, clock)
    for title, rows in (("important", report.important), ("interesting", report.interesting)):
        events = wording.counted(events_of(rows), "event")
        _print_heading(title, f"{wording.counted(len(rows), 'message')}, {events}", rows, console)
        _print_all(_rows(rows[:limit], title, clock, console.width), console)
        _print_remainder(report, len(rows) - limit, "message", console)
    for table in report.summaries:
        console.print()
        for fact in table.facts:
            console.print(_text(fact))
        if table.columns:
            console.print(_table(table, limit, clock))
        _print_remainder(report, len(table.rows) - limit, "row", console)
    _print_heading("other", wording.counted(len(report.other), "event"), report.other, console)
    _print_all(_lines(report.other[:limit], clock, console.width), console)
    _print_remainder(report, len(report.other) - limit, "event", console)


def _print_header(report: Report, console: Console, clock: wording.Clock) -> None:
    console.print(_text(wording.heading(report), "bold underline"))
    console.print()
    facts = Table.grid(padding=(0, 2))
    facts.add_column(style="dim", no_wrap=True)
    facts.add_column(overflow="fold")
    hosts = ", ".join(report.hosts) or "unknown"
    facts.add_row("Hosts" if len(report.hosts) > 1 else "Host", _text(hosts))
    facts.add_row("Period", _text(wording.period(report)))
    entries = f"{report.entries:,}"
    if report.first and report.last:
        entries += f", from {clock(report.first)} until {clock(report.last)}"
    facts.add_row("Entries", _text(entries))
    console.print(facts)
    if report.notes:
        notes = _text("\n").join(_text(f"• {wording.brief(note)}") for note in report.notes)
        console.print()
        console.print(Panel(notes, title="Notes", title_align="left", border_style="yellow"))


def _print_heading(title: str, detail: str, content: Sized, console: Console) -> None:
    style, detail = (_STYLES[title], detail) if content else ("bold", "nothing")
    console.print()
    console.print(Text.assemble((title.capitalize(), style), (f"  {detail}", "dim")))


def _rows(
    rows: Sequence[Row], section: str, clock: wording.Clock, width: int
) -> Iterator[list[Segment]]:
    digits = max((len(f"{row.count:,}") for row in rows), default=0)
    message_style = "bold" if section == "important" else ""
    for row in rows:
        count = f"{row.count:>{digits},} × "
        segments = _hanging(count, _STYLES[section], row.message, message_style, width)
        remarks = aside(segments[1].text, wording.when(row, clock), len(count), min(width, _WIDEST))
        yield [*segments, Segment(remarks, Style.parse("dim")), Segment.line()]


def _lines(lines: Sequence[Line], clock: wording.Clock, width: int) -> Iterator[list[Segment]]:
    for line in lines:
        segments = _hanging(f"{clock(line.time)}  ", "dim", line.message, "", width)
        yield [*segments, Segment.line()]


def _hanging(
    before: str, style: str, message: str, message_style: str, width: int
) -> list[Segment]:
    """A message, all the lines of which stand to the right of what is before it."""
    text = wrapped(wording.brief(message), len(before), max(width, len(before) + 20))
    return [Segment(before, Style.parse(style)), Segment(text, Style.parse(message_style))]


def _print_all(parts: Iterator[list[Segment]], console: Console) -> None:
    # Wrapped already, and printed at once: a day may have thousands of lines, and rich's own way
    # of doing both takes seconds for them.
    console.print(Segments(chain.from_iterable(parts)), end="")


def _print_remainder(report: Report, count: int, noun: str, console: Console) -> None:
    if count > 0:
        console.print(_text(wording.remainder(report, count, noun), "dim italic"))


def _table(table: Summary, limit: int, clock: wording.Clock) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, title=_text(table.title, "bold"))
    shown.title_justify = "left"
    for column, to_right in zip(table.columns, right_aligned(table), strict=True):
        shown.add_column(
            _text(column.name), justify="right" if to_right else "left", overflow="fold"
        )
    for row in texts(table, limit, clock):
        shown.add_row(*(_text(wording.brief(cell)) for cell in row))
    return shown


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text) if "\n" in text else one_line(text), style=style)
