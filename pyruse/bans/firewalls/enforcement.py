"""Enforces bans: brings all firewalls in line with the bans in force, and keeps them so."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from pyruse.api.firewall import Firewall, FirewallError, Target
from pyruse.bans.firewalls.caller import Caller, fault_of
from pyruse.bans.firewalls.runners import InPlace, InThread, Runner
from pyruse.bans.firewalls.upkeep import OnFault, Opener, Trouble, Upkeep
from pyruse.state.bans import StoredBans
from pyruse.state.firewalls import FirewallRecords
from pyruse.state.shared_bans import BanKey
from pyruse.times import Clock

_CLOSE_S = 0.2
"""So long, at the end, all firewalls together may take to let go of what they have."""


class Enforcement:
    """Owns the firewalls, which are opened when they are first asked for."""

    def __init__(
        self,
        bans: StoredBans,
        opener: Opener,
        clock: Clock,
        records: FirewallRecords | None = None,
    ) -> None:
        """Open no firewall yet. They are called at once, and waited for, until `beside`.

        :param bans: what the firewalls are to hold.
        :param opener: gives the firewall of a name, or None where no plugin has it.
        :param clock: the machine's.
        :param records: keep how far each firewall is.
        """
        self._records = FirewallRecords() if records is None else records
        self._bans = bans
        self._opener = opener
        self._clock = clock
        self._upkeeps: dict[str, Upkeep] = {}
        self._wake: Callable[[], None] | None = None
        self._after: Mapping[str, InThread] = {}

    def beside(self, wake: Callable[[], None], before: Enforcement | None = None) -> None:
        """Call each firewall in a thread of its own from now on, so that nobody waits for it.

        :param wake: called, in another thread, when `bring_up_to_date` is to be called.
        :param before: that of an earlier configuration, which is closed: its threads end first.
        """
        self._wake = wake
        self._after = {} if before is None else before.last()

    def last(self) -> dict[str, InThread]:
        """Who may still be calling a firewall once this is closed, by the firewalls' names."""
        runners = {name: upkeep.runner for name, upkeep in self._upkeeps.items()}
        runners = {**self._after, **{name: one for name, one in runners.items() if one is not None}}
        return {
            name: last
            for name, runner in runners.items()
            if isinstance(runner, InThread) and (last := runner.last) is not None
        }

    def firewall(self, name: str) -> Firewall:
        """The firewall of a name.

        :raises ValueError: no plugin has it, or its options are faulty.
        """
        return self._upkeep(name).firewall

    def check(self, target: Target, *, networks: bool = False) -> None:
        """See that a target can take bans.

        :param target: where bans are to be put.
        :param networks: whether networks are among them.
        :raises ValueError: it cannot, or there is no such firewall.
        """
        firewall = self.firewall(target.backend)
        try:
            firewall.check(target)
        except (ValueError, KeyboardInterrupt):
            raise
        except BaseException as error:  # noqa: BLE001 -- a faulty plugin costs no traceback
            raise ValueError(str(fault_of(target.backend, error))) from None
        narrow = target.protocol is not None or any(isinstance(port, str) for port in target.ports)
        if narrow and not firewall.by_protocol:
            raise ValueError(
                f"{target.backend} closes neither single protocols nor ranges of ports (expected "
                "neither; or a firewall that does, such as nftables)"
            )
        upkeep = self._upkeep(target.backend)
        upkeep.targets.add(target)
        if networks:
            upkeep.networks.add(target)

    def overlaps(self, target: Target) -> bool:
        """Whether a target can hold a network and addresses inside of it at once."""
        try:
            return bool(self.firewall(target.backend).overlaps(target))
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 -- there is no such firewall, or a plugin's bug
            return True

    def doubts(self, *, grow: bool) -> list[str]:
        """What keeps bans from holding as they should where they may be put; nothing is changed.

        :param grow: whether networks grow by the configuration.
        """
        found = [str(doubt) for upkeep in self._upkeeps.values() for doubt in upkeep.doubts()]
        targets = {target for upkeep in self._upkeeps.values() for target in upkeep.targets}
        if grow and any(not self.overlaps(target) for target in targets):
            found.append(
                "[bans] aggregate is of no effect for bans into sets of yours: these hold no "
                "network around addresses that are banned (expected Pyruse's own sets)"
            )
        return found

    def _upkeep(self, name: str) -> Upkeep:
        if name not in self._upkeeps:
            self._upkeeps[name] = Upkeep(
                name, self._bans, self._opener, self._clock, self._runner, self._records.owner
            )
        return self._upkeeps[name]

    def _runner(self, name: str, caller: Caller) -> Runner:
        if self._wake is None:
            return InPlace(caller)
        return InThread(name, caller, self._wake, self._after.get(name))

    def bring_up_to_date(self, on_fault: OnFault) -> None:
        """Bring every firewall in line with the bans in force, each in one transaction.

        A change that a firewall refuses waits, and is tried again later. All other changes, and new
        ones, do not wait for it. Nor does anybody wait for a firewall that is called beside: it is
        told of what has come meanwhile once it has answered.
        """
        now = self._clock()
        for upkeep in self._concerned():
            upkeep.bring_up_to_date(now, on_fault)
            self._records.put(upkeep.name, upkeep.record(now))

    def _concerned(self) -> list[Upkeep]:
        """The firewalls that are open, and those of bans: no step names them if these are typed."""
        for name in {target.backend for target in self._bans.targets}:
            self._upkeep(name)
        return list(self._upkeeps.values())

    @property
    def busy(self) -> bool:
        """Whether a firewall has not answered yet."""
        return any(upkeep.busy for upkeep in self._upkeeps.values())

    @property
    def has_all(self) -> bool:
        """Whether firewalls have taken all that they were to take."""
        return not any(one.add or one.remove for one in self._bans.untaken.values())

    def retry(self) -> None:
        """Have `bring_up_to_date` try again at once what was refused: somebody waits for it."""
        now = self._clock()
        for upkeep in self._upkeeps.values():
            upkeep.retry(now)

    def look_again(self) -> None:
        """Have `bring_up_to_date` see whether others have changed a firewall, and mend that."""
        now = self._clock()
        for upkeep in self._upkeeps.values():
            upkeep.look_again(now)

    def refusals(self) -> dict[BanKey, str]:
        """What firewalls refused when they were last told of it, and what they said."""
        return {
            key: text
            for upkeep in self._upkeeps.values()
            for key, text in upkeep.pending.refusals.items()
        }

    def waiting(self, key: BanKey) -> str | None:
        """Why it is not known yet what has come of a change; None: it is known.

        Empty: the answer will come soon.
        """
        upkeep = self._upkeep(key.target.backend)
        untaken = upkeep.pending.untaken
        if (key not in untaken.add and key not in untaken.remove) or key in upkeep.pending.refusals:
            return None
        return upkeep.late(self._clock()) or ""

    def troubles(self) -> list[Trouble]:
        """Which firewalls do not hold what they should, and why."""
        now = self._clock()
        found = (upkeep.trouble(now) for upkeep in self._upkeeps.values())
        return [trouble for trouble in found if trouble is not None]

    def teardown(self) -> None:
        """Take everything out of the firewalls; the state keeps the bans, for the next start.

        :raises FirewallError: it did not succeed everywhere.
        """
        faults: list[Exception] = []
        for upkeep in self._concerned():
            upkeep.teardown(self._clock(), faults.append)
        if faults:
            raise FirewallError("; ".join(map(str, faults)))

    def prepare(self, on_fault: OnFault) -> None:
        """Get ready to wait: for the next change, and for what others do to the firewalls."""
        now = self._clock()
        for upkeep in self._upkeeps.values():
            upkeep.prepare(now, on_fault)

    def next_due(self) -> int | None:
        """When `bring_up_to_date` is to be called, whatever happens (µs since the epoch)."""
        dues = (upkeep.next_due() for upkeep in self._upkeeps.values())
        return min((due for due in dues if due is not None), default=None)

    def interrupt(self) -> None:
        """Have what firewalls are busy with end soon, without its work being done."""
        for upkeep in self._upkeeps.values():
            upkeep.interrupt()

    def close(self) -> None:
        """Let go of the firewalls; bans last. What hangs is left behind in its thread."""
        now, deadline = self._clock(), time.monotonic() + _CLOSE_S
        for upkeep in self._upkeeps.values():
            if upkeep.late(now) is not None:
                upkeep.interrupt()
            upkeep.close(max(0.0, deadline - time.monotonic()))
