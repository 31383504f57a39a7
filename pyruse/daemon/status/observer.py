"""A look at a running Pyruse, for plugins that have threads of their own."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyruse.addresses import Network
from pyruse.api.report import Report
from pyruse.chains.link import main_sequence
from pyruse.chains.model import Step
from pyruse.config.load import Configuration
from pyruse.daemon.control import Message
from pyruse.engine.contributing import Contributors
from pyruse.errors import in_words
from pyruse.report.rows import report_so_far
from pyruse.state.counters import live_keys
from pyruse.state.database import State
from pyruse.text import one_line, shortened
from pyruse.times import Clock


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
        self._chains = configuration.chains
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

    def report(self, limit: int = 1000) -> Report:
        faults: list[str] = []
        with self._state() as state:
            day = self._calendar.day_of(self._clock()).isoformat()

            def tell(place: str, hook: str, fault: BaseException) -> None:
                faults.append(_told(place, hook, fault))

            def contribute(report: Report) -> None:
                if self._contributors is not None:
                    self._contributors.contribute(report, state.db, tell)

            host = socket.gethostname()
            report = report_so_far(day, state.db, self._calendar, host, limit, contribute)
        report.notes += faults
        return report

    def chains(self) -> list[dict[str, Any]]:
        main = set(main_sequence(self._chains))
        return [
            {"chain": name, "main": name in main, "steps": [_step(step) for step in chain.steps]}
            for name, chain in self._chains.items()
        ]

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
