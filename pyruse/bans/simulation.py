"""Bans of chains that are only simulated: in the state and in lists, and in no firewall."""

from __future__ import annotations

from collections.abc import Sequence

from pyruse.api.firewall import SIMULATED, Element, Firewall, Target
from pyruse.bans.firewalls.upkeep import Opener


class NoFirewall(Firewall):
    """The firewall of simulated bans: there is none."""

    by_protocol = True

    def apply(self, add: Sequence[Element], remove: Sequence[Element]) -> None:
        """See `pyruse.Firewall`."""


def with_simulation(opener: Opener) -> Opener:
    """What opens firewalls, and knows that of simulated bans, too."""
    return lambda name: NoFirewall() if name == SIMULATED else opener(name)


def simulated(target: Target) -> Target:
    """Where a ban is put that is simulated, instead of there."""
    return Target(SIMULATED, None, target.ports, target.protocol)
