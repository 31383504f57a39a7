"""A dry run over past entries: what would have happened."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from msgspec import Struct, field
from msgspec.structs import asdict, replace

from pyruse.api.effects import Attachment
from pyruse.api.firewall import Target
from pyruse.api.report import Report
from pyruse.api.tally import Tally
from pyruse.config.load import Configuration
from pyruse.delivery.mail.texts import subject_of, text_of
from pyruse.delivery.receivers import parcel_of
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Fault, Faults
from pyruse.engine.modes import DRY
from pyruse.engine.patience import Patience
from pyruse.entry.entry import Entry
from pyruse.journal.journal import Journal
from pyruse.journal.selection import Selection
from pyruse.lookups.lookups import ANSWERS_S
from pyruse.replay.recognised import Recognised
from pyruse.report.render import report_data, report_rows
from pyruse.state.ban_history import BanRecord
from pyruse.state.database import State
from pyruse.state.tallies import tallies_of
from pyruse.text import shortened

if TYPE_CHECKING:
    from pyruse.chains.profile import Profile

Progress = Callable[[int, int], None]


class SentMail(Struct, frozen=True):
    """A mail that would have been sent."""

    subject: str
    to: list[str]
    body: str
    html: str | None = None
    attachments: list[Attachment] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)


class RunProgram(Struct, frozen=True):
    """A program that would have been run."""

    command: list[str]
    texts: list[str]
    """For its standard input: one, or with `every` all that were gathered; or none."""
    count: int
    """How many were gathered: more than there are texts, where not all could be kept."""
    timeout: float
    """In seconds."""


class MadeBan(Struct, frozen=True):
    """A ban that there would have been."""

    ip: str
    """An address, or a network with its prefix length."""
    label: str
    duration: int | None
    """How long it was given for, in seconds; where it was made longer, the last time. None: for
    ever."""


class LoggedLine(Struct, frozen=True):
    """A line that would have been logged."""

    level: str
    """``EMERG`` … ``DEBUG``."""
    message: str


class SentParcel(Struct, frozen=True):
    """What a plugin would have delivered by its hook `deliver`."""

    plugin: str
    """Such as ``action webhook``, or ``extension fleet``."""
    payloads: list[Any]
    """What was sent: several payloads, where they are gathered."""
    count: int
    """How many were gathered: more than there are payloads, where not all are kept."""


class Outcome(Struct):
    """What a replay found."""

    entries: int
    seconds: float
    report: Report
    emails: list[SentMail] = field(default_factory=list)
    bans: list[MadeBan] = field(default_factory=list)
    logs: list[LoggedLine] = field(default_factory=list)
    programs: list[RunProgram] = field(default_factory=list)
    sent: list[SentParcel] = field(default_factory=list)
    events: list[Tally] = field(default_factory=list)
    """How often each event came, by the fields that it is counted by."""
    skipped: list[str] = field(default_factory=list)
    """The steps with effects of their own that were not called, each time."""
    faults: list[Fault] = field(default_factory=list)
    render: Callable[[str], str] = str
    """Gives the report as ``text`` or ``html``."""
    full: Callable[[int | None], Iterator[str]] = lambda _: iter(())
    """Gives all of the report as text, piece by piece: lines of so many columns; None: as usual."""
    limit: int = 10_000
    """So many rows of a section are shown to people."""
    profile: dict[str, Any] | None = None
    """Where the time went (see `Profile.data`), if that was asked for."""

    @property
    def commands(self) -> list[list[str]]:
        """The programs with their arguments."""
        return [program.command for program in self.programs]

    def data(self) -> dict[str, Any]:
        """The outcome as JSON has it."""
        return self._data(report_data(self.report))

    def rows(self) -> dict[str, Any]:
        """The same, with iterators of the report's rows."""
        return self._data(report_rows(self.report))

    def _data(self, report: dict[str, Any]) -> dict[str, Any]:
        data = {
            "entries": self.entries,
            "seconds": round(self.seconds, 3),
            "report": report,
            "emails": [
                {"subject": mail.subject, "to": mail.to, "body": mail.body} for mail in self.emails
            ],
            "bans": [asdict(ban) for ban in self.bans],
            "logs": [asdict(line) for line in self.logs],
            "commands": self.commands,
            "events": [
                {
                    "day": tally.day,
                    "event": tally.event,
                    "fields": tally.fields,
                    "count": tally.count,
                    "amount": tally.amount,
                }
                for tally in self.events
            ],
            "sent": [asdict(parcel) for parcel in self.sent],
            "skipped": self.skipped,
            "faults": [
                {"place": fault.place, "text": fault.text, "count": fault.count}
                for fault in self.faults
            ],
        }
        return data if self.profile is None else {**data, "profile": self.profile}


