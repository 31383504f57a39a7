"""Finds events by their text, within bounds: a flood of them holds nobody up."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from typing import NamedTuple

_LOOKED_AT = 20_000
"""Events that have the text, at most: the newest ones."""
_LONGEST_S = 5.0
_INSTRUCTIONS = 100_000
"""Of SQLite's machine between two looks at the clock: some milliseconds."""


class FoundMessage(NamedTuple):
    """The events of a day and section that have one message. Instants are µs since the epoch."""

    day: str
    section: str
    message: str
    events: int
    first: int
    last: int


class FoundMessages(NamedTuple):
    """What was found."""

    messages: list[FoundMessage]
    """The newest first."""
    is_all: bool
    """Whether there is no more."""


def find_events(
    db: sqlite3.Connection, days: Sequence[str], text: str, section: str | None, limit: int
) -> FoundMessages:
    """The messages that have a text.

    Of letters outside of ASCII, upper and lower case are told apart: SQLite does it by itself so,
    which lets other threads run meanwhile.

    :param db: a connection to a state.
    :param days: the days to look at, as ``YYYY-MM-DD``.
    :param text: what the messages have; no character of it means anything else.
    :param section: the one to look at; None: all of them.
    :param limit: the number of messages.
    """
    marks = ", ".join("?" * len(days))
    of_section = "" if section is None else "AND +section = ?"
    # The days by no index (thus the +), but the ranges from the last one on: nothing is sorted, and
    # what is found first is given first.
    query = f"""SELECT day, section, message, time FROM events
                WHERE +day IN ({marks}) AND instr(lower(message), lower(?)) {of_section}
                ORDER BY range DESC, rowid DESC LIMIT ?"""
    values = (*days, text, *(() if section is None else (section,)), _LOOKED_AT)
    found: dict[tuple[str, str, str], FoundMessage] = {}
    deadline = time.monotonic() + _LONGEST_S
    seen, is_all = 0, True
    db.set_progress_handler(lambda: time.monotonic() > deadline, _INSTRUCTIONS)
    try:
        for day, of, message, at in db.execute(query, values):
            seen += 1
            key = day, of, message
            one = found.get(key)
            if one is None:
                if len(found) == limit:
                    is_all = False
                    continue
                one = FoundMessage(day, of, message, 0, at, at)
            first, last = min(one.first, at), max(one.last, at)
            found[key] = one._replace(events=one.events + 1, first=first, last=last)
    except sqlite3.OperationalError:
        if time.monotonic() <= deadline:
            raise
        is_all = False
    finally:
        db.set_progress_handler(None, 0)
    return FoundMessages(
        sorted(found.values(), key=lambda one: -one.last), is_all and seen < _LOOKED_AT
    )
