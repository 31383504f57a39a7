"""A report on a terminal, in colours. Nothing of an entry is ever read as rich's markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain

from rich import box
from rich.console import Console
from rich.segment import Segment, Segments
from rich.style import Style
from rich.table import Table
from rich.text import Text

from pyruse.api.findings import Summary
from pyruse.api.report import Line, Report, Row, Section, events_of
from pyruse.columns import cut
from pyruse.report import wording
from pyruse.report.cells import bar_lengths, right_aligned, texts, without_empty
from pyruse.report.choice import Choice, Offer
from pyruse.report.measures import FACTS
from pyruse.report.plaintext import WIDTH, aside, wrapped
from pyruse.report.room import Room
from pyruse.report.sparkline import sparkline
from pyruse.report.text_blocks import attention_block, glance_table, kind_block, unusual_block
from pyruse.text import brief_line, counted, one_line, printable

_STYLES = {"important": "bold red", "interesting": "bold blue", "other": "bold"}
_WIDEST = 110
"""On a wider terminal, the eye would not find from a message to its times."""
_ROOM = Room(240, 0)
"""Lines: with the first screen, about as many as the text has."""
_BAR = 12


def print_report(report: Report, console: Console, limit: int = 10_000) -> None:
    """Print a report.

    :param report: the report.
    :param console: where to print it.
    :param limit: the number of rows of a section that are printed at most.
    """
    shown = Choice(Offer(report, "text", limit), _ROOM)
    clock = wording.Clock(report.begin, report.end)
    _print_first_screen(report, shown, console, clock)
    for name in ("important", "interesting"):
        _print_section(name, report, shown, console, clock)
    for table, count in shown.summaries:
        console.print()
        console.print(_text(brief_line(table.title, 200), "bold"))
        for fact in table.facts[:FACTS]:
            console.print(_text(wording.brief(fact)))
        if table.columns and count:
            console.print(_table(without_empty(table, count), count, clock))
        _print_remainder(report, len(table.rows) + table.left_out - count, "row", console)
    _print_remainder(report, len(report.summaries) - len(shown.summaries), "summary", console)
    _print_section("other", report, shown, console, clock)
    if shown.remarks:
        console.print()
        console.print(_text("Notes", "bold yellow"))
        for note in shown.remarks:
            _print_block("! ", wording.brief(note), "", console)
    rest = len(report.notes) - len(shown.losses) - len(shown.remarks)
    _print_remainder(report, rest, "note", console)
    console.print()
    console.print(_text(wording.period(report), "dim"))


def print_verdict(report: Report, console: Console, *, reasons: bool = False) -> None:
    """Print whether anything needs doing, of which machines and day it is told; and the reasons."""
    needs = report.attention or wording.events_in(report, "important")
    verdict = wording.verdict(report)
    style = "bold red" if needs else "bold green"
    console.print(Text.assemble((f"{wording.about(report)}: ", "bold"), (verdict, style)))
    if reasons:
        _print_lines([cut(line, console.width)[0] for line in wording.reasons(report)], "", console)


def _print_first_screen(
    report: Report, shown: Choice, console: Console, clock: wording.Clock
) -> None:
    width = min(console.width, _WIDEST)
    print_verdict(report, console)
    for note in shown.losses:
        _print_block("! ", wording.brief(note), "yellow", console)
    if shown.attention:
        console.print()
        for number, item in enumerate(shown.attention, 1):
            block = attention_block(item, number, clock, max(width, 30))
            head, *rest = block.split("\n")
            style = "bold red" if item.weight >= 70 else "bold"
            _print_lines([head], style, console)
            _print_lines(rest, "", console)
        if more := len(report.attention) - len(shown.attention):
            console.print(_text(f"    … and {more:,} more below", "dim"))
    if report.unusual:
        console.print()
        console.print(_text(f"Unlike other days: {wording.unlike(report.unusual)}", "bold"))
        for one in shown.unusual:
            _print_lines(unusual_block(one, max(width, 30)).split("\n"), "", console)
    if learns := wording.learns(report):
        console.print(_text(f"{learns}.", "dim"))
    console.print()
    if shown.glance:
        head, *rest = glance_table(shown.glance, min(width, WIDTH)).split("\n")
        _print_lines([head], "bold", console)
        _print_lines(rest, "", console)
    if report.hours:
        hours = f"Entries by hour     {sparkline(report.hours)}  at most {max(report.hours):,}"
        console.print(_text(hours))
    totals = ", ".join(
        f"{wording.events_in(report, name):,} {name}"
        for name in ("important", "interesting", "other")
    )
    entries = f"{report.entries:,} entries"
    if report.first and report.last:
        entries += f", from {clock(report.first)} until {clock(report.last)}"
    console.print(_text(entries, "dim"))
    console.print(_text(totals, "dim"))


def _print_section(
    name: Section, report: Report, shown: Choice, console: Console, clock: wording.Clock
) -> None:
    if report.kinds:
        kinds = shown.kinds[name]
        if kinds.count:
            events = counted(kinds.events, "event")
            _print_heading(name, f"{counted(kinds.count, 'kind')}, {events}", console)
        for kind in kinds.shown:
            block = kind_block(kind, kinds.digits, clock, max(min(console.width, _WIDEST), 30))
            _print_lines(block.split("\n"), "bold" if name == "important" else "", console)
        _print_remainder(report, kinds.count - len(kinds.shown), "kind", console)
    elif name == "other" and report.other:
        _print_heading(name, counted(len(report.other), "event"), console)
        _print_all(_lines(shown.other, clock, console.width), console)
        _print_remainder(report, len(report.other) - len(shown.other), "event", console)
    elif name != "other" and (rows := getattr(report, name)):
        events = counted(events_of(rows), "event")
        _print_heading(name, f"{counted(len(rows), 'message')}, {events}", console)
        some: Sequence[Row] = getattr(shown, name)
        _print_all(_rows(some, name, clock, console.width), console)
        _print_remainder(report, len(rows) - len(some), "message", console)


def _print_heading(title: str, detail: str, console: Console) -> None:
    console.print()
    console.print(Text.assemble((title.capitalize(), _STYLES[title]), (f"  {detail}", "dim")))


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


def _print_block(before: str, text: str, style: str, console: Console) -> None:
    segments = _hanging(before, style or "yellow", text, style, min(console.width, _WIDEST))
    _print_all(iter([[*segments, Segment.line()]]), console)


def _print_lines(lines: Sequence[str], style: str, console: Console) -> None:
    parsed = Style.parse(style)
    _print_all(([Segment(line, parsed), Segment.line()] for line in lines), console)


def _print_all(parts: Iterator[list[Segment]], console: Console) -> None:
    # Wrapped already, and printed at once: rich's own way of doing both takes seconds for many.
    console.print(Segments(chain.from_iterable(parts)), end="")


def _print_remainder(report: Report, count: int, noun: str, console: Console) -> None:
    if count > 0:
        console.print(_text(wording.remainder(report, count, noun), "dim italic"))


def _table(table: Summary, limit: int, clock: wording.Clock) -> Table:
    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column, to_right in zip(table.columns, right_aligned(table), strict=True):
        shown.add_column(
            _text(brief_line(column.name, 100)),
            justify="right" if to_right else "left",
            overflow="fold",
        )
    rows, bars = texts(table, limit, clock.minute), bar_lengths(table, limit, _BAR)
    for at, (row, lengths) in enumerate(zip(rows, bars, strict=True)):
        style = "bold red" if at in table.emphasis else ""
        cells = [
            cell + (f" {'█' * length}" if length else "")
            for cell, length in zip(row, lengths, strict=True)
        ]
        shown.add_row(*map(_text, cells), style=style)
    return shown


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text) if "\n" in text else one_line(text), style=style)
