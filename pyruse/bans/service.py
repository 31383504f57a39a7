"""Banning: what steps, orders and the daemon ask for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pyruse.addresses import network_of, network_text, text_around
from pyruse.api.bans import Ban, BanRequest
from pyruse.api.firewall import Sets, Target
from pyruse.api.ports import Port, check_protocol, ports_of
from pyruse.bans.aggregate import Aggregate
from pyruse.bans.firewalls.enforcement import Enforcement
from pyruse.bans.firewalls.upkeep import OnFault, Opener
from pyruse.bans.in_force import Cause, InForce
from pyruse.bans.policy import Policy
from pyruse.bans.protection import Protected, Protection
from pyruse.bans.simulation import simulated, with_simulation
from pyruse.state.database import State
from pyruse.state.shared_bans import BanKey
from pyruse.text import shortened
from pyruse.times import Clock, now_us

_LONGEST_REASON = 300
"""Characters: a log line may have many thousands, and bans are kept in memory."""

_MOST_TOLD = 1_000
"""Networks: so many are remembered of which was told."""


class Bans:
    """Decides on bans by the policy, and brings the firewalls up to date."""

    def __init__(
        self,
        state: State,
        policy: Policy,
        opener: Opener,
        tell: Callable[[str], object] = lambda text: None,
        clock: Clock = now_us,
    ) -> None:
        """Take over the bans of a state, which is loaded.

        :param opener: gives the firewall of a name, or None where no plugin has it.
        :param tell: told, once, of a network that is not banned as a whole, and why.
        """
        self.in_force = InForce(state)
        self.enforcement = Enforcement(state.bans, with_simulation(opener), clock, state.firewalls)
        self.clock = clock
        self.stored = state.bans
        self.policy = policy
        self._protection = Protection(policy.never, policy.own)
        self._tell = tell
        self.on_spared: Callable[[str], object] = lambda text: None
        """Told of each ban that is not made, as nobody may ban that address."""
        self._told: set[str] = set()
        self._policy_applied = False

    def target(
        self,
        backend: str | None,
        sets: Sets | None,
        ports: Sequence[Port],
        protocol: str | None = None,
        *,
        networks: bool = False,
    ) -> Target:
        """Where bans are to be put.

        :param backend: the firewall; None: that of ``[bans] backend``.
        :param sets: the administrator's own sets; None: Pyruse's.
        :param ports: the ports to close; none: all of them.
        :param protocol: the protocol to close; None: all, or the ports of TCP and UDP.
        :param networks: whether networks are to be banned there, too.
        :raises ValueError: there is no such firewall, or it cannot put bans there.
        """
        check_protocol(protocol, ports)
        target = Target(backend or self.policy.backend, sets, ports_of(ports), protocol)
        self.enforcement.check(target, networks=networks)
        return target

    def doubts(self) -> list[str]:
        """What keeps bans from holding as they should where they may be put; nothing is changed."""
        return self.enforcement.doubts(grow=self.policy.aggregate != Aggregate())

    def spared(self, network: str) -> str | None:
        """Why an address, or anybody in a network, may not be banned, or None where they may."""
        return self._protection.why(network)

    def ban(self, request: BanRequest, cause: Cause, *, part: bool = False) -> Ban | None:
        """Ban an address or the network around it, unless it is spared (see `InForce.ban`).

        :param request: whom to ban, and for how long.
        :param cause: what led to it.
        :param part: where the network holds somebody who is never banned, ban the broadest part of
            it around the address that does not, and say so.
        :raises ValueError: there is no firewall for it.
        """
        self._apply_policy()
        network = text_around(request.address, request.prefix4, request.prefix6)
        target = request.target or self.target(None, None, ())
        if self.policy.simulates(cause.chain):
            target = simulated(target)
        why = self._protection.why(network)
        if why is not None:
            allowed = part and self._protection.part_of(network_of(network), request.address)
            if not allowed:
                self.on_spared(f"{network} is not banned: {why}")
                return None
            wide, network = network, network_text(allowed)
            self._tell_once(
                wide,
                f"{network} is banned, and not all of {wide}: {why} (expected a network of others: "
                "see prefix4 and prefix6 of the action ban)",
            )
            cause = cause._replace(reason=f"not all of {wide}, since {why}; {cause.reason}")
        return self.in_force.ban(BanKey(network, target), request, _with_short_reason(cause))

    def ban_address(self, key: BanKey, request: BanRequest, cause: Cause) -> Ban | None:
        """Ban an address that nobody protects (see `spared`), as a list has thousands of them.

        :param key: the address, and from where.
        :param request: for how long; the address in it does not matter.
        :param cause: what led to it.
        """
        self._apply_policy()
        if self.policy.simulates(cause.chain):
            key = BanKey(key.network, simulated(key.target))
        return self.in_force.ban(key, request, _with_short_reason(cause))

    def unban(self, network: str, cause: Cause, label: str | None = None) -> list[Ban]:
        """Lift the bans of an address, or of a network and of all in it (see `InForce.unban`).

        A chain that is simulated lifts no others than simulated ones.
        """
        self._apply_policy()
        only = self.policy.simulates(cause.chain)
        return self.in_force.unban(network, cause, label=label, simulated=only)

    def lift(self, ban: Ban, cause: Cause) -> bool:
        """Lift exactly this ban, and no other (see `InForce.lift`).

        A chain that is simulated lifts no others than simulated ones.
        """
        self._apply_policy()
        if self.policy.simulates(cause.chain) and not ban.simulated:
            return False
        return bool(self.in_force.lift([ban], cause))

    def removals(self) -> list[tuple[BanKey, Ban]]:
        """What firewalls have yet to let go."""
        return [each for one in self.stored.untaken.values() for each in one.remove.items()]

    def expire(self, at: int) -> None:
        """Drop the bans that are over (see `pyruse.bans` on which time that is)."""
        self.in_force.expire(at)

    def enforce(self, on_fault: OnFault) -> None:
        """Bring the firewalls up to date (see `Enforcement.bring_up_to_date`)."""
        self._apply_policy()
        self.enforcement.bring_up_to_date(on_fault)

    def next_due(self) -> int | None:
        """When `expire` and `enforce` are to be called at the latest (µs since the epoch)."""
        end = self.stored.next_end()
        if end is not None:  # what ends in one second is let go together
            end = -(-end // 1_000_000) * 1_000_000
        dues = (end, self.enforcement.next_due())
        return min((due for due in dues if due is not None), default=None)

    def _apply_policy(self) -> None:
        """Bring the bans in line with this configuration, before they are used for the first time.

        Not when the configuration is read: it may turn out to have faults, and the old one goes on.
        """
        if not self._policy_applied:
            self._policy_applied = True
            self._let_go_protected()
            self._let_go_simulated()
            self.in_force.growth.follow(self.policy.aggregate, self._may_grow, self.clock())

    def follow_protection(self, *, changed: bool) -> bool:
        """Let go whom nobody may ban any more, if that is other people than before.

        :param changed: whether ``[bans] never`` stands for others; what this machine's addresses
            are is seen here.
        :return: whether any of it has changed.
        """
        changed |= self._protection.has_changed()
        if changed and self._policy_applied and len(self.in_force):
            self._let_go_protected()
            self.in_force.growth.follow(self.policy.aggregate, self._may_grow, self.clock())
        return changed

    def protected(self) -> list[Protected]:
        """Who is never banned, and where that comes from."""
        return self._protection.listing(self.policy.never_places)

    def _let_go_protected(self) -> None:
        now = self.clock()
        for ban in self.in_force.all(now):
            if not ban.grown and self._protection.why(ban.network) is not None:
                self.in_force.lift([ban], Cause(now), "spared")

    def _let_go_simulated(self) -> None:
        """Forget what chains would have banned that are not simulated any more."""
        now = self.clock()
        for ban in self.in_force.all(now):
            if ban.simulated and not ban.grown and not self.policy.simulates(ban.chain):
                self.in_force.lift([ban], Cause(now))

    def _may_grow(self, key: BanKey) -> bool:
        network = key.network
        if not self.enforcement.overlaps(key.target):
            return False  # `pyruse check` tells, and the daemon at its start
        why = self.spared(network)
        if why is not None:
            self._tell_once(
                network,
                f"{network} is not banned as a whole, only what was banned in it: {why} (expected "
                "a network of others: see [bans] aggregate)",
            )
        return why is None

    def _tell_once(self, network: str, text: str) -> None:
        if network not in self._told:
            if len(self._told) >= _MOST_TOLD:
                self._told.clear()
            self._told.add(network)
            self._tell(text)


def _with_short_reason(cause: Cause) -> Cause:
    if len(cause.reason) <= _LONGEST_REASON:
        return cause
    return cause._replace(reason=shortened(cause.reason, _LONGEST_REASON))
