"""A mail, handed over to a mail server (RFC 5321). Imported only when one is to be."""

from __future__ import annotations

import base64
import smtplib
import socket
import ssl
from contextlib import closing, suppress
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import cast

from pyruse.config.settings import EmailSettings, SmtpUrl
from pyruse.delivery.mail.address import recipients
from pyruse.delivery.mail.connection import Connection, NoReplyError, TlsConnection
from pyruse.delivery.mail.password import password_of
from pyruse.delivery.mail.refusals import MailError, Refusal, Taken, TooLargeError
from pyruse.text import late_pattern, one_line, shortened

_PERMANENT = 500  # replies from here on: RFC 5321 §4.2.1
_TOO_BIG = 552  # RFC 1870 §6.1
_ENDS = 421  # RFC 5321 §4.2.3
_STATUS = late_pattern(rb"[245]\.([0-9]{1,3}\.[0-9]{1,3})(?![0-9.])")  # RFC 3463 §2
_LONGEST_REPLY = 300


def hand_to_server(message: EmailMessage, settings: EmailSettings, url: SmtpUrl) -> Taken:
    """Hand a mail over to a mail server.

    A refusal is permanent only if it is about this very mail. If the server cannot be reached or
    trusted, or refuses the login or the sender, all mails wait until somebody mends that, and no
    mail is lost. (Postfix, too, defers mails in these cases.)

    The time limit holds for each whole answer of the server.

    :raises MailError: nobody got it.
    """
    connected = False
    try:
        with closing(_connect(settings, url)) as connection:
            connected = True
            return _hand_over(connection, message, url)
    except (smtplib.SMTPException, OSError, UnicodeError, MailError) as fault:
        error = fault if isinstance(fault, MailError) else _mail_error(fault, url, settings)
        error.whole_way |= not connected
        raise error from None


def _where(url: SmtpUrl) -> str:
    return f"[email] smtp: {url.host}:{url.port}"


def _connect(settings: EmailSettings, url: SmtpUrl) -> smtplib.SMTP:
    """A connection over which mails may go: encrypted and logged in as far as the URL says so."""
    timeout = settings.timeout.total_seconds()
    name = socket.gethostname()
    # RFC 5321 §4.1.1.1 wants a full name or an address; smtplib looks for one, where ours is short.
    own_name = name if "." in name else None
    if url.security == "tls":
        tls = _tls(settings)
        connection: smtplib.SMTP = TlsConnection(
            url.host, url.port, own_name, timeout=timeout, context=tls
        )
    else:
        connection = Connection(url.host, url.port, own_name, timeout=timeout)
    try:
        connection.ehlo_or_helo_if_needed()
        if url.security == "starttls":
            _encrypt(connection, url, settings)
        if url.user is not None:
            _log_in(connection, url, settings)
    except BaseException:
        connection.close()
        raise
    return connection


def _encrypt(connection: smtplib.SMTP, url: SmtpUrl, settings: EmailSettings) -> None:
    if not connection.has_extn("starttls"):
        raise MailError(
            f"{_where(url)} offers no STARTTLS (expected it, as nothing is sent in clear text; "
            'for a server that never encrypts: "smtp://…")'
        )
    connection.starttls(context=_tls(settings))
    connection.ehlo_or_helo_if_needed()


def _tls(settings: EmailSettings) -> ssl.SSLContext:
    """Certificates are always verified: by the machine's authorities, or by ``[email] ca_file``."""
    try:
        return ssl.create_default_context(cafile=settings.ca_file)
    except (OSError, ValueError) as fault:  # ssl.SSLError is an OSError
        raise MailError(
            f"[email] ca_file: {settings.ca_file} cannot be used: {fault} "
            "(expected the certificates of authorities, in PEM)"
        ) from None


def _log_in(connection: smtplib.SMTP, url: SmtpUrl, settings: EmailSettings) -> None:
    user = url.user or ""
    password = password_of(user, settings)
    if not connection.esmtp_features.get("auth", "").strip():
        raise MailError(
            f'{_where(url)} offers no login (expected it, for "{user}"; without: "…://{url.host}")'
        )
    if user.isascii() and password.isascii():
        connection.login(user, password)
        return
    # smtplib knows ASCII only; RFC 4616 (PLAIN) takes UTF-8.
    token = base64.b64encode(f"\0{user}\0{password}".encode()).decode("ascii")
    code, reply = connection.docmd("AUTH", f"PLAIN {token}")
    if not _is_done(code):
        raise smtplib.SMTPAuthenticationError(code, reply)


