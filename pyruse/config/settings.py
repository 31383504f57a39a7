"""The sections of the configuration outside the chains: their options, types and defaults."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import time, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Literal, Self
from urllib.parse import unquote, urlsplit
from zoneinfo import available_timezones

from msgspec import Struct

from pyruse.bans.aggregate import Aggregate
from pyruse.errors import did_you_mean
from pyruse.options.durations import Duration
from pyruse.options.mail_address import MailAddress
from pyruse.options.networks import Networks
from pyruse.options.secret_file import SecretFile
from pyruse.options.sizes import Size
from pyruse.options.templates import Template
from pyruse.report.digests import Length
from pyruse.state.opening import path_of
from pyruse.text import late_pattern, shown
from pyruse.times import Calendar, system_zone, zone_named

_ALL_BYTES = bytes(range(256))


class Encoding(str):
    """The name of a character encoding."""

    IN_WORDS: ClassVar[str] = "the name of a character encoding"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the name of an encoding.

        :raises ValueError: Python knows no such encoding, or it does not decode all bytes.
        """
        try:
            _ALL_BYTES.decode(value, errors="replace")
        except (LookupError, TypeError, ValueError):
            raise ValueError(
                f'{shown(value)} is no character encoding (expected a name such as "iso-8859-1")'
            ) from None
        return cls(value)


# Neither "?" nor "#": `path_of` reads URLs.
_STATE = late_pattern(r"sqlite:///(?:[^?#\x00-\x1f]*[^/?#\x00-\x1f])\Z")


class StateUrl(str):
    """Where the state is kept: ``sqlite:///PATH``."""

    IN_WORDS: ClassVar[str] = "the URL of a file, sqlite:///PATH"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^sqlite:///."}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the URL of a state.

        :raises ValueError: it is no such URL.
        """
        if isinstance(value, str) and _STATE.match(value):
            return cls(value)
        raise ValueError(
            f"{shown(value)} is no place for the state "
            '(expected "sqlite:///var/lib/pyruse/state.sqlite", or the path of another file)'
        )

    @property
    def path(self) -> str:
        """The file."""
        return path_of(self)


_NO_URL = late_pattern(r"[\x00-\x20\x7f-\x9f]")
# A colon before the user's "@" which is not the one of "smtp://".
_PASSWORD = late_pattern(r"[^@]*:(?!//)[^@]*@")


class SmtpUrl(Struct, frozen=True):
    """A mail server: ``smtp://``, ``smtp+starttls://`` or ``smtps://`` ``[USER@]HOST[:PORT]``."""

    security: Literal["none", "starttls", "tls"]
    host: str
    port: int
    user: str | None

    IN_WORDS: ClassVar[str] = 'the URL of a mail server, such as "smtps://mail.example.org"'
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": "^(smtp|smtp\\+starttls|smtps)://",
    }
    _SCHEMES: ClassVar[dict[str, tuple[Literal["none", "starttls", "tls"], int]]] = {
        "smtp": ("none", 25),
        "smtp+starttls": ("starttls", 587),
        "smtps": ("tls", 465),
    }

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine, and knows its users."""
        return self.host in ("localhost", "127.0.0.1", "::1")

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the URL of a mail server.

        :raises ValueError: it is no such URL, or it holds a password.
        """
        if isinstance(value, str) and _PASSWORD.match(value):
            # It is not shown, whatever else is wrong with the URL.
            raise ValueError(
                'a password stands in the URL (expected it in a file: password_file = "…")'
            )
        found = cls._of(value) if isinstance(value, str) else None
        if found is None:
            raise ValueError(
                f"{shown(value)} is no mail server (expected "
                '"smtp+starttls://user@mail.example.org:587", "smtps://…" or "smtp://…")'
            )
        return found

    def __str__(self) -> str:
        schemes = {name: scheme for scheme, (name, _) in self._SCHEMES.items()}
        scheme, host = schemes[self.security], f"[{self.host}]" if ":" in self.host else self.host
        port = "" if self.port == self._SCHEMES[scheme][1] else f":{self.port}"
        user = "" if self.user is None else f"{self.user}@"
        return f"{scheme}://{user}{host}{port}"

    @classmethod
    def _of(cls, text: str) -> Self | None:
        try:
            url = urlsplit(text)
            security, port = cls._SCHEMES[url.scheme]
            port = port if url.port is None else url.port
        except (ValueError, KeyError):
            return None
        rest = url.path.strip("/") or url.query or url.fragment
        if rest or not url.hostname or not port or url.username == "" or _NO_URL.search(text):
            return None
        user = None if url.username is None else unquote(url.username)
        return cls(security, url.hostname, port, user)


