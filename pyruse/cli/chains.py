"""Prints chains and their steps with their counters, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import PurePath
from typing import Any

import click

from pyruse.cli.stdout import echo
from pyruse.columns import briefly, columns, padded
from pyruse.text import one_line

_LONGEST_NAME = 50
_NEVER = "never"
_COUNTS = ("chain, step", "entries", "passed", "faults")
_TIMES = ("time", "share", "an entry", "reading")
_PARTS = {
    "steps": "steps, reading aside",
    "reading": "reading fields from the journal",
    "moving": "moving to the next entry",
    "between": "between the steps: look-ups, the way",
    "others": "counters and events to the state, report",
}


def show_counts(chains: Sequence[dict[str, Any]]) -> None:
    """Print what the chains counted (see `Traffic.data`), in the order of the configuration."""
    _show_columns([_COUNTS, *_rows(chains, lambda _: ())])


def show_profile(profile: dict[str, Any], entries: int) -> None:
    """Print where the time went.

    :param profile: see `Profile.data`.
    :param entries: the number of entries.
    """
    seconds = profile["seconds"]
    total = seconds["total"]

    def times(row: dict[str, Any]) -> tuple[str, ...]:
        seen = row["entries"] if "entries" in row else row["seen"]
        if seen and row.get("calls") == 0:  # what that took is told above, for all of them
            return ("look-up",)
        reading = row["reading_seconds"]
        return (*_time(row["seconds"], total, seen), _span(reading) if reading else "")

    _show_columns(
        [
            ("where the time went", *_TIMES[:3]),
            *((words, *_time(seconds[part], total, entries)) for part, words in _PARTS.items()),
            ("together", *_time(total, total, entries)),
        ]
    )
    echo()
    _show_columns([(*_COUNTS, *_TIMES), *_rows(profile["chains"], times)])


def _rows(
    chains: Sequence[dict[str, Any]], times: Callable[[dict[str, Any]], tuple[str, ...]]
) -> Iterator[tuple[str, ...]]:
    """A row for each chain, followed by a row for each of its steps, unless no entry came there.

    :param times: gives further columns for a chain or a step.
    """
    several = len({chain.get("file") for chain in chains}) > 1
    for chain in chains:
        name = _cell(chain["chain"])
        if several:  # rules' files, or those of conf.d
            name += f" ({_cell(PurePath(chain.get('file') or '?').name)})"
        if not chain["entries"]:
            yield name, _NEVER
            continue
        yield name, f"{chain['entries']:,}", "", "", *times(chain)
        for step in chain["steps"]:
            yield (
                f"  {_cell(_named(step))}",
                f"{step['seen']:,}",
                f"{step['passed']:,}" if step["kind"] == "filter" else "",
                f"{step['faults']:,}" if step["faults"] else "",
                *times(step),
            )


def _named(step: dict[str, Any]) -> str:
    label = f' "{step["label"]}"' if step["label"] else ""
    return f"[{step['index']}] {'not ' if step['invert'] else ''}{step['plugin']}{label}"


def _time(seconds: float, total: float, entries: int) -> tuple[str, ...]:
    share = seconds / total if total else 0
    each = f"{seconds / entries * 1e6:,.1f} µs" if entries else ""
    return _span(seconds), f"{share:.1%}", each


def _span(seconds: float) -> str:
    return f"{seconds:,.1f} s" if seconds >= 10 else f"{seconds * 1000:,.1f} ms"


def _cell(text: str) -> str:
    return briefly(one_line(text), _LONGEST_NAME)


def _show_columns(rows: Sequence[tuple[str, ...]]) -> None:
    """Print rows in columns, all but the first one aligned to the right."""
    width = max(map(len, rows))
    full = [(*row, *[""] * (width - len(row))) for row in rows]
    widths = [max(map(columns, column)) for column in zip(*full, strict=True)]
    for first, *others in full:
        numbers = (text.rjust(size) for text, size in zip(others, widths[1:], strict=True))
        line = "  ".join([padded(first, widths[0]), *numbers]).rstrip()
        echo(click.style(line, fg="yellow") if others[0] == _NEVER else line)
