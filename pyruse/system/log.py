"""Pyruse's own lines in the journal."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from pyruse.text import printable

IDENTIFIER = "pyruse"

_SOCKET = Path("/run/systemd/journal/socket")


def to_journal(message: str, level: int, fields: Mapping[str, object]) -> None:
    """Write a line to the journal; to standard error where there is none.

    :param message: the line.
    :param level: 0 (emergency) … 7 (debug), see syslog(3).
    :param fields: more fields of the entry.
    :raises OSError: the journal did not take it.
    """
    if not _SOCKET.exists():
        to_stderr(message, level, fields)
        return
    from systemd import journal  # with logging

    # sendv(3) takes whole fields, so that nothing in a value can begin another field.
    journal.sendv(
        f"MESSAGE={message}",
        f"PRIORITY={level}",
        f"SYSLOG_IDENTIFIER={IDENTIFIER}",
        *(f"{name}={value}" for name, value in fields.items()),
    )


def tell(message: str, level: int, fields: Mapping[str, object]) -> None:
    """Write a line to the journal or, while that takes none, to standard error; never raises.

    What Pyruse says of a fault must not become another one: journald may be restarting.
    """
    try:
        to_journal(message, level, fields)
    except OSError:
        with suppress(OSError):
            to_stderr(message, level, fields)


def to_stderr(message: str, level: int, fields: Mapping[str, object]) -> None:
    """Write a line to standard error, with the priority in front as sd-daemon(3) has it."""
    sys.stderr.write(f"<{level}>{IDENTIFIER}: {printable(message)}\n")
    sys.stderr.flush()
