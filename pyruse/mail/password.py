"""The password for the mail server, in a file of its own."""

from __future__ import annotations

import stat
from pathlib import Path

from pyruse.mail.outcome import MailError


def read_password(file: Path) -> str:
    """The password in a file, without the end of its line. It is read anew for each mail.

    :raises MailError: there is none.
    """
    try:
        password = file.read_text("utf-8").rstrip("\r\n")
    except (OSError, ValueError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "not UTF-8"
        raise MailError(
            f"[email] password_file: {file} cannot be read: {reason} (expected a file that "
            "Pyruse's user may read, with the password on one line)"
        ) from None
    if not password or "\n" in password or "\0" in password:
        raise MailError(f"[email] password_file: {file} has no password on one line")
    return password


def check_password_file(user: str, file: Path | None) -> list[str]:
    """Warnings about the file with a user's password."""
    if file is None:
        return [f'[email] password_file: missing (expected the file with the password of "{user}")']
    try:
        read_password(file)
    except MailError as fault:
        return [str(fault)]
    if file.stat().st_mode & stat.S_IROTH:
        return [
            f"[email] password_file: {file} can be read by every user of this machine "
            f'(expected that Pyruse\'s user alone may: "chmod o= {file}")'
        ]
    return []
