"""The one way to wait in a test: for a state, never for a time.

So a test passes on any machine: on a quick one at once, on a busy one later.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TIME_LIMIT = 120.0
"""Seconds, of anything that is waited for: nothing that works takes so long on any machine."""
_TICK = 0.02  # seconds from one look to the next


def wait_until(
    look: Callable[[], T],
    enough: Callable[[T], object] = bool,
    *,
    hopeless: Callable[[], str] = str,
    said: Callable[[], str] = str,
) -> T:
    """Look again and again, until there is enough; by default, until there is anything.

    :param look: gives what there is.
    :param enough: says whether that is enough.
    :param hopeless: why there will never be enough, such as that a process has ended; else, an
        empty text. One more look follows.
    :param said: what helps to find the reason, for the message when it is in vain.
    :return: what there is then.
    :raises AssertionError: it was in vain, or two minutes are over.
    """
    deadline = time.monotonic() + TIME_LIMIT
    while True:
        why = hopeless()
        found = look()
        if enough(found):
            return found
        if not why and time.monotonic() > deadline:
            why = f"{TIME_LIMIT:.0f} s are over"
        if why:
            raise AssertionError(f"{why}: {found!r} is not enough{said()}")
        time.sleep(_TICK)
