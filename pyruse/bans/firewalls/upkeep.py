"""Keeps one firewall in line with the bans in force."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from pyruse.api.bans import Ban
from pyruse.api.firewall import Element, Firewall, FirewallError
from pyruse.bans.firewalls.pending import Pending, Telling
from pyruse.bans.firewalls.watching import Watching
from pyruse.state.bans import BanKey, StoredBans

Opener = Callable[[str], Firewall | None]
OnFault = Callable[[Exception], None]


class Upkeep:
    """One firewall, opened when it is first needed.

    All instants here are the machine's (``now``): the kernel and programs are told how much time of
    a ban is left.
    """

    def __init__(self, name: str, bans: StoredBans, opener: Opener) -> None:
        """Open nothing yet.

        :param name: of the firewall.
        :param bans: what it is to hold.
        :param opener: gives the firewall of a name, or None where no plugin has it.
        """
        self._name = name
        self._bans = bans
        self._opener = opener
        self._firewall: Firewall | None = None
        self.pending = Pending(name, bans)
        self._watching = Watching()

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

    def bring_up_to_date(self, now: int, on_fault: OnFault) -> None:
        """Tell the firewall what it has yet to take; what it refuses is tried again later."""
        pending = self.pending
        if pending.retry_at is not None and now >= pending.retry_at:
            pending.retry()
        self._notice(now, on_fault)
        if self._watching.look_is_due(now):
            self._look(on_fault)
        while (telling := pending.telling()) is not None:
            self._tell(telling, now, on_fault)
        self._notice(now, on_fault)  # news of these changes wakes nobody

    def retry(self) -> None:
        """Try again at once what was refused, and look at once what others have changed."""
        self.pending.retry()
        self._watching.look_soon()

    def _tell(self, telling: Telling, now: int, on_fault: OnFault) -> None:
        """Have the firewall change, and note how far it is then."""
        try:
            self._change(telling, now, on_fault)
        except Exception as error:  # noqa: BLE001 -- a plugin's bug is contained as a refusal is
            fault = _fault(self._name, error)
            on_fault(fault)
            if fault.emptied and not telling.everything:
                self.pending.emptied()
            else:
                self.pending.refused(telling, str(fault), now, self._failed(fault, telling, now))
        else:
            self.pending.took(telling)

    def _failed(self, fault: FirewallError, telling: Telling, now: int) -> list[BanKey] | None:
        """What was refused while the rest was taken; None: nothing was taken."""
        if self._firewall is None:  # no longer configured: what is over by now is forgotten
            changes = (*telling.add.items(), *telling.remove.items())
            return [key for key, ban in changes if ban.alive(now)]
        if fault.emptied or fault.failed is None:
            return None
        return [BanKey(one.address, one.target) for one in fault.failed]

    def _change(self, telling: Telling, now: int, on_fault: OnFault) -> None:
        """Have the firewall change.

        :raises Exception: it refused something, or whatever a bug of the plugin is.
        """
        firewall = self.firewall
        add = [_element(ban, now) for ban in telling.add.values() if ban.alive(now)]
        remove = [
            _element(ban, now)
            for ban in telling.remove.values()
            if ban.alive(now) or not _ends_itself(ban, firewall.longest)
        ]
        if telling.everything:
            # Watch before telling: so changes by others right afterwards are noticed.
            self._watch(on_fault)
            firewall.reconcile(add, remove)
        elif add or remove:
            firewall.apply(add, remove)

    def _notice(self, now: int, on_fault: OnFault) -> None:
        with self._contained(on_fault):
            self._watching.notice(now)

    def _watch(self, on_fault: OnFault) -> None:
        if self._firewall is not None:
            with self._contained(on_fault):
                self._watching.begin(self._firewall)

    def _look(self, on_fault: OnFault) -> None:
        """See whether the bans still hold."""
        self._watch(on_fault)
        intact = False
        with self._contained(on_fault):
            intact = self.firewall.intact()
        if not intact:
            self.pending.lost()

    def teardown(self, now: int, on_fault: OnFault) -> None:
        """Take out everything that is Pyruse's."""
        elements = [
            _element(ban, now)
            for _, ban in self._bans.all()
            if ban.target.backend == self._name and ban.alive(now)
        ]
        with self._contained(on_fault):
            self.firewall.teardown(elements)

    def prepare(self, on_fault: OnFault) -> int | None:
        """Have the firewall get ready, and watched from now on if it can be.

        :return: a descriptor that becomes readable when others have changed the firewall.
        """
        self._watch(on_fault)
        if self._firewall is not None:
            with self._contained(on_fault):
                self._firewall.prepare()
        return self._watching.descriptor()

    def next_due(self) -> int | None:
        """When there is something to do, whatever happens (µs since the epoch)."""
        dues = (self.pending.retry_at, self._watching.look_at)
        return min((due for due in dues if due is not None), default=None)

    def close(self) -> None:
        """Let go of the firewall."""
        self._watching.close()
        if self._firewall is not None:
            with suppress(Exception):  # there is nobody left to tell
                self._firewall.close()

    @contextmanager
    def _contained(self, on_fault: OnFault) -> Iterator[None]:
        """Have a refusal, or a plugin's bug, reported; it goes no further."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 -- a plugin's bug is contained as a refusal is
            on_fault(_fault(self._name, error))


def _ends_itself(ban: Ban, longest: int | None) -> bool:
    """Whether the firewall ends a ban when it is over."""
    if ban.until is None or longest is None:
        return True
    return ban.until - ban.since <= longest * 1_000_000


def _element(ban: Ban, now: int) -> Element:
    seconds = None if ban.until is None else max(1, -(-(ban.until - now) // 1_000_000))
    return Element(ban.network, ban.target, seconds)


def _fault(name: str, error: Exception) -> FirewallError:
    if isinstance(error, FirewallError):
        return error
    if isinstance(error, ValueError):  # what the administrator can mend
        return FirewallError(str(error))
    return FirewallError(f"{name}: {type(error).__name__}: {error} (a fault of the plugin)")
