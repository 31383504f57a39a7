"""Banning: the policy (who, for how long), the ledger, and the firewalls."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyruse.addresses import Address
from pyruse.api.firewall import Sets, Target
from pyruse.bans.enforcement import Enforcement, Opener
from pyruse.bans.growth import Aggregate
from pyruse.bans.ledger import Ban, Ledger
from pyruse.bans.offenders import FORGET_US
from pyruse.bans.protection import Protection
from pyruse.options.networks import Networks
from pyruse.text import shortened
from pyruse.times import Clock, now_us

_LONGEST_REASON = 300
"""Characters: a log line may have many thousands, and bans are kept in memory."""


class Bans:
    """Decides on bans when steps ask, and brings the firewalls up to date."""

    def __init__(  # noqa: PLR0913 -- what the configuration and the machine say about bans
        self,
        ledger: Ledger,
        never: Networks,
        backend: str,
        opener: Opener,
        own: Callable[[], set[Address]],
        aggregate: Aggregate | None = None,
        tell: Callable[[str], object] = lambda text: None,
        clock: Clock = now_us,
    ) -> None:
        """Bans on a ledger.

        :param never: who is never banned, beside this machine.
        :param backend: the firewall of bans that name none.
        :param opener: gives the firewall of a name, or None where no plugin has it.
        :param own: gives this machine's own addresses, which are never banned.
        :param aggregate: how networks grow; None: they do not.
        :param tell: told, once, of a network that would have grown but is spared.
        """
        self.ledger = ledger
        self.clock = clock
        self.enforcement = Enforcement(ledger, opener, clock)
        self.backend = backend
        self._protection = Protection(never, own)
        self._aggregate = aggregate or Aggregate()
        self._tell = tell
        self._told: set[str] = set()
        self._policy_applied = False

    def target(self, backend: str | None, sets: Sets | None, ports: Sequence[int]) -> Target:
        """Where bans are to be put.

        :raises ValueError: there is no such firewall, or it cannot put bans there.
        """
        numbers = {int(port) for port in ports}  # of no type of a plugin's own: they are stored
        target = Target(backend or self.backend, sets, tuple(sorted(numbers)))
        self.enforcement.firewall(target.backend).check(target)
        return target

    def spared(self, address: str) -> str | None:
        """Why an address, or anybody in a network, may not be banned, or None where they may."""
        return self._protection.why(address)

    def ban(  # noqa: PLR0913 -- the facts of one ban, all of them named by the caller
        self,
        address: str,
        target: Target,
        durations: Sequence[int | None],
        *,
        now: int,
        label: str,
        reason: str,
        chain: str = "",
        forget: int = FORGET_US,
    ) -> Ban | None:
        """Ban an address or a network, unless it is spared (see `Ledger.ban`)."""
        self._apply_policy(now)
        if self._protection.why(address) is not None:
            return None
        return self.ledger.ban(
            address, target, durations, now=now, label=label,
            reason=shortened(reason, _LONGEST_REASON), chain=chain, forget=forget,
        )  # fmt: skip

    def unban(self, address: str, *, now: int, label: str | None = None) -> list[Ban]:
        """Lift the bans of an address, or of a network and of all in it (see `Ledger.unban`)."""
        self._apply_policy(now)
        return self.ledger.unban(address, now=now, label=label)

    def enforce(self, report_fault: Callable[[Exception], None]) -> None:
        """Bring the firewalls up to date (see `Enforcement.bring_up_to_date`)."""
        self._apply_policy(self.clock())
        self.enforcement.bring_up_to_date(report_fault)

    def next_retry(self) -> int | None:
        """When `enforce` should be called at the latest (µs since the epoch), if ever."""
        return self.enforcement.next_due()

    def _apply_policy(self, now: int) -> None:
        """Bring the ledger in line with this configuration, before it is used for the first time.

        Not when the configuration is read: it may turn out to have faults, and the old one goes on.
        """
        if self._policy_applied:
            return
        self._policy_applied = True
        for ban in self.ledger.in_force(now):
            if not ban.grown and self._protection.why(ban.address) is not None:
                self.ledger.unban(ban.address, now=now, label=ban.label)
        self.ledger.aggregate(self._aggregate, self._may_grow, now)

    def _may_grow(self, network: str) -> bool:
        why = self.spared(network)
        if why is not None and network not in self._told:
            self._told.add(network)
            self._tell(
                f"{network} is not banned as a whole, only what was banned in it: {why} (expected "
                "a network of others: see [bans] aggregate)"
            )
        return why is None
