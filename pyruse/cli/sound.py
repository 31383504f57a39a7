"""A configuration at work for commands that look, or lift: no fault of it keeps them from that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from pyruse.cli.options import warn
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.errors import ConfigError
from pyruse.system.log import to_stderr

if TYPE_CHECKING:
    from pyruse.config.load import Configuration
    from pyruse.engine.engine import Engine
    from pyruse.state.database import State


def sound_engine(loaded: Configuration, state: State) -> Engine:
    """Put a configuration to work in a dry run; without its chains, where they have faults.

    :param loaded: as `sound_configuration` gives it.
    :param state: the state, loaded.
    """
    try:
        return assemble(loaded, state, Faults(to_stderr), DRY)
    except ConfigError as fault:
        warn(fault.faults)
        rest = replace(loaded, chains={}, used=[])
        return assemble(rest, state, Faults(to_stderr), DRY)
