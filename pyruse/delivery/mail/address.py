"""Addresses of mail in the form that headers and mail servers take."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pyruse.options.mail_address import MailAddress
from pyruse.text import late_pattern, printable, shown

if TYPE_CHECKING:
    from email.headerregistry import Address  # it takes its time, and only a mail needs it
    from email.message import EmailMessage

_NO_HOST_NAME = late_pattern(r"[^A-Za-z0-9.-]+")
_LONGEST_HOST_NAME = 253  # RFC 1035 §2.3.4, without the length bytes


def host_name(host: str) -> str:
    """A host's name as addresses and Message-IDs may have it; ``localhost`` without any."""
    return _NO_HOST_NAME.sub("-", host)[:_LONGEST_HOST_NAME].strip("-.") or "localhost"


_MAIL_NAME = Path("/etc/mailname")
"""The domain of this machine's mail, on Debian and its kin: Policy §11.6."""


def mail_name(host: str) -> str:
    """The domain of the mail that this machine sends: what mail servers here use, too.

    :param host: the name of the machine, where nothing else is said.
    """
    try:
        name = _MAIL_NAME.read_text("ascii", "replace").partition("\n")[0].strip()
    except OSError:
        return host
    return name if name and host_name(name) == name else host


def address(text: str, host: str | None = None) -> Address:
    """An address of mail.

    A domain outside ASCII is written in its ASCII form (IDNA, RFC 3490).

    :param text: ``name@example.org``, or a local user such as ``root``.
    :param host: completes a local user; by default, it stays as it is.
    :raises ValueError: it is no such address.
    """
    from email.headerregistry import Address

    MailAddress.parse(text)
    # Python's email package would decode "=?…?=" in any header (RFC 2047), whatever is in it.
    if printable(text) != text or "=?" in text:
        raise ValueError(f"{shown(text)} is no mail address (expected plain characters only)")
    user, _, domain = text.partition("@")
    return Address(username=user, domain=_ascii(domain) or host or "")


def _ascii(domain: str) -> str:
    if domain.isascii():
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError as fault:
        raise ValueError(
            f"{shown(domain)} is no domain: {fault} (expected a name such as example.org)"
        ) from None


def recipients(message: EmailMessage) -> list[str]:
    """The addresses of its header To."""
    return [address.addr_spec for address in message["To"].addresses]
