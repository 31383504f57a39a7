"""The days that are kept, and what became of the report of each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import tzinfo
from typing import TYPE_CHECKING

from pyruse.cli.output import shown_time
from pyruse.state.outbox import Outbox, reports_sent

if TYPE_CHECKING:
    import sqlite3

    from pyruse.state.days import Day

COLUMNS = ("day", "entries", "report", "mail")


def rows_of(
    db: sqlite3.Connection, days: list[Day], zone: tzinfo
) -> Iterator[tuple[str, int, str, str]]:
    """A row for each day.

    :param db: the committed state.
    :param days: those that are kept.
    :param zone: the zone of the times.
    """
    outbox = Outbox()
    outbox.load(db)
    items = [item for item in outbox.items() if item.report is not None]
    taken = reports_sent(db)
    for one in days:
        state, told = "open" if one.reported is None else "made", []
        for sent in taken:
            if sent.title == one.day:
                state = "sent"
                told.append(f"{sent.receiver}, {shown_time(sent.at, zone)}: {sent.answer}")
        for item in items:
            if item.report == one.day:
                state = "set aside" if item.refused else "waits"
                told.append(f"{', '.join(item.payload['to'])}: {item.error or 'not tried yet'}")
        yield one.day, one.entries, state, "; ".join(told)
