"""Commands let something leave at once: through the daemon, or by themselves where none runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from pyruse.cli.rights import see_that_askable
from pyruse.daemon.control import ask
from pyruse.errors import UserError

if TYPE_CHECKING:
    from pyruse.config.load import Configuration
    from pyruse.delivery.outcome import Outcome
    from pyruse.state.outbox_item import OutboxItem

_STEPS = 7
"""Answers of a mail server to one mail: the time limit holds for each."""


class HandedOver(msgspec.Struct, frozen=True):
    """What became of one attempt."""

    end: str
    """``sent``; else it did not leave."""
    fault: str
    """Why it did not leave; of what was sent: what was wrong with it all the same."""
    answer: str
    """What the mail server said."""
    refusals: list[str]
    """The recipients that it refused, while it took others."""
    through_daemon: bool

    @property
    def is_well(self) -> bool:
        """Everybody gets it."""
        return self.end == "sent" and not self.refusals


def hand_over(
    loaded: Configuration, item: OutboxItem, otherwise: Callable[[OutboxItem], Outcome]
) -> HandedOver:
    """Have an item leave now, in one attempt: nobody tries it again.

    :param loaded: the configuration; names the state, and so the daemon.
    :param item: is in no outbox.
    :param otherwise: makes the attempt in this process, where no daemon runs.
    :raises UserError: the daemon cannot be asked.
    """
    from pyruse.daemon.outbox_orders import outcome_data

    path = loaded.settings.state.url.path
    see_that_askable(path)
    request = {"request": "deliver", "kind": item.kind, "payload": item.payload}
    patience_s = _STEPS * loaded.settings.email.timeout.total_seconds()
    said = ask(path, request, patience_s=patience_s)
    if said is None:
        return msgspec.convert(
            {**outcome_data(otherwise(item)), "through_daemon": False}, HandedOver
        )
    if not said.get("ok"):
        raise UserError(f"the daemon: {said.get('fault')}")
    return msgspec.convert({**said["outcome"], "through_daemon": True}, HandedOver)
