"""Bans as plugins see them: what a step asks for, and what is in force or was."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from pyruse.addresses import Address
from pyruse.api.firewall import SIMULATED, Target
from pyruse.options.durations import Duration

UnbanReason = Literal["over", "unbanned", "spared", "few"]
"""Why a ban ended: its time is over; a step or a command lifted it; the network is protected now,
as by ``[bans] never``; or too few are banned in a network that had grown, to ban all of it."""


class BanRequest(Struct, frozen=True):
    """What a step asks for: to ban an address, or the network around it."""

    address: Address
    """Whom to ban."""
    durations: Sequence[Duration | None] = (None,)
    """How long the first ban of this network lasts, the next one, and so on; the last one is for
    all that follow. None: for ever."""
    target: Target | None = None
    """Where to ban, as `Context.ban_target` gives it; None: by ``[bans] backend``, all ports."""
    label: str | None = None
    """What the ban is called; None: the name of the chain, or of the extension."""
    prefix4: int = 32
    """The prefix length of the network to ban around an IPv4 address; 32: the address alone."""
    prefix6: int = 128
    """The same for IPv6; 128: the address alone."""
    forget: Duration | None = None
    """So long after the end of its last ban, the network starts again with the first of the
    durations. None: 90 days."""
    reason: str | None = None
    """Why, for lists and reports; None: the message of the entry."""


class Ban(Struct, frozen=True, gc=False):
    """A ban that is in force, or was. Instants are microseconds since the epoch."""

    network: str
    """An address, or a network with its prefix length, as `network_text` writes it."""
    label: str
    """What the ban is called: the name of the chain or extension, unless told otherwise."""
    since: int
    """When the ban began."""
    until: int | None
    """When the ban ends, or ended; None: it lasts for ever."""
    reason: str
    """The message of the entry that caused the ban, or who typed the command."""
    chain: str
    """The chain that banned, or the extension, as ``plugins.NAME``; empty: a command did, or many
    bans in this network."""
    count: int
    """How many bans of this network there were, this one included."""
    target: Target
    """From where the network is banned."""
    grown: bool = False
    """Many in this network are banned: so all of it is, for as long as they are."""

    @property
    def simulated(self) -> bool:
        """The chain that banned is simulated: the ban is shown, and in no firewall."""
        return self.target.backend == SIMULATED

    def alive(self, at: int) -> bool:
        """Whether the ban lasts at an instant, if nobody lifts it before."""
        return self.until is None or self.until > at
