"""Keeps one firewall in line with the bans in force."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from pyruse.api.firewall import Firewall, FirewallError, Target
from pyruse.bans.firewalls.caller import (
    Caller,
    Job,
    Look,
    Looked,
    Noticed,
    Prepare,
    Restored,
    Result,
    Told,
    element,
    ends_itself,
    fault_of,
)
from pyruse.bans.firewalls.pending import Pending, Telling
from pyruse.bans.firewalls.runners import Runner
from pyruse.state.bans import StoredBans
from pyruse.state.firewalls import FirewallRecord
from pyruse.state.shared_bans import BanKey
from pyruse.times import Clock

Opener = Callable[[str], Firewall | None]
OnFault = Callable[[Exception], None]
MakeRunner = Callable[[str, Caller], Runner]
"""Gives what calls the firewall of a name."""

_LOOK_US = 1_000_000
"""Check a firewall that others change all the time at most this often."""
_LOOK_SHARE = 100
"""A look may take this part of the time until the next one: one hundredth."""
_LATE_US = 5_000_000
"""So long a firewall may take for a change, and longer …"""
_LATE_EACH_US = 1_000
"""… by so much for each ban: it is late then, and that is told."""


class Trouble(NamedTuple):
    """A firewall does not hold all that it should."""

    firewall: str
    since: int
    """Since when, in microseconds since the epoch."""
    fault: str
    """What it has said, or that it does not answer."""
    waiting: int
    """How many changes it has not taken; 0: nobody knows what it holds."""


class Upkeep:
    """One firewall, opened when it is first needed.

    It decides what the firewall is told and takes in what comes of it; it never waits for the
    firewall, unless its runner does. All instants here are the machine's (``now``).
    """

    def __init__(  # noqa: PLR0913 -- what it keeps in line with what, and how
        self,
        name: str,
        bans: StoredBans,
        opener: Opener,
        clock: Clock,
        make_runner: MakeRunner,
        owner: str = "",
    ) -> None:
        """Open nothing yet.

        :param name: of the firewall.
        :param bans: what it is to hold.
        :param opener: gives the firewall of a name, or None where no plugin has it.
        :param clock: the machine's.
        :param make_runner: gives what calls the firewall.
        :param owner: whose bans these are (see `Firewall.owner`).
        """
        self._owner = owner
        self.targets: set[Target] = set()
        """Where bans may be put, by the configuration …"""
        self.networks: set[Target] = set()
        """… and where networks are among them."""
        self.name = name
        self._bans = bans
        self._opener = opener
        self._clock = clock
        self._make_runner = make_runner
        self._firewall: Firewall | None = None
        self.runner: Runner | None = None
        """Calls the firewall; None: it was not called yet."""
        self.pending = Pending(name, bans)
        self._at_work: Job | None = None
        """What the firewall has been asked for and has not answered."""
        self._since = 0
        """When it was asked."""
        self._told_late = False
        self._ready = False
        """Nothing was asked of it since it got ready for the next change."""
        self._look_at: int | None = None
        """When the firewall is to be looked at; None: nobody changed it."""
        self._looked_at = 0
        self._look_us = _LOOK_US
        """So long after a look the next one may come."""
        self._unknown_since: int | None = None
        """Since when nobody knows what the firewall holds."""

    @property
    def firewall(self) -> Firewall:
        """The firewall, opened.

        :raises ValueError: no plugin has it, or its options are faulty.
        """
        if self._firewall is None:
            self._firewall = self._opener(self.name)
        if self._firewall is None:
            raise ValueError(
                f'there is no firewall "{self.name}" (expected one that an installed plugin has, '
                f"with its options in [bans.{self.name}]: see `pyruse plugins`)"
            )
        return self._firewall

    @property
    def busy(self) -> bool:
        """Whether the firewall has not answered yet."""
        return self._at_work is not None

    def bring_up_to_date(self, now: int, on_fault: OnFault) -> None:
        """Take in what the firewall has answered, and ask it for what is next, if it is free.

        What it refuses is tried again later.
        """
        if self.pending.retry_at is not None and now >= self.pending.retry_at:
            self.pending.retry()
        self._collect(now, on_fault)
        while self._at_work is None and (job := self._next(now)) is not None:
            self._ask(job, now, on_fault)
            self._collect(now, on_fault)
        self._tell_late(now, on_fault)

    def _next(self, now: int) -> Job | None:
        """What the firewall is to do now, if anything."""
        if self._look_at is not None and now >= self._look_at:
            self._look_at, self._looked_at = None, now
            return Look(self.pending.taken())
        while (telling := self.pending.telling()) is not None:
            if not self._is_over(telling, now):
                return telling
            self.pending.took(telling)
        return None

    def _is_over(self, telling: Telling, now: int) -> bool:
        """Whether the firewall has done by itself all that it would be told of."""
        if telling.everything or telling.add or self._firewall is None:
            return False
        longest = self._firewall.longest
        return not any(
            ban.alive(now) or not ends_itself(ban, longest) for ban in telling.remove.values()
        )

    def _ask(self, job: Job, now: int, on_fault: OnFault) -> None:
        """Have the firewall do something; its answer may come later."""
        self._ready = isinstance(job, Prepare)
        try:
            self._runner().hand_over(job)
        except KeyboardInterrupt:
            raise
        except BaseException as error:  # noqa: BLE001 -- a plugin's bug is contained as a refusal is
            fault = fault_of(self.name, error)
            on_fault(fault)
            if isinstance(job, Telling):
                self.pending.refused(job, str(fault), now, self._failed(fault, job, now))
        else:
            self._at_work, self._since, self._told_late = job, now, False

    def _runner(self) -> Runner:
        """What calls the firewall.

        :raises ValueError: see `firewall`.
        """
        if self.runner is None:
            self.runner = self._make_runner(self.name, self._caller())
        return self.runner

    def _caller(self) -> Caller:
        """What calls the firewall, whose bans are this state's.

        :raises ValueError: see `firewall`.
        """
        self.firewall.owner = self._owner
        caller = Caller(self.name, self.firewall, self._clock)
        caller.targets, caller.networks = frozenset(self.targets), frozenset(self.networks)
        return caller

    def doubts(self) -> list[FirewallError]:
        """What keeps bans from holding as they should, at once; nothing is changed."""
        return Caller(self.name, self.firewall, self._clock).doubts(self.targets, self.networks)

    def _collect(self, now: int, on_fault: OnFault) -> None:
        """Take in what the firewall has answered."""
        for result in [] if self.runner is None else self.runner.results():
            self._take_in(result, now, on_fault)
            for fault in result.faults:
                on_fault(fault)

    def _take_in(self, result: Result, now: int, on_fault: OnFault) -> None:
        if isinstance(result, Noticed):
            if self._look_at is None:
                self._look_at = max(now, self._looked_at + self._look_us)
            return
        self._at_work = None
        if isinstance(result, Looked):
            self._look_us = max(_LOOK_US, int(result.took_s * _LOOK_SHARE * 1_000_000))
            if not result.intact:
                self.pending.lost()
            elif missing := [key for key in result.missing if key in result.look.bans]:
                for key in missing:
                    self._bans.want(key, result.look.bans[key])
                more = f" and {len(missing) - 1:,} more" if len(missing) > 1 else ""
                on_fault(
                    Restored(
                        f"{self.name}: somebody has taken {missing[0].network}{more} out: put back "
                        "(expected `pyruse unban` for a ban that is to end)"
                    )
                )
        elif isinstance(result, Told) and result.refusal is None:
            self.pending.took(result.telling)
        elif isinstance(result, Told) and (fault := result.refusal) is not None:
            on_fault(fault)
            telling = result.telling
            if fault.emptied and not telling.everything:
                self.pending.emptied()
            else:
                self.pending.refused(telling, str(fault), now, self._failed(fault, telling, now))

    def _failed(self, fault: FirewallError, telling: Telling, now: int) -> list[BanKey] | None:
        """What was refused while the rest was taken; None: nothing was taken."""
        if self._firewall is None:  # no longer configured: what is over by now is forgotten
            changes = (*telling.add.items(), *telling.remove.items())
            return [key for key, ban in changes if ban.alive(now)]
        if fault.emptied or fault.failed is None:
            return None
        return [BanKey(one.address, one.target) for one in fault.failed]

    def _late_at(self) -> int:
        """From when on the firewall is late with its answer."""
        job = self._at_work
        bans = len(job.add) + len(job.remove) if isinstance(job, Telling) else 0
        return self._since + _LATE_US + _LATE_EACH_US * bans

    def _tell_late(self, now: int, on_fault: OnFault) -> None:
        if self._at_work is not None and not self._told_late and now >= self._late_at():
            self._told_late = True
            on_fault(FirewallError(self.late(now) or ""))

    def late(self, now: int) -> str | None:
        """What is to be said of a firewall that does not answer; None: it does, as far as known."""
        if self._at_work is None or now < self._late_at():
            return None
        return (
            f"{self.name}: has not answered for {(now - self._since) / 1e6:.0f} s, and bans wait "
            "(expected an answer at once: see what keeps its program, or its plugin, busy)"
        )

    def record(self, now: int) -> FirewallRecord:
        """How far the firewall is."""
        pending = self.pending
        if pending.known:
            self._unknown_since = None
        elif self._unknown_since is None:
            self._unknown_since = now
        if self.late(now) is not None:
            return FirewallRecord(pending.known, self._since)
        if pending.refused_since is not None:
            fault = pending.why if pending.is_whole else ""
            return FirewallRecord(pending.known, pending.refused_since, fault)
        return FirewallRecord(pending.known, self._unknown_since)

    def trouble(self, now: int) -> Trouble | None:
        """Why the firewall does not hold all that it should; None: it does, as far as known."""
        pending = self.pending
        untaken = pending.untaken
        waiting = len(untaken.add) + len(untaken.remove)
        if (late := self.late(now)) is not None:
            return Trouble(self.name, self._since, late, waiting)
        if pending.refused_since is not None:
            return Trouble(self.name, pending.refused_since, pending.why, waiting)
        return None

    def retry(self, now: int) -> None:
        """Try again at once what was refused, and look at once what others have changed.

        Somebody waits, or the clock was set back.
        """
        self.pending.retry()
        self._since = min(self._since, now)
        self._looked_at = 0
        if self._look_at is not None:
            self._look_at = 0

    def look_again(self, now: int) -> None:
        """Have the firewall looked at with the next `bring_up_to_date`: others may change it."""
        if self.runner is not None:
            self._look_at = now

    def teardown(self, now: int, on_fault: OnFault) -> None:
        """Take out everything that is Pyruse's, at once."""
        elements = [
            element(ban, now)
            for _, ban in self._bans.all()
            if ban.target.backend == self.name and ban.alive(now)
        ]
        faults: list[FirewallError] = []
        try:
            caller = self._caller()
            caller.teardown(elements, faults)
            caller.close()
        except ValueError as error:
            faults.append(fault_of(self.name, error))
        for fault in faults:
            on_fault(fault)

    def prepare(self, now: int, on_fault: OnFault) -> None:
        """Have the firewall get ready, and watched from now on if it can be."""
        if self.runner is not None and self._at_work is None and not self._ready:
            self._ask(Prepare(), now, on_fault)
            self._collect(now, on_fault)

    def next_due(self) -> int | None:
        """When there is something to do, whatever happens (µs since the epoch)."""
        dues = [self.pending.retry_at]
        if self._at_work is None:
            dues.append(self._look_at)
        elif not self._told_late:
            dues.append(self._late_at())
        return min((due for due in dues if due is not None), default=None)

    def interrupt(self) -> None:
        """Have what the firewall is busy with end soon, without its work being done."""
        if self.busy and self._firewall is not None:
            try:
                self._firewall.interrupt()
            except KeyboardInterrupt:
                raise
            except BaseException:  # noqa: BLE001 -- there is nobody left to tell
                pass

    def close(self, timeout_s: float = 0.0) -> None:
        """Let go of the firewall, but wait for it at most so long."""
        if self.runner is not None:
            self.runner.close(timeout_s)
