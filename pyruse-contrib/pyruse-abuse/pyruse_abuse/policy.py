"""Who may be reported, and how often."""

from __future__ import annotations

import time
from dataclasses import dataclass

from pyruse import (
    Address,
    Context,
    Duration,
    Entry,
    Refused,
    address_of,
    text_around,
)
from pyruse_abuse.switch import note, settings_of

_DAY = 86_400_000_000  # µs


def refuse_if_late(at: int) -> None:
    """Let no report leave that has waited for more than a day, as its service was away.

    :param at: the time of the entry, in microseconds since the epoch.
    :raises Refused: it is late.
    """
    if _is_late(at):
        raise Refused("more than a day late")


def _is_late(at: int) -> bool:
    """Whether the address of an entry of this time may be somebody else's by now."""
    return time.time() * 1e6 - at > _DAY


@dataclass(frozen=True)
class Rule:
    """Whom a step reports, and how often."""

    service: str
    """Its name, by which steps of one service know of each other."""
    field: str
    """The field with the address."""
    every: Duration
    """An address is reported at most once in this time, by whichever step."""
    daily: int
    """So many are reported on a day at most; as with the services, it begins at 00:00 UTC."""

    def offender(self, entry: Entry, context: Context) -> Address | None:
        """The address to report now, which counts as reported then; None: there is none.

        Never this machine's own addresses, nor those in ``[bans] never``, nor what is not of the
        Internet (IANA's special-purpose registries). An IPv6 host has a whole /64, and counts as
        one.
        """
        address = address_of(entry, self.field)
        if address is None or not address.is_global or context.spared(address) is not None:
            return None
        at = entry.time_us
        if not context.dry_run and _is_late(at):
            return None
        table = context.table(f"abuse {self.service}")
        who = text_around(address, 32, 64)
        if table.get(who, at=at) is not None:
            return None
        day = f"on day {at // _DAY}"
        number = table.get(day, at=at) or 0
        if not settings_of(context).enabled:
            note(entry, context, self.service, "Not switched on")
        elif number >= self.daily:
            note(entry, context, self.service, "Over the daily limit")
        else:
            table.put(who, True, until=at + self.every.us)
            table.put(day, number + 1, until=(at // _DAY + 1) * _DAY)
            note(entry, context, self.service, "Reported")
            return address
        return None
