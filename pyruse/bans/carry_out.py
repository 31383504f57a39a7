"""Carrying out what the commands `ban`, `unban` and `bans` order (see `pyruse.bans.orders`)."""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from functools import cache

from pyruse.addresses import bits_of, network_of, parse_address
from pyruse.api.bans import Ban, BanRequest
from pyruse.api.firewall import Sets, Target
from pyruse.bans.firewalls.caller import Doubt
from pyruse.bans.firewalls.upkeep import OnFault
from pyruse.bans.in_force import Cause
from pyruse.bans.orders import Answer, BanOrder, Item, UnbanOrder, Where
from pyruse.bans.service import Bans
from pyruse.bans.settle import settle
from pyruse.options.durations import Duration
from pyruse.state.shared_bans import BanKey


def carry_out(
    order: BanOrder | UnbanOrder,
    bans: Bans,
    commit: Callable[[], object],
    report_fault: Callable[[Exception], object] = lambda fault: None,
) -> Answer:
    """Carry out an order, in the state and at once in the firewalls, and wait for these.

    :param order: what a command has sent.
    :param bans: of the configuration at work, whose firewalls are called at once.
    :param commit: commits the state, which has the bans.
    :param report_fault: told of what firewalls said, whatever it is about.
    """
    faults: list[str] = []

    def report(fault: Exception) -> None:
        if not isinstance(fault, Doubt):
            faults.append(str(fault))
        report_fault(fault)

    under_way = begin(order, bans, commit, report)
    under_way.faults = faults
    return under_way.finish(bans)


def begin(
    order: BanOrder | UnbanOrder,
    bans: Bans,
    commit: Callable[[], object],
    on_fault: OnFault,
) -> UnderWay:
    """Carry out an order in the state, and have the firewalls told.

    What these refused before is tried again, too: an administrator waits for it.
    """
    now = bans.clock()
    keys: Collection[BanKey]
    if isinstance(order, BanOrder):
        answer, keys = _ban(order, bans, now)
    else:
        answer, keys = _unban(order, bans, now)
    bans.enforcement.retry()
    settle(bans, commit, on_fault, read_again=False)
    return UnderWay(answer, keys)


class UnderWay:
    """An order that the state has, and firewalls may have yet to answer."""

    def __init__(self, answer: Answer, keys: Collection[BanKey]) -> None:
        """Begin to wait.

        :param answer: the answer, as if no firewall refused anything.
        :param keys: what firewalls are told of.
        """
        self._answer = answer
        self._keys = keys
        self._unknown = set(keys)
        self.faults: list[str] = []
        """What firewalls have said since, of whatever bans."""

    def is_known(self, bans: Bans) -> bool:
        """Whether the firewalls have answered, or are late with it."""
        if bans.enforcement.has_all:
            return True
        while self._unknown:
            key = next(iter(self._unknown))
            if bans.enforcement.waiting(key) == "":
                return False
            self._unknown.remove(key)
        return True

    def finish(self, bans: Bans, otherwise: str = "") -> Answer:
        """The answer to the order.

        :param bans: of the configuration at work.
        :param otherwise: what is told of changes that a firewall has not answered for.
        """
        answer = self._answer
        if not bans.enforcement.has_all:
            refused = bans.enforcement.refusals()
            for key in self._keys:
                if (why := bans.enforcement.waiting(key)) is not None:
                    refused[key] = why or otherwise
            _tell_refused(answer, self._keys, refused)
        answer.faults = [text for text in dict.fromkeys(self.faults) if text not in answer.refused]
        return answer


def _ban(order: BanOrder, bans: Bans, now: int) -> tuple[Answer, Collection[BanKey]]:
    """Change who is banned.

    :return: the answer, as if no firewall refused anything; and what they are told of.
    """
    answer = Answer()
    keys: dict[BanKey, None] = {}
    usual = cache(lambda: bans.target(None, None, ()))
    alike: dict[tuple[int | None, str, str], tuple[BanRequest, Cause]] = {}
    with suppress(ValueError):  # no firewall: each item tells it
        bans.in_force.look_up([BanKey(item.network, usual()) for item in order.bans])
    for item in order.bans:
        text, until = item.network, item.until
        why = bans.spared(text)
        if why is None:
            try:
                target = usual() if item.where is None else _target(item.where, bans)
            except ValueError as fault:
                why = str(fault)
        if why is not None:
            answer.spared.append((text, why))
            continue
        key = BanKey(text, target)
        if until is not None and until <= now:
            bans.in_force.remember(key, item.before + 1, ended=until, at=now)
            answer.over.append(text)
            continue
        if item.before:
            bans.in_force.remember(key, item.before, ended=now, at=now)
        if "/" in text:
            made = bans.ban(_request(item, target, now), Cause(now, reason=item.reason))
        else:  # a list has thousands, most of which are to last as long
            what = until, item.label, item.reason
            request, cause = alike.get(what) or alike.setdefault(
                what, (_request(item, target, now), Cause(now, reason=item.reason))
            )
            made = bans.ban_address(key, request, cause)
        (answer.unchanged if made is None else answer.done).append(text)
        keys[key] = None
    return answer, keys


def _request(item: Item, target: Target, now: int) -> BanRequest:
    text, _, prefix = item.network.partition("/")
    address = parse_address(text)
    assert address is not None, "orders are checked when they are read"
    duration = None if item.until is None else Duration(microseconds=item.until - now)
    return BanRequest(
        address, (duration,), target, item.label,
        prefix4=int(prefix or 32), prefix6=int(prefix or 128),
    )  # fmt: skip


def _target(where: Where, bans: Bans) -> Target:
    """The target, checked.

    :raises ValueError: there is no such one.
    """
    sets = None
    if where.sets is not None:
        sets = Sets.parse({name: one for name, one in where.sets.items() if one is not None})
    return bans.target(where.backend, sets, where.ports, where.protocol)


def _unban(order: UnbanOrder, bans: Bans, now: int) -> tuple[Answer, set[BanKey]]:
    """Change who is banned, as `_ban` does."""
    answer = Answer()
    keys = set()
    networks = ["0.0.0.0/0", "::/0"] if order.networks is None else order.networks
    for text in networks:
        lifted = bans.unban(text, Cause(now), order.label)
        answer.done += [ban.network for ban in sorted(lifted, key=_bits)]
        if not lifted:
            answer.unchanged.append(text)
        answer.around += [(text, ban.network) for ban in bans.in_force.around(text, now)]
        keys |= {BanKey(ban.network, ban.target) for ban in lifted}
    asked_for = [network_of(text) for text in networks]
    for key, ban in bans.removals():
        # What was lifted earlier, or is no longer grown, closes the same addresses out.
        mine = key not in keys and (ban.grown or order.label in (None, ban.label))
        if mine and any(network.overlaps(network_of(key.network)) for network in asked_for):
            keys.add(key)
    return answer, keys


def _bits(ban: Ban) -> tuple[int, int, int]:
    return bits_of(ban.network)


def _tell_refused(answer: Answer, keys: Collection[BanKey], refused: dict[BanKey, str]) -> None:
    """Have an answer tell what firewalls refused of what the order is about."""
    names = set()
    for key, text in refused.items():
        if key in keys:
            answer.refused.setdefault(text, []).append(key.network)
            names.add(key.network)
    answer.done = [text for text in answer.done if text not in names]
    answer.unchanged = [text for text in answer.unchanged if text not in names]
