"""The daemon: follows the journal, commits, delivers, ends the days, and stops when told to."""

from __future__ import annotations

import os
import select
import signal
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from datetime import date

from pyruse.bans.settle import settle
from pyruse.chains.pushdown import Wanted
from pyruse.config.secrets import secret_faults
from pyruse.daemon.activity import Activity
from pyruse.daemon.control import Control, Message
from pyruse.daemon.observer import StateObserver
from pyruse.daemon.reading import Reading
from pyruse.delivery.delivery import Delivery
from pyruse.delivery.mail.transport import check as check_mail
from pyruse.delivery.named import set_aside_in_words
from pyruse.engine.engine import AHEAD_US, Engine
from pyruse.engine.patience import Patience
from pyruse.errors import ConfigError, UserError
from pyruse.state.damage import is_damage
from pyruse.system import service_manager
from pyruse.system.log import tell, to_journal

_GRACE_US = 2_000_000
"""So long after a day has ended its last entries may still be on their way through journald."""
_SET_BACK_US = 60_000_000
"""A clock that is set back by less than a minute is of no consequence."""
_LONGEST_WAIT_MS = 86_400_000
"""poll(2) takes no more than 24 days, and a clock may be years off."""
_RETRY_MS = 5_000
"""When the state could not be written: a full disk, most likely."""
_STOP_S = 0.8
"""So long, at a stop, what is just being sent may take; the rest is sent after the next start."""
_STOP_ONCE_S = 60.0
"""The same for a single pass."""
_ERROR, _WARNING, _INFO = 3, 4, 6  # syslog(3)


