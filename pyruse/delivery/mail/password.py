"""The password for the mail server, from a file of its own."""

from __future__ import annotations

from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.refusals import MailError


def password_of(user: str, settings: EmailSettings) -> str:
    """A user's password, as it is at this moment.

    :raises MailError: there is none.
    """
    if settings.password_file is None:
        raise MailError(
            f'[email] password_file: missing (expected the file with the password of "{user}")'
        )
    try:
        return settings.password_file.read()
    except ValueError as fault:
        raise MailError(f"[email] password_file: {fault}") from None
