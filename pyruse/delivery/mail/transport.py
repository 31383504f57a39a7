"""The ways of a mail out of Pyruse: the machine's sendmail, or a mail server."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyruse.config.settings import SENDMAIL, EmailSettings, SmtpUrl
from pyruse.delivery.mail import openpgp
from pyruse.delivery.mail.address import recipients
from pyruse.delivery.mail.password import password_of
from pyruse.delivery.mail.refusals import MailError, Taken, TooLargeError
from pyruse.delivery.mail.rights import file_that_needs_rights, what_it_is
from pyruse.system.privileges import no_new_privileges
from pyruse.system.programs import Finished, run_program
from pyruse.system.sandbox import UNIT
from pyruse.text import one_line

if TYPE_CHECKING:
    from email.message import EmailMessage

_PERMANENT_STATUS = (65, 67, 68)
"""Exit codes of sendmail (sysexits.h) that another attempt will not change: EX_DATAERR, EX_NOUSER,
EX_NOHOST. All others may be the machine's trouble and not this mail's."""

_TOO_LARGE = re.compile("too (big|large)|size (limit|exceeds)|exceeds .{0,40}size|5.3.4", re.I)
"""What programs say of a mail that is too large; no exit code means that alone."""

_LOCALHOST = SmtpUrl.parse("smtp://localhost")

_READS_RECIPIENTS = re.compile(r"-i*ti*|--read-recipients")
"""The option of sendmail(8) to read the recipients from the headers, maybe together with `-i`."""


def send(message: EmailMessage, settings: EmailSettings) -> Taken:
    """Hand a mail over to the mail server of ``[email] smtp``, or else to sendmail.

    :raises MailError: nobody got it.
    """
    if settings.smtp is None:
        _hand_to_sendmail(message, settings)
        return Taken(f"{settings.sendmail[0]} took it (exit code 0)")
    from pyruse.delivery.mail.smtp import hand_to_server

    try:
        return hand_to_server(message, settings, settings.smtp)
    except MailError as fault:
        if settings.smtp is _LOCALHOST and fault.whole_way:
            needs = file_that_needs_rights(Path(SENDMAIL[0])) or Path(SENDMAIL[0])
            text = f"{_kept_away(SENDMAIL[0], needs)}; and {fault} {_remedy(listening=False)}"
            raise MailError(text, whole_way=True) from None
        raise


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
            of_the_server=True,
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


def by_what_works(settings: EmailSettings) -> EmailSettings:
    """The settings by which mails leave.

    Where nothing is named, they are given to the machine's sendmail. Where the sandbox of the
    service keeps that from its rights, the mail server of this machine gets them: it is the same
    one, if it listens.
    """
    is_default = settings.smtp is None and settings.sendmail == SENDMAIL
    if is_default and no_new_privileges() and file_that_needs_rights(Path(SENDMAIL[0])):
        return replace(settings, smtp=_LOCALHOST)
    return settings


def check(
    settings: EmailSettings, *, sandboxed: bool | None = None, listening: bool = True
) -> list[str]:
    """What would keep mails from being sent, as far as Pyruse can see without sending one.

    :param settings: the section ``[email]``.
    :param sandboxed: whether programs get no more rights, where mails are sent; by default, as in
        this process.
    :param listening: whether a mail server listens on this machine.
    """
    warnings = []
    if not settings.to:
        warnings.append(
            '[email] to: nobody gets the mails (expected to = ["hostmaster@example.org"])'
        )
    if settings.smtp is None:
        sandboxed = no_new_privileges() if sandboxed is None else sandboxed
        warnings += _check_sendmail(settings, sandboxed, listening)
    else:
        warnings += _check_smtp(settings)
    return warnings + openpgp.check(settings)


def _check_sendmail(settings: EmailSettings, sandboxed: bool, listening: bool) -> list[str]:
    warnings = []
    expected = "(expected a program such as /usr/sbin/sendmail; or set [email] smtp)"
    if not settings.sendmail:
        warnings.append(f"[email] sendmail: no program is named {expected}")
    elif (found := shutil.which(program := settings.sendmail[0])) is None:
        fault = "cannot be executed" if Path(program).exists() else "is not there"
        warnings.append(f'[email] sendmail: "{one_line(program)}" {fault} {expected}')
    elif sandboxed and not (listening and settings.sendmail == SENDMAIL):
        needs = file_that_needs_rights(Path(found))
        warnings += [] if needs is None else [f"{_kept_away(program, needs)} {_remedy(listening)}"]
    if settings.password_file:
        warnings.append("[email] password_file: without smtp, it is not used (expected none)")
    return warnings


def _kept_away(program: str, needs: Path) -> str:
    return (
        f'[email] sendmail: "{one_line(program)}" cannot work in the service: {needs} is '
        f"{what_it_is(needs)}, and the sandbox gives no program such rights"
    )


def _remedy(listening: bool) -> str:
    drop_in = (
        f"pyruse init --service, which puts /etc/systemd/system/{UNIT}.d/sendmail.conf in place"
    )
    if listening:
        return f'(expected smtp = "smtp://localhost" in [email]; or {drop_in})'
    return f"(expected {drop_in}; or smtp in [email], such as that of your mail provider)"


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
        if url.security == "none" and not url.is_local:
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
