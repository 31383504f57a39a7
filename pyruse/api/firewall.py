"""The interface of firewalls; `nftables`, `ipset` and `command` are built in as plugins."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, Self

from msgspec import Struct

from pyruse.addresses import Network, network_of
from pyruse.api.ports import Port
from pyruse.errors import UserError
from pyruse.text import late_pattern, shown

_SET_NAME = late_pattern(r"[A-Za-z_][A-Za-z0-9_.\-/:]*(?: [A-Za-z_][A-Za-z0-9_.\-/:]*)*\Z")


SIMULATED = "simulated"
"""The firewall of bans that are only simulated (``[engine] simulate``): there is none."""


class FirewallError(UserError):
    """The firewall refused a change. The text holds what its program said."""

    def __init__(
        self, text: str, failed: Sequence[Element] | None = None, *, emptied: bool = False
    ) -> None:
        super().__init__(text)
        self.failed = failed
        """The changes that failed, while all others were made; None: no change was made."""
        self.emptied = emptied
        """Somebody else removed earlier bans: Pyruse must put all the bans there again."""


class Sets(Struct, frozen=True):
    """Names of the administrator's own sets for IPv4 and IPv6."""

    ipv4: str | None = None
    ipv6: str | None = None

    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "object",
        "properties": {"ipv4": {"type": "string"}, "ipv6": {"type": "string"}},
        "additionalProperties": False,
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a table with names of sets.

        :raises ValueError: it is no such table.
        """
        expected = '(expected { ipv4 = "ip TABLE SET", ipv6 = "ip6 TABLE SET" }, or one of them)'
        if not isinstance(value, dict) or not value or set(value) - {"ipv4", "ipv6"}:
            raise ValueError(f"{shown(value)} does not name sets {expected}")
        for name in value.values():
            if not isinstance(name, str) or not _SET_NAME.match(name):
                raise ValueError(f"{shown(name)} is no name of a set {expected}")
        return cls(**value)

    def of(self, version: int) -> str | None:
        """The set for networks of IPv4 or IPv6."""
        return self.ipv4 if version == 4 else self.ipv6


class Target(Struct, frozen=True, cache_hash=True):
    """Where bans are put: firewall, sets, ports. Bans of one target renew each other."""

    backend: str
    sets: Sets | None = None
    """The administrator's sets; None: Pyruse's own."""
    ports: tuple[Port, ...] = ()
    """The destination ports that are closed to the banned, and ranges of them such as
    ``"1000-2000"``; none: all of them."""
    protocol: str | None = None
    """The protocol that is closed, or whose ports are; None: all protocols, or ports of TCP and
    UDP."""


class Element(NamedTuple):
    """One change of the firewall."""

    address: str
    """An address, or a network with its prefix length, as `network_text` writes it."""
    target: Target
    seconds: int | None = None
    """How long the ban lasts from now on, above zero; None: for ever. Removals ignore it."""

    @property
    def version(self) -> int:
        """4 or 6: the version of IP."""
        return 6 if ":" in self.address else 4

    @property
    def network(self) -> Network:
        """The network; it is made of the text each time."""
        return network_of(self.address)


class Watch(Protocol):
    """Notices that somebody else changes a firewall."""

    def fileno(self) -> int:
        """A descriptor that is readable (poll(2), POLLIN) when there may be something to notice."""

    def changed(self) -> bool:
        """Whether others have changed anything since the last call; it must not wait."""

    def close(self) -> None:
        """Let go of the descriptor."""


class Firewall(ABC):
    """A backend of bans. The hook ``open_firewall`` gives one.

    The daemon calls it in a thread of its own, one call at a time: so a firewall that takes its
    time holds up no entry, no mail and no stop, and its bans wait. `check`, `overlaps` and
    `longest` are the exceptions: the main loop asks for them, and they answer at once. `interrupt`
    comes in between.
    """

    longest: int | None = None
    """The longest ban, in seconds, that this firewall ends by itself; None: it ends all; 0: it ends
    none. When a longer ban is over, `apply` is called to remove it."""
    owner: str = ""
    """Whose bans these are: 12 hexadecimal digits, the same from start to start and others for each
    state, so that two Pyruses on one machine do not take each other's. Set before the first call;
    empty: nobody shares the firewall."""
    by_protocol: bool = False
    """Whether this firewall closes single protocols, and ranges of ports: otherwise, no target has
    these."""

    def check(self, target: Target) -> None:  # noqa: B027 -- most take any target
        """Check, at start, that the target can take bans, as far as its names tell.

        :raises ValueError: it cannot: ``"fault (expected …)"``.
        """

    @abstractmethod
    def apply(self, add: Sequence[Element], remove: Sequence[Element]) -> None:
        """Change the firewall in one go: remove elements first, then add elements.

        Adding an element that is there sets its time anew; removing one that is not there is fine.
        An element that the firewall refuses must not hold up the others: find it and name it.

        :raises FirewallError: no change was made, or not all of them (see its `failed`), or
            earlier bans are gone (`emptied`).
        """

    def reconcile(self, bans: Sequence[Element], remove: Sequence[Element]) -> None:
        """Make the firewall hold these bans, whatever it holds now: at start, or after `emptied`.

        Afterwards, sets of Pyruse's own hold nothing else. Sets of the administrator's keep
        everything but ``remove``. By default, `reconcile` calls `apply`.

        :raises FirewallError: as in `apply`.
        """
        self.apply(bans, remove)

    def teardown(self, bans: Sequence[Element]) -> None:
        """Remove everything that Pyruse has put into the firewall; ``bans`` are those in force.

        By default, `teardown` removes these bans.

        :raises FirewallError: something is left.
        """
        self.apply((), bans)

    def prepare(self) -> None:  # noqa: B027 -- most need no time for it
        """Get ready for the next change: the daemon is about to wait for entries.

        Called before each wait, by the daemon only.
        """

    def close(self) -> None:  # noqa: B027 -- most hold nothing
        """End what `prepare` has started. Bans stay."""

    def interrupt(self) -> None:  # noqa: B027 -- most are done before anybody loses patience
        """Have the call that is under way end soon, its work undone: Pyruse stops, and has waited.

        Called in another thread than the others; only `close` is called afterwards. Whatever was
        not done is done by the next start. By default, the call is left behind.
        """

    def overlaps(self, target: Target) -> bool:
        """Whether a target can hold a network and addresses inside of it at once.

        Where it cannot, networks do not grow (``[bans] aggregate``). It answers at once, as `check`
        does.
        """
        return True

    def doubts(
        self, targets: Collection[Target], networks: Collection[Target] = ()
    ) -> Sequence[str]:
        """What keeps bans from holding as they should, though nothing was refused.

        Asked for by `pyruse check`, which calls nothing else, and by the daemon once all bans are
        told; each is told to the administrator once.

        :param targets: where bans are put, or may be.
        :param networks: those of them where networks are banned, too.
        :return: sentences: ``"fault (expected …)"``.
        """
        return ()

    def watch(self) -> Watch | None:
        """Begin to notice changes by others; None: this firewall cannot notice them."""
        return None

    def intact(self) -> bool:
        """Whether bans still hold after a change by others; if not, `reconcile` follows.

        :raises FirewallError: the firewall does not tell.
        """
        return True

    def missing(self, bans: Sequence[Element]) -> Sequence[Element]:
        """Which of these bans the firewall does not hold, after a change by others.

        Asked for where `intact` says that all is well otherwise. What is missing is put back. By
        default, nothing is.

        :param bans: what the firewall has taken, and has not ended by itself.
        :raises FirewallError: the firewall does not tell.
        """
        return ()
