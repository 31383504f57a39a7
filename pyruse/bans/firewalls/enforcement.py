"""Enforces bans: brings all firewalls in line with the bans in force, and keeps them so."""

from __future__ import annotations

from pyruse.api.firewall import Firewall, FirewallError
from pyruse.bans.firewalls.upkeep import OnFault, Opener, Upkeep
from pyruse.state.bans import BanKey, StoredBans
from pyruse.times import Clock


class Enforcement:
    """Owns the firewalls, which are opened when they are first asked for."""

    def __init__(self, bans: StoredBans, opener: Opener, clock: Clock) -> None:
        """Open no firewall yet.

        :param opener: gives the firewall of a name, or None where no plugin has it.
        """
        self._bans = bans
        self._opener = opener
        self._clock = clock
        self._upkeeps: dict[str, Upkeep] = {}

    def firewall(self, name: str) -> Firewall:
        """The firewall of a name.

        :raises ValueError: no plugin has it, or its options are faulty.
        """
        return self._upkeep(name).firewall

    def _upkeep(self, name: str) -> Upkeep:
        if name not in self._upkeeps:
            self._upkeeps[name] = Upkeep(name, self._bans, self._opener)
        return self._upkeeps[name]

    def bring_up_to_date(self, on_fault: OnFault) -> None:
        """Bring every firewall in line with the bans in force, each in one transaction.

        A change that a firewall refuses waits, and is tried again later. All other changes, and new
        ones, do not wait for it.
        """
        now = self._clock()
        for upkeep in self._concerned():
            upkeep.bring_up_to_date(now, on_fault)

    def _concerned(self) -> list[Upkeep]:
        """The firewalls that are open, and those of bans: no step names them if these are typed."""
        for name in {target.backend for target in self._bans.targets}:
            self._upkeep(name)
        return list(self._upkeeps.values())

    def retry(self) -> None:
        """Have `bring_up_to_date` try again at once what was refused: somebody waits for it."""
        for upkeep in self._upkeeps.values():
            upkeep.retry()

    def refusals(self) -> dict[BanKey, str]:
        """What firewalls refused when they were last told of it, and what they said."""
        return {
            key: text
            for upkeep in self._upkeeps.values()
            for key, text in upkeep.pending.refusals.items()
        }

    def teardown(self) -> None:
        """Take everything out of the firewalls; the state keeps the bans, for the next start.

        :raises FirewallError: it did not succeed everywhere.
        """
        faults: list[Exception] = []
        for upkeep in self._concerned():
            upkeep.teardown(self._clock(), faults.append)
        if faults:
            raise FirewallError("; ".join(map(str, faults)))

    def prepare(self, on_fault: OnFault) -> list[int]:
        """Get ready to wait: for the next change, and for what others do to the firewalls.

        :return: file descriptors that become readable when somebody else has changed a firewall.
            `bring_up_to_date` is to be called then: it sees whether bans are missing.
        """
        descriptors = [upkeep.prepare(on_fault) for upkeep in self._upkeeps.values()]
        return [one for one in descriptors if one is not None]

    def next_due(self) -> int | None:
        """When `bring_up_to_date` is to be called, whatever happens (µs since the epoch)."""
        dues = (upkeep.next_due() for upkeep in self._upkeeps.values())
        return min((due for due in dues if due is not None), default=None)

    def close(self) -> None:
        """Let go of the firewalls; bans last."""
        for upkeep in self._upkeeps.values():
            upkeep.close()
        self._upkeeps.clear()
