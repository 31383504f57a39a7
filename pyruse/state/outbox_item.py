"""One thing that is to leave Pyruse: a mail, a program, a log line, a parcel."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from typing import Any

from msgspec import Struct, field

SET_ASIDE = "set aside"
"""The kind of fault of an item that is tried no more: each one is logged, and the next report has a
note of it."""
REPORTS = "report"
"""The lane of the mails with reports."""


def parcel_kind(plugin: str, options: Mapping[str, Any]) -> str:
    """The kind of what a step, or an extension, sends for itself to deliver.

    Steps with the same options are the same receiver. Another step of the same plugin is another
    one, so that neither waits for the other.

    :param plugin: such as ``action webhook``.
    :param options: as the configuration has them.
    """
    import hashlib  # it loads OpenSSL, and few configurations need it

    text = json.dumps(options, sort_keys=True, default=str)
    return f"{plugin}#{hashlib.sha256(text.encode(errors='replace')).hexdigest()[:16]}"


class OutboxItem(Struct):
    """One thing to send, run or log. Instants are microseconds since the epoch."""

    kind: str
    """``mail``, ``command`` or ``log``; of a parcel, what `parcel_kind` gives."""
    payload: dict[str, Any]
    """What to send: JSON types only."""
    created: int
    due: int
    """Not before this instant: for retries, and while repeats are gathered; else as `created`.
    Of an item that is set aside: when it was."""
    group: str | None = None
    """Repeats of one group are gathered into one item until it is due."""
    attempts: int = 0
    tried: int | None = None
    """When the first attempt failed, by the machine's clock, from which patience counts: its entry
    may be far older. None: none has, or not since it was set aside."""
    error: str | None = None
    """Why the last attempt failed."""
    refused: bool = False
    """It can never be sent: set aside, for the administrator to see."""
    told: bool = False
    """A report has told that it is set aside."""
    leaving: bool = False
    """It is being sent right now: too late to gather more into it. Not kept over a restart."""
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    """Stays the same over restarts and retries: the Message-ID of a mail is made of it."""
    number: int = 0
    """Items leave in the order of their numbers. The outbox gives it."""

    @property
    def leaves_at(self) -> int:
        """The instant from which on it may leave, or 0: at once.

        What was never to wait does not, even if its entry comes from the future: a machine's clock
        may have been wrong, and may have been set back since.
        """
        return 0 if self.attempts == 0 and self.due <= self.created else self.due

    @property
    def plugin(self) -> str | None:
        """Of a parcel: the plugin that sent it, and delivers it. None: it is no parcel."""
        plugin, mark, _ = self.kind.rpartition("#")
        return plugin if mark else None

    @property
    def report(self) -> str | None:
        """Of a mail with a report: the title of the report, such as ``2026-03-14``."""
        title: str | None = self.payload.get("report") if self.kind == "mail" else None
        return title

    def tells_as(self, other: OutboxItem) -> bool:
        """Whether both are mails with the same report, as made by the same part of a configuration.

        Their texts may differ: a report that is made again tells what is known by now.
        """

        def identity(item: OutboxItem) -> tuple[object, ...]:
            payload = item.payload
            of = payload.get("headers", {}).get("List-Id")
            return item.report, of, payload.get("encrypt_to"), payload.get("html") is None

        return self.report is not None and identity(self) == identity(other)

    @property
    def lane(self) -> str:
        """Items of one lane leave one after the other: mails, log lines, parcels of one receiver.

        Reports have a lane of their own, so that no warning waits behind one that is refused. So
        has each step that runs programs, such as ``command chains."ssh"[3]``: a slow program holds
        up no other.
        """
        if self.kind == "command":
            return f"command {self.payload.get('step', '')}"
        return self.kind if self.report is None else REPORTS

    @property
    def turn(self) -> int:
        """The item with the least one leaves first. Of reports, the newest does."""
        return self.number if self.report is None else -self.number

    @property
    def is_bounded(self) -> bool:
        """Whether the oldest ones of its lane are given up where too many wait."""
        return self.kind in ("command", "mail") or self.plugin is not None

    @property
    def size(self) -> int:
        """Characters of what is kept of a program, of a parcel, or of a mail."""
        payload = self.payload
        texts = (*payload.get("command", ()), *payload.get("parts", ()), payload.get("html") or "")
        attached = (text for _, _, text in payload.get("attachments", ()))
        return sum(map(len, (*texts, *attached)))

    @property
    def family(self) -> str:
        """The kind as people read it; of a parcel, its plugin, such as ``action webhook``."""
        return self.plugin or self.kind