class ClockTime(time):
    """A time of the day: ``"06:30"``."""

    IN_WORDS: ClassVar[str] = "a time of the day"
    SCHEMA: ClassVar[dict[str, Any]] = {
        "type": "string",
        "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$",
    }

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a time of day.

        :raises ValueError: it is no time of the day.
        """
        if isinstance(value, str) and re.fullmatch(r"[0-2]\d:[0-5]\d", value, re.ASCII):
            hour, minute = map(int, value.split(":"))
            if hour < 24:
                return cls(hour, minute)
        raise ValueError(f'{shown(value)} is no time of the day (expected "00:00" to "23:59")')


class Zone(Struct, frozen=True):
    """A time zone by its name."""

    zone: tzinfo

    IN_WORDS: ClassVar[str] = "the name of a time zone"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read the name of a time zone.

        :raises ValueError: there is no such zone.
        """
        hint = ""
        if isinstance(value, str):
            try:
                return cls(zone_named(value))
            except ValueError:
                hint = did_you_mean(value, available_timezones())
        raise ValueError(
            f"{shown(value)} is no time zone (expected a name such as "
            f'"Europe/Paris" or "UTC"{hint})'
        )


@dataclass(eq=False, repr=False)
class JournalSettings:
    """``[journal]``: which journal is read, and how."""

    directory: Path | None = None
    """A folder of journal files, such as one that systemd-journal-remote fills, instead of this
    machine's journal."""
    files: list[Path] = field(default_factory=list)
    """Journal files, instead of this machine's journal."""
    namespace: str | None = None
    """A journal namespace of this machine (`LogNamespace=`, see systemd-journald.service(8))."""
    namespaces: list[str] = field(default_factory=list)
    """Several of them, each read by itself; `"*"`: all that there are and will be, and the entries
    of no namespace."""
    legacy_encoding: Encoding = Encoding("iso-8859-1")
    """How to read the fields that are not valid UTF-8."""
    longest: Size = Size(1 << 20)
    """So much is read of a field. Of a longer one, the rest is cut, and `…` is put in its place;
    the log, `pyruse status` and the report tell of it."""
    start: Literal["tail", "boot", "head"] = "tail"
    """Where the very first run begins: with what is logged from now on (`tail`), with the newest
    boot (`boot`), or with the oldest entry that is kept (`head`). Later runs go on where the
    last one ended."""

    def __post_init__(self) -> None:
        if self.longest < 1024:
            raise ValueError(
                f"longest = {int(self.longest)} would cut most entries (expected 1 KiB or more)"
            )


@dataclass(eq=False, repr=False)
class StateSettings:
    """``[state]``: where Pyruse keeps what it remembers, and for how long."""

    url: StateUrl = StateUrl("sqlite:///var/lib/pyruse/state.sqlite")
    """Where it is kept: `sqlite:///` and the absolute path of a file."""
    keep: Duration = field(default_factory=lambda: Duration(days=90))
    """How long reported days and the history of bans are kept."""


SENDMAIL = ["/usr/sbin/sendmail", "-t", "-i"]
"""The machine's own, as the Linux Standard Base has it."""


