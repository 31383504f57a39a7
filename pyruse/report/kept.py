"""What to say of a report of which nothing is kept."""

from __future__ import annotations

from collections.abc import Sequence


def not_kept(name: str, kept: Sequence[str]) -> str:
    """That there is none, and which there are.

    :param name: the day, week or month, as it is to be shown.
    :param kept: the days that are kept, in order.
    """
    if not kept:
        return f"no report of {name} is kept (expected none yet: no entry was read)"
    days = kept[0] if len(kept) == 1 else f"one of: {kept[0]} to {kept[-1]}"
    return f"no report of {name} is kept (expected {days})"
