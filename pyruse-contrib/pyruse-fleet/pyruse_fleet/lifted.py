"""What was lifted here, and by whom: what an administrator has lifted is not taken over again."""

from __future__ import annotations

from collections.abc import Iterator

from pyruse import Ban, Context, Network, network_text
from pyruse_fleet.scope import closes
from pyruse_fleet.wire import BROADEST_4, BROADEST_6, Key, TakenBan, key_of, ports_in

_LIFTED, _DECLINED = "fleet lifted", "fleet declined"
_DAY_US = 86_400_000_000
_FOR_EVER = 30 * _DAY_US
"""So long a ban for ever, lifted here by hand, is not taken over again."""


def lift(ban: Ban, context: Context, now: int) -> None:
    """Lift a ban that was taken over, as nobody tells it any more."""
    if context.lift(ban):
        # `on_unban` is called later: by this, it knows that nobody has lifted it by hand.
        table, mark = context.table(_LIFTED), _mark(ban)
        table.put(mark, (table.get(mark, at=now) or 0) + 1, until=now + _DAY_US)


def was_by_hand(ban: Ban, context: Context, now: int) -> bool:
    """Whether a ban that was taken over was lifted by somebody else than `lift`; asked once."""
    table, mark = context.table(_LIFTED), _mark(ban)
    times = table.get(mark, at=now) or 0
    if times > 1:
        table.put(mark, times - 1, until=now + _DAY_US)
    elif times:
        table.remove(mark)
    return not times


def decline(ban: Ban, context: Context, now: int) -> None:
    """A ban was lifted here by hand: until its end, nobody's ban of the same is taken over."""
    until = now + _FOR_EVER if ban.until is None else ban.until
    table, key = context.table(_DECLINED), key_of(ban)
    others = [one for one in table.get(key.network, at=now) or [] if one[:2] != list(key[2:])]
    others = [one for one in others if one[2] > now]
    ends = max([until, *(one[2] for one in others)])
    table.put(key.network, [*others, [key.ports, key.protocol, until]], until=ends)


def is_declined(ban: TakenBan, context: Context, now: int) -> bool:
    """Whether the same, or more, was lifted here by hand."""
    table = context.table(_DECLINED)
    if not len(table):
        return False
    return any(
        until > now
        and closes(ports_in(ports), protocol or None, ban.ports, ban.key.protocol or None)
        for network in _around(ban.network)
        for ports, protocol, until in table.get(network_text(network), at=now) or []
    )


def _around(network: Network) -> Iterator[Network]:
    """A network, and all that it is in, as far as one is ever taken over."""
    broadest = BROADEST_4 if network.version == 4 else BROADEST_6
    for length in range(network.prefixlen, broadest - 1, -1):
        yield network.supernet(new_prefix=length)


def _mark(ban: Ban) -> str:
    key: Key = key_of(ban)
    return "\t".join([*key, str(ban.since)])
