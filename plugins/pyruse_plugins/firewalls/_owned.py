"""A firewall of which several Pyruses may have a part: each has one of its own (see `_owners`)."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from typing import Generic, TypeVar

from pyruse import Element, FirewallError, FirewallProgram, ProgramFirewall, ProgramRefusal
from pyruse_plugins.firewalls import _owners

W = TypeVar("W", bound=Hashable)


class OwnedFirewall(ProgramFirewall[W], Generic[W]):
    """Chooses its part before it changes anything."""

    def __init__(self, program: FirewallProgram) -> None:
        """Change nothing yet."""
        super().__init__(program)
        self._beacon: _owners.Beacon | None = None
        """Shows that this Pyruse runs; None: not yet, or it is nobody's."""
        self._made: set[W] = set()
        """Those of Pyruse's own sets that are there, as far as this object knows."""

    @abstractmethod
    def _whose(self) -> Mapping[int, set[str]]:
        """Who has each part, by its number from 1 on.

        :raises ProgramRefusal: the program does not tell.
        """

    @abstractmethod
    def _take(self, number: int | None, owner: str) -> None:
        """Take a part.

        :param number: of the part; None: all belong to others that run.
        :param owner: the name of this Pyruse.
        :raises FirewallError: it cannot be taken.
        """

    def apply(self, add: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        if (add or remove) and not self._made:
            self._choose()
        super().apply(add, remove)

    def reconcile(self, bans: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""
        self._choose()
        super().reconcile(bans, remove)

    def close(self) -> None:
        """See `pyruse.Firewall`."""
        super().close()
        if self._beacon is not None:
            self._beacon.close()
            self._beacon = None

    def _choose(self) -> None:
        """Choose the part: this Pyruse's own, else the first that belongs to none that runs.

        :raises FirewallError: there is none, or the program does not tell.
        """
        if not self.owner:
            return
        if self._beacon is None:
            try:
                self._beacon = _owners.Beacon(self.owner)
            except OSError as fault:
                raise FirewallError(f"{self.name}: {fault.strerror}") from None
        try:
            owners = self._whose()
        except ProgramRefusal as refusal:
            raise FirewallError(f"{self.name}: {self.explained(str(refusal))}") from None
        self._take(_owners.free(dict(owners), self._beacon.owner), self._beacon.owner)
