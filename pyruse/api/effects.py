"""What leaves Pyruse through the context: mails, and programs that are run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from pyruse.options.durations import Duration
from pyruse.text import late_pattern, shown

_HEADER = late_pattern(r"(?:X|List)-[A-Za-z0-9-]{1,60}\Z")


class Attachment(NamedTuple):
    """A file that goes with a mail."""

    name: str
    """The name of the file, such as ``report.json``."""
    content_type: str
    """Such as ``application/json``."""
    text: str
    """What the file holds."""


class Mail(Struct, frozen=True):
    """A mail to be sent."""

    subject: str | None
    """One line; line breaks become spaces. None: by ``[email] subject``."""
    text: str
    """The plain text."""
    html: str | None = None
    """The same as the text, in HTML."""
    to: Sequence[str] | None = None
    """The recipients; None: those of ``[email] to``."""
    every: Duration | None = None
    """Send at most one mail in this time for this step: what comes meanwhile is gathered into the
    next one. None: each mail is sent at once."""
    attachments: Sequence[Attachment] = ()
    """Files that go with the mail. Of gathered mails, those of the first one are sent."""
    encrypt_to: Sequence[str] | None = None
    """The OpenPGP keys that it is encrypted to; None: those of ``[email] encrypt_to``; empty: it is
    not encrypted."""
    headers: Mapping[str, str] = {}
    """More headers, by which mail programs sort mails: ``X-…`` or ``List-…``, each of one line. Of
    gathered mails, those of the first one are sent."""

    def __post_init__(self) -> None:
        if isinstance(self.to, str):
            raise TypeError('to is one text (expected a list, such as ["ops@example.org"])')
        if isinstance(self.encrypt_to, str):
            raise TypeError("encrypt_to is one text (expected a list of keys)")
        for name in self.headers:
            if not _HEADER.match(name):
                raise ValueError(f"{shown(name)} is no header of a mail (expected X-… or List-…)")


class Program(Struct, frozen=True):
    """A program to be run, without a shell."""

    command: Sequence[str]
    """The program and its arguments. Everybody on the machine can see them."""
    timeout: Duration = Duration(seconds=30)
    """After this time, the program is killed."""
    stdin: str | None = None
    """A text for the program's standard input: it may be long, and nobody else can see it."""
    every: Duration | None = None
    """Run the program at most once in this time for this step. What comes meanwhile is one run with
    the newest arguments, and with all the texts for standard input; the environment variable
    ``PYRUSE_COUNT`` says how many there were. None: each run happens at once."""

    def __post_init__(self) -> None:
        if isinstance(self.command, str):
            raise TypeError('command is one text (expected a list, such as ["touch", "x"])')
        if not self.command:
            raise ValueError("command is empty (expected a program and its arguments)")
