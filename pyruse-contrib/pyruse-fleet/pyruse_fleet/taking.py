"""Takes over what other hosts have told, in the main thread: by the rules of this host alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from pyruse import BanRequest, Context, Duration, Mail, parse_network
from pyruse_fleet import handing
from pyruse_fleet.counting import Counting
from pyruse_fleet.errors import NotTaken
from pyruse_fleet.inbox import Back, Inbox, Item, Lift, Mailed, Names, News, Reached, There
from pyruse_fleet.wire import (
    NOWHERE,
    Key,
    Position,
    TakenBan,
    Told,
    checked_ban,
    checked_counts,
    checked_key,
)

PLACE = "plugins.fleet"
"""What bans that are taken over have as their chain."""
_AT_ONCE = 100
"""So many are taken before entries have their turn."""
_PUT_OFF_S = 10.0
_SAME_US = 5_000_000
_DAY_US = 86_400_000_000
_DECLINED = 30 * _DAY_US
"""So long a ban for ever, lifted here by hand, is not taken over again."""


class Taking:
    """Takes over bans, lifts them, and counts what was counted elsewhere."""

    def __init__(self, accept: Collection[str], counting: Counting, quota: int) -> None:
        """Take nothing yet.

        :param accept: the labels of bans that are taken over.
        :param counting: knows the counters that are shared.
        :param quota: so many bans a day are taken over from each host.
        """
        self._accept = frozenset(accept)
        self._counting = counting
        self._quota = quota
        self._names: dict[int, str] = {}
        self._me = 0
        self._taken: Counter[int] = Counter()
        self._day = 0
        self._told: set[tuple[int, str]] = set()

    def take(self, inbox: Inbox, context: Context, now: int) -> bool:
        """Take some of what has come.

        :param now: in microseconds since the epoch.
        :return: whether there is more.
        """
        if now // _DAY_US != self._day:
            self._day = now // _DAY_US
            self._taken.clear()
            self._told.clear()
        for _ in range(_AT_ONCE):
            item = inbox.take()
            if item is None:
                return False
            self._take(item, context, now)
            inbox.done()
        return True

    def _take(self, item: Item, context: Context, now: int) -> None:
        match item:
            case Told():
                try:
                    self._take_told(item, context, now)
                except NotTaken as why:
                    self._tell(item.host, str(why), context)
            case Reached(position):
                _keep(context, position)
            case Names(names, me):
                self._names, self._me = names, me
            case Lift(key):
                lift(key, context, now)
            case News(text, level):
                context.log(None, text, level)  # type: ignore[arg-type]
            case Mailed(day, subject, text):
                context.mail(None, Mail(subject, text))
                context.send(None, {"id": f"mailed {day}", "mailed": day})
            case Back(payload, is_kept):
                self._counting.put_off(_PUT_OFF_S)
                if not handing.take_back(payload, context, now):
                    context.log(None, "too much waits for the fleet's database", "warning")
                is_kept.set()
            case There():
                handing.send_again(context, now)

    def _take_told(self, told: Told, context: Context, now: int) -> None:
        if told.kind == "ban" and told.label in self._accept:
            self._take_ban(told, context, now)
        elif told.kind == "unban" and told.label in self._accept and not told.others:
            lift(checked_key(told.network, told.label, told.ports, told.protocol), context, now)
        elif told.kind == "count" and told.counter in self._counting.counters:
            counter, key, parts = checked_counts(told, self._me)
            for lasts, number in parts:
                until = now + round(lasts * 1e6)
                context.counters.count_elsewhere(counter, key, at=now, until=until, by=number)

    def _take_ban(self, told: Told, context: Context, now: int) -> None:
        ban = checked_ban(told)
        key = "\t".join(ban.key)
        if context.table("fleet declined").get(key, at=now):
            return
        if _is_known(ban, context, now):
            return
        if self._taken[told.host] >= self._quota:
            raise NotTaken(f"is one of more than {self._quota:,} a day, and is not taken over")
        target = None
        if ban.ports or ban.key.protocol:
            try:
                target = context.ban_target(ports=ban.ports, protocol=ban.key.protocol or None)
            except ValueError as fault:
                raise NotTaken(f"is for some ports, and here {fault}") from None
        lasts = None if ban.lasts is None else Duration(seconds=max(0.001, ban.lasts))
        request = BanRequest(
            ban.network.network_address,
            [lasts],
            target,
            label=ban.key.label,
            prefix4=ban.network.prefixlen if ban.network.version == 4 else 32,
            prefix6=ban.network.prefixlen if ban.network.version == 6 else 128,
            reason=f"{self._name(told.host)} has banned it",
        )
        if context.ban(None, request):
            self._taken[told.host] += 1

    def _tell(self, host: int, why: str, context: Context) -> None:
        """Tell, once a day, that something of a host is not taken, and why."""
        if why == "is over" or (host, why) in self._told:
            return
        self._told.add((host, why))
        text = f"a ban that {self._name(host)} has told to the fleet {why}"
        context.report(None, "interesting", text)
        context.log(None, text, "notice")

    def _name(self, host: int) -> str:
        return self._names.get(host, f"host {host}")


def _is_known(ban: TakenBan, context: Context, now: int) -> bool:
    """Whether it lasts at least as long here already, give or take the way of a row."""
    ends = None if ban.lasts is None else now + round(ban.lasts * 1e6) - _SAME_US
    return any(
        known.network == ban.key.network
        and (known.until is None or (ends is not None and known.until >= ends))
        for known in context.bans_of(None, ban.network.network_address)
    )


def lift(key: Key, context: Context, now: int) -> None:
    """Lift a ban that was taken over, and no other."""
    network = parse_network(key.network)
    for ban in context.bans_of(None, network.network_address):
        if (ban.network, ban.label, ban.chain) == (key.network, key.label, PLACE):
            # `on_unban` is called later: by this, it knows that nobody has lifted it by hand.
            context.table("fleet lifted").put(key.network, value=True, until=now + _DAY_US)
            context.unban(None, network, key.label)
            return


def decline(key: Key, until: int | None, context: Context, now: int) -> None:
    """A ban that was taken over was lifted here by hand: it is not taken over again."""
    lifted = context.table("fleet lifted")
    if lifted.get(key.network, at=now):
        lifted.remove(key.network)
        return
    until = now + _DECLINED if until is None else until
    context.table("fleet declined").put("\t".join(key), value=True, until=until)


def kept(context: Context, now: int) -> Position:
    """So far this host had read the feed when it was stopped."""
    value = context.table("fleet").get("position", at=now)
    match value:
        case [int(seq), int(mark)]:
            return Position(seq, mark)
        case _:
            return NOWHERE


def _keep(context: Context, position: Position) -> None:
    context.table("fleet").put("position", list(position))
