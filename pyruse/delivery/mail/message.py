"""A mail as it travels, made from an item of the outbox (RFC 5322)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.address import address, host_name
from pyruse.delivery.mail.texts import cleaned, header_of, subject_of, text_of
from pyruse.state.outbox_item import OutboxItem
from pyruse.text import one_line
from pyruse.times import datetime_of

_POLICY = SMTP.clone(cte_type="7bit")
"""Bodies are encoded for 7-bit ways (RFC 2045 §2.7): no server then has to re-encode them, and no
line is ever too long (RFC 5321 §4.5.3.1.6: 998 bytes)."""

_BASE64 = 4 / 3 * 78 / 76
"""How much longer a text is in base64, with its line ends (RFC 2045 §6.8)."""


def compose(
    item: OutboxItem, settings: EmailSettings, host: str, largest: int | None = None
) -> EmailMessage:
    """The mail of an item of the kind ``mail``.

    :param item: its payload has ``subject``, ``to`` (addresses, or local users), ``parts`` (texts),
        ``count`` (above 1: gathered repeats, not all of them in ``parts``), ``html`` and maybe
        ``attachments`` (of each: name, content type, text) and ``headers``.
    :param settings: who it is from; and whether a mail server gets it, which knows no local users.
    :param host: this machine's name: completes local users, makes the Message-ID unique.
    :param largest: so many bytes the mail may have. Its HTML is left out first, then what is
        attached, then the end of its text; it says so.
    :raises ValueError: it has no recipients, or an address is none.
    """
    message = _composed(item, settings, host, item.payload)
    if largest is None:
        return message
    lost: list[str] = []
    payload = dict(item.payload)
    if payload["html"] is not None and payload["count"] == 1 and _size(message) > largest:
        payload["html"] = None
        lost.append("the same in HTML")
        message = _composed(item, settings, host, _noted(payload, lost))
    if payload.get("attachments") and _size(message) > largest:
        lost += [one_line(name) for name, _, _ in payload["attachments"]]
        payload["attachments"] = []
        message = _composed(item, settings, host, _noted(payload, lost))
    text = text_of(payload)
    kept = len(text)
    while (size := _size(message)) > largest and kept:
        kept = min(kept - 1, int(0.95 * kept * largest / size))
        head = text[:kept].rpartition("\n")[0] or text[:kept]
        rest = text[len(head) :].strip("\n")
        left_out = f"{rest.count(chr(10)) + 1:,} more lines"
        cut = {**payload, "parts": [head], "count": 1}
        message = _composed(item, settings, host, _noted(cut, [*lost, left_out]))
        message.replace_header("Subject", subject_of(payload))
    return message


def _size(message: EmailMessage) -> int:
    """In bytes, as it travels."""
    return len(message.as_bytes(policy=message.policy.clone(linesep="\r\n")))


def _noted(payload: Mapping[str, Any], lost: list[str]) -> dict[str, Any]:
    """The payload, with a last line that tells what is left out."""
    note = f"[Left out, for this mail would be too large: {', '.join(lost)}]"
    return {**payload, "parts": [f"{text_of(payload)}\n\n{note}\n"], "count": 1}


def _composed(
    item: OutboxItem, settings: EmailSettings, host: str, payload: Mapping[str, Any]
) -> EmailMessage:
    name = host_name(host)
    sender = address(settings.sender, name)
    # sendmail finds out by the machine's aliases who gets the mail of "root"; for a mail server,
    # root is a user of this machine (and Exim takes no header without a domain).
    to = [address(one, name if settings.smtp else None) for one in dict.fromkeys(payload["to"])]
    if not to:
        raise ValueError('nobody to send it to (expected [email] to = ["hostmaster@example.org"])')
    # Headers in UTF-8 are for those mails alone that cannot do without (RFC 6532).
    message = EmailMessage(policy=_POLICY.clone(utf8=not _is_ascii([sender, *to])))
    message["From"] = sender
    message["To"] = to
    message["Subject"] = subject_of(payload)
    message["Date"] = datetime_of(item.created, UTC)
    message["Message-ID"] = f"<{item.id}@{name}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no holiday notice answers it
    for header, value in payload.get("headers", {}).items():
        message[header] = header_of(value)
    _set_body(message, payload)
    return message


def _is_ascii(addresses: list[Address]) -> bool:
    return all(one.addr_spec.isascii() for one in addresses)


def _set_body(message: EmailMessage, payload: Mapping[str, Any]) -> None:
    text = text_of(payload)
    message.set_content(text, cte=_encoding(text))
    # The HTML is that of the first one alone: of gathered repeats it would tell less than the text.
    if payload["html"] is not None and payload["count"] == 1:
        html = cleaned(payload["html"])
        message.add_alternative(html, subtype="html", cte=_encoding(html))
    for name, kind, text in payload.get("attachments", []):  # an outbox may be older than they are
        main, _, sub = kind.partition("/")
        message.add_attachment(text.encode(), maintype=main, subtype=sub, filename=name)


def _encoding(text: str) -> str | None:
    """The shorter encoding for 7-bit ways; None: Python finds it.

    Python goes by the first lines alone: a page of HTML that begins in ASCII, and goes on in
    another script, would be twice as long.
    """
    encoded = text.encode(errors="replace")
    quoted = len(encoded) + 2 * sum(byte > 0x7F for byte in encoded)
    return "base64" if quoted > len(encoded) * _BASE64 else None
