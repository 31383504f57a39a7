"""The outcome of one attempt: the same four ends for mails, programs, log lines and parcels."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from pyruse.delivery.mail.refusals import Refusal
from pyruse.state.outbox_item import OutboxItem

GIVEN_UP = "given up"
"""The kind of fault of the oldest items of too many that wait: each one is logged."""


class Outcome(Struct, frozen=True):
    """What became of an item."""

    item: OutboxItem
    end: Literal["sent", "retry", "refused", "untried"] = "sent"
    """``sent``: it has left. ``retry``: another attempt may succeed. ``refused``: none ever will.
    ``untried``: there was no attempt, since one before it has failed."""
    fault: str = ""
    refusals: tuple[Refusal, ...] = ()
    """Of a mail that was sent: the recipients that did not get it."""
    whole_way: bool = False
    """Of a retry: no other item of its kind could have left either."""
    of_the_server: bool = False
    """Of a refusal: a mail server, or sendmail, has said so. It may say something else tomorrow."""
    answer: str = ""
    """Of a mail that was sent: what the server answered, with its code."""
