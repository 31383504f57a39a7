"""Whether mails leave: who gets them, by which way, what keeps them, what became of reports."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from msgspec import Struct, field

from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.transport import obstacles, way
from pyruse.state.outbox import ReportSent, reports_sent
from pyruse.state.outbox_item import OutboxItem
from pyruse.system.privileges import no_new_privileges
from pyruse.system.sandbox import listens, rights_are_kept_from_programs

_LONG_US = 3_600_000_000
"""What has failed for so long is no hiccup of the server."""


class MailHealth(Struct):
    """Instants are microseconds since the epoch."""

    to: list[str] = field(default_factory=list)
    way: str = ""
    """The URL of the mail server, or the program sendmail."""
    faults: list[str] = field(default_factory=list)
    """What keeps all mails from leaving, as far as can be seen."""
    last: ReportSent | None = None
    """The last report that was handed over."""
    set_aside: int = 0
    """Mails that are tried no more."""
    late: int = 0
    """Mails that have failed for an hour, or are tried no earlier."""

    @property
    def is_well(self) -> bool:
        """Nothing keeps mails from leaving, and none was given up."""
        return not (self.set_aside or self.late or (self.to and self.faults))

    def data(self) -> dict[str, Any]:
        """For programs; in JSON types."""
        return {
            "to": self.to,
            "way": self.way,
            "faults": self.faults,
            "last_report": self.last and self.last._asdict(),
            "set_aside": self.set_aside,
            "late": self.late,
        }


def mail_health(
    settings: EmailSettings,
    db: sqlite3.Connection,
    items: Sequence[OutboxItem],
    now: int,
    pid: int | None,
) -> MailHealth:
    """Look whether mails leave; none is sent.

    :param settings: the section ``[email]``.
    :param db: the committed state.
    :param items: what is in the outbox.
    :param now: by the machine's clock, in microseconds since the epoch.
    :param pid: of the daemon; None: it does not run.
    """

    def sandboxed() -> bool:
        return rights_are_kept_from_programs() if pid is None else no_new_privileges(pid)

    sent = reports_sent(db)
    mails = [item for item in items if item.kind == "mail"]
    late = [
        item for item in mails
        if item.error and not item.refused and max(now, item.due) - item.created >= _LONG_US
    ]  # fmt: skip
    return MailHealth(
        list(map(str, settings.to)),
        way(settings, sandboxed),
        obstacles(settings, sandboxed=sandboxed, listens=listens),
        sent[-1] if sent else None,
        sum(item.refused for item in mails),
        len(late),
    )
