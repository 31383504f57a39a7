"""Output of the commands: tables and progress on a terminal, plain text in a pipe, or JSON."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import tzinfo
from typing import Any

import msgspec

from pyruse.api.report import Report
from pyruse.cli.options import on_terminal
from pyruse.cli.stdout import echo, stdout
from pyruse.text import json_escaped, one_line
from pyruse.times import datetime_of


def shown_time(time_us: int, zone: tzinfo) -> str:
    """An instant in microseconds since the epoch, as people read it."""
    return f"{datetime_of(time_us, zone):%F %T}"


def show_json(data: Any) -> None:
    """Print data as one JSON document; what a log line may do to a terminal stays an escape."""
    echo(json_escaped(msgspec.json.format(msgspec.json.encode(data), indent=2).decode()))


def show_table(title: str, columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: a drawn one on a terminal, columns separated by tabs in a pipe."""
    texts = [[one_line(str(value)) for value in row] for row in rows]
    if not on_terminal():
        for row in texts:
            echo("\t".join(row))
        return
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title or None, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in texts:
        table.add_row(*map(Text, row))  # as text: brackets in a log line are no markup
    Console(file=stdout()).print(table)


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
