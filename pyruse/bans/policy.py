"""The policy of bans: what the configuration and the machine say about them."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from pyruse.bans.aggregate import Aggregate
from pyruse.bans.protection import Own
from pyruse.options.networks import Networks


class Policy(Struct, frozen=True):
    """Where bans go by default, who is never banned, and how networks grow."""

    backend: str
    """The firewall of bans that name none."""
    never: Networks
    """Who is never banned, beside this machine."""
    own: Own
    """Gives the addresses of this machine, and those that it needs, which may change, and are never
    banned."""
    aggregate: Aggregate = field(default_factory=Aggregate)
    """How networks grow; by default, they do not."""
    simulates: Callable[[str], bool] = lambda chain: False
    """Whether a chain is only simulated."""
    never_places: list[str] = field(default_factory=list)
    """Where each item of ``never`` stands in the configuration."""
