"""What may be told to others: the offender, and nothing about anybody else."""

from __future__ import annotations

import re
import socket
from collections.abc import Iterable

from pyruse import Address, Context, Entry, one_line, parse_address
from pyruse_abuse.switch import settings_of

_HIDDEN = "[…]"
_MAIL_ADDRESS = re.compile(r"[^\s<>\"'(),;:=\[\]]+@[^\s<>\"'(),;:=\[\]]+")
_HOME = re.compile(r"(?<=/home/)[^/\s:'\"]+")
_MAYBE_ADDRESS = re.compile(r"(?<![\w.:])[0-9A-Fa-f]*[.:][0-9A-Fa-f.:]*[0-9A-Fa-f:](?![\w:])")


def cleaned(
    text: str, offender: Address, entry: Entry, context: Context, hide: Iterable[str]
) -> str:
    """A text on one line, with ``[…]`` in place of what is nobody else's business.

    That is: the values of some fields (what somebody gave as his user name may be his password,
    typed a line too early), names of this machine and of the one that logged the line, with their
    domains, the words of ``[plugins.abuse] hide``, mail addresses, names of home folders, and
    every address but the offender's.

    :param hide: the names of those fields.
    """
    text = one_line(text)
    words = [entry.text(field) or "" for field in hide]
    words += settings_of(context).hide
    for host in (socket.gethostname(), entry.text("_HOSTNAME") or ""):
        name, _, domain = host.partition(".")
        words += [host, name, domain if "." in domain else ""]
    # Longer ones first: of "mail.example.org", nothing is left when "mail" is looked for.
    for word in sorted({one_line(word) for word in words if word.strip()}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(word)}(?!\w)", _HIDDEN, text, flags=re.IGNORECASE)
    text = _HOME.sub(_HIDDEN, _MAIL_ADDRESS.sub(_HIDDEN, text))
    return _MAYBE_ADDRESS.sub(lambda found: _unless_of(offender, found[0]), text)


def _unless_of(offender: Address, text: str) -> str:
    word = text.rstrip(".:") if parse_address(text) is None else text
    address = parse_address(word)
    if address is None or address == offender:
        return text
    return _HIDDEN + text[len(word) :]