def _hand_over(connection: smtplib.SMTP, message: EmailMessage, url: SmtpUrl) -> Taken:
    policy = cast(EmailPolicy, message.policy)
    refusals = []
    if policy.utf8 and not connection.has_extn("smtputf8"):  # RFC 6531
        refusals = _leave_out_utf8(message, _where(url))
    utf8 = policy.utf8 and not refusals
    sender = message["From"].addresses[0].addr_spec
    data = message.as_bytes(policy=policy.clone(linesep="\r\n", utf8=utf8))
    limit = connection.esmtp_features.get("size", "")  # RFC 1870; 0: it has none
    if limit.isdecimal() and 0 < int(limit) < len(data):
        raise TooLargeError(
            f"{_where(url)} takes mails of {int(limit):,} bytes at most", len(data), int(limit)
        )
    # The body needs 7 bits only; with headers in UTF-8 the mail as a whole needs 8 (RFC 6152).
    options = ["SMTPUTF8", "BODY=8BITMIME"] if utf8 else []
    options += [f"SIZE={len(data)}"] if connection.has_extn("size") else []
    try:
        to = [(one, _names(one, message, url)) for one in recipients(message)]
        answer, refused = _say(connection, sender, to, data, options)
    except (smtplib.SMTPSenderRefused, smtplib.SMTPDataError) as fault:
        if _is_about_size(fault.smtp_code, fault.smtp_error):
            reply = _shown(fault.smtp_code, fault.smtp_error)
            raise TooLargeError(f"{_where(url)} refuses the mail: {reply}", len(data)) from None
        raise
    except smtplib.SMTPRecipientsRefused as fault:
        replies = fault.recipients.values()
        large = [reply for reply in replies if _is_about_size(*reply)]
        # Who may take it later as it is gets it as it is: they are parted then.
        if large and all(_is_permanent(*reply) for reply in replies):
            reply = _shown(*large[0])
            raise TooLargeError(f"{_where(url)} refuses the mail: {reply}", len(data)) from None
        raise
    with suppress(smtplib.SMTPException, OSError):  # the mail is accepted, come what may
        connection.quit()
    for address, said in refused:
        refusal = _refusal(address, *said)
        if _is_about_size(*said):  # sent to them alone, it is shortened
            refusal = refusal._replace(permanent=False)
        refusals.append(refusal)
    return Taken(answer, refusals)


def _names(address: str, message: EmailMessage, url: SmtpUrl) -> list[str]:
    """How a recipient may be named to the server, whichever name it takes."""
    user, _, domain = address.partition("@")
    name = str(message["Message-ID"]).rpartition("@")[2].rstrip("> ")
    return names_of_user(user, domain) if url.is_local and domain == name else [address]


def names_of_user(user: str, host: str) -> list[str]:
    """How a user of this machine may be named to its mail server.

    Postfix knows best itself where the mail of a bare "root" goes, Exim wants a domain, and not
    every server takes "localhost" for one of its own.

    :param user: such as ``root``.
    :param host: the name of this machine.
    """
    return [user, f"{user}@localhost", f"{user}@{host}"]


def _say(
    connection: smtplib.SMTP,
    sender: str,
    to: list[tuple[str, list[str]]],
    data: bytes,
    options: list[str],
) -> tuple[str, list[tuple[str, tuple[int, bytes]]]]:
    """Hand over one mail in the words of RFC 5321 §3.3.

    :param to: each recipient, and how it may be named.
    :return: the server's answer, and those of the recipients that it refused, each with the reply.
    :raises smtplib.SMTPResponseException: it did not take the mail.
    :raises smtplib.SMTPRecipientsRefused: it refused all the recipients.
    """
    code, reply = connection.mail(sender, options)
    if not _is_done(code):
        raise smtplib.SMTPSenderRefused(code, reply, sender)
    refused = []
    for address, names in to:
        code, reply = name_recipient(connection, names)
        if code == _ENDS:  # it closes the connection, and says why
            raise smtplib.SMTPRecipientsRefused({address: (code, reply)})
        if not _is_done(code):
            refused.append((address, (code, reply)))
    if len(refused) == len(to):
        raise smtplib.SMTPRecipientsRefused(dict(refused))
    code, reply = connection.data(data)
    if not _is_done(code):
        raise smtplib.SMTPDataError(code, reply)
    return _shown(code, reply), refused


def name_recipient(connection: smtplib.SMTP, names: list[str]) -> tuple[int, bytes]:
    """Name a recipient to the server, by the first name that it does not refuse for good."""
    for name in names:
        code, reply = connection.rcpt(name)
        if code < _PERMANENT:
            break
    return code, reply


