"""SIGHUP: the configuration as it is now takes the place of the old one."""

from __future__ import annotations

from collections.abc import Callable

from pyruse.engine.engine import Engine
from pyruse.errors import ConfigError, UserError, in_words
from pyruse.system.log import tell

_ERROR, _WARNING, _INFO = 3, 4, 6  # syslog(3)


def remade(
    old: Engine, remake: Callable[[], Engine], refused: Callable[[list[str]], object]
) -> Engine | None:
    """Make an engine of the configuration as it is now, and let the old one go.

    Everything that is remembered stays: it belongs to the state.

    :param old: the engine at work.
    :param remake: reads the configuration, and makes an engine; `UserError` if it has faults.
    :param refused: told why the new one is not used.
    :return: the new engine; None: there are faults, or something is short on the machine, such as
        descriptors; that is told, and the old one stays at work.
    """
    try:
        new = remake()
    except UserError as fault:
        faults = fault.faults if isinstance(fault, ConfigError) else [str(fault)]
        for line in ("the configuration stays as it was: the new one has faults", *faults):
            tell(line, _ERROR, {})
        refused(faults)
        return None
    except Exception as fault:  # noqa: BLE001 -- what guards the machine goes on, whatever is short
        tell(
            f"the configuration stays as it was: the new one cannot be read: {in_words(fault)} "
            "(expected a reload when the machine has descriptors and memory to spare)",
            _ERROR,
            {},
        )
        refused([f"it cannot be read: {in_words(fault)}"])
        return None
    old.stop()
    old.bans.enforcement.close()
    return new


def tell_reloaded(old: Engine, new: Engine) -> None:
    """Say that the configuration was read again, and what a reload cannot change.

    :param old: the engine that was at work.
    :param new: the engine at work.
    """
    before, now = old.settings, new.settings
    if (now.journal, now.state) != (before.journal, before.state):
        tell("[journal] and [state] need a restart to change", _WARNING, {})
    tell("the configuration was read again", _INFO, {})
