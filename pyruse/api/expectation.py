"""What has to happen again and again, such as a backup."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from pyruse.options.durations import Duration


class Expectation(Struct, frozen=True):
    """Something that has to happen; that it does not is told once, when it is overdue."""

    name: str
    """What has to happen, such as ``backup``."""
    every: Duration
    """At least so often."""
    each: bool = False
    """It is expected of each key by itself, such as each machine, from the first time on."""
    section: Literal["important", "interesting"] = "important"
    """The section of the report that tells of its absence."""
    mail: bool = False
    """A mail tells of it, too: the first at once, more of the next ten minutes together."""
    to: Sequence[str] | None = None
    """Who gets the mail; None: those of ``[email] to``."""
