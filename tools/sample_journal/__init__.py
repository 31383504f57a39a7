"""The journal of a small server, made up: a day of mail, web and shell, with an attack in it.

``python -m tools.sample_journal`` writes the day that ``pyruse demo`` replays; tests take as many
entries of the same mix as they need from :func:`entries`. All of it is the same each time.

Each daemon has a module with a function ``lines(day, rng)``, which yields what that daemon logs in
one day, in any order.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import count as count_from
from itertools import islice
from random import Random

from . import kernel, mail, mailboxes, oddities, people, privileges, services, ssh, systemd, web
from .model import Day, Fields

__all__ = ["DATE", "SEED", "entries", "people", "sample_day"]

SEED = 20260314
DATE = date(2026, 3, 14)

_DAEMONS = (kernel, mail, mailboxes, oddities, privileges, services, ssh, systemd, web)


def sample_day() -> list[Fields]:
    """The entries of the demonstration's day."""
    return list(_entries_of(DATE, SEED))


def entries(seed: int, count: int) -> Iterator[Fields]:
    """So many entries, of as many days like the demonstration's as that takes."""
    days = (_entries_of(DATE + timedelta(days=n), seed + n) for n in count_from())
    return islice((entry for day in days for entry in day), count)


def _entries_of(date_: date, seed: int) -> Iterator[Fields]:
    day = Day(date_)
    lines = [
        line
        for daemon in _DAEMONS
        # Each has its own chance, so that a change to one leaves all the others as they were.
        for line in daemon.lines(day, Random(f"{daemon.__name__.rpartition('.')[2]} {seed}"))
    ]
    lines.sort(key=lambda line: line.at)
    time = 0
    for line in lines:
        if 0 <= line.at < 86_400:
            entry = day.entry(line, time + 1)  # no two entries have the same time
            time = int(str(entry["__REALTIME_TIMESTAMP"]))
            yield entry
