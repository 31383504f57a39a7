"""The sections of the configuration outside the chains: their options, types and defaults."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from datetime import time, tzinfo
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from urllib.parse import unquote, urlsplit

from pyruse.options import Duration, Networks, Template, shown
from pyruse.state.database import path_of
from pyruse.times import system_zone, zone_named


class Encoding(str):
    """The name of a character encoding."""

    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: Python knows no such encoding."""
        try:
            b"".decode(value)
            codecs.lookup(value)
        except (LookupError, TypeError, ValueError):
            raise ValueError(
                f'{shown(value)} is no character encoding (expected a name such as "iso-8859-1")'
            ) from None
        return cls(value)


class StateUrl(str):
    """Where the state is kept: ``sqlite:///PATH``."""

    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^sqlite:///"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no such URL."""
        path_of(value if isinstance(value, str) else shown(value))
        return cls(value)

    @property
    def path(self) -> str:
        """The file."""
        return path_of(self)


_ADDRESS = re.compile(r"[^@\s<>,;:\"()]+(?:@[^@\s<>,;:\"()]+)?\Z")


class MailAddress(str):
    """An address of mail: ``hostmaster@example.org``, or a local user such as ``root``."""

    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "minLength": 1}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no such address."""
        if isinstance(value, str) and _ADDRESS.match(value):
            return cls(value)
        raise ValueError(
            f'{shown(value)} is no mail address (expected "name@example.org" or a local user)'
        )


@dataclass(frozen=True)
class SmtpUrl:
    """A mail server: ``smtp://``, ``smtp+starttls://`` or ``smtps://`` ``[USER@]HOST[:PORT]``."""

    security: Literal["none", "starttls", "tls"]
    host: str
    port: int
    user: str | None

    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": "^(smtp|smtp\\+starttls|smtps)://",
    }
    _SCHEMES: ClassVar[dict[str, tuple[Literal["none", "starttls", "tls"], int]]] = {
        "smtp": ("none", 25),
        "smtp+starttls": ("starttls", 587),
        "smtps": ("tls", 465),
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no such URL, or it holds a password."""
        expected = '(expected "smtp+starttls://user@mail.example.org:587", "smtps://…" or "smtp://…")'
        try:
            url = urlsplit(value)
            security, port = cls._SCHEMES[url.scheme]
            if not url.hostname or url.path.strip("/") or url.query or url.fragment:
                raise ValueError
            if url.password is None:
                user = None if url.username is None else unquote(url.username)
                return cls(security, url.hostname, url.port or port, user)
        except (ValueError, KeyError, AttributeError, TypeError):
            raise ValueError(f"{shown(value)} is no mail server {expected}") from None
        raise ValueError(
            'a password stands in the URL (expected it in a file: password_file = "…")'
        )


class ClockTime(time):
    """A time of the day: ``"06:30"``."""

    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[0-2][0-9]:[0-5][0-9]$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no time of the day."""
        if isinstance(value, str) and re.fullmatch(r"[0-2]\d:[0-5]\d", value, re.ASCII):
            hour, minute = map(int, value.split(":"))
            if hour < 24:  # noqa: PLR2004 -- the hours of a day
                return cls(hour, minute)
        raise ValueError(f'{shown(value)} is no time of the day (expected "00:00" to "23:59")')


@dataclass(frozen=True)
class Zone:
    """A time zone by its name."""

    zone: tzinfo

    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: there is no such zone."""
        return cls(zone_named(value if isinstance(value, str) else shown(value)))


@dataclass
class JournalSettings:
    """``[journal]``: which journal is read, and how."""

    directory: Path | None = None
    files: list[Path] = field(default_factory=list)
    namespace: str | None = None
    legacy_encoding: Encoding = Encoding("iso-8859-1")
    start: Literal["tail", "boot", "head"] = "tail"


@dataclass
class StateSettings:
    """``[state]``: where Pyruse keeps what it remembers, and for how long."""

    url: StateUrl = StateUrl("sqlite:///var/lib/pyruse/state.sqlite")
    keep: Duration = field(default_factory=lambda: Duration(days=90))


@dataclass
class EmailSettings:
    """``[email]``: who writes to whom, and through what."""

    from_: MailAddress = MailAddress("pyruse")
    to: list[MailAddress] = field(default_factory=list)
    subject: Template = field(default_factory=lambda: Template("Pyruse Notification"))
    sendmail: list[str] = field(default_factory=lambda: ["/usr/sbin/sendmail", "-t", "-i"])
    smtp: SmtpUrl | None = None
    password_file: Path | None = None
    ca_file: Path | None = None
    timeout: Duration = field(default_factory=lambda: Duration(seconds=60))


@dataclass
class ReportSettings:
    """``[report]``: when the day ends, and what becomes of its report."""

    at: ClockTime = field(default_factory=ClockTime)
    timezone: Zone = field(default_factory=lambda: Zone(system_zone()))
    subject: Template = field(default_factory=lambda: Template("Pyruse daily report for {day}"))
    archive: Path | None = None
    limit: int = 10_000


@dataclass
class BanSettings:
    """``[bans]``: how bans are enforced, and whom they never hit.

    The options of a backend are in a table of its own, ``[bans.NAME]``.
    """

    backend: str = "nftables"
    never: Networks = field(default_factory=lambda: Networks([]))


@dataclass
class Settings:
    """All the sections."""

    journal: JournalSettings = field(default_factory=JournalSettings)
    state: StateSettings = field(default_factory=StateSettings)
    email: EmailSettings = field(default_factory=EmailSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    bans: BanSettings = field(default_factory=BanSettings)
    backends: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The tables ``[bans.NAME]``, for the firewalls of these names."""
    plugins: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The tables ``[plugins.NAME]``."""
    disabled: list[str] = field(default_factory=list)
    """``[plugins] disable``."""
    templates: Path | None = None
    """The folder of the administrator's own templates: ``templates`` beside the configuration."""
