"""Bans become true: in the firewalls, and in the state."""

from __future__ import annotations

from collections.abc import Callable

from pyruse.bans.firewalls.upkeep import OnFault
from pyruse.bans.service import Bans


def settle(
    bans: Bans, commit: Callable[[], object], on_fault: OnFault, *, read_again: bool
) -> None:
    """Put into the firewalls what was decided, and commit it.

    A crash may come in between, so the order counts. Bans of entries are *enforced first*: the
    journal's position is committed together with the bans, so after a crash the same entries are
    read again and lead to the same bans, which are in the firewall already. A ban does not wait for
    the disk, and one transaction holds both the ban and that the firewall has it.

    An order is given once. It is *committed first*: the state must know what a firewall has, also
    after a crash, or nobody would ever take the ban out again. That takes two transactions.

    :param bans: of the configuration at work.
    :param commit: commits the state.
    :param on_fault: told what firewalls refused; that is tried again later.
    :param read_again: whether what led to the bans is read again after a crash.
    """
    if not read_again:
        commit()
    bans.enforce(on_fault)
    commit()
