"""The daemon: in which order batches are handled, bans settled, mails delivered, days ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import FrameType

from pyruse import __version__
from pyruse.bans.firewalls.caller import Doubt, Restored
from pyruse.bans.firewalls.upkeep import OnFault
from pyruse.bans.settle import settle
from pyruse.chains.model import Step
from pyruse.chains.pushdown import Wanted
from pyruse.config.files import writable_by_others
from pyruse.config.secrets import secret_faults
from pyruse.daemon.answers import Answers
from pyruse.daemon.at_work import AtWork
from pyruse.daemon.commits import Commits
from pyruse.daemon.control import Control
from pyruse.daemon.day_ends import DayEnds, today
from pyruse.daemon.outbox_orders import OutboxOrders
from pyruse.daemon.reading import Reading
from pyruse.daemon.reload import remade, tell_reloaded
from pyruse.daemon.signals import Signals
from pyruse.daemon.status.activity import Activity
from pyruse.daemon.status.observer import StateObserver
from pyruse.daemon.wake import Wake
from pyruse.delivery.delivery import Delivery
from pyruse.delivery.mail.address import mail_name
from pyruse.delivery.mail.transport import check as check_mail
from pyruse.delivery.outcome import GIVEN_UP
from pyruse.engine.engine import Engine
from pyruse.engine.patience import Patience
from pyruse.errors import UserError
from pyruse.journal.shortage import NOT_ALL_READ
from pyruse.state.outbox_item import SET_ASIDE
from pyruse.system import service_manager
from pyruse.system.log import tell, to_journal
from pyruse.system.memory import MemoryLimit
from pyruse.text import shortened

_SET_BACK_US = 60_000_000
"""A clock that is set back by less than a minute is of no consequence."""
_LONGEST_WAIT_MS = 86_400_000
"""poll(2) takes no more than 24 days, and a clock may be years off."""
_FIRST_ANSWERS_S = 2.0
"""So long a start waits, at most, for the addresses of host names that it knows nothing of."""
_STOP_S = 0.8
"""So long, at a stop, what is just being sent may take, and what a firewall is just told of; the
rest is done after the next start."""
_INTERRUPTED_S = 0.1
"""So long a firewall may take after that for ending what it was busy with."""
_READY_S = 10.0
"""So long, at a start, bans may take to be in the firewalls until Pyruse counts as started."""
_STOP_ONCE_S = 60.0
"""The same for a single pass."""
_WARNING = 4  # syslog(3)


class Daemon:
    """Runs an engine on a journal, for years."""

    def __init__(self, engine: Engine, remake: Callable[[], Engine]) -> None:
        """Open the journal that the configuration names, and listen to commands.

        :param engine: a configuration at work; its clock is the daemon's.
        :param remake: reads the configuration again, for a reload; `UserError` if it has faults.
        :raises JournalError: the journal cannot be read.
        :raises UserError: commands cannot be listened to.
        """
        self._engine = engine
        self._remake = remake
        self._state = engine.state
        self._clock = engine.clock
        self._reading = Reading(
            engine.settings.journal, engine.decoder, self._state.positions, self._tell_unread
        )
        self._patience = Patience(
            lambda: self._reading.journal.position,
            self._step_at_work,
        )
        self._patience_with_hooks = Patience(
            lambda: self._engine.ban_news.told,
            lambda frame: self._engine.broadcasts.at_work(frame),  # noqa: PLW0108 -- a reload's, too
            "",
        )
        self._memory = MemoryLimit()
        self._wake = Wake()
        self._signals = Signals(self._wake)
        self._delivery = Delivery(
            outbox=self._state.outbox,
            settings=engine.settings.email,
            host=mail_name(engine.host),
            journal_log=to_journal,
            on_fault=self._delivery_fault,
            wake=self._wake,
            receivers=engine.receivers,
        )
        self._at_work = AtWork(self._state.path)
        self._batch_began = 0
        """What the clock showed when the last batch began, in microseconds since the epoch."""
        self._activity = Activity(self._clock())
        self._watchdog = service_manager.Watchdog()
        self._commit = Commits(
            self._state, self._activity, self._signals, self._wake, self._watchdog,
            lambda text: self._engine.faults.tell("state", "commit", text),
        )  # fmt: skip
        self._day_ends = DayEnds(self._commit, self._wake)
        self._control = Control(self._state.path, self._activity.data, self._wake)
        outbox = OutboxOrders(
            self._delivery, self._state.outbox, self._commit, self._clock, self._wake
        )
        self._answers = Answers(self._control, self._commit, self._state.kinds, outbox)
        engine.bans.enforcement.beside(self._wake)
        self._ready_by: float | None = None
        """When Pyruse counts as started at the latest (`time.monotonic`); None: it does."""

    def run(self, *, once: bool = False) -> None:
        """Handle what is pending, then (unless ``once``) follow the journal until told to stop.

        :param once: end when nothing is pending any more.
        :raises UserError: the state could not be written until the stop; or, with ``once``, not all
            journals could be read.
        """
        self._signals.catch()
        self.begin()
        self._ready_by = time.monotonic() + _READY_S
        try:
            while not self._signals.stop:
                self._tell_ready()
                if self._signals.reload and not self._day_ends.is_busy:
                    self._reload()
                caught_up = self.batch()
                self._answers.carry_out(self._engine.bans, self._firewall_fault)
                self._call_woken()
                for fault in self._control.faults():
                    self._engine.faults.tell("control", "listen", fault)
                idle = not self._tell_news() and caught_up
                if idle and once and not self._day_ends.is_busy:
                    if not self._day_ends.is_removing:
                        break
                    continue
                if idle and self._reading.skimming:
                    self._reading.take_only(Wanted())
                elif idle and not self._signals.stop:
                    self._tell_ready()  # firewalls may have answered meanwhile
                    self._wait()
            self._tell_ready()
            service_manager.stopping()
            self._control.close()
            if once:
                self._finish()
            self._stop()
            if once and self._reading.journal.short:
                raise UserError(NOT_ALL_READ)
        except UserError:  # it ends as it should, though a batch may be in the midst
            self._at_work.end()
            raise
        finally:
            self.close()

    def _stop(self) -> None:
        """Let what is under way end, in a second at most; the rest is done by the next start."""
        enforcement = self._engine.bans.enforcement
        deadline = time.monotonic() + _STOP_S
        self._delivery.close(_STOP_S)
        self._wait_for_firewalls(deadline, self._firewall_fault)
        if enforcement.busy:
            for trouble in enforcement.troubles():
                changes = (
                    f"{trouble.waiting:,} changes wait" if trouble.waiting else "all bans wait"
                )
                text = f"{changes} for {trouble.firewall}: the next start tells it of them"
                tell(text, _WARNING, {})
            enforcement.interrupt()
            # That it was interrupted is no fault of its own.
            self._wait_for_firewalls(time.monotonic() + _INTERRUPTED_S, lambda fault: None)
        self._answers.finish(self._engine.bans)
        self._commit_batch(0)

    def _wait_for_firewalls(self, deadline: float, on_fault: OnFault) -> None:
        """Take in what firewalls answer until an instant of `time.monotonic`."""
        bans = self._engine.bans
        while bans.enforcement.busy and (left := deadline - time.monotonic()) > 0:
            self._wake.sleep(round(left * 1000) + 1)
            bans.enforce(on_fault)

    def _tell_ready(self) -> None:
        """Tell the service manager that Pyruse has started (bans are in force, or take long).

        From then on, tell that it is alive.
        """
        if self._ready_by is not None and (
            not self._engine.bans.enforcement.busy or time.monotonic() >= self._ready_by
        ):
            self._ready_by = None
            service_manager.ready()
        if self._ready_by is None:
            self._watchdog.tell()

    def begin(self) -> None:
        """Go where the last run ended, bring the firewalls up to date, and start the plugins."""
        self._reading.resume()
        self._reading.leave_out(self._engine)
        self._state.days.begin(today(self._engine))
        settings = self._engine.settings
        # Nobody is banned by entries that waited only because a name was never asked for.
        self._engine.lookups.settle(
            _FIRST_ANSWERS_S, known=False, stopped=lambda: self._signals.stop
        )
        self._engine.ban_news.start(
            __version__, len(self._engine.configuration.chains), settings.bans.backend,
            len(self._engine.bans.in_force),
        )  # fmt: skip
        settle(self._engine.bans, self._commit, self._firewall_fault, read_again=True)
        self._start()

    def batch(self) -> bool:
        """Handle and commit the next entries, and what the time brings.

        :return: whether there are no more entries for now.
        """
        self._look_at_clock()
        looked_up = self._look_up()
        if self._engine.ban_news.too_many:
            return False
        most = self._at_work.begin(self._engine.mode.batch)
        missed = self._handle_missed()
        with self._patience, self._memory:
            entries = self._at_work.watched(self._reading.journal.entries(most))
            self._engine.late_us = self._late_us()
            handled = self._engine.handle(entries, now=self._batch_began)
        if handled:
            self._activity.handled(handled)
            now = self._clock()
            self._reading.handled(self._engine.last_time, now)
            # An entry from the future, of a machine whose clock is wrong, makes nothing expire.
            self._engine.expire(min(self._engine.last_time, now) - self._late_us())
        elif (over := self._at_work.over) is not None:
            handled = 1
            self._reading.step_over(over)
        missed += self._handle_missed()
        self._at_work.keep()
        self._reading.tell()
        caught_up = handled < most
        if caught_up:
            self._at_work.caught_up()
            with self._patience, self._memory:
                self._engine.tell_absent(self._clock())
            self._engine.bans.expire(self._clock())
        with self._patience_with_hooks:
            self._engine.tell_raised()
        settle(
            self._engine.bans,
            lambda: self._commit_batch(handled or missed or looked_up),
            self._firewall_fault,
            read_again=True,
        )
        self._at_work.end()
        self._activity.firewalls = self._engine.bans.enforcement.troubles()
        self._day_ends.end(self._engine, self._reading.last_time, self._late_us(), caught_up)
        if self._delivery.dispatch(self._clock()):
            self._commit()
        return caught_up

    def _handle_missed(self) -> int:
        """Handle what was passed over, with the entries behind it: else, a stop would lose it."""
        if not self._reading.journal.has_missed:
            return 0
        with self._patience, self._memory:
            entries = self._at_work.watched(self._reading.journal.missed())
            missed = self._engine.handle(entries, now=self._batch_began)
        self._activity.handled(missed)
        return missed

    def _late_us(self) -> int:
        """How late the entries of the slowest machine come that still speaks."""
        return self._reading.lags.late_us(self._clock())

    def _call_woken(self) -> None:
        """Call the plugins whose own threads have something for this one, and commit that."""
        with self._patience_with_hooks:
            woken = self._engine.call_woken()
        if woken:
            settle(self._engine.bans, self._commit, self._firewall_fault, read_again=True)
            if self._delivery.dispatch(self._clock()):
                self._commit()

    def _tell_news(self) -> bool:
        """Tell of bans that are committed, some at a time, so that nothing waits for long.

        :return: whether there are more.
        """
        with self._patience_with_hooks:
            told = self._engine.ban_news.tell()
        if told:
            self._commit()
            if self._delivery.dispatch(self._clock()):
                self._commit()
        return self._engine.ban_news.waiting > 0

    def _step_at_work(self, frame: FrameType | None) -> Step | None:
        node = self._engine.travel.at_work(frame)
        return None if node is None else node.step

    def close(self) -> None:
        """Let go of everything; what is not committed is done again by the next run."""
        self._control.close()
        self._engine.stop()
        self._engine.lookups.close()
        self._engine.bans.enforcement.close()
        self._reading.close()
        self._at_work.close()

    def _look_at_clock(self) -> None:
        """Which day it is; where the clock was set back, nothing waits for what it showed then."""
        now = self._clock()
        if now < self._batch_began - _SET_BACK_US:
            self._delivery.send_now()
            self._engine.bans.enforcement.retry()
        self._batch_began = now
        self._state.days.begin(today(self._engine))

    def _look_up(self) -> bool:
        changed = self._engine.look_up()
        if changed:
            self._activity.protect(self._engine.bans.protected())
        return changed

    def _commit_batch(self, handled: int) -> None:
        """Commit what came of the entries handled, of deliveries, and of the time; if anything."""
        delivered = self._delivery.collect(self._clock())
        if handled or delivered or self._state.has_news:
            self._commit()

    def _wait(self) -> None:
        """Sleep while nothing is logged: until a day ends, something is due, or a wake."""
        self._engine.bans.enforcement.prepare(self._firewall_fault)
        watched = self._engine.lookups.descriptors()
        self._reading.journal.wait(self._timeout_ms(), self._wake.fileno(), *watched)
        self._wake.clear()

    def _timeout_ms(self) -> int | None:
        """How long to sleep at most; None: any time."""
        now = self._clock()
        ready_ms = None
        if self._ready_by is not None:
            ready_ms = max(0, int((self._ready_by - time.monotonic()) * 1000) + 1)
        waits = (self._watchdog.wait_ms(), self._answers.wait_ms(), ready_ms)
        moments = [
            moment
            for moment in (
                self._day_ends.next(self._engine, self._late_us()),
                self._delivery.next_due(),
                self._engine.bans.next_due(),
                self._engine.next_absent(),
                self._engine.lookups.next_due(),
                *(None if wait_ms is None else now + wait_ms * 1000 for wait_ms in waits),
            )
            if moment is not None
        ]
        if not moments:
            return None
        return max(0, min(-(-(min(moments) - now) // 1000), _LONGEST_WAIT_MS))

    def _reload(self) -> None:
        """Go on with the configuration as it is now; with the old one, if the new one is faulty."""
        self._signals.reload = False
        service_manager.reloading()
        old = self._engine
        new = remade(old, self._remake, self._tell_refused)
        self._signals.catch()  # a plugin that was imported just now may have taken them
        if new is not None:
            new.bans.enforcement.beside(self._wake, old.bans.enforcement)
            new.lookups.succeed(old.lookups)
            self._engine = new
            self._activity.refused = None
            if self._reading.skimming or self._reading.journal.skips:
                self._reading.leave_out(new)
            self._delivery.reconfigure(new.settings.email, mail_name(new.host), new.receivers)
            self._start()
            tell_reloaded(old, new)
        self._ready_by = None
        if new is not None:
            service_manager.status("")
        else:  # it may be a reload of the firewall's rules, which took the bans away
            old.bans.enforcement.look_again()
        service_manager.ready()

    def _tell_refused(self, faults: list[str]) -> None:
        """Have `pyruse status`, `systemctl status` and the report say that a reload was refused.

        The log has it.
        """
        service_manager.status(f"The reload was refused, the old settings are at work: {faults[0]}")
        self._activity.refused = {"at": self._clock(), "faults": faults}
        self._engine.faults.keep(
            "configuration", "reload", f"the configuration stays as it was: {faults[0]}"
        )
        self._commit()  # nothing else may be logged for long

    def _start(self) -> None:
        """Let the plugins of the configuration get ready, and its chains be asked about.

        What will most likely go wrong is logged: nobody may have run `pyruse check` as this user.
        """
        engine = self._engine
        self._activity.traffic = engine.traffic
        engine.lookups.start(self._wake)
        engine.services.woken.beside(self._wake)
        self._activity.protect(engine.bans.protected())
        engine.start(
            StateObserver(
                engine.configuration,
                self._state.path,
                self._activity.data,
                self._clock,
                engine.contributors,
            )
        )
        for warning in (
            *writable_by_others(engine.configuration.files),
            *check_mail(engine.settings.email, archived=engine.settings.report.archive is not None),
            *secret_faults(engine.configuration),
        ):
            tell(warning, _WARNING, {})

    def _finish(self) -> None:
        """Enforce and deliver all that can be done now: nobody will be there to do it later."""
        deadline = time.monotonic() + _STOP_ONCE_S
        bans = self._engine.bans
        while (
            (self._delivery.busy or bans.enforcement.busy)
            and not self._signals.stop
            and (left := deadline - time.monotonic()) > 0
        ):
            self._wake.sleep(round(left * 1000) + 1)
            bans.enforce(self._firewall_fault)
            self._commit_batch(0)
            if self._delivery.dispatch(self._clock()):
                self._commit()

    def _tell_unread(self, kind: str, text: str, entries: bool) -> None:
        """Tell of what is not read: in log and status; where it is entries, in the report, too."""
        self._engine.faults.tell("journal", kind, text)
        if entries:
            days = self._state.days
            days.note(days.open_day(self._engine.calendar.day_of(self._clock())), text)

    def _delivery_fault(
        self, place: str, text: str, kind: str = "delivery", times: int = 1
    ) -> None:
        self._engine.faults.tell(place, kind, text, times=times, each=kind in (GIVEN_UP, SET_ASIDE))

    def _firewall_fault(self, fault: Exception) -> None:
        if isinstance(fault, Doubt):  # each is a kind of its own: none hides behind another
            self._engine.faults.tell("bans", f"doubt {shortened(str(fault), 80)}", str(fault))
            return
        kind = "restored" if isinstance(fault, Restored) else "firewall"
        self._engine.faults.tell("bans", kind, str(fault))
        self._answers.heard(str(fault))
