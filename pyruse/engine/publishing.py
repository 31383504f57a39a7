"""Publishing a day's report beside the main loop: what takes time may not hold up a ban.

The main thread has plugins contribute, another one makes mails and files of the report, and the
main thread then commits what they gave together with "this day is reported". So a crash at any
instant leaves either all of it or nothing, and the next start makes the report anew.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import NoReturn

from pyruse.addresses import Address
from pyruse.api.bans import Ban, BanRequest
from pyruse.api.report import Details, Report, Section
from pyruse.api.tally import Tally
from pyruse.engine.context import BoundContext, Services
from pyruse.entry.entry import Entry
from pyruse.registry.broadcasts import Broadcasts
from pyruse.state.counters import Counters
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
        """The plugins that raised: the plugin, the hook, the exception."""

    def fault(self, place: str, hook: str, fault: BaseException) -> None:
        """A plugin has raised."""
        self.faults.append((place, hook, fault))

    def clear(self) -> None:
        """Forget them."""
        self.items.clear()
        self.faults.clear()


class PublishingContext(BoundContext):
    """The surroundings of a plugin in another thread than the main one.

    What leaves waits until the report is finished. What reads or changes the state is refused: that
    is the main thread's.
    """

    def __init__(self, services: Services, step: str, receiver: str, effects: Effects) -> None:
        super().__init__(services, "", step, receiver)
        self._effects = effects

    def _put(self, item: OutboxItem, every: int | None) -> None:
        self._effects.items.append((item, every))

    @property
    def counters(self) -> Counters:
        _refuse("counters")

    def table(self, name: str) -> Table:
        _refuse("table")

    def report(  # noqa: PLR0913 -- as BoundContext has it
        self,
        entry: Entry | None,
        section: Section,
        message: str,
        details: Details = "ALL",
        *,
        template: str | None = None,
        text: str | None = None,
    ) -> None:
        _refuse("report")

    def tally(
        self, entry: Entry | None, event: str, fields: Mapping[str, str], amount: int = 0
    ) -> None:
        _refuse("tally")

    def tallies(self, report: Report, *events: str) -> Iterator[Tally]:
        _refuse("tallies")

    def tallied_before(self, report: Report, *events: str) -> Mapping[str, int]:
        _refuse("tallied_before")

    def tallies_before(self, report: Report, *events: str) -> Iterator[Tally]:
        _refuse("tallies_before")

    def ban(self, entry: Entry | None, request: BanRequest) -> bool:
        _refuse("ban")

    def unban(self, entry: Entry | None, address: Address, label: str | None = None) -> bool:
        _refuse("unban")

    def ban_history(self, since: int, until: int) -> list[Ban]:
        _refuse("ban_history")


def _refuse(name: str) -> NoReturn:
    raise RuntimeError(
        f"{name} is for the main thread (expected it in contribute_to_report or on_day_end)"
    )


class Publication:
    """The report of one day on its way."""

    def __init__(  # noqa: PLR0913 -- all that it is made of
        self,
        day: str,
        report: Report,
        publishers: Broadcasts,
        effects: Effects,
        reader: sqlite3.Connection | None = None,
        others: Iterable[AbstractContextManager[Report]] = (),
    ) -> None:
        """Make nothing yet.

        :param day: ``YYYY-MM-DD``.
        :param report: with what plugins have contributed.
        :param publishers: the plugins that publish it.
        :param effects: take what they lead to.
        :param reader: the connection by which the rows are read, to be closed afterwards.
        :param others: the reports of other machines, one at a time.
        """
        self._others = list(others)
        self._reader = reader
        self.day = day
        self.report = report
        self._publishers = publishers
        self._effects = effects

    def make(self) -> None:
        """Have it published. In any thread; `Engine.finish` takes over in the main one."""
        self._effects.clear()
        self._publishers.call("publish_report", report=self.report)
        for other in self._others:
            try:
                with other as report:
                    self._publishers.call("publish_report", report=report)
            except (OSError, MemoryError, sqlite3.Error) as fault:
                self._effects.fault("report", "of a machine", fault)
                return

    def close(self) -> None:
        """Nobody reads its rows any more."""
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