def _leave_out_utf8(message: EmailMessage, where: str) -> list[Refusal]:
    """Write to those recipients only that every server takes."""
    reason = f"{where} takes no addresses outside ASCII (SMTPUTF8)"
    to = message["To"].addresses
    plain = [address for address in to if address.addr_spec.isascii()]
    if not plain or not message["From"].addresses[0].addr_spec.isascii():
        raise MailError(
            f"{reason} (expected others in [email] from and to, or a server that offers SMTPUTF8)",
            permanent=True,
        )
    message.replace_header("To", plain)
    return [Refusal(one.addr_spec, reason, True) for one in to if one not in plain]


def _is_done(code: int) -> bool:
    """Whether a code means yes; one that nobody knows goes by its first digit: RFC 5321 §4.2.1."""
    return code // 100 == 2


def _is_about_size(code: int, reply: bytes | str) -> bool:
    """Whether the mail is too large: RFC 1870 §6.1, or X.3.4 and X.2.3 of RFC 3463 §3.

    A mailbox that is full has the same code, 552, and X.2.2; no mail is small enough for it.
    """
    if code < _PERMANENT:
        return False
    status = _status(reply)
    return status in (b"3.4", b"2.3") or (code == _TOO_BIG and status is None)


def _status(reply: bytes | str) -> bytes | None:
    """The subject and the detail of an enhanced status (RFC 3463): ``2.2`` of ``552 5.2.2``."""
    found = _STATUS.match(_bytes(reply))
    return None if found is None else found[1]


def _is_permanent(code: int, reply: bytes | str) -> bool:
    """Whether another attempt will end in the same way. A full mailbox may have room tomorrow."""
    return code >= _PERMANENT and _status(reply) != b"2.2"


def _bytes(reply: bytes | str) -> bytes:
    return reply.encode(errors="replace") if isinstance(reply, str) else reply


def _refusal(address: str, code: int, reply: bytes) -> Refusal:
    return Refusal(address, _shown(code, reply), _is_permanent(code, reply))


def _shown(code: int, reply: bytes | str) -> str:
    text = reply if isinstance(reply, str) else reply.decode(errors="replace")
    return shortened(one_line(f"{code} {text}"), _LONGEST_REPLY)


def _mail_error(fault: Exception, url: SmtpUrl, settings: EmailSettings) -> MailError:
    """What smtplib raised, said in one line."""
    where = _where(url)
    if isinstance(fault, smtplib.SMTPRecipientsRefused):
        refused = [_refusal(address, *reply) for address, reply in fault.recipients.items()]
        return MailError(
            f"{where} refuses {', '.join(map(str, refused))}",
            permanent=all(one.permanent for one in refused),
            of_the_server=True,
        )
    if isinstance(fault, NoReplyError):
        return MailError(f"{where} {fault} (expected a mail server)")
    if isinstance(fault, smtplib.SMTPResponseException):
        return _from_reply(fault, url, settings)
    if isinstance(fault, ssl.SSLCertVerificationError):
        return MailError(
            f"{where} shows a certificate that is not trusted: {fault.verify_message} (expected "
            "one of a known authority, or its authority's certificate in [email] ca_file)"
        )
    if isinstance(fault, TimeoutError) or isinstance(fault.__context__, TimeoutError):
        seconds = settings.timeout.total_seconds()
        return MailError(f"{where} does not answer within {seconds:g} s (expected a mail server)")
    text = fault.strerror if isinstance(fault, OSError) and fault.strerror else str(fault)
    return MailError(f"{where} cannot be used: {one_line(text)} (expected a mail server there)")


def _from_reply(
    fault: smtplib.SMTPResponseException, url: SmtpUrl, settings: EmailSettings
) -> MailError:
    where, reply = _where(url), _shown(fault.smtp_code, fault.smtp_error)
    if isinstance(fault, smtplib.SMTPAuthenticationError):
        return MailError(
            f'{where} refuses the login of "{url.user}": {reply} '
            f"(expected the password in {settings.password_file})"
        )
    if isinstance(fault, smtplib.SMTPSenderRefused):
        return MailError(
            f'{where} refuses the sender "{fault.sender}": {reply} (expected from = "…" in [email] '
            "that the server takes)",
            whole_way=True,
        )
    if isinstance(fault, smtplib.SMTPDataError):
        text = f"{where} refuses the mail: {reply}"
        permanent = _is_permanent(fault.smtp_code, fault.smtp_error)
        return MailError(text, permanent=permanent, of_the_server=True)
    return MailError(f"{where} answers {reply} (expected a server that takes our mail)")
