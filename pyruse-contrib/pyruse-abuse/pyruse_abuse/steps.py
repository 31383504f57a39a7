"""The actions that report to web services."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pyruse import Context, Duration, Entry, Field, MailAddress, Parcel, Template, Traits, hookimpl
from pyruse_abuse.options import KeyFile, ServiceUrl
from pyruse_abuse.policy import Rule, refuse_if_late
from pyruse_abuse.privacy import cleaned
from pyruse_abuse.web import ABUSEIPDB, BLOCKLIST_DE, send

_QUARTER = Duration(minutes=15)
_MINUTE = Duration(minutes=1)
_USER = Field("user")


class Category(int):
    """The number of a category of AbuseIPDB."""

    IN_WORDS: ClassVar[str] = "the number of a category of AbuseIPDB"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "integer", "minimum": 1, "maximum": 99}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no such number."""
        if type(value) is int and 1 <= value <= 99:
            return cls(value)
        raise ValueError(
            "that is no category of AbuseIPDB (expected a number, such as 18 for brute force and "
            "22 for SSH: see https://www.abuseipdb.com/categories)"
        )


@dataclass
class AbuseIpDb:
    """Report an address to AbuseIPDB, once `[plugins.abuse]` is enabled.

    A report has the address, the time of the entry, categories, and `comment` if there is one, out
    of which what concerns others is cut. No entry waits for the service.

    ```toml
    { action = "abuseipdb", ip = "ip", categories = [18, 22], key_file = "/etc/pyruse/abuseipdb.key", comment = "{failures} wrong passwords for SSH" }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    traits: ClassVar[Traits] = Traits(accuses=True)

    categories: list[Category]
    """What it did: numbers of https://www.abuseipdb.com/categories."""
    key_file: KeyFile
    """The file with the key for APIv2, on one line."""
    ip: Field = Field("ip")
    """The field that holds the address."""
    comment: Template = Template("")
    """What everybody may read about it there."""
    hide: list[Field] = field(default_factory=lambda: [_USER])
    """The values of these fields are cut out of `comment`, wherever they stand in it."""
    every: Duration = _QUARTER
    """An address is reported at most once in this time; AbuseIPDB refuses less than 15 minutes."""
    daily: int = 1_000
    """So many reports a day at most, from 00:00 UTC on: what AbuseIPDB grants to everybody."""
    url: ServiceUrl = ServiceUrl("https://api.abuseipdb.com/api/v2/report")
    """Where the service is."""
    timeout: Duration = _MINUTE
    """So long one try may take."""

    def __post_init__(self) -> None:
        if not self.categories:
            raise ValueError("categories is empty (expected at least one)")
        if self.every < _QUARTER:
            raise ValueError('every is less than AbuseIPDB takes (expected "15m" or more)')
        self._rule = Rule("AbuseIPDB", self.ip, self.every, self.daily)

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        address = self._rule.offender(entry, context)
        if address is None:
            return
        text = cleaned(self.comment.render(entry), address, entry, context, self.hide)
        report = {
            "ip": str(address),
            "categories": ",".join(map(str, self.categories)),
            "timestamp": entry.time.isoformat(timespec="seconds"),
            "comment": text,
        }
        context.send(entry, report, timeout=self.timeout)

    @hookimpl
    def deliver(self, parcel: Parcel) -> None:
        refuse_if_late(parcel.at)
        send(ABUSEIPDB, self.url, self.key_file.read(), parcel.payload)


@dataclass
class BlocklistDe:
    """Report an address to blocklist.de, once `[plugins.abuse]` is enabled.

    A report has the address, what service it attacked, and a log line, out of which what concerns
    others is cut. No entry waits for the service.

    ```toml
    { action = "blocklist_de", service = "ssh", server = "reports@example.org", key_file = "/etc/pyruse/blocklist.key" }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    traits: ClassVar[Traits] = Traits(accuses=True)

    service: str
    """What was attacked, as blocklist.de calls it: `ssh`, `imap`, `apache`, …"""
    server: MailAddress
    """The address that this server has in your profile there."""
    key_file: KeyFile
    """The file with this server's key for the API, on one line."""
    ip: Field = Field("ip")
    """The field that holds the address."""
    logs: Template = Template("{__REALTIME_TIMESTAMP:%Y-%m-%dT%H:%M:%S%z} {MESSAGE}")
    """The log line that proves it."""
    hide: list[Field] = field(default_factory=lambda: [_USER])
    """The values of these fields are cut out of `logs`, wherever they stand in it."""
    every: Duration = Duration(hours=1)
    """An address is reported at most once in this time."""
    daily: int = 1_000
    """So many reports a day at most, from 00:00 UTC on."""
    url: ServiceUrl = ServiceUrl("https://www.blocklist.de/en/httpreports.html")
    """Where the service is."""
    timeout: Duration = _MINUTE
    """So long one try may take."""

    def __post_init__(self) -> None:
        self._rule = Rule("blocklist.de", self.ip, self.every, self.daily)

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        address = self._rule.offender(entry, context)
        if address is None:
            return
        report = {
            "server": self.server,
            "service": self.service,
            "ip": str(address),
            "logs": cleaned(self.logs.render(entry), address, entry, context, self.hide),
        }
        context.send(entry, report, timeout=self.timeout)

    @hookimpl
    def deliver(self, parcel: Parcel) -> None:
        refuse_if_late(parcel.at)
        send(BLOCKLIST_DE, self.url, self.key_file.read(), parcel.payload)
