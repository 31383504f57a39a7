"""Publishing a day's report beside the main loop: what takes time may not hold up a ban.

Another thread makes the report, has plugins contribute to it, and makes mails and files of it; the
main thread then commits what they gave together with "this day is reported". So a crash at any
instant leaves either all of it or nothing, and the next start makes the report anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterator, Mapping

from pyruse.api.bans import Ban
from pyruse.api.report import Report
from pyruse.api.tally import Tally
from pyruse.engine.context import Services
from pyruse.engine.reading_context import ReadingContext
from pyruse.registry.broadcasts import Broadcasts
from pyruse.state.outbox_item import OutboxItem
from pyruse.state.tables import Table

PASSING = (OSError, MemoryError, sqlite3.Error, ImportError)
"""What a publication may fail of without being at fault: no room, no descriptors."""


class Effects:
    """What publishing has led to, to be taken over by the main thread."""

    def __init__(self) -> None:
        self.items: list[tuple[OutboxItem, int | None]] = []
        """What is to leave Pyruse, with the time in µs in which it is gathered."""
        self.faults: list[tuple[str, str, BaseException]] = []
        """The plugins that raised when they published: the plugin, the hook, the exception …"""
        self.of_contributors: list[tuple[str, str, BaseException]] = []
        """… and those that raised when they added to the report."""

    def fault(self, place: str, hook: str, fault: BaseException) -> None:
        """A plugin has raised when it published."""
        self.faults.append((place, hook, fault))

    def contributor_fault(self, place: str, hook: str, fault: BaseException) -> None:
        """A plugin has raised when it added to the report."""
        self.of_contributors.append((place, hook, fault))

    def clear(self) -> None:
        """Forget them."""
        self.items.clear()
        self.faults.clear()
        self.of_contributors.clear()


class PublishingContext(ReadingContext):
    """The surroundings of a plugin in another thread than the main one.

    What leaves waits until the report is finished. What reads or changes the state is refused: that
    is the main thread's.
    """

    REFUSED = (
        "for the main thread (expected it in on_day_end or, where it only reads, in "
        "contribute_to_report)"
    )

    def __init__(self, services: Services, step: str, receiver: str, effects: Effects) -> None:
        super().__init__(services, "", step, receiver)
        self._effects = effects

    def _put(self, item: OutboxItem, every: int | None) -> None:
        self._effects.items.append((item, every))

    def table(self, name: str) -> Table:
        self._refuse("table")

    def tallies(self, report: Report, *events: str) -> Iterator[Tally]:
        self._refuse("tallies")

    def tallied_before(self, report: Report, *events: str) -> Mapping[str, int]:
        self._refuse("tallied_before")

    def tallies_before(self, report: Report, *events: str) -> Iterator[Tally]:
        self._refuse("tallies_before")

    def ban_history(self, since: int, until: int) -> list[Ban]:
        self._refuse("ban_history")


class Publication:
    """The report of one day on its way."""

    def __init__(
        self,
        day: str,
        reports: Generator[Report],
        publishers: Broadcasts,
        effects: Effects,
        reader: sqlite3.Connection | None = None,
    ) -> None:
        """Make nothing yet.

        :param day: ``YYYY-MM-DD``.
        :param reports: makes the day's report, then those of other machines, each with what plugins
            contribute; one is read before the next one is made.
        :param publishers: the plugins that publish them.
        :param effects: take what they lead to.
        :param reader: the connection by which they are made and read, to be closed afterwards.
        """
        self._reports = reports
        self._reader = reader
        self.day = day
        self._report: Report | None = None
        self.failure: Exception | None = None
        """Why there is no report, once it was to be made."""
        self._publishers = publishers
        self._effects = effects

    @property
    def report(self) -> Report:
        """The day's report, once it is made.

        :raises Exception: it could not be made.
        """
        if self._report is None:
            raise self.failure or RuntimeError("it is not made")
        return self._report

    def make(self) -> None:
        """Have it made and published. In any thread; `Engine.finish` takes over in the main one."""
        self._effects.clear()
        try:
            self._report = next(self._reports)
        except Exception as fault:  # noqa: BLE001 -- the main thread tells of it, and goes on
            self.failure = fault
            return
        self._publish(self._report)
        try:
            for other in self._reports:
                self._publish(other)
        except (OSError, MemoryError, sqlite3.Error) as fault:
            self._effects.fault("report", "of a machine", fault)

    def _publish(self, report: Report) -> None:
        """Have a report published; its mails are marked, for they are not given up soon."""
        before = len(self._effects.items)
        self._publishers.call("publish_report", report=report)
        for item, _ in self._effects.items[before:]:
            if item.kind == "mail":
                item.payload["report"] = report.title

    def close(self) -> None:
        """Nobody reads its rows any more."""
        self._reports.close()
        if self._reader is not None:
            self._reader.close()

    @property
    def may_succeed_later(self) -> bool:
        """Whether nobody gets a mail of it, for want of what may be there again, such as room.

        A mail does not wait for an archive that is full.
        """
        passing = any(isinstance(fault, PASSING) for _, _, fault in self._effects.faults)
        return passing and not self._effects.items

    @property
    def effects(self) -> Effects:
        """What it led to, once it is made."""
        return self._effects
