"""One machine at a time takes part under a name: two would take back each other's bans.

Each machine has an identity, made once and kept in its state, and each run of its daemon another
number: so a machine of the same name is found out, and a copy of a machine, with its state, too.
"""

from __future__ import annotations

import uuid
from typing import NamedTuple

from pyruse import Context
from pyruse_fleet.faults import Twin, Waiting
from pyruse_fleet.link import Connection


class Attendance(NamedTuple):
    """Of this run of the daemon."""

    identity: str
    run: str

    def claim(self, connection: Connection) -> None:
        """Take part, or go on to.

        :raises Waiting: the last run was there a moment ago; perhaps a copy of it still is.
        :raises Twin: another machine takes part under this name.
        """
        answer = connection.execute("SELECT fleet.attend(%s, %s)", self).fetchone()
        if answer == ("wait",):
            raise Waiting
        if answer != ("yes",):
            raise Twin

    def leave(self, connection: Connection) -> None:
        """Let the next run begin at once."""
        connection.execute("SELECT fleet.leave(%s)", (self.run,))


def begin(context: Context, now: int) -> Attendance:
    """A new run of this machine."""
    table = context.table("fleet")
    identity = table.get("identity", at=now)
    if not isinstance(identity, str):
        identity = uuid.uuid4().hex
        table.put("identity", identity)
    return Attendance(identity, uuid.uuid4().hex)
