"""What commands order of the running daemon, such as bans: carried out by the main loop."""

from __future__ import annotations

from collections.abc import Callable

from pyruse.bans import orders
from pyruse.bans.carry_out import carry_out
from pyruse.bans.service import Bans
from pyruse.daemon.control import Control, Message
from pyruse.errors import UserError


def answer(
    control: Control,
    bans: Bans,
    commit: Callable[[], object],
    on_fault: Callable[[Exception], object],
) -> None:
    """Carry out the orders that have come, and answer each.

    :param control: has the orders.
    :param bans: of the configuration at work.
    :param commit: commits the state.
    :param on_fault: told what firewalls refused.
    """
    for request in control.requests():
        order = request.content.get("order")
        if request.content.get("request") != "order" or not isinstance(order, dict):
            request.answer({"ok": False, "fault": "not understood: of another version?"})
            continue
        request.answer(_carry_out(order, bans, commit, on_fault))


def _carry_out(
    message: Message,
    bans: Bans,
    commit: Callable[[], object],
    on_fault: Callable[[Exception], object],
) -> Message:
    """Change the bans as a command wants it: at once in the firewall, and in the state."""
    try:
        order = orders.read(message)
    except UserError as fault:
        return {"ok": False, "fault": str(fault)}
    done = carry_out(order, bans, commit, on_fault)
    return {"ok": True, "answer": orders.message_of(done)}
