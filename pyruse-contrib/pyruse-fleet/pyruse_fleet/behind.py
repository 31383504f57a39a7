"""What others tell about whom this host bans by itself, for a shorter time: it waits for its turn.

The state has one ban of a network and its ports. This host's own one is not replaced: it would be
forgotten when the others lift theirs.
"""

from __future__ import annotations

from pyruse import Context
from pyruse_fleet.wire import Key, TakenBan

_TABLE = "fleet behind"
Row = tuple[int, str, str, str, int | None]
"""Host, label, ports, protocol, and when it ends, by this machine's clock."""


def wait(ban: TakenBan, host: int, until: int | None, context: Context, now: int) -> None:
    """Keep a ban for when this host's own one is over."""
    row: Row = (host, ban.key.label, ban.key.ports, ban.key.protocol, until)
    others = [one for one in rows(ban.key.network, context, now) if one[1:4] != row[1:4]]
    _keep(ban.key.network, [*others, row], context)


def rows(network: str, context: Context, now: int) -> list[Row]:
    """What waits, of a network."""
    found = context.table(_TABLE).get(network, at=now) or []
    return [
        (host, label, ports, protocol, until)
        for host, label, ports, protocol, until in found
        if until is None or until > now
    ]


def take(network: str, context: Context, now: int) -> list[Row]:
    """The same, and keep it no longer."""
    found = rows(network, context, now)
    context.table(_TABLE).remove(network)
    return found


def forget(key: Key, context: Context, now: int) -> bool:
    """Nobody tells it any more; gives whether it did wait."""
    found = rows(key.network, context, now)
    others = [one for one in found if one[1:4] != key[1:]]
    if len(others) < len(found):
        _keep(key.network, others, context)
    return len(others) < len(found)


def forget_all_but(there: frozenset[Key], context: Context, now: int) -> None:
    """These are all that the others tell."""
    for network in list(context.table(_TABLE)):
        for _, label, ports, protocol, _ in rows(network, context, now):
            key = Key(network, label, ports, protocol)
            if key not in there:
                forget(key, context, now)


def _keep(network: str, kept: list[Row], context: Context) -> None:
    if not kept:
        context.table(_TABLE).remove(network)
        return
    ends = [one[4] for one in kept]
    last = None if None in ends else max(end for end in ends if end is not None)
    context.table(_TABLE).put(network, [list(one) for one in kept], until=last)
