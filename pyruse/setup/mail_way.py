"""Which way mails can leave this machine."""

from __future__ import annotations

import shutil
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyruse.config.settings import SENDMAIL, EmailSettings, SmtpUrl
from pyruse.delivery.mail.rights import file_that_needs_rights, what_it_is
from pyruse.system.programs import run_program
from pyruse.system.sandbox import SMTP_PORT, listens

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/lib"
_TIMEOUT = 5.0  # seconds
_CONFIGURATION_ERROR = 78  # EX_CONFIG of sysexits.h
_ALIASES = Path("/etc/aliases")

_NOBODY = "no mail server listens"
_NO_MAIL = (
    "No mail can leave this machine: no mail server listens, and no program sendmail works. Each "
    "day's report is kept, and `pyruse report` shows it. To get it by mail, install a mail server "
    "(apt install postfix), or name the one of your provider{rest}, and try it: pyruse test-mail"
)


@dataclass(frozen=True)
class MailWay:
    """A way by which mails can leave."""

    smtp: str | None = None
    """The URL of a mail server that takes mails for those who get them."""
    sendmail: str | None = None
    """Else, the program that takes mails."""
    why: str = ""
    """What else is to be said of it."""

    @property
    def is_there(self) -> bool:
        """Whether there is one at all."""
        return bool(self.smtp or self.sendmail)


def find(to: Sequence[str], sender: str) -> MailWay:
    """Look which way mails can leave; none is sent.

    :param to: who gets them.
    :param sender: who they are from.
    """
    refusal = _asked(to, sender) if listens(SMTP_PORT) else _NOBODY
    if not refusal:
        return MailWay(smtp="smtp://localhost")
    program = shutil.which("sendmail", path=_PATH)
    if program is None:
        return MailWay(why="" if refusal == _NOBODY else refusal)
    if not _is_configured(Path(program)):
        return MailWay(why=f"{program} has no configuration (expected /etc/msmtprc)")
    return MailWay(sendmail=program, why=refusal)


def _asked(to: Sequence[str], sender: str) -> str:
    """Why the mail server of this machine takes no mail; empty: it does. It is sent none."""
    import smtplib

    from pyruse.delivery.mail.connection import Connection
    from pyruse.delivery.mail.smtp import name_recipient, names_of_user

    host = sender.rpartition("@")[2]
    names = [[one] if "@" in one else names_of_user(one, host) for one in to]
    try:
        with Connection("localhost", SMTP_PORT, timeout=_TIMEOUT) as connection:
            connection.ehlo_or_helo_if_needed()
            replies = [connection.mail(sender), *(name_recipient(connection, one) for one in names)]
            connection.rset()
    except (OSError, smtplib.SMTPException) as fault:
        return f"localhost takes no mail: {fault}"
    for code, reply in replies:
        if code >= 500:
            return f"localhost takes no such mail: {code} {reply.decode(errors='replace')}"
    return ""


def _is_configured(sendmail: Path) -> bool:
    """msmtp does nothing without a configuration; others have one from their package."""
    program = sendmail.resolve()
    if program.name != "msmtp":
        return True
    try:
        shown = run_program([str(program), "--pretend", "root"], timeout=_TIMEOUT, stdin=b"")
    except OSError:
        return False
    return shown.status != _CONFIGURATION_ERROR


def needs_drop_in(email: EmailSettings) -> Path | None:
    """The program that needs rights which the service gets by the drop-in ``sendmail.conf`` only.

    None: mails leave without it.
    """
    if not email.to or email.smtp is not None or not email.sendmail:
        return None
    if email.sendmail == SENDMAIL and listens(SMTP_PORT):  # then the service goes there
        return None
    return file_that_needs_rights(Path(email.sendmail[0]))


def in_words(way: MailWay, to: Sequence[str]) -> str:
    """What `pyruse init` says of it."""
    if way.smtp is not None:
        return f"Mail to {', '.join(to)} goes to {way.smtp}"
    text = f"Mail to {', '.join(to)} goes to {way.sendmail}, for {way.why}"
    needs = file_that_needs_rights(Path(str(way.sendmail)))
    if needs is not None:
        text += (
            f"; {needs} is {what_it_is(needs)}, so the service needs the drop-in sendmail.conf, "
            "which `pyruse init --service` puts in place"
        )
    return text


def no_mail(file: Path, to: Sequence[str], why: str) -> str:
    """What `pyruse init` says where there is no way.

    :param file: the configuration.
    :param to: who was named to get mails; nobody may have been.
    :param why: what else is to be said of it.
    """
    rest = f" (`smtp` in [email] of {file})" if to else f"; then set `to` in [email] of {file}"
    return _NO_MAIL.format(rest=rest) + (f" ({why})" if why else "")


def doubt_of(url: SmtpUrl) -> str | None:
    """Why a mail server on another machine takes no mail now; None: it answers.

    Whether one of this machine listens, `pyruse check` sees without asking it.
    """
    if url.is_local:
        return None
    try:
        socket.create_connection((url.host, url.port), timeout=_TIMEOUT).close()
    except OSError as fault:
        return (
            f"{url}: does not answer: {fault.strerror or fault} (expected a mail server that does; "
            "pyruse test-mail tries it)"
        )
    except UnicodeError:  # a label that is empty, or too long
        return f"{url}: {url.host} is no name of a host (expected one such as mail.example.org)"
    return None


def about_local_users(to: Sequence[str]) -> str | None:
    """Where the mail of root ends up, where no alias says so."""
    if "root" not in to:
        return None
    try:
        lines = _ALIASES.read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    if any(line.partition(":")[0].strip().casefold() == "root" for line in lines):
        return None
    mend = f"a line such as `root: you@example.org` in {_ALIASES}, and then the command newaliases"
    if shutil.which("smtpctl", path=_PATH):
        return f"warning: OpenSMTPD delivers no mail to root (expected {mend}; or --to USER)"
    return (
        "The mail of root stays on this machine, in /var/mail (with Exim, in that of the user "
        f"mail). To read it elsewhere: {mend}"
    )
