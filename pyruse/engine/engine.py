"""The engine: takes entries, leads them through the chains, and counts them by day."""

from __future__ import annotations

import sqlite3
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from pyruse.api.observer import Observer
from pyruse.api.report import Report
from pyruse.bans.service import Bans
from pyruse.chains.link import Graph
from pyruse.chains.pushdown import Wanted
from pyruse.chains.traffic import Traffic
from pyruse.chains.travel import Travel
from pyruse.config.load import Configuration
from pyruse.config.settings import Settings
from pyruse.delivery.receivers import Receivers
from pyruse.engine.ban_news import BanNews
from pyruse.engine.context import Services
from pyruse.engine.contributing import Contributors, OnFault
from pyruse.engine.expectations import Expectations
from pyruse.engine.faults import FaultReporter
from pyruse.engine.hour import Hour
from pyruse.engine.modes import Mode
from pyruse.engine.publishing import Effects, Publication
from pyruse.entry.decoding import Decoder
from pyruse.entry.entry import Entry
from pyruse.lookups.lookups import Lookups
from pyruse.registry.broadcasts import Broadcasts
from pyruse.report.digests import Period, due
from pyruse.report.rows import report_of_all, report_of_day, report_of_period
from pyruse.state.database import State
from pyruse.state.days import kept_days
from pyruse.state.events import (
    hosts_of,
)
from pyruse.state.host_views import all_but, only_of
from pyruse.state.opening import MEMORY
from pyruse.state.tables import KEPT
from pyruse.text import shortened, shown
from pyruse.times import FOREVER, HOUR_US, Calendar, Clock

_MACHINES = 500
"""So many other machines have a report of their own: they say their names themselves."""
AHEAD_US = HOUR_US
"""So far another machine's clock may be ahead of this one's: an hour."""


