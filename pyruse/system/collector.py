"""How often Python looks for cycles among new objects, which costs a start a twentieth."""

from __future__ import annotations

import atexit
import gc

_USUAL = gc.get_threshold()
_SELDOM = 200_000
"""More objects than a start makes, with all rules in use."""


def collect_seldom() -> None:
    """Look for cycles seldom, and not at the end of the process.

    At a start, and in a command, nearly all that is made stays. The end has them looked for once
    more, in everything, which takes a tenth of a short command's time.
    """
    gc.set_threshold(_SELDOM, *_USUAL[1:])
    atexit.unregister(gc.freeze)
    atexit.register(gc.freeze)  # the process ends: none of its objects needs to be looked at


def collect_as_usual() -> None:
    """Look for cycles as often as Python does: what runs for long must not keep garbage."""
    gc.set_threshold(*_USUAL)