def replay(  # noqa: PLR0913 -- what a pass may be asked for
    configuration: Configuration,
    selection: Selection,
    faults: Faults,
    progress: Progress | None = None,
    *,
    profile: Profile | None = None,
    recognised: Recognised | None = None,
    for_people: bool = True,
) -> Outcome:
    """Lead past entries through the chains, with a state in memory; nothing leaves Pyruse.

    :param configuration: what was read and checked.
    :param selection: the entries.
    :param faults: tells of what goes wrong.
    :param progress: told now and then of the number of entries, and the instant reached.
    :param profile: measures where the time goes.
    :param recognised: counts which entries are recognised.
    :param for_people: the report has what people should know, which `Outcome.data` has not.
    :raises ConfigError: options do not go together.
    :raises UserError: the journal cannot be read.
    """
    mode = DRY
    if selection.files or selection.directory:
        # The addresses of this machine tell nothing about a journal of another one.
        mode = replace(mode, own=set)
    if profile is not None:
        mode = replace(mode, binding=profile.steps, counters=True)
    if recognised is not None:
        mode = replace(mode, binding=recognised.steps)
    with State() as state:
        engine = assemble(configuration, state, faults, mode)
        reader = selection.open(engine.decoder)
        reader.keeps_positions = False
        if not configuration.settings.engine.optimize:
            reader.read_by_libsystemd()
        if reader.skips and profile is None and recognised is None:
            reader.skip(engine.travel.lead, engine.hour)
        else:
            reader.take_only(engine.wanted.values)
        if profile is not None:
            reader.measure(profile.moving, profile.reading)
        began = time.monotonic()
        engine.lookups.settle(ANSWERS_S)
        engine.start()
        handle = engine.handle if profile is None else profile.batches(engine.handle)
        counted = iter if recognised is None else recognised.counted
        entries = _handle_all(engine, handle, reader, progress, counted)
        report = engine.report(for_people=for_people)
        engine.stop()
        outcome = outcome_of(engine, entries, time.monotonic() - began, report)
        if profile is not None and engine.traffic is not None:
            outcome.profile = profile.data(engine.traffic, outcome.seconds)
    if reader.damaged:
        report.notes.append(f"{reader.damaged} entries could not be read: the journal is damaged")
    if cuts := engine.decoder.cuts:
        names = ", ".join(sorted(set(cuts))[:5])
        report.notes.append(
            f"{len(cuts):,} fields were cut ({shortened(names, 200)}): they are longer than "
            f"{engine.settings.journal.longest}"
        )
    outcome.faults = list(faults.kinds.values())
    outcome.render = lambda form: engine.render(report, form)
    outcome.full = lambda width: engine.pieces(report, "full", width)
    outcome.limit = engine.settings.report.limit
    reader.close()
    return outcome


def _handle_all(
    engine: Engine,
    handle: Callable[..., int],
    reader: Journal,
    progress: Progress | None,
    counted: Callable[[Iterator[Entry]], Iterator[Entry]],
) -> int:
    entries = 0
    patience = Patience(lambda: reader.position, engine.travel.at_work)
    while True:
        with patience:
            handled = handle(counted(reader.entries(engine.mode.batch)))
        if not handled:
            return entries
        entries += handled
        engine.tell_raised()
        engine.expire(engine.last_time)
        engine.tell_news()
        if progress is not None:
            progress(entries, engine.last_time)


def outcome_of(engine: Engine, entries: int, seconds: float, report: Report) -> Outcome:
    """The effects that a dry run has left in the state; it must be committed."""
    outbox = engine.state.outbox
    mails = [item.payload for item in outbox.items("mail")]
    lines = [item.payload for item in outbox.items("log")]
    runs = [item.payload for item in outbox.items("command")]
    return Outcome(
        entries,
        seconds,
        report,
        emails=[
            SentMail(
                subject_of(mail),
                mail["to"],
                text_of(mail),
                mail["html"],
                [Attachment(*one) for one in mail["attachments"]],
                mail["headers"],
            )
            for mail in mails
        ],
        bans=_bans(engine.state.ban_history.read(engine.state.db)),
        logs=[LoggedLine(_LEVELS[line["level"]], line["message"]) for line in lines],
        programs=[
            RunProgram(run["command"], run.get("parts", []), run.get("count", 1), run["timeout"])
            for run in runs
        ],
        sent=[
            SentParcel(item.plugin, parcel_of(item).payloads, item.payload["count"])
            for item in outbox.items()
            if item.plugin is not None
        ],
        events=list(tallies_of(engine.state.db)),
        skipped=engine.skipped,
    )


def _bans(history: Iterable[BanRecord]) -> list[MadeBan]:
    """One for each ban, however often it was made longer: that is no further offence."""
    bans: dict[tuple[str, Target, int], MadeBan] = {}
    for at, ban in history:
        seconds = None if ban.until is None else (ban.until - at) // 1_000_000
        bans[ban.network, ban.target, ban.since] = MadeBan(ban.network, ban.label, seconds)
    return list(bans.values())


_LEVELS = ("EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG")
