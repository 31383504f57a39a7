"""How many choices of ports a host's bans are for: the firewall has a set, and a rule, for each."""

from __future__ import annotations

from pyruse import Context
from pyruse_fleet.errors import NotTaken
from pyruse_fleet.wire import TakenBan

MOST = 50
"""Of one host, at a time."""
_TABLE = "fleet places"


def note(ban: TakenBan, host: int, until: int | None, context: Context, now: int) -> None:
    """Note that a ban of some ports is about to be taken over.

    :param until: when it ends, by this machine's clock.
    :raises NotTaken: its host has told bans of too many other choices of ports.
    """
    table, name = context.table(_TABLE), str(host)
    ends: dict[str, int | None] = {
        place: end
        for place, end in (table.get(name, at=now) or {}).items()
        if end is None or end > now
    }
    place = f"{ban.key.protocol} {ban.key.ports}"
    if place not in ends and len(ends) >= MOST:
        raise NotTaken(f"is for ports of more than {MOST} choices, and is not taken over")
    before = ends.get(place, now)
    ends[place] = None if before is None or until is None else max(before, until)
    last = None if None in ends.values() else max(end for end in ends.values() if end is not None)
    table.put(name, ends, until=last)
