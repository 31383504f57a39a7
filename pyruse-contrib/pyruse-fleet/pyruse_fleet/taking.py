"""Takes over what other hosts have told, in the main thread: by the rules of this host alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection

from pyruse import Address, Ban, BanRequest, Context, Duration, Mail, Target, parse_network
from pyruse_fleet import behind, handing, lifted, places
from pyruse_fleet.counting import Counting
from pyruse_fleet.errors import NotTaken
from pyruse_fleet.inbox import (
    Alone,
    Back,
    Inbox,
    Item,
    Lift,
    Mailed,
    Names,
    News,
    Reached,
    Servers,
    There,
)
from pyruse_fleet.scope import covers
from pyruse_fleet.wire import (
    NOWHERE,
    Key,
    Position,
    Told,
    checked_ban,
    checked_counts,
    key_of,
    told_ban,
)

PLACE = "plugins.fleet"
"""What bans that are taken over have as their chain."""
_AT_ONCE = 100
"""So many are taken before entries have their turn."""
_MOST_TOLD = 10
"""So many reasons a day are told of a host."""
_PUT_OFF_S = 10.0
_SAME_US = 5_000_000
_DAY_US = 86_400_000_000


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
        self._told: dict[int, set[str]] = {}
        self._target: Target | None = None
        self._servers: frozenset[Address] = frozenset()

    def kept(self, context: Context, now: int) -> Position:
        """So far this host had read the feed when it was stopped.

        With other labels in `accept`, that is nowhere: a snapshot has what is in force of the new
        ones, and lifts what has one that is accepted no more.
        """
        table = context.table("fleet")
        # An earlier version has kept no labels.
        as_before = table.get("accept", at=now) in (None, self._labels)
        match table.get("position", at=now):
            case [int(seq), int(mark), str(taken)] if as_before:
                return Position(seq, mark, taken)
            case _:
                return NOWHERE

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
                self._keep(context, position)
            case Names(names, me):
                self._names, self._me = names, me
            case Servers(addresses):
                self._servers = addresses
            case Lift():
                self._lift(item, context, now)
            case Alone(keys):
                behind.forget_all_but(keys, context, now)
            case News(text, level):
                context.log(None, text, level)  # type: ignore[arg-type]
            case Mailed(day, subject, text):
                context.mail(None, Mail(subject, text))
                context.send(None, {"id": f"mailed {day}", "mailed": day})
            case Back():
                self._take_back(item, context, now)
            case There():
                handing.send_again(context, now)

    def _take_back(self, back: Back, context: Context, now: int) -> None:
        self._counting.put_off(_PUT_OFF_S)
        if not handing.take_back(back.payload, context, now):
            context.log(None, "too much waits for the fleet's database", "warning")
        back.is_kept.set()

    def _take_told(self, told: Told, context: Context, now: int) -> None:
        if told.kind == "ban" and told.label in self._accept:
            self._take_ban(told, context, now)
        elif told.kind == "count" and told.counter in self._counting.counters:
            counter, key, parts = checked_counts(told, self._me)
            for lasts, number in parts:
                until = now + round(lasts * 1e6)
                context.counters.count_elsewhere(counter, key, at=now, until=until, by=number)

    def _take_ban(self, told: Told, context: Context, now: int) -> None:
        ban = checked_ban(told)
        if any(address in ban.network for address in self._servers):
            raise NotTaken("is of the fleet's database, and is not taken over")
        if lifted.is_declined(ban, context, now):
            return
        until = _end(ban.lasts, now)
        in_force = context.bans_of(None, ban.network.network_address)
        here = self._here(context)
        if any(
            # What has grown may be let go before its end, and of the administrator's own sets
            # nobody knows what they close.
            not known.grown
            and (known.target.backend, known.target.sets) == (here.backend, None)
            and _lasts(known, until)
            and covers(known, ban.network, ban.ports, ban.key.protocol or None)
            for known in in_force
        ):
            return
        if self._taken[told.host] >= self._quota:
            raise NotTaken(f"is one of more than {self._quota:,} a day, and is not taken over")
        if ban.network.num_addresses > 1 and (why := context.spared(ban.network)):
            # A part of it would be a ban that nobody has told, and nobody lifts.
            raise NotTaken(f"is of a network of which somebody is never banned here: {why}")
        target = here
        if ban.ports or ban.key.protocol:
            places.note(ban, told.host, until, context, now)
            try:
                target = context.ban_target(ports=ban.ports, protocol=ban.key.protocol or None)
            except ValueError as fault:
                raise NotTaken(f"is for some ports, and here {fault}") from None
        if any(
            (known.network, known.target, known.grown) == (ban.key.network, target, False)
            and known.chain != PLACE
            for known in in_force
        ):
            behind.wait(ban, told.host, until, context, now)
            return
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

    def begin_waiting(self, own: Ban, context: Context, now: int) -> None:
        """A ban of this host's own is over: what others tell of the same network has its turn."""
        for host, *key, until in behind.take(own.network, context, now):
            lasts = None if until is None else (until - now) / 1e6
            self._take(told_ban(host, Key(own.network, *key), lasts), context, now)

    def _lift(self, lift: Lift, context: Context, now: int) -> None:
        """Lift a ban that was taken over, and no other; what others tell still stays, or comes."""
        waited = behind.forget(lift.key, context, now)
        bans = _taken_over(lift.key, context)
        if bans and any(self._is_same(told, lift.key, bans[0], now) for told in lift.left):
            return
        for ban in bans:
            lifted.lift(ban, context, now)
        if bans or waited:
            for told in lift.left:
                self._take(told, context, now)

    def _is_same(self, told: Told, key: Key, ban: Ban, now: int) -> bool:
        """Whether another host tells the same ban, with the same end at least."""
        try:
            other = checked_ban(told)
        except NotTaken:
            return False
        ends = _end(other.lasts, now)
        return other.key == key and (
            ends is None or (ban.until is not None and ends >= ban.until - _SAME_US)
        )

    def _here(self, context: Context) -> Target:
        """Where bans of all ports are put."""
        if self._target is None:
            self._target = context.ban_target()
        return self._target

    def _tell(self, host: int, why: str, context: Context) -> None:
        """Tell, once a day, that something of a host is not taken, and why."""
        told = self._told.setdefault(host, set())
        # Some of the words may be the other host's.
        if why == "is over" or why in told or len(told) >= _MOST_TOLD:
            return
        told.add(why)
        text = f"a ban that {self._name(host)} has told to the fleet {why}"
        context.report(None, "interesting", text)
        context.log(None, text, "notice")

    def _keep(self, context: Context, position: Position) -> None:
        table = context.table("fleet")
        table.put("position", list(position))
        table.put("accept", self._labels)

    @property
    def _labels(self) -> list[str]:
        return sorted(self._accept)

    def _name(self, host: int) -> str:
        return self._names.get(host, f"host {host}")


def _taken_over(key: Key, context: Context) -> list[Ban]:
    """What is in force here as others have told it; of two firewalls, if that was changed."""
    found = context.bans_of(None, parse_network(key.network).network_address)
    return [one for one in found if one.chain == PLACE and not one.grown and key_of(one) == key]


def _end(lasts: float | None, now: int) -> int | None:
    return None if lasts is None else now + round(lasts * 1e6)


def _lasts(known: Ban, until: int | None) -> bool:
    """Whether a ban lasts until an instant at least, give or take the way of a row."""
    return known.until is None or (until is not None and known.until >= until - _SAME_US)
