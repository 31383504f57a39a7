"""The ways of a mail out of Pyruse: the machine's sendmail, or a mail server."""

from __future__ import annotations

import os
import re
import shutil
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail import openpgp
from pyruse.delivery.mail.address import recipients
from pyruse.delivery.mail.password import password_of
from pyruse.delivery.mail.refusals import MailError, Refusal, TooLargeError
from pyruse.system.privileges import no_new_privileges
from pyruse.system.programs import Finished, run_program
from pyruse.text import one_line

if TYPE_CHECKING:
    from email.message import EmailMessage

_PERMANENT_STATUS = (65, 67, 68)
"""Exit codes of sendmail (sysexits.h) that another attempt will not change: EX_DATAERR, EX_NOUSER,
EX_NOHOST. All others may be the machine's trouble and not this mail's."""

_TOO_LARGE = re.compile("too (big|large)|size (limit|exceeds)|exceeds .{0,40}size|5.3.4", re.I)
"""What programs say of a mail that is too large; no exit code means that alone."""

_READS_RECIPIENTS = re.compile(r"-i*ti*|--read-recipients")
"""The option of sendmail(8) to read the recipients from the headers, maybe together with `-i`."""


def send(message: EmailMessage, settings: EmailSettings) -> list[Refusal]:
    """Hand a mail over to the mail server of ``[email] smtp``, or else to sendmail.

    :return: the recipients that did not get it, while others did.
    :raises MailError: nobody got it.
    """
    if settings.smtp is None:
        _hand_to_sendmail(message, settings)
        return []
    from pyruse.delivery.mail.smtp import hand_to_server

    return hand_to_server(message, settings, settings.smtp)


def _hand_to_sendmail(message: EmailMessage, settings: EmailSettings) -> None:
    argv = list(settings.sendmail)
    if not any(_READS_RECIPIENTS.fullmatch(argument) for argument in argv[1:]):
        argv += _as_arguments(recipients(message))
    # Programs on this machine get the line ends of this machine.
    data = message.as_bytes(policy=message.policy.clone(linesep="\n"))
    done = _run_sendmail(argv, settings, data)
    if done.fault is not None and _TOO_LARGE.search(done.fault):
        raise TooLargeError(f'[email] sendmail: "{argv[0]}" {done.fault}', len(data))
    if done.fault is not None:
        raise MailError(
            f'[email] sendmail: "{argv[0]}" {done.fault}',
            permanent=done.status in _PERMANENT_STATUS,
        )


def _run_sendmail(argv: list[str], settings: EmailSettings, data: bytes) -> Finished:
    expected = "(expected a program such as /usr/sbin/sendmail; or set [email] smtp)"
    if not settings.sendmail:
        raise MailError(f"[email] sendmail: no program is named {expected}", whole_way=True)
    try:
        return run_program(argv, stdin=data, timeout=settings.timeout.total_seconds())
    except FileNotFoundError:
        text = f'[email] sendmail: "{argv[0]}" is not there {expected}'
    except (OSError, ValueError) as fault:
        text = f'[email] sendmail: "{argv[0]}" cannot be run: {fault} {expected}'
    raise MailError(text, whole_way=True)


def _as_arguments(addresses: list[str]) -> list[str]:
    for address in addresses:
        if address.startswith("-"):
            raise MailError(
                f'[email] sendmail: the recipient "{address}" looks like an option '
                '(expected "-t" among the arguments of sendmail, to have it read from the headers)',
                permanent=True,
            )
    return addresses


def check(settings: EmailSettings) -> list[str]:
    """What would keep mails from being sent, as far as Pyruse can see without sending one."""
    warnings = []
    if not settings.to:
        warnings.append(
            '[email] to: nobody gets the mails (expected to = ["hostmaster@example.org"])'
        )
    way = _check_sendmail if settings.smtp is None else _check_smtp
    return warnings + way(settings) + openpgp.check(settings)


def _check_sendmail(settings: EmailSettings) -> list[str]:
    warnings = []
    expected = "(expected a program such as /usr/sbin/sendmail; or set [email] smtp)"
    if not settings.sendmail:
        warnings.append(f"[email] sendmail: no program is named {expected}")
    elif (found := shutil.which(program := settings.sendmail[0])) is None:
        fault = "cannot be executed" if Path(program).exists() else "is not there"
        warnings.append(f'[email] sendmail: "{one_line(program)}" {fault} {expected}')
    elif no_new_privileges() and _needs_privileges(Path(found)):
        warnings.append(
            f'[email] sendmail: "{one_line(program)}" needs rights that this service must not get '
            '(expected smtp = "smtp://localhost" in [email], or the drop-in sendmail.conf that '
            "comes with pyruse.service)"
        )
    if settings.password_file:
        warnings.append("[email] password_file: without smtp, it is not used (expected none)")
    return warnings


def _needs_privileges(sendmail: Path) -> bool:
    """Whether it is set-user-ID or set-group-ID; with Postfix, what it hands over to is."""
    program = sendmail.resolve()
    for file in (program, program.with_name("postdrop")):
        with suppress(OSError):
            if file.stat().st_mode & (stat.S_ISUID | stat.S_ISGID):
                return True
    return False


def _check_smtp(settings: EmailSettings) -> list[str]:
    url = settings.smtp
    assert url is not None
    warnings = []
    if url.user is None and settings.password_file:
        warnings.append(
            "[email] password_file: not used, as smtp names no user "
            f'(expected "…://USER@{url.host}:{url.port}")'
        )
    if url.user is not None:
        if url.security == "none" and url.host not in ("localhost", "127.0.0.1", "::1"):
            warnings.append(
                f'[email] smtp: the password of "{url.user}" travels in clear text '
                f'(expected "smtp+starttls://…" or "smtps://…")'
            )
        try:
            password_of(url.user, settings)
        except MailError as fault:
            warnings.append(str(fault))
    if settings.ca_file and not os.access(settings.ca_file, os.R_OK):
        warnings.append(f"[email] ca_file: {settings.ca_file} cannot be read (expected a PEM file)")
    return warnings
