"""Banning: the policy (who, for how long), the ledger, and the firewalls."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable, Sequence

from pyruse.bans.firewall import Element, Firewall, FirewallError, Sets, Target
from pyruse.bans.ledger import Ban, Ledger
from pyruse.options import Address, Network, Networks
from pyruse.times import now_us

_OWN_ADDRESSES_KEPT = 60.0  # seconds: an interface may get another address
_RETRY_US = 10_000_000


class Bans:
    """Decides on bans when steps ask, and brings the firewalls up to date."""

    def __init__(
        self,
        ledger: Ledger,
        never: Networks,
        backend: str,
        opener: Callable[[str], Firewall | None],
        own: Callable[[], set[Address]],
    ) -> None:
        """Bans on a ledger.

        :param never: who is never banned, beside this machine.
        :param backend: the firewall of bans that name none.
        :param opener: gives the firewall of a name, or None where no plugin has it.
        :param own: gives this machine's own addresses, which are never banned.
        """
        self.ledger = ledger
        self.backend = backend
        self._never = never
        self._opener = opener
        self._read_own = own
        self._own: set[Address] = set()
        self._own_read = 0.0
        self._firewalls: dict[str, Firewall] = {}
        self._refused: set[tuple[Network, Target]] = set()
        """What firewalls refused: not tried again before `_retry_at`."""
        self._retry_at = 0

    def target(self, backend: str | None, sets: Sets | None, ports: Sequence[int]) -> Target:
        """Where bans are to be put.

        :raises ValueError: there is no such firewall, or it cannot put bans there.
        """
        numbers = {int(port) for port in ports}  # of no type of a plugin's own: they are stored
        target = Target(backend or self.backend, sets, tuple(sorted(numbers)))
        self.firewall(target.backend).check(target)
        return target

    def firewall(self, name: str) -> Firewall:
        """The firewall of a name, opened when first asked for.

        :raises ValueError: no plugin has it, or its options are faulty.
        """
        if name not in self._firewalls:
            firewall = self._opener(name)
            if firewall is None:
                raise ValueError(
                    f'there is no firewall "{name}" (expected one that an installed plugin has: '
                    "see `pyruse plugins`)"
                )
            self._firewalls[name] = firewall
        return self._firewalls[name]

    def spared(self, network: Network) -> str | None:
        """Why nobody in this network may be banned, or None where they may."""
        first = network.network_address
        if first.is_loopback or first.is_multicast or first.is_unspecified:
            return "it is no other machine's address"
        if any(own in network for own in self._own_addresses() if own.version == network.version):
            return "it is this machine's own address"
        for never in self._never:
            if never.version == network.version and never.overlaps(network):
                return f"[bans] never has {never}"
        return None

    def _own_addresses(self) -> set[Address]:
        if not self._own_read or time.monotonic() - self._own_read > _OWN_ADDRESSES_KEPT:
            self._own = self._read_own()
            self._own_read = time.monotonic()
        return self._own

    def ban(  # noqa: PLR0913 -- the facts of one ban, all of them named by the caller
        self,
        network: Network,
        target: Target,
        durations: Sequence[int | None],
        *,
        now: int,
        label: str,
        reason: str,
    ) -> Ban | None:
        """Ban a network, unless it is spared (see `Ledger.ban`)."""
        if self.spared(network) is not None:
            return None
        return self.ledger.ban(network, target, durations, now=now, label=label, reason=reason)

    def unban(self, network: Network, *, label: str | None = None) -> list[Ban]:
        """Lift the bans of a network and of all networks in it (see `Ledger.unban`)."""
        return self.ledger.unban(network, label=label)

    def enforce(self, report_fault: Callable[[Exception], None]) -> None:
        """Bring the firewalls up to date, each in one transaction.

        What a firewall refuses stays waiting, and is tried again later; the rest, and what comes
        meanwhile, does not wait for it.
        """
        now = now_us()
        if now >= self._retry_at:
            self._refused.clear()
            self._retry_at = 0
        waiting = (ban for bans in self.ledger.waiting() for ban in bans)
        for name in dict.fromkeys(ban.target.backend for ban in waiting):
            if self._bring_up_to_date(name, now, report_fault):
                self.ledger.restore()
                self._bring_up_to_date(name, now, report_fault)
        if self._refused and not self._retry_at:
            self._retry_at = now + _RETRY_US

    def _bring_up_to_date(
        self, name: str, now: int, report_fault: Callable[[Exception], None]
    ) -> bool:
        """Put one firewall's changes into it.

        :return: whether it has lost what was there before.
        """
        add, remove = (
            [ban for ban in bans if ban.target.backend == name and _place(ban) not in self._refused]
            for bans in self.ledger.waiting()
        )
        if not add and not remove:
            return False
        try:
            self.firewall(name).apply(
                [_element(ban, now) for ban in add if ban.alive(now)],
                [_element(ban, now) for ban in remove],
            )
        except Exception as error:  # noqa: BLE001 -- a plugin's bug is contained as its refusal is
            fault = _fault(name, error)
            report_fault(fault)
            refused = [*add, *remove] if fault.failed is None else fault.failed
            self._refused.update(map(_place, refused))
            add, remove = (
                [ban for ban in bans if _place(ban) not in self._refused] for bans in (add, remove)
            )
            self.ledger.enforced(add, remove)
            return fault.emptied
        self.ledger.enforced(add, remove)
        return False

    def next_retry(self) -> int | None:
        """When a firewall that refused should be asked again (µs since the epoch), if ever."""
        return self._retry_at or None


def _element(ban: Ban, now: int) -> Element:
    seconds = None if ban.until is None else max(1, -(-(ban.until - now) // 1_000_000))
    return Element(ban.network, ban.target, seconds)


def _fault(name: str, error: Exception) -> FirewallError:
    if isinstance(error, FirewallError):
        return error
    return FirewallError(f"{name}: {type(error).__name__}: {error} (a fault of the plugin)")


def _place(change: Ban | Element) -> tuple[Network, Target]:
    return change.network, change.target


def network_around(address: Address, prefix4: int, prefix6: int) -> Network:
    """The network of this prefix length that an address is in."""
    prefix = prefix4 if address.version == 4 else prefix6
    return ipaddress.ip_network((address, prefix), strict=False)
