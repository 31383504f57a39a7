"""Commands change bans: through the daemon, or by themselves where none runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TYPE_CHECKING

import msgspec

from pyruse.addresses import broader, network_of
from pyruse.bans import orders
from pyruse.bans.carry_out import carry_out as execute
from pyruse.bans.orders import Answer, BanOrder, Item, UnbanOrder
from pyruse.bans.views import SIMULATED, bans_in_force
from pyruse.cli.rights import see_that_changeable, see_that_writable
from pyruse.cli.stdout import echo
from pyruse.daemon.control import UnansweredError, ask
from pyruse.errors import UserError
from pyruse.state.hand_over import hand_over
from pyruse.state.opening import reading
from pyruse.text import printable
from pyruse.times import now_us

if TYPE_CHECKING:
    from pyruse.config.load import Configuration

MOST_SHOWN = 20
"""So many networks are named in one go."""

_KEPT = "it is remembered all the same, and the daemon tries again"


def carry_out(loaded: Configuration, order: BanOrder | UnbanOrder) -> Answer:
    """Have an order carried out, in the firewall at once.

    :raises UserError: the daemon cannot be asked, or the state cannot be used.
    """
    return carry_out_all(loaded, orders.in_parts(order))


def carry_out_all(loaded: Configuration, parts: Iterable[BanOrder | UnbanOrder]) -> Answer:
    """The same of several orders, one after the other: what is done of them stays done.

    :raises UserError: the daemon cannot be asked, or the state cannot be used.
    """
    path = loaded.settings.state.url.path
    see_that_changeable(path)
    answers: list[Answer] = []
    sent: list[Item] = []
    """The bans to make, so far."""
    waiting = iter(parts)
    for part in waiting:
        sent += _bans_of(part)
        try:
            said = ask(path, {"request": "order", "order": orders.message_of(part)})
        except UnansweredError:
            raise _ended(path, [*sent, *chain.from_iterable(map(_bans_of, waiting))]) from None
        if said is None and not answers:
            lifts = isinstance(part, UnbanOrder)
            return _without_daemon(loaded, path, chain([part], waiting), lifts=lifts)
        if said is None:
            raise _ended(path, [*sent, *chain.from_iterable(map(_bans_of, waiting))])
        if not said.get("ok"):
            raise UserError(str(said.get("fault")))
        answers.append(msgspec.convert(said["answer"], Answer))
    return orders.joined(answers)


def _bans_of(order: BanOrder | UnbanOrder) -> Sequence[Item]:
    return order.bans if isinstance(order, BanOrder) else ()


def _ended(path: str, wanted: Sequence[Item]) -> UserError:
    """What to tell where the daemon ended in the midst: how far it came, the state says.

    :param path: of the state.
    :param wanted: the bans that were to be made, all of them.
    """
    said = f"{path}: the daemon has ended meanwhile"
    now = now_us()
    networks = {one.network for one in wanted if one.until is None or one.until > now}
    if not networks:
        return UserError(f"{said} (expected the same again)")
    try:
        with reading(path) as db:
            held = {one.ban.network for one in bans_in_force(db, now) if one.state != SIMULATED}
    except UserError:  # a daemon of another version is there, and changes the state
        return UserError(f"{said} (expected the same again: what is banned already stays so)")
    lengths = {network_of(text).prefixlen for text in held if "/" in text}
    done = sum(
        text in held or (bool(lengths) and not held.isdisjoint(broader(network_of(text), lengths)))
        for text in networks
    )
    return UserError(
        f"{said}: {done:,} of {len(networks):,} are banned (expected the same again, for the "
        "others: what is banned already stays so)"
    )


def finish(answer: Answer, refused: str, faults: Sequence[str] = ()) -> None:
    """Tell, at the end of a command, what firewalls said.

    :param answer: the answer to the order.
    :param refused: what has become of a network for which they refused what was ordered.
    :param faults: what else was not done.
    :raises UserError: not all was done.
    """
    for text in answer.faults:
        echo(f"of other bans: {printable(text)}", err=True)
    texts = list(faults)
    for why, networks in answer.refused.items():
        texts.append(f"{listed(networks)}: {refused}: {why}")
    if texts:
        kept = f" ({_KEPT})" if answer.refused else ""
        raise UserError("; ".join(texts) + kept)


def listed(networks: Sequence[str]) -> str:
    """Networks in a line, of many the first ones."""
    more = len(networks) - MOST_SHOWN
    return ", ".join(networks[:MOST_SHOWN]) + (f" and {more:,} more" if more > 0 else "")


def teardown(loaded: Configuration) -> None:
    """Remove everything of Pyruse's from the firewalls; the state keeps the bans.

    :param loaded: as `sound_configuration` gives it.
    :raises UserError: a daemon runs, a firewall refused it, or the state cannot be used.
    """
    from pyruse.cli.sound import sound_engine
    from pyruse.state.database import State
    from pyruse.state.lock import StateLock

    path = loaded.settings.state.url.path
    see_that_writable(path)
    lock = StateLock(path)
    try:
        with State(path) as state:
            state.bans.load(state.db)
            state.firewalls.load(state.db)
            bans = sound_engine(loaded, state).bans
            bans.enforcement.firewall(bans.policy.backend)  # also when nobody is banned by now
            bans.enforcement.teardown()
            bans.enforcement.close()
    finally:
        hand_over(path)
        lock.release()


def _without_daemon(
    loaded: Configuration, path: str, parts: Iterable[BanOrder | UnbanOrder], *, lifts: bool
) -> Answer:
    from pyruse.cli.sound import sound_engine
    from pyruse.engine.assembly import assemble
    from pyruse.engine.faults import Faults
    from pyruse.engine.modes import DRY
    from pyruse.lookups.lookups import ANSWERS_S
    from pyruse.state.database import State
    from pyruse.state.lock import StateLock
    from pyruse.system.log import to_stderr

    lock = StateLock(path)
    try:
        with State(path) as state:
            state.load()
            if lifts:
                engine = sound_engine(loaded, state)
            else:
                engine = assemble(loaded, state, Faults(to_stderr), DRY)
            engine.lookups.settle(ANSWERS_S)
            bans = engine.bans
            state.ban_events.wanted = True  # the next daemon tells of it
            try:
                return orders.joined(execute(part, bans, state.commit) for part in parts)
            finally:
                bans.enforcement.close()
    except sqlite3.Error as fault:
        raise UserError(f"{path}: cannot be written: {fault} (expected room on the disk)") from None
    finally:
        hand_over(path)
        lock.release()
