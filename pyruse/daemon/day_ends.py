"""The ends of days: when a day is over, its report is made, and what is too old is removed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from datetime import date

from pyruse.delivery.item_names import set_aside_in_words
from pyruse.engine.engine import AHEAD_US, Engine
from pyruse.options.durations import written
from pyruse.report.absences import whose
from pyruse.state.damage import is_damage

_GRACE_US = 2_000_000
"""So long after a day has ended its last entries may still be on their way through journald."""


def today(engine: Engine) -> str:
    """The day by the machine's clock, as ``YYYY-MM-DD``."""
    return engine.calendar.day_of(engine.clock()).isoformat()


def next_end(engine: Engine, late_us: int) -> int | None:
    """When `end_days` should be called at the latest (µs since the epoch), if ever."""
    days = engine.state.days.unreported()
    ends = [engine.calendar.end_of(date.fromisoformat(day)) for day in days]
    return min((end + max(_GRACE_US, late_us) for end in ends), default=None)


def end_days(
    engine: Engine, last_time: int, late_us: int, caught_up: bool, commit: Callable[[], object]
) -> None:
    """Report the days that are over: by the clock, and once all their entries are read.

    :param engine: makes the reports.
    :param last_time: the instant of the last entry handled.
    :param late_us: so late come the entries of the slowest machine (see `pyruse.daemon.lags`).
    :param caught_up: whether there are no more entries for now.
    :param commit: commits the state.
    """
    state, calendar, now = engine.state, engine.calendar, engine.clock()
    ahead = state.days.ahead(calendar.day_of(now + AHEAD_US))
    ends: list[int] = []
    for name in state.days.unreported():
        end = calendar.end_of(date.fromisoformat(name))
        grace = max(_GRACE_US, late_us)
        over = now >= end + grace if caught_up else last_time >= end + late_us
        if (end <= now and over) or name in ahead:
            if items := state.outbox.tell_set_aside():
                state.days.note(name, set_aside_in_words(items))
            commit()
            engine.end_day(name, now)
            ends.append(end)
    if ends:
        state.days.begin(today(engine))
        # By the days, not by the clock alone: set wrongly, it would have everything removed.
        _remove_old(engine, min(now, *ends))
        commit()


def _remove_old(engine: Engine, now: int) -> None:
    """Remove what is older than ``[state] keep``."""
    before = now - engine.settings.state.keep.us
    for gone in engine.state.expectations.forget_before(before):
        text = f"{whose(gone)} was absent for {written(engine.settings.state.keep.us)} and more"
        days = engine.state.days
        days.note(days.open_day(engine.calendar.day_of(now)), f"{text}: it is expected no longer")
    try:
        engine.state.remove_before(before, engine.calendar.day_of(before))
    except sqlite3.Error as fault:
        if is_damage(fault):
            raise
        engine.tell_fault("state", "remove", f"cannot be cleaned up: {fault}")
