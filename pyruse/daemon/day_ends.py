"""The ends of days: when a day is over, its report is made, and what is too old is removed."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date

from pyruse.delivery.item_names import set_aside_in_words
from pyruse.engine.engine import AHEAD_US, Engine
from pyruse.engine.publishing import Publication
from pyruse.errors import in_words
from pyruse.options.durations import written
from pyruse.report.absences import whose
from pyruse.state.damage import is_damage
from pyruse.system.allocator import give_back
from pyruse.system.privileges import keep_from_programs

_GRACE_US = 2_000_000
"""So long after a day has ended its last entries may still be on their way through journald."""
_RETRY_US = 60_000_000
"""So long after a report could not be made another attempt is made …"""
_SLICE_S = 0.05
"""So long what is old is removed, until it is the turn of entries and bans."""
_ATTEMPTS = 3
"""… so often; then, what could be made of it counts as the report."""


def today(engine: Engine) -> str:
    """The day by the machine's clock, as ``YYYY-MM-DD``."""
    return engine.calendar.day_of(engine.clock()).isoformat()


class DayEnds:
    """Reports the days that are over, one after the other, in a thread beside the main loop."""

    def __init__(self, commit: Callable[[], object], wake: Callable[[], None]) -> None:
        """Report nothing yet.

        :param commit: commits the state.
        :param wake: ends the sleep of the main loop; called in another thread.
        """
        self._commit = commit
        self._wake = wake
        self._publication: Publication | None = None
        self._removal: Iterator[None] | None = None
        """What is left to do of removing what is old."""
        self._made = threading.Event()
        """It is made, and yet to be finished."""
        self._failed = 0
        """How often the report that is due next has failed."""
        self._not_before = 0
        """It is tried again from this instant on, in microseconds since the epoch."""

    @property
    def is_removing(self) -> bool:
        """Whether something old is yet to be removed, by calls of `end`."""
        return self._removal is not None

    @property
    def is_busy(self) -> bool:
        """Whether a report is being made."""
        return self._publication is not None

    def next(self, engine: Engine, late_us: int) -> int | None:
        """When `end` should be called at the latest (µs since the epoch), if ever.

        While a report is made, that is when it is finished: then, the main loop is woken.
        """
        if self._removal is not None:
            return 0
        if self.is_busy:
            return None
        days = engine.state.days.unreported()
        ends = [engine.calendar.end_of(date.fromisoformat(day)) for day in days]
        due = min((end + max(_GRACE_US, late_us) for end in ends), default=None)
        return None if due is None else max(due, self._not_before)

    def end(self, engine: Engine, last_time: int, late_us: int, caught_up: bool) -> None:
        """Report the days that are over: by the clock, and once all their entries are read.

        :param engine: makes the reports.
        :param last_time: the instant of the last entry handled.
        :param late_us: so late come the entries of the slowest machine (see `pyruse.daemon.lags`).
        :param caught_up: whether there are no more entries for now.
        """
        if self._removal is not None:
            self._remove_some(engine, self._removal)
            engine.services.filing.forget_days()
        if self._publication is not None:
            if not self._made.is_set():
                return
            self._finish(engine, self._publication)
            give_back()
        if self._not_before > engine.clock() + _RETRY_US:  # the clock was set back
            self._not_before = 0
        if engine.clock() >= self._not_before:
            name = self._due(engine, last_time, late_us, caught_up)
            if name is not None:
                self._begin(engine, name)

    def _remove_some(self, engine: Engine, removal: Iterator[None]) -> None:
        """Remove some of what is old; entries are handled before the rest."""
        until = time.monotonic() + _SLICE_S
        try:
            for _ in removal:
                if time.monotonic() >= until:
                    return
        except sqlite3.Error as fault:
            if is_damage(fault):
                raise
            engine.faults.tell("state", "remove", f"cannot be cleaned up: {fault}")
        self._removal = None
        self._commit()

    def _due(self, engine: Engine, last_time: int, late_us: int, caught_up: bool) -> str | None:
        state, calendar, now = engine.state, engine.calendar, engine.clock()
        ahead = state.days.ahead(calendar.day_of(now + AHEAD_US))
        for name in state.days.unreported():
            end = calendar.end_of(date.fromisoformat(name))
            grace = max(_GRACE_US, late_us)
            over = now >= end + grace if caught_up else last_time >= end + late_us
            if (end <= now and over) or name in ahead:
                return name
        return None

    def _begin(self, engine: Engine, name: str) -> None:
        state = engine.state
        if items := state.outbox.tell_set_aside():
            state.days.note(name, set_aside_in_words(items))
        self._commit()
        self._made.clear()
        try:
            publication = engine.publication(name)
            thread = threading.Thread(
                target=self._make, args=(publication,), name="pyruse report", daemon=True
            )
            thread.start()
        except (sqlite3.Error, OSError, RuntimeError) as fault:
            self._cannot_make(engine, name, fault)
            return
        self._publication = publication

    def _cannot_make(self, engine: Engine, day: str, fault: Exception) -> None:
        """Say so, and try again in a while.

        :raises sqlite3.Error: the state is damaged.
        """
        if isinstance(fault, sqlite3.Error) and is_damage(fault):
            raise fault
        text = in_words(fault, sqlite3.Error, OSError, RuntimeError)
        engine.faults.tell("report", "make", f"cannot be made now: {text}")
        engine.state.days.reopen(day)
        self._not_before = engine.clock() + _RETRY_US

    def _make(self, publication: Publication) -> None:
        keep_from_programs()
        try:
            publication.make()
        finally:
            self._made.set()
            self._wake()

    def _finish(self, engine: Engine, publication: Publication) -> None:
        self._publication = None
        if publication.failure is not None:
            publication.close()
            self._cannot_make(engine, publication.day, publication.failure)
            return
        now = engine.clock()
        if publication.may_succeed_later and self._failed < _ATTEMPTS:
            self._failed += 1
            engine.tell_faults(publication)
            engine.state.days.reopen(publication.day)
            self._not_before = now + _RETRY_US
            return
        self._failed = 0
        engine.finish(publication, now)
        publication.close()
        engine.state.days.begin(today(engine))
        # By the day, not by the clock alone: set wrongly, it would have everything removed.
        end = engine.calendar.end_of(date.fromisoformat(publication.day))
        self._commit()
        self._removal = _old(engine, min(now, end))
        self._commit()


def _old(engine: Engine, now: int) -> Iterator[None]:
    """Remove what is older than ``[state] keep``, a slice at a time."""
    before = now - engine.settings.state.keep.us
    for gone in engine.state.expectations.forget_before(before):
        text = f"{whose(gone)} was absent for {written(engine.settings.state.keep.us)} and more"
        days = engine.state.days
        days.note(days.open_day(engine.calendar.day_of(now)), f"{text}: it is expected no longer")
    return engine.state.removal(before, engine.calendar.day_of(before))
