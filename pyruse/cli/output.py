"""Output of the commands: tables and progress on a terminal, plain text in a pipe, or JSON."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from pyruse.cli.options import on_terminal
from pyruse.cli.stdout import echo, stdout
from pyruse.cli.table import drawn, wrapped
from pyruse.text import controls_in, one_line, printable
from pyruse.times import datetime_of

if TYPE_CHECKING:
    from datetime import tzinfo

    from pyruse.api.report import Report

_QUARTER_S = 900
_ROWS = 1_000
"""So many rows are printed at once: quick, and in little memory."""


def shown_time(time_us: int, zone: tzinfo) -> str:
    """An instant in microseconds since the epoch, as people read it."""
    return _shown_second(time_us // 1_000_000, zone)


@lru_cache(maxsize=4096)
def _shown_second(number: int, zone: tzinfo) -> str:
    """A second since the epoch: of thousands of bans by a list, many share theirs."""
    quarter, rest = divmod(number, _QUARTER_S)
    hour, minute = _quarter(quarter, zone)
    if minute < 0:
        return f"{datetime_of(number * 1_000_000, zone):%F %T}"
    minutes, seconds = divmod(rest, 60)
    return f"{hour}{minute + minutes:02}:{seconds:02}"


@lru_cache(maxsize=4096)
def _quarter(number: int, zone: tzinfo) -> tuple[str, int]:
    """The beginning of a quarter of an hour, as far as to its minute, and that minute.

    Most tables have many instants of a quarter, and a datetime for each takes its time. The minute
    is -1 where the clocks change in this quarter, or were set by the sun.
    """
    begin = datetime_of(number * _QUARTER_S * 1_000_000, zone)
    end = datetime_of((number + 1) * _QUARTER_S * 1_000_000 - 1, zone)
    is_plain = begin.utcoffset() == end.utcoffset() and begin.minute % 15 == begin.second == 0
    return f"{begin:%F %H:}", begin.minute if is_plain else -1


def show_json(data: Any) -> None:
    """Print data as one JSON document; what it may have in it says `json_pieces`."""
    from pyruse.cli.json_pieces import json_pieces

    for piece in json_pieces(data):
        echo(piece, nl=False)
    echo()


def width() -> int:
    """The columns of the terminal."""
    import shutil  # with four modules of compression

    return max(20, shutil.get_terminal_size().columns)


def width_of_full() -> int | None:
    """The columns of a report's whole text, where the terminal has fewer than that has."""
    from pyruse.report.plaintext import WIDTH

    return min(WIDTH, width()) if on_terminal() else None


def emphasised(text: str) -> str:
    """A text that stands out on a terminal, unless NO_COLOR or TERM says that it should not."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") in (None, "dumb"):
        return text
    return click.style(text, bold=True)


def show_text(text: str, first: str = "", rest: str | None = None) -> None:
    """Print a text on one line in a pipe, and on a terminal on several that fit.

    :param text: it is made harmless.
    :param first: stands before it.
    :param rest: stands before further lines; None: as many spaces.
    """
    text = one_line(text)
    lines = wrapped(text, width(), first, rest) if on_terminal() else [f"{first}{text}"]
    for line in lines:
        echo(line)


def show_document(text: str) -> None:
    """Print a text of several paragraphs; on a terminal, each as wide as that is.

    Lines that begin with a space or a mark, such as those of lists and examples, stay apart.
    """
    if not on_terminal():
        echo(printable(text))
        return
    paragraph: list[str] = []
    is_example = False
    for line in [*text.splitlines(), ""]:
        is_example ^= line.startswith("```")
        if is_example or line.startswith("```"):
            echo(printable(line))  # whole, to be copied
            continue
        if line and (line[0].isalnum() or line[0] in "`\"'([{"):
            paragraph.append(line)
            continue
        if paragraph:
            show_text(" ".join(paragraph))
            paragraph.clear()
        indent = line[: len(line) - len(line.lstrip(" *-"))]
        show_text(line[len(indent) :], indent, " " * len(indent))


def show_table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    spare: Collection[str] = (),
    first: Sequence[str] = (),
) -> None:
    """Print a table: one that fits on a terminal, columns separated by tabs in a pipe.

    :param title: what stands above it on a terminal.
    :param columns: their headings, for a terminal.
    :param rows: numbers stand at the right of their column.
    :param spare: the columns that a narrow terminal has no room for.
    :param first: the columns that have room before others; what has none stands below.
    """
    if not on_terminal():
        left = iter(rows)
        while some := list(islice(left, _ROWS)):
            echo(_piped(some))
        return
    rows = list(rows)
    texts = list(map(_texts, rows))
    numbers = {
        place
        for place in range(len(columns))
        if rows and all(isinstance(row[place], int) or row[place] == "" for row in rows)
    }
    heading, lines, left_out = drawn(
        columns, texts, width(), numbers=numbers, spare=spare, first=first
    )
    if title:
        show_text(title)
    echo(emphasised(heading))
    for line in lines:
        echo(line)
    if left_out:
        show_text(f"(no room for: {', '.join(left_out)})")


def _piped(rows: Sequence[Sequence[object]]) -> str:
    """A line for each row, in which tabs separate the cells."""
    text = "\n".join(["\t".join([str(cell) for cell in row]) for row in rows])
    separators = sum(map(len, rows)) - 1
    if text.isascii() and controls_in(text) == separators:  # most are: one look for all cells
        return text
    return "\n".join(["\t".join(_texts(row)) for row in rows])


def _texts(row: Sequence[object]) -> list[str]:
    """The cells of a row, each on one line."""
    return [one_line(str(cell)) for cell in row]


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
        echo()
        show_text(f"{title}: {len(lines)}")
        for line in lines:
            show_text(line, "  ", "    ")


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
