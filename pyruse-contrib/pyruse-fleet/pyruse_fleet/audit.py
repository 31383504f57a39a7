"""What the database says of this host's bans, compared with the state: the state is right."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from psycopg.types.json import Jsonb

from pyruse import network_text, one_line, parse_network
from pyruse_fleet.link import UNFIT, Connection
from pyruse_fleet.wire import Key, row

Own = Mapping[Key, float | None]
"""This host's bans that it shares, with the seconds that are left; None: for ever."""

_TOLERANCE_S = 10.0
"""What is told takes some time to arrive: so far two ends may differ that are the same."""
_AT_ONCE = 500

_TOLD = """
    SELECT network::text, label, ports, protocol,
        extract(epoch FROM until - clock_timestamp())::float8
    FROM fleet.bans WHERE host = %s AND (until IS NULL OR until > clock_timestamp())
"""


class Unfit(NamedTuple):
    """A ban that the database does not take, such as one of too many ports."""

    network: str
    label: str
    why: str
    """As the database says it."""


class Audited(NamedTuple):
    """What others do not hear of."""

    beyond: int
    """How many were beyond this host's quota."""
    unfit: list[Unfit]


def audit(connection: Connection, me: int, own: Callable[[], Own]) -> Audited:
    """Tell what the database does not know, and take back what is in force no more.

    So nothing has to be kept while the database is away: neither for an hour nor for weeks.

    :param own: reads the state; what was committed before this call is in it.
    """
    told = {
        Key(network_text(parse_network(network)), label, ports, protocol): lasts
        for network, label, ports, protocol, lasts in connection.execute(_TOLD, (me,))
    }
    rows = list(differences(own(), told))
    unfit: list[Unfit] = []
    beyond = 0
    for begin in range(0, len(rows), _AT_ONCE):
        some = rows[begin : begin + _AT_ONCE]
        beyond += (refused := _tell_what_fits(connection, some, unfit))
        if refused == len(some):  # so are all that come after these
            break
    return Audited(beyond, unfit)


def _tell_what_fits(connection: Connection, rows: list[dict[str, Any]], unfit: list[Unfit]) -> int:
    """As `tell`; a row that the database does not take keeps no other one from being told."""
    try:
        return tell(connection, None, rows)
    except UNFIT as fault:
        if len(rows) == 1:
            row = rows[0]
            unfit.append(Unfit(row["network"], row["label"], one_line(str(fault))))
            return 0
    half = len(rows) // 2
    return sum(_tell_what_fits(connection, part, unfit) for part in (rows[:half], rows[half:]))


def tell(connection: Connection, parcel: str | None, rows: list[dict[str, Any]]) -> int:
    """Tell others; gives how many were beyond this host's quota.

    :param parcel: its id, by which it counts once; None: it does no harm to come twice.
    :param rows: see `wire.row`.
    """
    found = connection.execute("SELECT fleet.tell(%s, %s)", (parcel, Jsonb(rows))).fetchone()
    return 0 if found is None else int(found[0])


def differences(own: Own, told: Own) -> Iterator[dict[str, Any]]:
    """What is to be told, so that the database has what is right; new bans come last.

    There may be more of these than the host's quota allows; what is known takes no more of it.
    """
    for key in told.keys() - own.keys():
        yield row("unban", key)
    for key in own.keys() & told.keys():
        if _differ(own[key], told[key]):
            yield row("ban", key, own[key])
    for key in own.keys() - told.keys():
        yield row("ban", key, own[key])


def _differ(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is not other
    return abs(one - other) > _TOLERANCE_S


def left(until_us: int | None) -> float | None:
    """The seconds that are left until an instant of this machine's clock; None: for ever."""
    return None if until_us is None else until_us / 1e6 - time.time()