@dataclass(eq=False, repr=False)
class EmailSettings:
    """``[email]``: who writes to whom, and through what."""

    from_: MailAddress = MailAddress("pyruse")
    """The sender. A local user gets the domain in `/etc/mailname`, or the name of this machine.
    Where the user of `smtp` is an address, it is the sender by default."""
    to: list[MailAddress] = field(default_factory=list)
    """Who gets the report and the mails of `email` steps that name nobody else."""
    subject: Template = field(default_factory=lambda: Template("Pyruse Notification"))
    """The subject of the mails of `email` steps that have none of their own."""
    at_once: int | None = None
    """Mail at once to `to` what weighs at least so much, from 1 to 100, in the report (see [the
    report](report.md#mailed-at-once)): 70 for failed units, dying disks, root's logins and the
    like. By default, the report tells of it."""
    sendmail: list[str] = field(default_factory=SENDMAIL.copy)
    """The program that takes the mail on its standard input, with its arguments. Without `-t`
    among them, the recipients are added as arguments. Not used with `smtp`. Where the default one
    needs rights that the sandbox of the service gives to no program, mail goes to
    `smtp://localhost`."""
    smtp: SmtpUrl | None = None
    """A mail server, instead of `sendmail`: `smtp+starttls://[USER@]HOST[:PORT]` (port 587),
    `smtps://…` (465) or `smtp://…` (25, in clear text)."""
    password_file: SecretFile | None = None
    """The file with the password of the user of `smtp`. It is read for each mail."""
    ca_file: Path | None = None
    """The certificates (PEM) that vouch for the mail server, instead of the system's."""
    timeout: Duration = field(default_factory=lambda: Duration(seconds=60))
    """So long the mail server may take for each of its answers, or the program for one mail."""
    encrypt_to: list[str] = field(default_factory=list)
    """Encrypt each mail, by OpenPGP, to these keys: fingerprints, or addresses that keys are of.
    The subject is encrypted, too. What cannot be encrypted is not sent: it is tried again, and the
    log tells of it."""
    keyring: Path | None = None
    """The folder where gpg has these keys, such as one made by `gpg --homedir /etc/pyruse/gnupg
    --import FILE`; by default, `.gnupg` in the home of the user that Pyruse runs as."""
    gpg: list[str] = field(default_factory=lambda: ["gpg"])
    """The program that encrypts."""

    @property
    def sender(self) -> MailAddress:
        """Who the mails are from. A provider takes those of its customer, and no others."""
        user = None if self.smtp is None else self.smtp.user
        if self.from_ == "pyruse" and user is not None and "@" in user:
            with suppress(ValueError):
                return MailAddress.parse(user)
        return self.from_

    def __post_init__(self) -> None:
        if self.at_once is not None:
            if not 1 <= self.at_once <= 100:
                raise ValueError(f"at_once = {self.at_once} is no weight (expected 1 to 100)")
            if not self.to:
                raise ValueError(
                    f"at_once = {self.at_once} has nobody to tell (expected to with addresses)"
                )
        for key in self.encrypt_to:
            if not key.strip() or key.startswith("-") or not key.isprintable():
                raise ValueError(
                    f"encrypt_to has {shown(key)} (expected the fingerprint of a key, or its "
                    "address)"
                )


@dataclass(eq=False, repr=False)
class ReportSettings:
    """``[report]``: when the day ends, and what becomes of its report."""

    at: ClockTime = field(default_factory=ClockTime)
    """When a day ends, and its report is made."""
    timezone: Zone = field(default_factory=lambda: Zone(system_zone()))
    """The time zone of days and reports; by default, that of this machine."""
    subject: Template = field(default_factory=lambda: Template("{host}: {verdict}"))
    """The subject of the report's mail; by default, it says what needs attention. It may have
    `{host}`, `{verdict}`, `{day}` and more (see `mail_report`)."""
    hosts: Literal["together", "apart"] = "together"
    """Where the journals of several machines are read: one report of all (`together`), or one for
    each machine that had events (`apart`): a mail, and files in the archive, of its own."""
    digests: list[Length] = field(default_factory=list)
    """Besides each day's report, one of each `week` (from Monday on), or `month`, or both: it is
    made together with that of their last day. `pyruse report 2026-W48` shows one."""
    quiet: Literal["send", "skip"] = "send"
    """Whether there is a mail also on days on which nothing needs attention (see `mail_report`)."""
    archive: Path | None = None
    """A folder where each report is kept as files, too (see `archive_report`)."""
    limit: int = 10_000
    """So many rows of a section are shown to people at most; `pyruse report DAY --full` and JSON
    have all of them."""
    largest: Size = Size(200_000)
    """So large the mail of a report may be. It tells what is cut, important ones last; a mail
    server that takes less than that gets less. Our own forms are no larger; yours may be."""

    def __post_init__(self) -> None:
        if self.largest < 20_000:
            raise ValueError(
                f"largest = {int(self.largest)} has no room for a report (expected 20 kB or more)"
            )

    @cached_property
    def calendar(self) -> Calendar:
        """Which day an instant belongs to."""
        return Calendar(self.timezone.zone, self.at)