@dataclass(kw_only=True, eq=False, repr=False)
class Engine:
    """A configuration at work, of parts that are finished (see `pyruse.engine.assembly`)."""

    configuration: Configuration
    mode: Mode
    state: State
    faults: FaultReporter
    calendar: Calendar
    decoder: Decoder
    host: str
    """The name of this machine, for reports and mails."""
    services: Services
    """What steps and extensions have in common."""
    bans: Bans
    lookups: Lookups
    """What host names and files stand for in lists of networks."""
    broadcasts: Broadcasts
    contributors: Contributors
    """The plugins that add to reports, in any thread."""
    publishers: Broadcasts
    """The plugins that publish reports, in any thread …"""
    effects: Effects
    """… and what comes of that."""
    ban_news: BanNews
    """Tells plugins, and the journal, of bans that are committed."""
    receivers: Receivers
    """The steps and extensions that deliver what they send."""
    expectations: Expectations
    """What has to happen again and again."""
    graph: Graph
    traffic: Traffic | None
    """Counts what the steps see, where that is wanted; the daemon alone is asked for it."""
    wanted: Wanted
    """Which entries the chains are to be given; nothing would come of others."""
    travel: Travel
    """Leads an entry through the graph."""
    skipped: list[str]
    """In a dry run: the steps with effects of their own, each time that one was not called."""
    hour: Hour = field(default_factory=Hour, init=False)
    """That of the entry handled last."""
    late_us: int = field(default=0, init=False)
    """So late come the entries of the slowest machine, as far as the daemon knows: so long it waits
    for what has happened there in time."""
    _day: date = field(default=date.min, init=False)
    _hour_of_day: int = field(default=0, init=False)
    """From 0 on."""
    _entries: int = field(default=0, init=False)
    """Those of the current day that are not counted in the state yet, without the skipped ones."""
    _skipped: int = field(default=0, init=False)
    """The skipped ones of the current batch that are counted."""

    def __post_init__(self) -> None:
        self.expectations.sooner = self._turn_soon

    @property
    def settings(self) -> Settings:
        """The configuration outside the chains."""
        return self.configuration.settings

    @property
    def clock(self) -> Clock:
        """The machine's clock."""
        return self.mode.clock

    @property
    def last_time(self) -> int:
        """The instant of the entry handled last, in microseconds since the epoch."""
        return self.hour.reached

    def start(self, observer: Observer | None = None) -> None:
        """Let the plugins get ready.

        :param observer: shows them what goes on, where that is anything at all: in the daemon.
        """
        self.services.observer = observer
        self.expectations.start(self.clock())
        self.broadcasts.call("on_start")

    def tell_raised(self) -> None:
        """Tell plugins of counters that were raised; what they do is of the same commit."""
        raised = self.state.counters.raised
        if raised:
            self.state.counters.raised = []
            self.broadcasts.call("on_count", raised=raised)

    def call_woken(self) -> bool:
        """Call the plugins whose own threads have asked for it.

        :return: whether there were any: bans are to be settled then.
        """
        places = self.services.woken.take()
        self.broadcasts.call_some(places, "on_wake")
        return bool(places)

    def stop(self) -> None:
        """Let the plugins put away what they took."""
        self.broadcasts.call("on_stop")

    def handle(self, entries: Iterable[Entry], *, now: int = FOREVER) -> int:
        """Lead entries through the chains.

        Nothing is kept until `State.commit`.

        :param entries: in the order of the journal.
        :param now: by the machine's clock, in microseconds since the epoch: an entry that is dated
            more than an hour later, by a clock that is wrong, counts as of now.
        :return: the number of entries, those among them that the reader has skipped (see `Hour`).
        """
        lead, hour = self.travel.lead, self.hour
        latest = now + AHEAD_US
        self.services.filing.ahead = 0
        handled = of_days_before = 0
        try:
            for handled, entry in enumerate(entries, 1):
                time_us = entry.time_us
                if time_us > latest:
                    self._tell_of_future(entry)
                    time_us = entry.time_us = now
                if hour.last <= time_us < hour.end:  # as nearly all
                    hour.last = time_us
                elif not hour.begin <= time_us < hour.end:
                    self._entries += handled - 1 - of_days_before
                    of_days_before = handled - 1
                    self._turn_to(time_us)
                    hour.end = min(hour.end, latest + 1)
                elif time_us < hour.first:
                    hour.first = time_us
                hour.reached = time_us
                lead(entry)
        finally:  # where the journal fails, the next batch counts those that were handled
            self._entries += handled - of_days_before
        self._count_entries()
        skipped, self._skipped = self._skipped, 0
        return handled + skipped

    def _tell_of_future(self, entry: Entry) -> None:
        host = shortened(entry.text("_HOSTNAME") or "a machine without a name", 80)
        self.faults.tell(
            "journal",
            "future",
            f"an entry of {host} is dated {self.decoder.time(entry.time_us):%F %T}, and counts as "
            "of now (expected clocks that are right, on that machine and on this one)",
        )

    def _turn_to(self, time_us: int) -> None:
        """Go on at an instant that may be of another hour or day, or find something overdue."""
        self._count_entries()
        self.tell_absent(time_us)
        day = self.calendar.day_of(time_us)
        start, end = self.calendar.start_of(day), self.calendar.end_of(day)
        self._hour_of_day = (time_us - start) // HOUR_US
        hour = self.hour
        hour.begin = start + self._hour_of_day * HOUR_US
        end = min(end, hour.begin + HOUR_US)
        hour.end = min(end, self.next_absent() or end)
        hour.first = hour.last = time_us
        self._day = day

    def _turn_soon(self) -> None:
        """Have the next entry find what is overdue."""
        self.hour.end = 0

    def tell_absent(self, at: int) -> None:
        """Tell of what is overdue at an instant (µs since the epoch): see `Expectations`."""
        if self.mode.dry_run:
            self.state.expectations.expect_earlier(at)
        self.expectations.tell_absent(at - self.late_us, self.travel.lead)

    def next_absent(self) -> int | None:
        """When `tell_absent` will find something, unless it happens before; None: never."""
        due = self.expectations.next_due()
        return None if due is None else due + self.late_us

    def _count_entries(self) -> None:
        entries = self._entries + self.hour.skipped
        if entries:
            days = self.state.days
            day = days.open_day(self._day)
            hour = self._hour_of_day if day == self._day.isoformat() else None
            days.saw(day, entries, self.hour.first, self.hour.last, hour)
            if self.traffic is not None:
                self.traffic.settle(entries)
            self._skipped += self.hour.skipped
            self._entries = self.hour.skipped = 0
            self.hour.end = 0  # the day may be closed before the next entry comes

    def look_up(self) -> bool:
        """Take in what host names and files stand for by now; it does not wait.

        :return: whether anything has changed; then, there is something to commit.
        """
        return self.bans.follow_protection(changed=self.lookups.update())

    def expire(self, at: int) -> None:
        """Let go what no longer counts at an instant in entry time (µs since the epoch)."""
        self.state.expire(at)
        self.bans.expire(at)
        for table, dropped in self.state.tables.take_dropped().items():
            self.faults.tell(
                "memory",
                table,
                f"{dropped} values of {shown(table)} were forgotten before their time, as more "
                f"than {KEPT:,} are remembered (expected a shorter keep, or keys that no stranger "
                "makes up)",
            )

    def tell_news(self) -> None:
        """Commit, and tell of all bans that there were; for dry runs, which nothing holds up."""
        self.state.commit()
        while self.ban_news.tell():
            self.state.commit()

    def report(self, day: str | None = None, *, for_people: bool = True) -> Report:
        """The report of a day, or of all that the committed state holds.

        :param day: as ``YYYY-MM-DD``; None: of all.
        :param for_people: of all: see `report_of_all`.
        """
        contribute = partial(self._contribute, self.state.db, self.faults.of_plugin)
        if day is None:
            return report_of_all(
                self.state, self.calendar, self.host, contribute, for_people=for_people
            )
        return next(self.reports(day))

    def _is_over(self, day: str) -> bool:
        return self.clock() >= self.calendar.end_of(date.fromisoformat(day))

    def render(self, report: Report, form: str) -> str:
        """A report as ``text``, ``html`` or ``json``."""
        return self.services.renderer.render(report, form)

    def pieces(self, report: Report, form: str, width: int | None = None) -> Iterator[str]:
        """The same, piece by piece; ``full`` with lines of so many columns."""
        return self.services.renderer.pieces(report, form, width)

    def template_faults(self) -> list[str]:
        """What is wrong with the administrator's templates; the built-in ones are used then."""
        return self.services.renderer.faults()

    def _contribute(self, db: sqlite3.Connection, on_fault: OnFault, report: Report) -> None:
        self.contributors.contribute(report, db, on_fault)

    def end_day(self, day: str, now: int) -> Report:
        """Make a day's report and have it delivered; the state must be committed before.

        :param day: ``YYYY-MM-DD``.
        :param now: the instant of the report, in microseconds since the epoch.
        """
        publication = self.publication(day)
        publication.make()
        self.finish(publication, now)
        return publication.report

    def publication(self, day: str) -> Publication:
        """The report of a day that is over, to be published; the state must be committed before.

        What comes later is filed under the next day.

        :param day: ``YYYY-MM-DD``.
        :raises sqlite3.Error: the state cannot be read, for want of descriptors or the like.
        """
        publication = self._publication(day, is_over=True)
        self.state.days.close(day)
        return publication

    def _publication(self, day: str, *, is_over: bool) -> Publication:
        reader = self.state.reader()
        reports = self.reports(day, reader, self.effects.contributor_fault, is_over=is_over)
        return Publication(day, reports, self.publishers, self.effects, reader)

    def reports(
        self,
        day: str,
        reader: sqlite3.Connection | None = None,
        on_fault: OnFault | None = None,
        *,
        is_over: bool | None = None,
    ) -> Generator[Report]:
        """The report of a day, as it is delivered, then those of other machines, then digests.

        Each is to be read before the next one is made.

        :param day: ``YYYY-MM-DD``.
        :param reader: where they are made in another thread: its connection.
        :param on_fault: there: told of plugins that raise.
        :param is_over: whether the day has ended; None: as the clock says.
        """
        if is_over is None:
            is_over = self._is_over(day)
        db = reader or self.state.db
        on_fault = on_fault or self.faults.of_plugin
        others = self._machines_apart(day, db)
        with all_but(db, others) if others else nullcontext():
            yield report_of_day(
                day, db, self.calendar, self.host, partial(self._contribute, db, on_fault),
                at_once=self.state.path == MEMORY, is_over=is_over,
            )  # fmt: skip
        for other in others:
            with self.report_of_machine(day, other, on_fault, is_over=is_over) as report:
                yield report
        reported = [one.day for one in kept_days(db) if one.reported is not None]
        for period in due(day, reported, self.settings.report.digests):
            yield self.digest(period, db, on_fault)

    def digest(
        self,
        period: Period,
        db: sqlite3.Connection | None = None,
        on_fault: OnFault | None = None,
    ) -> Report:
        """The report of a week or a month, of all machines; as of `reports`."""
        db = db or self.state.db
        contribute = partial(self._contribute, db, on_fault or self.faults.of_plugin)
        return report_of_period(
            period, db, self.calendar, self.host, contribute, at_once=self.state.path == MEMORY
        )

    def _machines_apart(self, day: str, db: sqlite3.Connection) -> list[str]:
        """The machines that have a report of their own; of too many, the rest is in this one's."""
        if self.settings.report.hosts == "together":
            return []
        return [host for host in hosts_of(db, [day]) if host != self.host][:_MACHINES]

    @contextmanager
    def report_of_machine(
        self,
        day: str,
        machine: str,
        on_fault: OnFault | None = None,
        *,
        is_over: bool | None = None,
    ) -> Iterator[Report]:
        """The report of one machine, to be read within the block; in any thread.

        :param day: ``YYYY-MM-DD``.
        :param machine: its name.
        :param on_fault: told of plugins that raise; None: that is the main thread's report.
        :param is_over: whether the day has ended; None: as the clock says.
        """
        reader = self.state.reader()
        db = reader or self.state.db
        contribute = partial(self._contribute, db, on_fault or self.faults.of_plugin)
        try:
            with only_of(db, machine):
                yield report_of_day(
                    day, db, self.calendar, machine, contribute, at_once=reader is None,
                    is_over=self._is_over(day) if is_over is None else is_over, machine=machine,
                )  # fmt: skip
        finally:
            if reader is not None:
                reader.close()

    def finish(self, publication: Publication, now: int) -> None:
        """A report is made: take over what it led to, to be committed as a whole.

        :param publication: is made.
        :param now: the instant of the report, in microseconds since the epoch.
        """
        self.state.days.end(publication.day, now)
        self._take_over(publication)
        self.broadcasts.call("on_day_end", report=publication.report)

    def deliver(self, report: Report) -> None:
        """Have a report delivered by the plugins."""
        self._deliver(Publication("", (one for one in [report]), self.publishers, self.effects))

    def deliver_day(self, day: str) -> None:
        """Have the reports of a day (``YYYY-MM-DD``) delivered by the plugins."""
        self._deliver(self._publication(day, is_over=self._is_over(day)))

    def _deliver(self, publication: Publication) -> None:
        publication.make()
        self._take_over(publication)
        self.broadcasts.call("on_day_end", report=publication.report)
        publication.close()

    def _take_over(self, publication: Publication) -> None:
        self.tell_faults(publication)
        for item, every in publication.effects.items:
            self.state.outbox.take_in(item, every)
        publication.effects.clear()

    def tell_faults(self, publication: Publication) -> None:
        """Tell of the plugins that raised."""
        effects = publication.effects
        for place, hook, fault in (*effects.of_contributors, *effects.faults):
            self.faults.of_plugin(place, hook, fault)
