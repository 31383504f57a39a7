"""A configuration at work in a test: entries in, effects out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pyruse.api.observer import Observer
from pyruse.api.report import Report
from pyruse.api.tally import Tally
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.daemon.status.observer import StateObserver
from pyruse.delivery.attempts import deliverer
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Fault, Faults
from pyruse.engine.modes import DRY
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.errors import ConfigError
from pyruse.options.durations import Duration
from pyruse.options.keys import in_words
from pyruse.registry.files import PluginClass, PluginFiles
from pyruse.registry.registry import Registry
from pyruse.replay.replay import (
    LoggedLine,
    MadeBan,
    Outcome,
    RunProgram,
    SentMail,
    SentParcel,
    outcome_of,
)
from pyruse.state.database import State
from pyruse.state.opening import MEMORY
from pyruse.testing.ways import Ways
from pyruse.times import time_us_of


class Clock:
    """The time of the entries that a test feeds; it moves when the test moves it."""

    def __init__(self, now: datetime | None = None) -> None:
        """Set the clock.

        :param now: an aware time; None: noon of 2026-03-14, UTC.
        """
        self.now = now or datetime(2026, 3, 14, 12, tzinfo=UTC)

    def advance(self, span: str | int | timedelta) -> None:
        """Move on: ``"90s"``, ``"1h30m"``, seconds, or a timedelta."""
        self.now += span if isinstance(span, timedelta) else Duration.parse(span)

    @property
    def us(self) -> int:
        """Microseconds since the epoch."""
        return time_us_of(self.now)


def _registry(plugins: Path | str | type | Iterable[Path | str | type]) -> Registry:
    """The plugins of packages, and these; whoever tests a faulty one is told."""
    several = [plugins] if isinstance(plugins, Path | str | type) else plugins
    registry = Registry(
        *(
            PluginClass(one) if isinstance(one, type) else PluginFiles(Path(one), trusted=True)
            for one in several
        )
    )
    if plugins and registry.faults:
        raise ConfigError(registry.faults)
    return registry


class Pipeline:
    """Chains of a TOML text, with a state in memory. Nothing leaves it: effects are recorded."""

    def __init__(
        self,
        toml: str,
        clock: Clock | None = None,
        registry: Registry | None = None,
        state: Path | None = None,
        plugins: Path | str | type | Iterable[Path | str | type] = (),
    ) -> None:
        """Link the chains.

        :param registry: of the plugins; None: those of packages, and those of ``plugins``.
        :param state: a file that keeps the state, for `observer`; None: it is in memory.
        :param plugins: that no package has: a class, a Python file, or a folder of such files; or
            several of them.
        :raises ConfigError: the configuration has faults, or one of the plugins has.
        """
        configuration = configure(from_text(toml), registry or _registry(plugins))
        self.clock = clock or Clock()
        self._faults = Faults(lambda *_: None)
        self.state = State(MEMORY if state is None else str(state))
        self._ways = Ways()
        mode = replace(DRY, own=set, clock=lambda: self.clock.us, travel=self._ways.travel)
        try:
            self.engine = assemble(configuration, self.state, self._faults, mode)
        except ConfigError:
            self.state.close()
            raise
        self._arrived: set[str] = set()
        """The parcels that `deliver` has delivered: they stay among what was sent."""
        self._entries = 0
        self._began = time.monotonic()
        self.engine.start()

    def feed(self, *, at: datetime | None = None, **fields: Any) -> dict[str, Any]:
        """Lead an entry through the chains.

        :param at: the entry's time; None: the clock's.
        :param fields: of the entry; text and bytes are converted as the journal's are.
        :return: the entry's fields at the end of its journey, also those that steps have set.
        """
        time_us = self.clock.us if at is None else time_us_of(at)
        entry = make_entry(fields, self.engine.decoder, time_us=time_us)
        self._entries += self.engine.handle([entry])
        self.engine.tell_raised()
        self.engine.expire(time_us)
        if self.state.ban_events.has_changed:
            self.engine.tell_news()
        return dict(entry)

    def call_woken(self) -> bool:
        """Call `on_wake` of the plugins that have asked for it, as the daemon does.

        :return: whether there were any.
        """
        woken = self.engine.call_woken()
        self.engine.tell_news()
        return woken

    def pass_time(self, span: str | int | timedelta) -> None:
        """Move the clock on, and let happen what time alone brings: nothing is logged meanwhile."""
        self.clock.advance(span)
        self.engine.tell_absent(self.clock.us)
        self.engine.expire(self.clock.us)

    def end_day(self) -> Report:
        """End the clock's day: its report is delivered; the clock moves to the next day's start.

        :return: the report.
        """
        day = self.engine.calendar.day_of(self.clock.us)
        end = self.engine.calendar.end_of(day)
        self.engine.tell_absent(end)
        self.state.commit()
        report = self.engine.end_day(day.isoformat(), end)
        self.state.commit()
        self.clock.now = self.engine.decoder.time(end)
        return report

    @property
    def outcome(self) -> Outcome:
        """Everything so far, as `pyruse replay` would show it."""
        self.state.commit()
        report = self.engine.report()
        return outcome_of(self.engine, self._entries, time.monotonic() - self._began, report)

    @property
    def observer(self) -> Observer:
        """What a plugin has as `context.observer`, of a state in a file and without a daemon."""
        self.state.commit()
        return StateObserver(
            self.engine.configuration,
            self.state.path,
            daemon=lambda: None,
            clock=lambda: self.clock.us,
            contributors=self.engine.contributors,
        )

    @property
    def report(self) -> Report:
        """The report of everything so far: ``.important``, ``.interesting``, ``.other``."""
        return self.outcome.report

    @property
    def emails(self) -> list[SentMail]:
        """The mails: ``.subject``, ``.to``, ``.body``, ``.html``, ``.attachments`` and so on."""
        return self.outcome.emails

    @property
    def bans(self) -> list[MadeBan]:
        """The bans: ``.ip``, ``.label``, ``.duration`` (seconds; None: for ever)."""
        return self.outcome.bans

    @property
    def logs(self) -> list[LoggedLine]:
        """The lines for the journal: ``.level``, ``.message``."""
        return self.outcome.logs

    @property
    def commands(self) -> list[list[str]]:
        """The programs that would have been run, each with its arguments."""
        return self.outcome.commands

    @property
    def programs(self) -> list[RunProgram]:
        """The same with what they get: ``.command``, ``.texts``, ``.count``, ``.timeout``."""
        return self.outcome.programs

    @property
    def skipped(self) -> list[str]:
        """The steps with effects of their own, each time that one was not called."""
        return self.outcome.skipped

    @property
    def events(self) -> list[Tally]:
        """The events and their numbers: ``.event``, ``.fields``, ``.count``, ``.amount``."""
        return self.outcome.events

    def remembered(self, memory: str = "") -> dict[str, Any]:
        """What `remember` steps have remembered, and what is not forgotten yet: values by key.

        :param memory: its name, as in the steps.
        """
        table, at = self.state.tables.table(f"remember {memory}"), self.clock.us
        values = {in_words(key): table.get(key, at=at) for key in table}
        return {key: value[1] for key, value in values.items() if value is not None}

    def enforce(self) -> list[str]:
        """Bring the firewalls up to date for real, as the daemon does after each batch.

        :return: what they refused.
        """
        refused: list[str] = []
        self.engine.bans.enforce(lambda fault: refused.append(str(fault)))
        return refused

    @property
    def sent(self) -> list[SentParcel]:
        """What plugins would have delivered themselves: ``.plugin``, ``.payloads``, ``.count``."""
        return self.outcome.sent

    def deliver(self) -> list[str]:
        """Have what was sent, and has not arrived yet, delivered for real by `deliver`, in order.

        What fails may be tried again at once: by calling this once more.

        :return: what became of each parcel: ``sent``, ``retry: …`` or ``refused: …``, with why.
        """
        ends = []
        outbox = self.state.outbox
        for item in outbox.items():
            receiver = self.engine.receivers.get(item.kind)
            if receiver is None or item.refused or item.id in self._arrived:
                continue
            outcome = deliverer(receiver)(item)
            if outcome.end == "sent":
                self._arrived.add(item.id)
            elif outcome.end == "refused":
                outbox.refuse(item.id, outcome.fault, now=self.clock.us)
            else:
                outbox.failed(item.id, outcome.fault, now=self.clock.us, retry_at=item.due)
            ends.append(f"{outcome.end}: {outcome.fault}" if outcome.fault else outcome.end)
        return ends

    @property
    def ways(self) -> list[str]:
        """The last entries' ways, step by step, as pytest shows them when the test fails."""
        return self._ways.told()

    @property
    def faults(self) -> list[Fault]:
        """The faults of steps and plugins, one of each kind: ``.place``, ``.text``, ``.count``."""
        return list(self._faults.kinds.values())


MakeEntry = Callable[..., Entry]
"""What the fixture ``make_entry`` is."""
MakePipeline = Callable[..., Pipeline]
"""What the fixture ``pipeline`` is."""
MakeJournal = Callable[[list[Mapping[str, Any]]], Path]
"""What the fixture ``journal_file`` is."""
