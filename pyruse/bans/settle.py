"""Bans become true: in the firewalls, and in the state."""

from __future__ import annotations

from collections.abc import Callable

from pyruse.bans.firewalls.upkeep import OnFault
from pyruse.bans.service import Bans


def settle(
    bans: Bans, commit: Callable[[], object], on_fault: OnFault, *, read_again: bool
) -> None:
    """Have the firewalls told of what was decided, and commit it.

    Nobody waits for a firewall that is called beside (see `Enforcement.beside`): the state has a
    ban as wanted until the firewall has answered, and the commit after that says that it is in
    force. After a crash in between, firewalls are told of everything again.

    A crash may come between telling and committing, too, so the order counts. Of bans of entries
    the *firewall is told first*: the journal's position is committed together with the bans, so
    after a crash the same entries are read again and lead to the same bans. So a ban does not wait
    for the disk.

    An order is given once. It is *committed first*: the state must know what a firewall has, also
    after a crash, or nobody would ever take the ban out again.

    :param bans: of the configuration at work.
    :param commit: commits the state.
    :param on_fault: told what firewalls refused; that is tried again later.
    :param read_again: whether what led to the bans is read again after a crash.
    """
    if not read_again:
        commit()
    bans.enforce(on_fault)
    commit()
