"""What plugins add to a report: beside the main loop, from the state as it is committed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from pyruse.api.bans import Ban
from pyruse.api.report import Report
from pyruse.api.tally import Tally
from pyruse.engine.context import Services
from pyruse.engine.reading_context import ReadingContext
from pyruse.hookspecs import hook_of
from pyruse.registry.broadcasts import Broadcasts
from pyruse.state.ban_history import BanHistory
from pyruse.state.outbox_item import OutboxItem
from pyruse.state.tables import Table, committed_table
from pyruse.state.tallies import tallied_by_day, tallies_before, tallies_of

HOOK = "contribute_to_report"

OnFault = Callable[[str, str, BaseException], None]
"""Told of a plugin that raised: plugin, hook, exception."""


class Contributor(Struct, frozen=True):
    """A step or an extension that has the hook."""

    instance: Any
    chain: str
    """Of a step."""
    place: str
    extension: str
    """The name of an extension; empty: it is a step."""


class ReportContext(ReadingContext):
    """The surroundings of a plugin that adds to a report.

    It reads what a connection sees, so a report that is shown again has what it had when it was
    made, and nothing waits for it. It changes nothing, and nothing leaves by it.
    """

    REFUSED = "not for contribute_to_report, which only reads (expected it in on_day_end)"

    def __init__(self, services: Services, one: Contributor, db: sqlite3.Connection) -> None:
        super().__init__(services, one.chain, one.place, one.place, one.extension)
        self._db = db

    def table(self, name: str) -> Table:
        return committed_table(self._db, name)

    def tallies(self, report: Report, *events: str) -> Iterator[Tally]:
        return tallies_of(self._db, report.days, events, report.machine)

    def tallied_before(self, report: Report, *events: str) -> Mapping[str, int]:
        first = min(report.days, default="")
        return tallied_by_day(self._db, first, events, report.machine)

    def tallies_before(self, report: Report, *events: str) -> Iterator[Tally]:
        first = min(report.days, default="")
        return tallies_before(self._db, first, events, report.machine)

    def ban_history(self, since: int, until: int) -> list[Ban]:
        return [ban for _, ban in BanHistory.read(self._db, since, until)]

    def _put(self, item: OutboxItem, every: int | None) -> None:
        self._refuse("what leaves Pyruse")


class Contributors:
    """The plugins that add to reports, in the order in which they are asked.

    First those that say ``tryfirst``; then extensions, by name, and steps, as they stand in the
    configuration; last those that say ``trylast``.
    """

    def __init__(self, services: Services, listeners: Iterable[Contributor]) -> None:
        """Ask nobody yet.

        :param listeners: all the extensions and steps, in any order of extensions.
        """
        self._services = services
        having = [one for one in listeners if hook_of(one.instance, HOOK) is not None]
        steps = [one for one in having if not one.extension]
        extensions = [one for one in having if one.extension]
        self._ordered = [*sorted(extensions, key=lambda one: one.extension), *steps]

    def contribute(self, report: Report, db: sqlite3.Connection, on_fault: OnFault) -> None:
        """Have all of them add to a report; in any thread.

        :param report: has the events of its period.
        :param db: the committed state.
        :param on_fault: told of those that raise; they do not disturb the others.
        """
        asked = Broadcasts(on_fault)
        for one in reversed(self._ordered):  # who is registered last is asked first
            asked.register(one.instance, one.place, ReportContext(self._services, one, db))
        asked.call(HOOK, report=report)
        report.notes = [str(note) for note in report.notes or ()]
        report.headline = None if report.headline is None else str(report.headline)