class Daemon:
    """Runs an engine on a journal, for years."""

    def __init__(self, engine: Engine, remake: Callable[[], Engine]) -> None:
        """Open the journal that the configuration names, and listen to commands.

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
        self._journal = self._reading.journal
        self._patience = Patience(
            lambda: self._journal.position,
            lambda frame: self._engine.travel.at_work(frame),  # noqa: PLW0108 -- a reload's, too
        )
        self._stop = self._reload = False
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._delivery = Delivery(
            outbox=self._state.outbox,
            settings=engine.settings.email,
            host=engine.host,
            journal_log=to_journal,
            on_fault=self._delivery_fault,
            wake=self._wake,
            receivers=engine.receivers,
        )
        self._last_time = self._state.positions.latest() or 0
        """The instant of the last entry handled."""
        self._skimming = False
        """libsystemd leaves out the entries that the chains would do nothing with."""
        self._batch_began = 0
        """What the clock showed when the last batch began, in microseconds since the epoch."""
        self._activity = Activity(self._clock())
        self._watchdog = service_manager.Watchdog()
        self._control = Control(self._state.path, self._activity.data, self._wake)

    def run(self, *, once: bool = False) -> None:
        """Handle what is pending, then (unless ``once``) follow the journal until told to stop.

        :raises UserError: the state could not be written until the stop.
        """
        self._catch_signals()
        self._reading.resume()
        self._take_only(self._engine.wanted)
        self._state.days.begin(self._today())
        settle(self._engine.bans, self._commit, self._firewall_fault, read_again=True)
        self._start()
        service_manager.ready()
        try:
            while not self._stop:
                self._watchdog.tell()
                if self._reload:
                    self._reload_now()
                caught_up = self._batch()
                self._answer()
                if caught_up and once:
                    break
                if caught_up and self._skimming:
                    self._take_only(Wanted())
                elif caught_up and not self._stop:
                    self._wait(self._timeout_ms())
            service_manager.stopping()
            self._control.close()
            if once:
                self._finish_delivery()
            self._delivery.close(_STOP_S)
            if self._delivery.collect(self._clock()):
                self._commit()
        finally:
            self._control.close()
            self._engine.stop()
            self._engine.bans.enforcement.close()
            self._reading.close()

    def _finish_delivery(self) -> None:
        """Deliver all that can be delivered now: nobody will be there to do it later."""
        deadline = time.monotonic() + _STOP_ONCE_S
        while self._delivery.busy and not self._stop and (left := deadline - time.monotonic()) > 0:
            self._wait(round(left * 1000) + 1, journal=False)
            if self._delivery.collect(self._clock()):
                self._commit()
            if self._delivery.dispatch(self._clock()):
                self._commit()

    def stop(self) -> None:
        """Finish what is at hand, commit it, and end. May be called by a signal's handler."""
        self._stop = True
        self._wake()

    def reload(self) -> None:
        """Read the configuration again. May be called by a signal's handler."""
        self._reload = True
        self._wake()

    def _catch_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.stop())
        signal.signal(signal.SIGHUP, lambda *_: self.reload())
        # The kernel may give a signal to any thread, and Python runs these functions in the main
        # one alone, which may be asleep: what is written here wakes it.
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)

    def _reload_now(self) -> None:
        """Go on with the configuration as it is now; with the old one, if the new one is faulty.

        Everything that is remembered stays: it belongs to the state.
        """
        self._reload = False
        service_manager.reloading()
        old = self._engine
        try:
            self._engine = self._remake()
        except UserError as fault:
            faults = fault.faults if isinstance(fault, ConfigError) else [str(fault)]
            for line in ("the configuration stays as it was: the new one has faults", *faults):
                tell(line, _ERROR, {})
        else:
            if self._skimming:
                self._take_only(self._engine.wanted)
            old.stop()
            old.bans.enforcement.close()
            self._delivery.reconfigure(
                self._engine.settings.email, self._engine.host, self._engine.receivers
            )
            self._start()
            if (self._engine.settings.journal, self._engine.settings.state) != (
                old.settings.journal,
                old.settings.state,
            ):
                tell("[journal] and [state] need a restart to change", _WARNING, {})
            tell("the configuration was read again", _INFO, {})
        service_manager.ready()

    def _start(self) -> None:
        """Let the plugins of the configuration get ready, and its chains be asked about."""
        self._activity.traffic = self._engine.traffic
        self._engine.start(
            StateObserver(
                self._engine.configuration, self._state.path, self._activity.data, self._clock
            )
        )
        self._warn()

    def _warn(self) -> None:
        """Log what will most likely go wrong: nobody may have run `pyruse check` as this user."""
        engine = self._engine
        for warning in (*check_mail(engine.settings.email), *secret_faults(engine.configuration)):
            tell(warning, _WARNING, {})

    def _take_only(self, wanted: Wanted) -> None:
        """Have libsystemd leave out, from here on, the entries that are not wanted.

        That is for catching up. An entry that journald is just writing is in the journal a moment
        before it is in its index of values, and whoever looks for values in this moment is not
        shown it until the next one has come: too late for a ban.
        """
        self._skimming = bool(wanted)
        self._journal.take_only(wanted.values)

    def _tell_unread(self, kind: str, text: str) -> None:
        """Tell of entries that are not read: in the log, in the status and in the next report."""
        self._engine.tell_fault("journal", kind, text)
        if kind == "removed":
            days = self._state.days
            days.note(days.open_day(date.fromisoformat(self._today())), text)

    def _batch(self) -> bool:
        """Handle and commit the next entries.

        :return: whether there are no more for now.
        """
        self._look_at_clock()
        batch = self._engine.mode.batch
        with self._patience:
            handled = self._engine.handle(self._journal.entries(batch), now=self._batch_began)
        if handled:
            self._activity.handled(handled)
            self._last_time = self._engine.last_time
            # An entry from the future, of a machine whose clock is wrong, makes nothing expire.
            self._engine.expire(min(self._last_time, self._clock()))
        if handled:
            self._reading.handled(self._last_time)
        self._reading.tell()
        caught_up = handled < batch
        if caught_up:
            self._engine.bans.expire(self._clock())
        settle(
            self._engine.bans,
            lambda: self._commit_batch(handled),
            self._firewall_fault,
            read_again=True,
        )
        self._end_days(caught_up)
        if self._delivery.dispatch(self._clock()):
            self._commit()
        return caught_up

    def _commit_batch(self, handled: int) -> None:
        """Commit what came of the entries handled, of deliveries, and of the time; if anything."""
        delivered = self._delivery.collect(self._clock())
        if handled or delivered or self._state.bans.has_changed:
            self._commit()

    def _look_at_clock(self) -> None:
        """Which day it is; where the clock was set back, nothing waits for what it showed then."""
        now = self._clock()
        if now < self._batch_began - _SET_BACK_US:
            self._delivery.send_now()
            self._engine.bans.enforcement.retry()
        self._batch_began = now
        self._state.days.begin(self._today())

    def _commit(self) -> None:
        """Commit, for as long as it takes: no entry is read before those read are safe.

        :raises UserError: it did not succeed until the stop. Nothing is lost then: the next start
            reads the same entries again.
        :raises StateError: the database is damaged or gone (see `pyruse.state.rescue`).
        """
        while True:
            try:
                self._state.commit()
                if self._activity.held_up_by:
                    self._activity.held_up_by = ""
                    tell("the state can be written again: nothing is lost", _INFO, {})
                return
            except sqlite3.Error as fault:
                self._activity.held_up_by = f"the state cannot be written: {fault}"
                self._engine.tell_fault("state", "commit", f"cannot be written: {fault}")
                if self._stop:
                    raise UserError(
                        f"{self._state.path}: cannot be written: {fault} (expected room on the "
                        "disk; the entries will be read again at the next start)"
                    ) from None
            self._watchdog.tell()
            self._wait(_RETRY_MS, journal=False)

    def _answer(self) -> None:
        """Answer the commands that ask for something (see `pyruse.daemon.control`)."""
        for request in self._control.requests():
            order = request.content.get("order")
            if request.content.get("request") != "order" or not isinstance(order, dict):
                request.answer({"ok": False, "fault": "not understood: of another version?"})
                continue
            request.answer(self._carry_out(order))

    def _carry_out(self, message: Message) -> Message:
        """Change the bans as a command wants it: at once in the firewall, and in the state."""
        from pyruse.bans import orders
        from pyruse.bans.carry_out import carry_out

        try:
            order = orders.read(message)
        except UserError as fault:
            return {"ok": False, "fault": str(fault)}
        answer = carry_out(order, self._engine.bans, self._commit, self._firewall_fault)
        return {"ok": True, "answer": orders.message_of(answer)}

    def _end_days(self, caught_up: bool) -> None:
        """Report the days that are over: by the clock, and once all their entries are read."""
        now = self._clock()
        calendar = self._engine.calendar
        ahead = self._state.days.ahead(calendar.day_of(now + AHEAD_US))
        ends: list[int] = []
        for name in self._state.days.unreported():
            end = calendar.end_of(date.fromisoformat(name))
            over = now >= end + _GRACE_US if caught_up else self._last_time >= end
            if (end <= now and over) or name in ahead:
                if items := self._state.outbox.tell_set_aside():
                    self._state.days.note(name, set_aside_in_words(items))
                self._commit()
                self._engine.end_day(name, now)
                ends.append(end)
        if ends:
            self._state.days.begin(self._today())
            # By the days, not by the clock alone: set wrongly, it would have everything removed.
            self._remove_old(min(now, *ends))
            self._commit()

    def _remove_old(self, now: int) -> None:
        keep = self._engine.settings.state.keep.us
        try:
            self._state.remove_before(now - keep, self._engine.calendar.day_of(now - keep))
        except sqlite3.Error as fault:
            if is_damage(fault):
                raise
            self._engine.tell_fault("state", "remove", f"cannot be cleaned up: {fault}")

    def _today(self) -> str:
        return self._engine.calendar.day_of(self._clock()).isoformat()

    def _timeout_ms(self) -> int | None:
        """How long to sleep while nothing is logged: until a day ends, or something is due."""
        now = self._clock()
        calendar = self._engine.calendar
        ends = [calendar.end_of(date.fromisoformat(day)) for day in self._state.days.unreported()]
        moments = [end + _GRACE_US for end in ends]
        if (alive_ms := self._watchdog.wait_ms()) is not None:
            moments.append(now + alive_ms * 1000)
        for moment in (self._delivery.next_due(), self._engine.bans.next_due()):
            if moment is not None:
                moments.append(moment)
        if not moments:
            return None
        return max(0, min(-(-(min(moments) - now) // 1000), _LONGEST_WAIT_MS))

    def _wait(self, timeout_ms: int | None, *, journal: bool = True) -> None:
        if journal:
            watched = self._engine.bans.enforcement.prepare(self._firewall_fault)
            self._journal.wait(timeout_ms, self._wake_read, *watched)
        else:
            select.select([self._wake_read], [], [], (timeout_ms or 0) / 1000)
        with suppress(BlockingIOError):
            while os.read(self._wake_read, 4096):
                pass

    def _wake(self) -> None:
        """End the wait; called from other threads and from signal handlers."""
        with suppress(BlockingIOError):  # the pipe is full of wakes
            os.write(self._wake_write, b".")

    def _delivery_fault(self, place: str, text: str, kind: str = "delivery") -> None:
        self._engine.tell_fault(place, kind, text)

    def _firewall_fault(self, fault: Exception) -> None:
        self._engine.tell_fault("bans", "firewall", str(fault))
