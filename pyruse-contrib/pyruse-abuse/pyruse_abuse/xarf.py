"""The action that reports by mail, in the eXtended Abuse Reporting Format (https://xarf.org)."""

from __future__ import annotations

import hashlib
import json
import uuid
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from pyruse import (
    Address,
    Attachment,
    Context,
    Duration,
    Entry,
    Field,
    Mail,
    MailAddress,
    Template,
    Traits,
    hookimpl,
)
from pyruse_abuse.policy import Rule
from pyruse_abuse.privacy import cleaned

_USER = Field("user")


@dataclass
class Reporter:
    """Who reports: this goes out with each report."""

    org: str
    """The name of your organisation."""
    contact: MailAddress
    """Who answers questions."""
    domain: str
    """Your domain."""


@dataclass
class XarfMail:
    """Report an address by mail, in X-ARF 4, once `[plugins.abuse]` is enabled.

    The mail has a text for people, and the report as the attachment `xarf.json`. It goes to a fixed
    address: the abuse desk of your provider, of a partner, or of who collects reports. Whose
    network an address belongs to is not looked up.

    ```toml
    { action = "xarf_mail", to = ["abuse@example.net"], type = "login_attack", port = 22, reporter = { org = "Example Ltd", contact = "abuse@example.org", domain = "example.org" } }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    traits: ClassVar[Traits] = Traits(accuses=True)

    to: list[MailAddress]
    """Who gets the reports."""
    reporter: Reporter
    """Who reports: `org`, `contact` (a mail address) and `domain`."""
    type: Literal["login_attack", "port_scan", "sql_injection"]
    """What the address did."""
    ip: Field = Field("ip")
    """The field that holds the address."""
    source_port: Field = Field("port")
    """The field that holds the port it came from, where there is one: behind a NAT of a provider,
    only that tells who it was."""
    port: int | None = None
    """The port that was attacked."""
    protocol: Literal["tcp", "udp", "icmp", "sctp"] = "tcp"
    """The protocol."""
    logs: Template = Template("{__REALTIME_TIMESTAMP:%Y-%m-%dT%H:%M:%S%z} {MESSAGE}")
    """The log line that proves it."""
    hide: list[Field] = field(default_factory=lambda: [_USER])
    """The values of these fields are cut out of `logs`, wherever they stand in it."""
    every: Duration = Duration(days=1)
    """An address is reported at most once in this time."""
    daily: int = 100
    """So many mails a day at most, from 00:00 UTC on."""

    def __post_init__(self) -> None:
        if not self.to:
            raise ValueError("to is empty (expected a mail address)")
        if self.port is not None and not 1 <= self.port <= 65535:
            raise ValueError(f"port = {self.port} is no port (expected 1 to 65535)")
        self._rule = Rule("X-ARF", self.ip, self.every, self.daily)

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        address = self._rule.offender(entry, context)
        if address is None:
            return
        logs = cleaned(self.logs.render(entry), address, entry, context, self.hide)
        report = json.dumps(self._report(address, entry, logs), indent=2)
        what = self.type.replace("_", " ")
        mail = Mail(
            f"Abuse report about {address}: {what}",
            f"{address} has attacked us ({what}). The time is that of the log line:\n\n{logs}\n\n"
            "The attached xarf.json is the same for programs (X-ARF 4, see https://xarf.org).\n"
            f"Questions: {self.reporter.contact}, {self.reporter.org}\n",
            to=self.to,
            attachments=[Attachment("xarf.json", "application/json", report)],
        )
        context.mail(entry, mail)

    def _report(self, address: Address, entry: Entry, logs: str) -> dict[str, Any]:
        """As xarf-core.json and connection-….json of the specification have it."""
        when = entry.time.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        who = {
            "org": self.reporter.org,
            "contact": self.reporter.contact,
            "domain": self.reporter.domain,
        }
        source = entry.text(self.source_port) or ""
        ports = {
            "source_port": int(source) if source.isdecimal() and len(source) < 6 else 0,
            "destination_port": self.port or 0,
        }
        evidence = logs.encode()
        return {
            "xarf_version": "4.2.0",
            "report_id": str(uuid.uuid4()),
            "timestamp": when,
            "reporter": who,
            "sender": who,
            "source_identifier": str(address),
            **{name: number for name, number in ports.items() if 0 < number <= 65535},
            "category": "connection",
            "type": self.type,
            "protocol": self.protocol,
            "first_seen": when,
            "evidence_source": "automated_filter",
            "evidence": [
                {
                    "content_type": "text/plain",
                    "description": "Log line; what concerns others is cut out",
                    "payload": b64encode(evidence).decode(),
                    "hash": f"sha256:{hashlib.sha256(evidence).hexdigest()}",
                    "size": len(evidence),
                }
            ],
            "tags": ["tool:pyruse"],
        }
