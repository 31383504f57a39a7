"""The outcomes of handing over a mail: nobody got it, or some recipients were refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from pyruse.errors import UserError


class MailError(UserError):
    """A mail could not be handed over to anybody."""

    def __init__(
        self,
        text: str,
        *,
        permanent: bool = False,
        whole_way: bool = False,
        of_the_server: bool = False,
    ) -> None:
        super().__init__(text)
        self.permanent = permanent
        """This mail is at fault: another attempt would end in the same way."""
        self.of_the_server = of_the_server
        """Of what is permanent: so the server says, and it may say something else tomorrow."""
        self.whole_way = whole_way
        """No mail is at fault: none could be handed over at this moment."""


class TooLargeError(MailError):
    """The mail is larger than its way takes: a smaller one may go it."""

    def __init__(self, text: str, size: int, limit: int | None = None) -> None:
        super().__init__(text, permanent=True, of_the_server=True)
        self.size = size
        """Of the mail, in bytes."""
        self.limit = limit
        """What the way takes, where it says so."""


class Taken(NamedTuple):
    """A mail was handed over."""

    answer: str
    """What the server said to that, such as ``250 2.0.0 Ok: queued as 4F2A``."""
    refusals: Sequence[Refusal] = ()
    """The recipients that it refused, while it took others."""


class Refusal(NamedTuple):
    """A recipient that was refused, while others get the mail."""

    address: str
    reason: str
    permanent: bool
    """Another attempt would end in the same way."""

    def __str__(self) -> str:
        return f"{self.address} ({self.reason})"
