"""Mails that only their recipients can read: OpenPGP, by the program gpg (RFC 3156).

What cannot be encrypted is not sent. The subject is encrypted, too, and the one that everybody sees
says nothing (RFC 9788).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.refusals import MailError
from pyruse.system.programs import Finished, run_program
from pyruse.text import one_line

if TYPE_CHECKING:
    from email.message import EmailMessage

_KEPT = 16 << 20  # bytes of a mail that is encrypted: more than any that is sent
_OUTER = ("From", "To", "Date", "Message-ID", "Auto-Submitted", "List-Id")
"""Headers that everybody may see; whatever else a mail has is encrypted with it."""
_SUBJECT = "[...]"
_FIRST_LINE, _LAST_LINE = "-----BEGIN PGP MESSAGE-----", "-----END PGP MESSAGE-----"
_OPTIONS = (
    "--batch", "--no-tty", "--no-options", "--trust-model", "always",
    # The keyring may be one that Pyruse can read alone.
    "--lock-never", "--no-auto-check-trustdb", "--no-random-seed-file",
)  # fmt: skip


def encrypted(message: EmailMessage, keys: Sequence[str], settings: EmailSettings) -> EmailMessage:
    """A mail that holds another one, which only the owners of some keys can read.

    :param message: what is sent.
    :param keys: fingerprints, or addresses that keys are of, as ``gpg --recipient`` takes them.
    :param settings: ``[email]``: the program and the keyring.
    :raises MailError: it cannot be encrypted.
    """
    from email.message import EmailMessage, Message
    from email.mime.application import MIMEApplication

    inner = _inner(message)
    done = _gpg(["--encrypt", "--armor", *_recipients(keys)], settings, inner)
    armour = done.output.strip()
    is_whole = armour.startswith(_FIRST_LINE) and armour.endswith(_LAST_LINE)
    if done.fault is not None or not is_whole:
        raise MailError(
            f"[email] encrypt_to: it cannot be encrypted, and is not sent: {_named(settings)} "
            f"{done.fault or 'gave no whole text'} (expected its keys in [email] keyring: see "
            "`gpg --list-keys`)"
        )
    outer = EmailMessage(policy=message.policy)
    for name in _OUTER:
        if name in message:
            outer[name] = message[name]
    outer["Subject"] = _SUBJECT
    outer["MIME-Version"] = "1.0"
    outer["Content-Type"] = 'multipart/encrypted; protocol="application/pgp-encrypted"'
    version: Message = MIMEApplication("Version: 1\n", "pgp-encrypted", _as_it_is)
    data: Message = MIMEApplication(done.output, "octet-stream", _as_it_is, name="encrypted.asc")
    data["Content-Disposition"] = 'inline; filename="encrypted.asc"'
    outer.set_payload([version, data])
    return outer


def check(settings: EmailSettings) -> list[str]:
    """What would keep mails from being encrypted, as far as can be seen without a mail."""
    faults = []
    for at, key in enumerate(settings.encrypt_to):
        try:
            done = _gpg(["--encrypt", "--armor", *_recipients([key])], settings, b"test\n")
        except MailError as fault:
            return [str(fault)]
        if done.fault is not None:
            faults.append(
                f"[email] encrypt_to[{at}]: nothing can be encrypted to "
                f'"{one_line(key)}": {_named(settings)} {done.fault} (expected a key in '
                "[email] keyring that the user of Pyruse may read)"
            )
    return faults


def _inner(message: EmailMessage) -> bytes:
    """The mail as it is encrypted: its body, and all of its headers (RFC 9788 §4.2)."""
    # Only now a mail of several parts has its boundary.
    whole = message.as_bytes(policy=message.policy.clone(linesep="\r\n"))
    lines = []
    for name, value in message.items():
        if name.lower() == "content-type":
            lines.append(f'Content-Type: {value}; hp="cipher"; protected-headers="v1"')
        elif name.lower() != "mime-version":
            lines.append(message.policy.fold(name, value).strip())
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + whole.partition(b"\r\n\r\n")[2]


def _recipients(keys: Sequence[str]) -> list[str]:
    return [part for key in keys for part in ("--recipient", key)]


def _gpg(arguments: Sequence[str], settings: EmailSettings, data: bytes) -> Finished:
    """Run gpg.

    :raises MailError: it cannot be run.
    """
    if not settings.gpg:
        raise MailError("[email] gpg: no program is named (expected gpg)", whole_way=True)
    home = [] if settings.keyring is None else ["--homedir", str(settings.keyring)]
    argv = [*settings.gpg, *_OPTIONS, *home, *arguments]
    try:
        return run_program(
            argv, stdin=data, timeout=settings.timeout.total_seconds(), kept=_KEPT,
            environment={**os.environ, "LC_ALL": "C"},
        )  # fmt: skip
    except FileNotFoundError:
        text = f"{_named(settings)} is not there (expected the program gpg: apt-get install gpg)"
    except (OSError, ValueError) as fault:
        text = f"{_named(settings)} cannot be run: {fault} (expected the program gpg)"
    raise MailError(f"[email] gpg: {text}", whole_way=True)


def _named(settings: EmailSettings) -> str:
    return f'"{one_line(settings.gpg[0])}"'


def _as_it_is(part: object) -> None:
    """An encoder of MIMEApplication: it is ASCII, and stays as it is."""
