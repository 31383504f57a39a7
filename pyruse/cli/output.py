"""Output of the commands: tables and progress on a terminal, plain text in a pipe, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from functools import lru_cache
from typing import Any

import msgspec

from pyruse.api.report import Report
from pyruse.cli.options import on_terminal
from pyruse.cli.stdout import echo, stdout
from pyruse.text import json_escaped, one_line
from pyruse.times import datetime_of


@lru_cache(maxsize=4096)
def shown_time(time_us: int, zone: tzinfo) -> str:
    """An instant in microseconds since the epoch, as people read it."""
    return f"{datetime_of(time_us, zone):%F %T}"


def show_json(data: Any) -> None:
    """Print data as one JSON document; what a log line may do to a terminal stays an escape."""
    echo(json_escaped(msgspec.json.format(msgspec.json.encode(data), indent=2).decode()))


_NARROW = 110  # columns of a terminal
_WHOLE = 20
_LEAST = 10


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    spare: Collection[str] = (),
) -> None:
    """Print a table: a drawn one on a terminal, columns separated by tabs in a pipe.

    :param title: what stands above it on a terminal.
    :param columns: their headings, for a terminal.
    :param rows: numbers stand at the right of their column.
    :param spare: the columns that a narrow terminal has no room for.
    """
    texts = [[one_line(str(value)) for value in row] for row in rows]
    if not on_terminal():
        if texts:
            echo("\n".join("\t".join(row) for row in texts))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(file=stdout())
    shown = [
        place
        for place, column in enumerate(columns)
        if console.width >= _NARROW or column not in spare
    ]
    whole = _whole_columns(shown, columns, texts, console.width)
    table = Table(title=title or None, title_justify="left")
    for place in shown:
        numbers = bool(rows) and all(
            isinstance(row[place], int) or row[place] == "" for row in rows
        )
        table.add_column(
            columns[place],
            overflow="fold",
            no_wrap=place in whole,
            justify="right" if numbers else "left",
        )
    for row in texts:
        table.add_row(*(Text(row[place]) for place in shown))  # brackets are no markup
    console.print(table)


def _whole_columns(
    shown: Sequence[int], columns: Sequence[str], texts: Sequence[Sequence[str]], width: int
) -> set[int]:
    """The columns of short texts, such as ids, that are not broken, as far as there is room."""
    widths = {
        place: max(len(text) for text in [columns[place], *(row[place] for row in texts)])
        for place in shown
    }
    room = width - 1 - sum(3 + min(_LEAST, widths[place]) for place in shown)
    whole = set()
    for place in shown:
        more = max(0, widths[place] - _LEAST)
        if widths[place] <= _WHOLE and more <= room:
            whole.add(place)
            room -= more
    return whole


def show_report(report: Report, text: Callable[[], str], limit: int) -> None:
    """Print a report: drawn on a terminal, by the text template in a pipe.

    :param report: the report.
    :param text: renders it by the template.
    :param limit: the number of rows of each section that are drawn.
    """
    if not on_terminal():
        echo(text())
        return
    from rich.console import Console

    from pyruse.report.terminal import print_report

    print_report(report, Console(file=stdout()), limit)


def show_verdict(report: Report) -> None:
    """Print the verdict on a day, and what it is for: in colours on a terminal."""
    if not on_terminal():
        from pyruse.report.wording import about, reasons, verdict

        echo("\n".join([f"{about(report)}: {verdict(report)}", *reasons(report)]))
        return
    from rich.console import Console

    from pyruse.report.terminal import print_verdict

    print_verdict(report, Console(file=stdout()), reasons=True)


def show_lines(title: str, lines: Sequence[str]) -> None:
    """Print lines under a title with their number; nothing when there are none."""
    if lines:
        echo(f"\n{title}: {len(lines)}")
        for line in lines:
            echo(f"  {one_line(line)}")


@contextmanager
def progress(span: tuple[int, int] | None) -> Iterator[Callable[[int, int], None] | None]:
    """Show how far a pass over a journal is, where standard error is a terminal.

    :param span: the first and the last instant of it, in microseconds since the epoch.
    :return: to be called with the number of entries, and the instant reached.
    """
    if span is None or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    first, last = span
    columns = (
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TextColumn("{task.fields[entries]:,} entries"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=max(1, last - first), entries=0)
        yield lambda entries, time_us: bar.update(
            task, completed=min(time_us, last) - first, entries=entries
        )
