"""The ways of a mail out of Pyruse: the machine's sendmail, or a mail server."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pyruse.config.settings import SENDMAIL, EmailSettings, SmtpUrl
from pyruse.delivery.mail.address import recipients
from pyruse.delivery.mail.password import password_of
from pyruse.delivery.mail.refusals import MailError, Taken, TooLargeError
from pyruse.delivery.mail.rights import file_that_needs_rights, what_it_is
from pyruse.system.privileges import no_new_privileges
from pyruse.system.sandbox import UNIT
from pyruse.text import late_pattern, one_line

if TYPE_CHECKING:
    from email.message import EmailMessage

    from pyruse.system.programs import Finished

_PERMANENT_STATUS = (65, 67, 68)
"""Exit codes of sendmail (sysexits.h) that another attempt will not change: EX_DATAERR, EX_NOUSER,
EX_NOHOST. All others may be the machine's trouble and not this mail's."""

_TOO_LARGE = late_pattern("too (big|large)|size (limit|exceeds)|exceeds .{0,40}size|5.3.4", re.I)
"""What programs say of a mail that is too large; no exit code means that alone."""

_LOCALHOST = SmtpUrl.parse("smtp://localhost")


def _is_assumed(port: int) -> bool:
    return True


_READS_RECIPIENTS = late_pattern(r"-i*ti*|--read-recipients")
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
            text = f"{fault}; and {_kept_away(SENDMAIL[0], needs)} {_remedy(listening=False)}"
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
    from pyruse.system.programs import run_program

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


def by_what_works(
    settings: EmailSettings, sandboxed: Callable[[], bool] = no_new_privileges
) -> EmailSettings:
    """The settings by which mails leave.

    Where nothing is named, they are given to the machine's sendmail. Where the sandbox of the
    service keeps that from its rights, the mail server of this machine gets them: it is the same
    one, if it listens.
    """
    is_default = settings.smtp is None and settings.sendmail == SENDMAIL
    if is_default and file_that_needs_rights(Path(SENDMAIL[0])) and sandboxed():
        return replace(settings, smtp=_LOCALHOST)
    return settings


def way(settings: EmailSettings, sandboxed: Callable[[], bool] = no_new_privileges) -> str:
    """The way of the mails, in words: ``smtp://localhost``, or the program sendmail."""
    url = by_what_works(settings, sandboxed).smtp
    if url is None:
        return settings.sendmail[0] if settings.sendmail else "no program"
    return str(url)


def check(
    settings: EmailSettings,
    *,
    sandboxed: Callable[[], bool] = no_new_privileges,
    listens: Callable[[int], bool] = _is_assumed,
    archived: bool = False,
) -> list[str]:
    """What would keep mails from being sent, as far as Pyruse can see without sending one.

    :param settings: the section ``[email]``.
    :param sandboxed: gives whether programs get no more rights, where mails are sent; by default,
        in this process.
    :param listens: gives whether a server listens at a TCP port of this machine; by default, it is
        taken for granted: at a start of the machine, it may be about to.
    :param archived: each report is kept as files: who names nobody wants no mail.
    """
    warnings: list[str] = []
    if archived and not settings.to:
        return warnings
    if not settings.to:
        warnings.append(
            '[email] to: nobody gets the mails (expected to = ["hostmaster@example.org"])'
        )
    warnings += obstacles(settings, sandboxed=sandboxed, listens=listens)
    from pyruse.delivery.mail import openpgp

    return warnings + _doubts(settings) + openpgp.check(settings)


def obstacles(
    settings: EmailSettings, *, sandboxed: Callable[[], bool], listens: Callable[[int], bool]
) -> list[str]:
    """What keeps each mail from leaving; the parameters are those of `check`."""
    if settings.smtp is not None:
        return _obstacles_of_smtp(settings, settings.smtp, listens)
    expected = "(expected a program such as /usr/sbin/sendmail; or set [email] smtp)"
    if not settings.sendmail:
        return [f"[email] sendmail: no program is named {expected}"]
    program = settings.sendmail[0]
    import shutil  # with four modules of compression

    found = shutil.which(program)
    if found is None:
        fault = "cannot be executed" if Path(program).exists() else "is not there"
        return [f'[email] sendmail: "{one_line(program)}" {fault} {expected}']
    needs = file_that_needs_rights(Path(found))
    listening = needs is not None and listens(_LOCALHOST.port)
    if needs is None or (listening and settings.sendmail == SENDMAIL) or not sandboxed():
        return []
    kept = f"{_kept_away(program, needs)} {_remedy(listening)}"
    if settings.sendmail == SENDMAIL:  # the server of this machine gets them, where it runs
        where = f"{_LOCALHOST.host}:{_LOCALHOST.port}"
        return [
            f"[email] smtp: {where}: no mail server listens (expected one that runs); and {kept}"
        ]
    return [kept]


def _obstacles_of_smtp(
    settings: EmailSettings, url: SmtpUrl, listens: Callable[[int], bool]
) -> list[str]:
    faults = []
    if url.is_local and not listens(url.port):
        faults.append(
            f"[email] smtp: no mail server listens at {url.host}:{url.port} (expected one that "
            "runs; without smtp, mail goes to the program sendmail)"
        )
    if url.user is not None:
        try:
            password_of(url.user, settings)
        except MailError as fault:
            faults.append(str(fault))
    if settings.ca_file and not os.access(settings.ca_file, os.R_OK):
        faults.append(f"[email] ca_file: {settings.ca_file} cannot be read (expected a PEM file)")
    return faults


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


def _doubts(settings: EmailSettings) -> list[str]:
    """What is most likely not meant, and keeps no mail from leaving."""
    url = settings.smtp
    doubts = [
        f'[email] {key}: "{one}" is outside ASCII, and not every mail server takes that (expected '
        "one that does: pyruse test-mail tells)"
        for key, one in (("from", settings.sender), *(("to", one) for one in settings.to))
        if not one.partition("@")[0].isascii()
    ]
    if url is None:
        unused = "[email] password_file: without smtp, it is not used (expected none)"
        return [*doubts, *([unused] if settings.password_file else [])]
    if url.user is None and settings.password_file:
        doubts.append(
            "[email] password_file: not used, as smtp names no user "
            f'(expected "…://USER@{url.host}:{url.port}")'
        )
    if not url.is_local:
        doubts += _doubts_elsewhere(settings, url)
    return doubts


def _doubts_elsewhere(settings: EmailSettings, url: SmtpUrl) -> Iterator[str]:
    """Of a mail server on another machine."""
    if url.user is not None and url.security == "none":
        yield (
            f'[email] smtp: the password of "{url.user}" travels in clear text '
            f'(expected "smtp+starttls://…" or "smtps://…")'
        )
    for user in settings.to:
        if "@" not in user:
            yield (
                f'[email] to: "{user}" is a user of this machine, whom {url.host} does not know '
                "(expected an address, such as you@example.org)"
            )