@dataclass(eq=False, repr=False)
class BanSettings:
    """``[bans]``: how bans are enforced, and whom they never hit.

    The options of a backend are in a table of its own, ``[bans.NAME]``.
    """

    backend: str = "nftables"
    """The firewall of `ban` steps that name none: `nftables`, `ipset` or a plugin's."""
    never: Networks = field(default_factory=lambda: Networks([]))
    """Who is never banned, besides this machine, its gateways and resolvers, and addresses of no
    machine: networks, addresses, host names, and files with networks
    (`"file:/etc/pyruse/never.txt"`). Host names are resolved, and files read, again and again. What
    several files of the configuration say counts together."""
    aggregate: Aggregate | None = None
    """Growing networks: `{ ipv4 = { prefix = 24, at = 16 }, ipv6 = { prefix = 64, at = 4 } }` bans
    a network of this prefix length while `at` or more of its addresses are banned."""
    log: bool = True
    """Write a line to the journal for each ban, each unban, and each start of Pyruse."""


@dataclass(eq=False, repr=False)
class EngineSettings:
    """``[engine]``: how entries are led through the chains; and which chains are only simulated."""

    optimize: bool = True
    """Take short cuts on the way through the chains: remember where filters lead that depend on a
    few fields alone, and build most rules when their program first speaks. Where there is much to
    read at once (at a start, in a replay), leave entries unread that the chains would do nothing
    with. `pyruse check -v` shows which entries are read then; reports do not count the others. With
    the package pyruse-native, read complete files without libsystemd. With `false`, Pyruse takes
    longer: this option is there to find out whether a short cut is at fault."""
    counters: bool = False
    """Count how many entries each chain and step sees, for `pyruse status --chains`, from each
    start and each reload on. All entries are read then, also entries that the chains would do
    nothing with; and all rules are built at the start."""
    simulate: list[str] = field(default_factory=list)
    """Chains that are only simulated, as in the first days of new ones: a name stands for the chain
    and for all whose names begin with it and a space, such as "sshd" for "sshd guessing". Their
    bans are in lists, in reports and in `pyruse status`, and in no firewall; a mail, a program, a
    line for the journal or a delivery becomes a row of the report. Chains that they lead to are to
    be named, too."""

    def simulates(self, chain: str) -> bool:
        """Whether a chain is only simulated."""
        if not self.simulate or not chain:
            return False
        return any(chain == one or chain.startswith(f"{one} ") for one in self.simulate)


@dataclass(eq=False, repr=False)
class Settings:
    """All the sections."""

    journal: JournalSettings = field(default_factory=JournalSettings)
    state: StateSettings = field(default_factory=StateSettings)
    email: EmailSettings = field(default_factory=EmailSettings)
    report: ReportSettings = field(default_factory=ReportSettings)
    bans: BanSettings = field(default_factory=BanSettings)
    engine: EngineSettings = field(default_factory=EngineSettings)
    backends: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The tables ``[bans.NAME]``, for the firewalls of these names."""
    never_places: list[str] = field(default_factory=list)
    """Where each item of ``[bans] never`` stands: file and key."""
    plugins: dict[str, dict[str, Any]] = field(default_factory=dict)
    """The tables ``[plugins.NAME]``."""
    disabled: list[str] = field(default_factory=list)
    """``[plugins] disable``."""
    templates: Path | None = None
    """The folder of the administrator's own templates: ``templates`` beside the configuration."""
    faults: list[str] = field(default_factory=list)
    """What is wrong with them, where a command makes do with what is sound (see `sound_settings`);
    those of a daemon have none."""
