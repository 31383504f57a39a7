"""Decides how long a ban lasts: by the number of earlier bans, and by the ban in force."""

from __future__ import annotations

from collections.abc import Sequence

from pyruse.options.durations import Duration

FORGET_US = 90 * 86_400_000_000
"""How long an offender is remembered after the last ban, unless told otherwise: 90 days."""


def end(durations: Sequence[Duration | None], before: int, at: int) -> int | None:
    """When a ban ends that begins, or is asked for again, at an instant; None: never.

    :param durations: the first for the first ban of a network, the next one for its next ban, the
        last one for all further bans; None: for ever.
    :param before: how many bans of this network came before.
    :param at: the instant, in microseconds since the epoch.
    """
    duration = durations[min(before, len(durations) - 1)]
    return None if duration is None else at + duration.us


def forget_us(forget: Duration | None) -> int:
    """How long after its end a ban counts for the next one."""
    return FORGET_US if forget is None else forget.us


def is_later(until: int | None, known: int | None) -> bool:
    """Whether an end is later than another one; None: never."""
    return known is not None and (until is None or until > known)
