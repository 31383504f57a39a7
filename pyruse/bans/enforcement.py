"""Enforcing bans: the firewalls are brought in line with the ledger, and kept so."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

from pyruse.api.firewall import Element, Firewall, FirewallError, Watch
from pyruse.bans.ledger import Ban, Ledger
from pyruse.bans.targets import Place
from pyruse.times import Clock, now_us

_RETRY_US = 10_000_000
_LONGEST_RETRY_US = 600_000_000
_LOOK_US = 1_000_000
"""A firewall that others change all the time is looked at once in such a while."""

Opener = Callable[[str], Firewall | None]
Report = Callable[[Exception], None]


class Enforcement:
    """Owns the firewalls, which are opened when they are first asked for."""

    def __init__(self, ledger: Ledger, opener: Opener, clock: Clock = now_us) -> None:
        """:param opener: gives the firewall of a name, or None where no plugin has it."""
        self._ledger = ledger
        self._opener = opener
        self._clock = clock
        self._upkeeps: dict[str, Upkeep] = {}
        self._began = False

    def firewall(self, name: str) -> Firewall:
        """The firewall of a name.

        :raises ValueError: no plugin has it, or its options are faulty.
        """
        return self._upkeep(name).firewall

    def _upkeep(self, name: str) -> Upkeep:
        if name not in self._upkeeps:
            self._upkeeps[name] = Upkeep(name, self._ledger, self._opener, self._clock)
        return self._upkeeps[name]

    def bring_up_to_date(self, report_fault: Report) -> None:
        """Bring every firewall in line with the ledger, each in one transaction.

        What a firewall refuses stays waiting, and is tried again later; the rest, and what comes
        meanwhile, does not wait for it.
        """
        now = self._clock()
        if any(upkeep.ends_are_due(now) for upkeep in self._upkeeps.values()):
            self._ledger.expire(now)
        concerned = [ban for bans in self._ledger.waiting() for ban in bans]
        if not self._began:
            # Since a restart of the machine the firewalls may hold nothing, also those that no
            # step names: bans may be typed.
            self._began = True
            concerned += self._ledger.in_force(now)
        for name in {ban.target.backend for ban in concerned}:
            self._upkeep(name)
        for upkeep in self._upkeeps.values():
            upkeep.bring_up_to_date(now, report_fault)

    def retry(self) -> None:
        """Have `bring_up_to_date` try again at once what was refused: somebody waits for it."""
        for upkeep in self._upkeeps.values():
            upkeep.retry()

    def refused(self) -> dict[Place, str]:
        """What firewalls refused when they were last told of it, and what they said."""
        return {
            place: text
            for upkeep in self._upkeeps.values()
            for place, text in upkeep.refused.items()
        }

    def teardown(self) -> None:
        """Take everything out of the firewalls; the ledger keeps its bans, for the next start.

        :raises FirewallError: it did not succeed everywhere.
        """
        bans = self._ledger.in_force(self._clock())
        for name in {ban.target.backend for ban in bans}:
            self._upkeep(name)
        faults: list[Exception] = []
        for upkeep in self._upkeeps.values():
            upkeep.teardown(faults.append)
        if faults:
            raise FirewallError("; ".join(map(str, faults)))

    def prepare(self, report_fault: Report) -> list[int]:
        """Get ready to wait: for the next change, and for what others do to the firewalls.

        :return: file descriptors that become readable when somebody else has changed a firewall.
            `bring_up_to_date` is to be called then: it sees whether bans are missing.
        """
        for upkeep in self._upkeeps.values():
            upkeep.prepare(report_fault)
        return [fd for upkeep in self._upkeeps.values() if (fd := upkeep.watched()) is not None]

    def next_due(self) -> int | None:
        """When `bring_up_to_date` is to be called, whatever happens (µs since the epoch)."""
        return min(
            (due for upkeep in self._upkeeps.values() if (due := upkeep.next_due()) is not None),
            default=None,
        )

    def close(self) -> None:
        """Let go of the firewalls; bans last."""
        for upkeep in self._upkeeps.values():
            upkeep.close()
        self._upkeeps.clear()


class Upkeep:
    """One firewall, and how far it is in line with the ledger.

    A firewall whose content is not known is *reconciled*: it is told of all the bans in force. That
    is so when it is used for the first time, and when others have removed bans from it. Otherwise
    it is told of changes only.
    """

    def __init__(self, name: str, ledger: Ledger, opener: Opener, clock: Clock) -> None:
        self._name = name
        self._clock = clock
        self._ledger = ledger
        self._opener = opener
        self._firewall: Firewall | None = None
        self._known = False
        """Whether it holds what the ledger says, but for what is waiting."""
        self.refused: dict[Place, str] = {}
        """What it refused, and what it said: not tried again before `_retry_at`."""
        self._retry_at = 0
        self._retry_us = _RETRY_US
        self._watch: Watch | None = None
        self._look_at = 0
        """When it is to be looked at, since others have changed it; 0: they have not."""
        self._looked_at = 0
        self._ends: list[int] = []
        """A heap: when bans end that the firewall does not end by itself."""

    @property
    def firewall(self) -> Firewall:
        """The firewall, opened.

        :raises ValueError: no plugin has it, or its options are faulty.
        """
        if self._firewall is None:
            self._firewall = self._opener(self._name)
        if self._firewall is None:
            raise ValueError(
                f'there is no firewall "{self._name}" (expected one that an installed plugin has, '
                f"with its options in [bans.{self._name}]: see `pyruse plugins`)"
            )
        return self._firewall

    def bring_up_to_date(self, now: int, report_fault: Report) -> None:
        """Bring the firewall in line with the ledger."""
        if now >= self._retry_at:
            self.refused.clear()
            self._retry_at = 0
        self._notice(now, report_fault)
        if self._look_at and now >= self._look_at:
            self._look(now, report_fault)
        if not self._settle(now, report_fault):
            self._settle(now, report_fault)  # it has lost what was there: now it is told of all
        self._notice(now, report_fault)  # news of these changes wakes nobody
        if not self.refused:
            self._retry_us = _RETRY_US
        elif not self._retry_at:
            self._retry_at = now + self._retry_us
            self._retry_us = min(2 * self._retry_us, _LONGEST_RETRY_US)

    def retry(self) -> None:
        """Try again at once what was refused, and look at once what others have changed."""
        self.refused.clear()
        self._retry_at = self._looked_at = 0
        self._look_at = min(self._look_at, 1)

    def _settle(self, now: int, report_fault: Report) -> bool:
        """Put into the firewall what waits for it.

        :return: False if it turned out that the firewall has lost what was there before.
        """
        reconcile = not self._known and not self._retry_at
        if reconcile:
            self.refused.clear()
            self._ledger.restore(self._name)
        add, remove = map(self._accepted, self._ledger.waiting(self._name))
        if not (reconcile or add or remove):
            return True
        lost = False
        try:
            self._tell(add, remove, now, reconcile=reconcile)
            self._known |= reconcile
        except Exception as error:  # noqa: BLE001 -- a plugin's bug is contained as a refusal is
            fault = _fault(self._name, error)
            report_fault(fault)
            if fault.emptied:
                self._known, lost = False, not reconcile
            else:
                self._known |= reconcile and fault.failed is not None
            failed = [*add, *remove] if fault.failed is None else fault.failed
            if len(failed) < len(add) + len(remove):
                self._retry_us = _RETRY_US
            if self._firewall is None:  # no longer configured: what is over by now is forgotten
                failed = [ban for ban in (*add, *remove) if ban.alive(now)]
            self.refused |= {Place(one.address, one.target): str(fault) for one in failed}
        self._ledger.enforced(self._accepted(add), self._accepted(remove))
        return not lost

    def _tell(
        self, add: Sequence[Ban], remove: Sequence[Ban], now: int, *, reconcile: bool
    ) -> None:
        firewall = self.firewall
        longest = firewall.longest
        for ban in add:
            if ban.until is not None and not _ends_itself(ban, longest):
                heapq.heappush(self._ends, ban.until)
        adding = [_element(ban, now) for ban in add if ban.alive(now)]
        removing = [
            _element(ban, now) for ban in remove if ban.alive(now) or not _ends_itself(ban, longest)
        ]
        if reconcile:
            firewall.reconcile(adding, removing)
        elif adding or removing:
            firewall.apply(adding, removing)

    def _accepted(self, bans: list[Ban]) -> list[Ban]:
        """Those that were not refused."""
        if not self.refused:
            return bans
        return [ban for ban in bans if ban.place not in self.refused]

    def _notice(self, now: int, report_fault: Report) -> None:
        """See whether others have changed the firewall."""
        if self._watch is None:
            return
        changed = failed = True
        with self._contained(report_fault):
            changed = self._watch.changed()
            failed = False
        if failed:  # it might stay readable for ever: `prepare` begins to watch anew
            self._close_watch()
        if changed and not self._look_at:
            self._look_at = max(now, self._looked_at + _LOOK_US)

    def _look(self, now: int, report_fault: Report) -> None:
        """See whether the bans still hold."""
        self._look_at, self._looked_at = 0, now
        intact = False
        with self._contained(report_fault):
            intact = self.firewall.intact()
        self._known &= intact

    def teardown(self, report_fault: Report) -> None:
        """Take out everything that is Pyruse's."""
        now = self._clock()
        bans = [ban for ban in self._ledger.in_force(now) if ban.target.backend == self._name]
        with self._contained(report_fault):
            self.firewall.teardown([_element(ban, now) for ban in bans])

    def prepare(self, report_fault: Report) -> None:
        """Have the firewall get ready, and watched from now on if it can be."""
        if self._firewall is None:
            return
        with self._contained(report_fault):
            if self._watch is None:
                self._watch = self._firewall.watch()
            self._firewall.prepare()

    def watched(self) -> int | None:
        """What becomes readable when others have changed the firewall, if it can tell."""
        return None if self._watch is None else self._watch.fileno()

    def ends_are_due(self, now: int) -> bool:
        """Whether a ban is over that the firewall does not end by itself."""
        due = False
        while self._ends and self._ends[0] <= now:
            heapq.heappop(self._ends)
            due = True
        return due

    def next_due(self) -> int | None:
        """When there is something to do, whatever happens."""
        dues = [due for due in (self._retry_at, self._look_at, *self._ends[:1]) if due]
        return min(dues, default=None)

    def close(self) -> None:
        """Let go of the firewall."""
        self._close_watch()
        if self._firewall is not None:
            with suppress(Exception):  # there is nobody left to tell
                self._firewall.close()

    def _close_watch(self) -> None:
        if self._watch is not None:
            with suppress(Exception):  # there is nobody left to tell
                self._watch.close()
            self._watch = None

    @contextmanager
    def _contained(self, report_fault: Report) -> Iterator[None]:
        """Have a refusal, or a plugin's bug, reported; it goes no further."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- a plugin's bug is contained as a refusal is
            report_fault(_fault(self._name, error))


def _ends_itself(ban: Ban, longest: int | None) -> bool:
    """Whether the firewall ends a ban when it is over."""
    if ban.until is None or longest is None:
        return True
    return ban.until - ban.since <= longest * 1_000_000


def _element(ban: Ban, now: int) -> Element:
    seconds = None if ban.until is None else max(1, -(-(ban.until - now) // 1_000_000))
    return Element(ban.place.address, ban.place.target, seconds)


def _fault(name: str, error: Exception) -> FirewallError:
    if isinstance(error, FirewallError):
        return error
    if isinstance(error, ValueError):  # what the administrator can mend
        return FirewallError(str(error))
    return FirewallError(f"{name}: {type(error).__name__}: {error} (a fault of the plugin)")
