"""Modes: what differs between the daemon, a dry run (replay, explain, check) and a test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from msgspec import Struct

from pyruse.bans.protection import Own, machine_addresses
from pyruse.chains.link import Node
from pyruse.chains.model import Step
from pyruse.chains.travel import OnFault, Travel, travel
from pyruse.entry.entry import Entry
from pyruse.lookups.host_names import NameAnswer, ask
from pyruse.times import Clock, now_us

Bind = Callable[[Step], Callable[[Entry], Any]]
"""What gives the function of a step."""


class Mode(Struct, frozen=True, kw_only=True):
    """How a configuration is put to work; everything else is the same for all.

    `LIVE` and `DRY` are the two modes; `msgspec.structs.replace` makes others.
    """

    dry_run: bool
    """Nothing leaves Pyruse: effects are recorded in the state and stay there, and a step with
    effects of its own is only noted (`Engine.skipped`). Who delivers what is in the state, and who
    has an `Observer`, is the daemon alone."""
    batch: int
    """So many entries at most are handled, and then committed together."""
    counters: bool | None
    """Whether the steps count their entries; None: where ``[engine] counters`` says so."""
    own: Own = machine_addresses
    """Gives the addresses of the machine that is protected, and those that it needs: they are never
    banned."""
    ask: Callable[[str], NameAnswer] = ask
    """Asks for the addresses of a host name."""
    clock: Clock = now_us
    """The machine's clock, for all that is at work."""
    travel: Callable[[Node | None, OnFault], Travel] = travel
    """Gives what leads entries through the chains, from a node on."""
    binding: Callable[[Bind], Bind] = lambda bind: bind
    """Changes what gives the functions of steps, such as to measure them."""


LIVE = Mode(dry_run=False, batch=2_000, counters=None)
"""The daemon: so many entries are committed together while it catches up, else what is there."""

DRY = Mode(dry_run=True, batch=20_000, counters=False)
"""A dry run: there is nothing to be lost in a crash, so batches are longer. Steps are not counted,
so that `pyruse explain` shows those of the configuration alone."""
