"""A look at a running Pyruse, for plugins that have threads of their own."""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import date
from pathlib import Path
from typing import Any

from pyruse.addresses import Network
from pyruse.api.report import Report, Section
from pyruse.chains.link import main_sequence
from pyruse.chains.model import Chain, Step
from pyruse.config.load import Configuration
from pyruse.daemon.control import Message
from pyruse.engine.contributing import Contributors
from pyruse.errors import UserError, in_words
from pyruse.report.digests import Period, period_around, period_named
from pyruse.report.kept import not_kept
from pyruse.report.rows import report_in_brief
from pyruse.state.counters import live_keys
from pyruse.state.database import State
from pyruse.state.days import kept_days
from pyruse.state.events import (
    hosts_of,
)
from pyruse.state.found_events import find_events
from pyruse.state.host_views import all_but, only_of
from pyruse.text import one_line, shortened, shown
from pyruse.times import Clock

_MACHINES = 500
"""So many other machines have a report of their own, as when reports are delivered."""


class StateObserver:
    """An `Observer` (see `pyruse.api.observer`) that reads the state's file."""

    def __init__(
        self,
        configuration: Configuration,
        path: str,
        daemon: Callable[[], Message | None],
        clock: Clock,
        contributors: Contributors | None = None,
    ) -> None:
        """Look at nothing yet.

        :param path: the path of the state.
        :param daemon: gives what the daemon says of itself (`Activity.data`), in any thread.
        :param clock: says which instant is looked at.
        :param contributors: the plugins that add to reports; None: there are none.
        """
        self._contributors = contributors
        self._settings = configuration.settings
        self._configuration = configuration
        self._files = set(configuration.files)
        self._path = path
        self._daemon = daemon
        self._clock = clock
        self._calendar = self._settings.report.calendar

    def status(self) -> dict[str, Any]:
        from pyruse.daemon.status.overview import status

        return status(self._settings, self._path, self._clock(), self._daemon).data()

    def bans(
        self, *, label: str | None = None, inside: Network | None = None
    ) -> list[dict[str, Any]]:
        from pyruse.bans.views import bans_in_force

        with self._state() as state:
            found = bans_in_force(state.db, self._clock(), label=label, inside=inside)
        return [one.data(self._calendar.zone) for one in found]

    def counters(self) -> dict[str, int]:
        with self._state() as state:
            return live_keys(state.db, self._clock())

    def reports(self) -> list[dict[str, Any]]:
        with self._state() as state:
            days = kept_days(state.db)
        found = [
            {"name": day.day, "every": "day", "entries": day.entries, "reported": day.reported}
            for day in days
        ]
        for every in dict.fromkeys(self._settings.report.digests):
            periods: dict[str, dict[str, Any]] = {}
            for day in days:
                period = period_around(date.fromisoformat(day.day), every)
                one = periods.setdefault(
                    period.title,
                    {"name": period.title, "every": every, "entries": 0, "reported": None},
                )
                one["entries"] += day.entries
                if day.day == period.last.isoformat():
                    one["reported"] = day.reported
            found += periods.values()
        return found

    def machines(self, day: str | None = None) -> list[str]:
        with self._state() as state:
            return self._machines(state.db, self._wanted(day, state.db))

    def report(
        self, limit: int = 1000, day: str | None = None, machine: str | None = None
    ) -> Report:
        faults: list[str] = []
        with self._state() as state:
            wanted = self._wanted(day, state.db)

            def tell(place: str, hook: str, fault: BaseException) -> None:
                faults.append(_told(place, hook, fault))

            def contribute(report: Report) -> None:
                if self._contributors is not None:
                    self._contributors.contribute(report, state.db, tell)

            last = wanted if isinstance(wanted, str) else wanted.days[-1]
            is_over = self._clock() >= self._calendar.end_of(date.fromisoformat(last))
            with self._of_machine(state.db, wanted, machine):
                report = report_in_brief(
                    wanted, state.db, self._calendar, machine or socket.gethostname(), limit,
                    contribute, is_over=is_over, machine=machine,
                )  # fmt: skip
        report.notes += faults
        return report

    def search(
        self,
        text: str,
        *,
        day: str | None = None,
        section: Section | None = None,
        machine: str | None = None,
        limit: int = 200,
    ) -> dict[str, Any]:
        with self._state() as state:
            wanted = None if day is None else self._wanted(day, state.db)
            if wanted is None:
                days = [one.day for one in kept_days(state.db)]
            else:
                days = [wanted] if isinstance(wanted, str) else wanted.days
            with nullcontext() if wanted is None else self._of_machine(state.db, wanted, machine):
                found = find_events(state.db, days, text, section, limit)
        return {"messages": [one._asdict() for one in found.messages], "all": found.is_all}

    def chains(self) -> list[dict[str, Any]]:
        chains = self._configuration.all_chains()
        main = set(main_sequence(chains))
        return [
            {
                "chain": name,
                "main": name in main,
                "rules": self._rules_of(chain),
                "steps": [_step(step) for step in chain.steps],
            }
            for name, chain in chains.items()
        ]

    def _rules_of(self, chain: Chain) -> str | None:
        """The rules whose file a chain stands in; None: it is the configuration's own."""
        file = Path(chain.source)
        return file.stem if file.is_absolute() and file not in self._files else None

    def _wanted(self, day: str | None, db: sqlite3.Connection) -> str | Period:
        """A day that is kept, or a week or month some of whose days are; None: today."""
        today = self._calendar.day_of(self._clock()).isoformat()
        if day is None or day == today:
            return today
        kept = [one.day for one in kept_days(db)]
        period = period_named(day)
        if day in kept or (period is not None and set(period.days) & set(kept)):
            return period or day
        raise UserError(not_kept(shown(day), kept))

    def _machines(self, db: sqlite3.Connection, wanted: str | Period) -> list[str]:
        """The other machines that have a report of their own."""
        if self._settings.report.hosts == "together" or not isinstance(wanted, str):
            return []
        here = socket.gethostname()
        return [host for host in hosts_of(db, [wanted]) if host != here][:_MACHINES]

    @contextmanager
    def _of_machine(
        self, db: sqlite3.Connection, wanted: str | Period, machine: str | None
    ) -> Iterator[None]:
        """Show what the report of a machine is made of; None: of this one, as it is delivered."""
        others: Sequence[str] = self._machines(db, wanted)
        if machine is not None and machine not in others:
            known = f"one of {', '.join(map(shown, others))}" if others else "none"
            raise UserError(f"there is no report of {shown(machine)} alone (expected {known})")
        if machine is not None:
            with only_of(db, machine):
                yield
        elif others:
            with all_but(db, others):
                yield
        else:
            yield

    @contextmanager
    def _state(self) -> Iterator[State]:
        """The state as it is at one instant, while the daemon writes it."""
        with State(self._path, read_only=True) as state, state.at_one_instant():
            yield state


def _told(place: str, hook: str, fault: BaseException) -> str:
    """A fault for the notes of the report that is looked at, in a thread that tells nobody else."""
    return f"fault: {place}: {hook}: {one_line(shortened(in_words(fault), 300))}"


def _step(step: Step) -> dict[str, Any]:
    return {
        "index": step.index,
        "kind": step.kind,
        "plugin": step.plugin,
        "label": step.label,
        "invert": step.invert,
        "then": step.then,
        "else": step.otherwise,
    }
