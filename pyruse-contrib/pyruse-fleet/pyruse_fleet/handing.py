"""What has to arrive for certain, and did not: it waits in a table until the database is back.

A parcel of the outbox that fails would hold up those behind it, for an hour at last. So it is taken
back instead, and sent again once there is a connection; by its id, it counts once.
"""

from __future__ import annotations

from typing import Any

from pyruse import Context

_TABLE = "fleet waiting"
_DAY_US = 86_400_000_000
_KEPT_US = {"counts": _DAY_US, "report": 14 * _DAY_US, "mailed": _DAY_US}
_MOST = 200
"""So many wait at most: counts are added up meanwhile, and there is a report a day."""


def take_back(payload: dict[str, Any], context: Context, now: int) -> bool:
    """Keep what could not be handed over.

    :return: whether there was room.
    """
    table = context.table(_TABLE)
    if len(table) >= _MOST:
        return False
    kept = next(us for kind, us in _KEPT_US.items() if kind in payload)
    table.put(payload["id"], payload, until=now + kept)
    return True


def send_again(context: Context, now: int) -> None:
    """Send what waits."""
    table = context.table(_TABLE)
    for key in list(table):
        payload = table.get(key, at=now)
        table.remove(key)
        if payload is not None:
            context.send(None, payload)
