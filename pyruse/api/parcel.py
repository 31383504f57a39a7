"""Delivery by a plugin's own hook `deliver`: the parcel that the hook gets, and a refusal."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from pyruse.errors import UserError
from pyruse.options.durations import Duration

DELIVER_TIMEOUT = Duration(minutes=1)
"""So long a call of `deliver` may take, where `Context.send` says nothing else."""


class Refused(UserError):
    """Raised by `deliver`: the receiver will never take this parcel, so it is not tried again.

    The text says why; the administrator reads it in the log, in the report and in `pyruse status`.
    """


class Parcel(Struct, frozen=True):
    """What `Context.send` has sent, on its way out."""

    id: str
    """Stays the same over retries, restarts and crashes: by it, a receiver knows what it has."""
    payloads: list[Any]
    """What was sent, in order: one payload, or with `every` all that were gathered."""
    count: int
    """How many payloads were gathered, also those that could not be kept."""
    at: int
    """The time of the entry that caused the first one, in microseconds since the epoch."""
    attempt: int
    """Which attempt this is: 1, 2, … An attempt that a crash has cut short does not count."""

    @property
    def payload(self) -> Any:
        """The only payload; of gathered ones, the first."""
        return self.payloads[0]
