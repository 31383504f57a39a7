"""What may become of a mail that is handed over."""

from __future__ import annotations

from typing import NamedTuple

from pyruse.errors import UserError


class MailError(UserError):
    """A mail could not be handed over to anybody."""

    def __init__(self, text: str, *, permanent: bool = False, whole_way: bool = False) -> None:
        super().__init__(text)
        self.permanent = permanent
        """It is this mail's fault: another attempt would end in the same way."""
        self.whole_way = whole_way
        """It is no mail's fault: at this moment, none could be handed over."""


class Refusal(NamedTuple):
    """A recipient that was refused, while others get the mail."""

    address: str
    reason: str
    permanent: bool
    """Another attempt would end in the same way."""

    def __str__(self) -> str:
        return f"{self.address} ({self.reason})"
