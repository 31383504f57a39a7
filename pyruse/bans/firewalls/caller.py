"""Calls one firewall: nobody else does, and one call at a time."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct, field

from pyruse.api.bans import Ban
from pyruse.api.firewall import Element, Firewall, FirewallError, Target, Watch
from pyruse.bans.firewalls.pending import Telling
from pyruse.state.shared_bans import BanKey
from pyruse.times import Clock

_ENDS_SOON_US = 3_000_000
"""What ends so soon is not missed: the firewall may have ended it while it was looked at."""


class Restored(FirewallError):
    """Somebody has taken bans out of the firewall, and they are put back."""


class Doubt(FirewallError):
    """What keeps bans from holding as they should, though nothing was refused."""


class Told(Struct):
    """What came of telling a firewall of changes."""

    telling: Telling
    refusal: FirewallError | None = None
    """What it said; None: it took everything."""
    faults: list[FirewallError] = field(default_factory=list)
    """What else went wrong."""


class Looked(Struct):
    """What came of a look at a firewall that others have changed."""

    look: Look
    intact: bool = False
    missing: list[BanKey] = field(default_factory=list)
    """Of the bans that it has taken, those that it does not hold, while all else is well."""
    took_s: float = 0.0
    faults: list[FirewallError] = field(default_factory=list)


class Noticed(Struct):
    """Others have changed the firewall, or nobody knows whether they have."""

    faults: list[FirewallError] = field(default_factory=list)


class Prepared(Struct):
    """The firewall is ready for the next change."""

    faults: list[FirewallError] = field(default_factory=list)


class Look(Struct, frozen=True):
    """A job: see whether the bans still hold."""

    bans: dict[BanKey, Ban]
    """What the firewall has taken."""


class Prepare:
    """A job: get ready for the next change, which may take a while to come."""


Job = Telling | Look | Prepare
Result = Told | Looked | Noticed | Prepared


class Caller:
    """Has the firewall do what it is asked for, and contains what goes wrong.

    Its methods may be called in any thread, one at a time. All instants are the machine's: the
    kernel and programs are told how much time of a ban is left when they are told of it.
    """

    def __init__(self, name: str, firewall: Firewall, clock: Clock) -> None:
        """Call nothing yet.

        :param name: of the firewall, for messages.
        """
        self._name = name
        self._firewall = firewall
        self._clock = clock
        self.targets: Collection[Target] = ()
        """Where bans may be put, by the configuration …"""
        self.networks: Collection[Target] = ()
        """… and where networks are among them."""
        self._watch: Watch | None = None
        self._noticed = False
        """It is told that others have changed the firewall: until the look, nothing is new."""

    def do(self, job: Job) -> Result:
        """Do a job."""
        match job:
            case Telling():
                return self._tell(job)
            case Look():
                return self._look(job)
            case Prepare():
                return self._prepare()

    def _tell(self, telling: Telling) -> Told:
        told = Told(telling)
        if telling.everything:
            # Watch before telling: so changes by others right afterwards are noticed.
            self._begin_watch(told.faults)
        refusals: list[FirewallError] = []
        with self._contained(refusals):
            self._change(telling)
        told.refusal = next(iter(refusals), None)
        if telling.everything and (told.refusal is None or told.refusal.failed is not None):
            targets = {key.target for key in (*telling.add, *telling.remove)}
            networks = {key.target for key in telling.add if "/" in key.network}
            told.faults += self.doubts(targets.union(self.targets), networks.union(self.networks))
        return told

    def doubts(
        self, targets: Collection[Target], networks: Collection[Target]
    ) -> list[FirewallError]:
        """What keeps bans from holding as they should, though nothing was refused."""
        doubts: list[FirewallError] = []
        with self._contained(doubts):
            doubts += map(Doubt, self._firewall.doubts(targets, networks))
        return doubts

    def _change(self, telling: Telling) -> None:
        """Have the firewall change.

        :raises Exception: it refused something, or whatever a bug of the plugin is.
        """
        firewall, now = self._firewall, self._clock()
        add = [element(ban, now) for ban in telling.add.values() if ban.alive(now)]
        remove = [
            element(ban, now)
            for ban in telling.remove.values()
            if ban.alive(now) or not ends_itself(ban, firewall.longest)
        ]
        if telling.everything:
            firewall.reconcile(add, remove)
        elif add or remove:
            firewall.apply(add, remove)

    def _look(self, look: Look) -> Looked:
        """See whether the bans still hold."""
        looked = Looked(look)
        began = time.monotonic()
        self._noticed = False
        self._begin_watch(looked.faults)
        self._news(looked.faults)  # what has led to this look is no news after it
        with self._contained(looked.faults):
            looked.intact = self._firewall.intact()
        if looked.intact:
            with self._contained(looked.faults):
                soon = self._clock() + _ENDS_SOON_US
                held = [element(ban, soon) for ban in look.bans.values() if ban.alive(soon)]
                looked.missing = [
                    BanKey(one.address, one.target) for one in self._firewall.missing(held)
                ]
        looked.took_s = time.monotonic() - began
        return looked

    def _prepare(self) -> Prepared:
        prepared = Prepared()
        self._begin_watch(prepared.faults)
        with self._contained(prepared.faults):
            self._firewall.prepare()
        return prepared

    def _begin_watch(self, faults: list[FirewallError]) -> None:
        if self._watch is None:
            with self._contained(faults):
                self._watch = self._firewall.watch()

    def descriptor(self) -> int | None:
        """What becomes readable when there is something to `notice`; None: nothing does."""
        if self._watch is None or self._noticed:
            return None
        try:
            return self._watch.fileno()
        except BaseException:  # noqa: BLE001 -- a plugin's bug: there is nothing to wait for
            return None

    def notice(self) -> Noticed | None:
        """See whether others have changed the firewall; None: they have not, as far as is known."""
        if self._watch is None or self._noticed:
            return None
        noticed = Noticed()
        if not self._news(noticed.faults):
            return None
        self._noticed = True
        return noticed

    def _news(self, faults: list[FirewallError]) -> bool:
        """Whether others have changed anything since the last call.

        A watch that fails is closed, as it might stay readable for ever; the next one is begun
        before the firewall is looked at.
        """
        if self._watch is None:
            return False
        before = len(faults)
        changed = False
        with self._contained(faults):
            changed = self._watch.changed()
        if len(faults) > before:
            self._close_watch()
            return True
        return changed

    def teardown(self, elements: Sequence[Element], faults: list[FirewallError]) -> None:
        """Take out everything that is Pyruse's."""
        with self._contained(faults):
            self._firewall.teardown(elements)

    def close(self) -> None:
        """Let go of the firewall."""
        self._close_watch()
        with self._contained([]):  # there is nobody left to tell
            self._firewall.close()

    def _close_watch(self) -> None:
        watch, self._watch = self._watch, None
        if watch is not None:
            with self._contained([]):
                watch.close()

    @contextmanager
    def _contained(self, faults: list[FirewallError]) -> Iterator[None]:
        """Have a refusal, or a plugin's bug, noted; it goes no further."""
        try:
            yield
        except BaseException as error:
            # Of the main thread, it is the user's.
            if (
                isinstance(error, KeyboardInterrupt)
                and threading.current_thread() is threading.main_thread()
            ):
                raise
            faults.append(fault_of(self._name, error))


def ends_itself(ban: Ban, longest: int | None) -> bool:
    """Whether a firewall ends a ban when it is over, by its `Firewall.longest`."""
    if ban.until is None or longest is None:
        return True
    return ban.until - ban.since <= longest * 1_000_000


def element(ban: Ban, now: int) -> Element:
    """A ban as firewalls are told of it."""
    seconds = None if ban.until is None else max(1, -(-(ban.until - now) // 1_000_000))
    return Element(ban.network, ban.target, seconds)


def fault_of(name: str, error: BaseException) -> FirewallError:
    """What a firewall has raised, in words for the administrator."""
    if isinstance(error, FirewallError):
        return error
    if isinstance(error, ValueError):  # what the administrator can mend
        return FirewallError(str(error))
    return FirewallError(f"{name}: {type(error).__name__}: {error} (a fault of the plugin)")
