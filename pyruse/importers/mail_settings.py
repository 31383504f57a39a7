"""Who gets the report, from the configurations of programs that mail one."""

from __future__ import annotations

import shlex
from typing import Any

from pyruse.options.mail_address import MailAddress


def email_of(
    to: str, sender: str | None, program: str, place: str, notes: list[str]
) -> dict[str, Any]:
    """The section ``[email]``.

    :param to: addresses, with commas or blanks between them.
    :param sender: the address of the sender; None: it is not said.
    :param program: the command that takes a mail, or the name of a mail server.
    :param place: where this stands, for notes.
    :param notes: gets what cannot be taken over.
    """
    email: dict[str, Any] = {}
    if sender is not None:
        if _is_address(sender):
            email["from"] = sender
        else:
            notes.append(f"{place}: no mail address, and left out: {sender}")
    words = to.replace(",", " ").split()
    email["to"] = [word for word in words if _is_address(word)]
    notes += [f"{place}: no mail address, and left out: {w}" for w in words if w not in email["to"]]
    try:
        command = shlex.split(program)
    except ValueError as fault:
        notes.append(f"{place}: {program}: {fault}; left out")
        return email
    if command and command[0].startswith("/"):
        email["sendmail"] = command
    elif command and command[0] not in ("localhost", "127.0.0.1"):
        email["smtp"] = f"smtp://{command[0]}"
    return email


def _is_address(text: str) -> bool:
    try:
        MailAddress.parse(text)
    except ValueError:
        return False
    return True
