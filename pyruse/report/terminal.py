"""A report on a terminal, in colours. Nothing of an entry is ever read as rich's markup."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table as RichTable
from rich.table import box
from rich.text import Text

from pyruse.report import wording
from pyruse.report.model import Report, Row, Table
from pyruse.report.plaintext import numeric_columns, wrapped
from pyruse.text import one_line, printable

_STYLES = {"important": "bold red", "interesting": "bold blue", "other": "bold"}


def print_report(report: Report, console: Console, limit: int = 10_000) -> None:
    """Print a report.

    :param limit: at most so many rows of a section are printed.
    """
    clock = wording.Clock(report.begin, report.end)
    _print_header(report, console, clock)
    for title, rows in (("important", report.important), ("interesting", report.interesting)):
        events = wording.counted(sum(row.count for row in rows), "event")
        _print_heading(title, f"{wording.counted(len(rows), 'message')}, {events}", console, rows)
        _print_rows(rows[:limit], title, console, clock)
        _print_remainder(report, len(rows) - limit, "message", console)
    for table in report.tables:
        console.print()
        console.print(_table(table, limit))
        _print_remainder(report, len(table.rows) - limit, "row", console)
    _print_heading("other", wording.counted(len(report.other), "event"), console, report.other)
    for line in report.other[:limit]:
        time = clock(line.time)
        _print_hanging(Text(f"{time}  ", style="dim"), line.message, console)
    _print_remainder(report, len(report.other) - limit, "event", console)


def _print_header(report: Report, console: Console, clock: wording.Clock) -> None:
    console.print(_text(wording.heading(report), "bold underline"))
    console.print()
    facts = RichTable.grid(padding=(0, 2))
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


def _print_heading(title: str, detail: str, console: Console, content: object) -> None:
    console.print()
    if content:
        console.print(Text.assemble((title.capitalize(), _STYLES[title]), (f"  {detail}", "dim")))
    else:
        console.print(Text.assemble((title.capitalize(), "bold"), ("  nothing", "dim")))


def _print_rows(rows: list[Row], section: str, console: Console, clock: wording.Clock) -> None:
    width = max((len(f"{row.count:,}") for row in rows), default=0)
    style = "bold" if section == "important" else ""
    for row in rows:
        count = Text(f"{row.count:>{width},} × ", style=_STYLES[section])
        _print_hanging(count, row.message, console, style)
        for text in wording.when(row, clock):
            _print_hanging(Text(" " * (width + 5)), text, console, "dim")


def _print_hanging(before: Text, message: str, console: Console, style: str = "") -> None:
    """Print a message; all its lines stand to the right of what is before it."""
    # Wrapped here: rich takes ten times as long for it, and a day may have thousands of lines.
    indent = before.cell_len
    text = wrapped(wording.brief(message), indent, max(console.width, indent + 20))
    console.print(Text.assemble(before, (text, style)), soft_wrap=True)


def _print_remainder(report: Report, count: int, noun: str, console: Console) -> None:
    if count > 0:
        console.print(_text(wording.remainder(report, count, noun), "dim italic"))


def _table(table: Table, limit: int) -> Padding:
    shown = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, title=_text(table.title, "bold"))
    shown.title_justify = "left"
    for column, numeric in zip(table.columns, numeric_columns(table), strict=True):
        shown.add_column(_text(column), justify="right" if numeric else "left", overflow="fold")
    for row in table.rows[:limit]:
        shown.add_row(*_cells(row, len(table.columns)))
    return Padding(shown, 0)


def _cells(row: list[str], count: int) -> Iterator[Text]:
    for cell in (*row[:count], *[""] * (count - len(row))):
        yield _text(wording.brief(cell))


def _text(text: str, style: str = "") -> Text:
    return Text(printable(text) if "\n" in text else one_line(text), style=style)
