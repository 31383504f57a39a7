"""Which sendmail needs rights that a sandboxed service gives to no program."""

from __future__ import annotations

import stat
from contextlib import suppress
from pathlib import Path

_HELPERS = ("postdrop", "nullmailer-queue")
"""Programs beside sendmail that it has put mails into the queue: Postfix's, nullmailer's."""
_READS = {"msmtp": Path("/etc/msmtprc")}
"""Programs that have their set-group-ID only to read a file that others may not."""


def file_that_needs_rights(sendmail: Path) -> Path | None:
    """The program that is set-user-ID or set-group-ID: a sendmail, or what it hands mails over to.

    None: it needs no rights but its caller's.
    """
    with suppress(OSError, RuntimeError):  # a loop of links
        sendmail = sendmail.resolve()
    for file in (sendmail, *(sendmail.with_name(name) for name in _HELPERS)):
        with suppress(OSError):
            if file.stat().st_mode & (stat.S_ISUID | stat.S_ISGID) and not _works_without(file):
                return file
    return None


def _works_without(program: Path) -> bool:
    file = _READS.get(program.name)
    with suppress(OSError):
        return file is not None and bool(file.stat().st_mode & stat.S_IROTH)
    return False


def what_it_is(program: Path) -> str:
    """In the words of a file's mode: ``set-user-ID`` or ``set-group-ID``."""
    with suppress(OSError):
        if program.stat().st_mode & stat.S_ISUID:
            return "set-user-ID"
    return "set-group-ID"
