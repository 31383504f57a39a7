"""How the fleet is doing, for its administrator: who is behind comes first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from psycopg import Connection

from pyruse import one_line, shortened
from pyruse_fleet import hosts
from pyruse_fleet.hosts import HostState

_LONGEST_VERSION = 40  # characters
_SILENT_S = 300.0
"""A host says every minute that it is there."""
_SLOW_S = 60.0


class Status(NamedTuple):
    """The hosts, and who has which role."""

    now: datetime
    hosts: Sequence[HostState]
    roles: Sequence[tuple[str, str]]
    feed: int
    """The number of the last row."""


def read(connection: Connection) -> Status:
    """How the fleet is doing now."""
    now, feed = connection.execute(
        "SELECT clock_timestamp(), (SELECT max(seq) FROM fleet.feed)"
    ).fetchone() or (datetime.now(UTC), 0)
    roles = connection.execute(
        "SELECT roles.name, hosts.name FROM fleet.roles JOIN fleet.hosts ON hosts.id = host"
        " WHERE until > clock_timestamp() ORDER BY 1"
    ).fetchall()
    return Status(now, list(hosts.states(connection)), [(a, b) for a, b in roles], feed or 0)


def verdict(one: HostState, now: datetime) -> str:
    """How a host is doing, in words."""
    if one.removed:
        return f"removed {_ago(one.removed, now)} ago"
    if one.seen is None:
        return "was never there"
    if (now - one.seen).total_seconds() > _SILENT_S:
        return f"silent for {_ago(one.seen, now)}"
    # A host says how far it is once a minute.
    if one.behind_since and (now - one.behind_since).total_seconds() > 2 * _SLOW_S:
        return f"behind for {_ago(one.behind_since, now)}, by {one.behind:,}"
    if one.refused_at and (now - one.refused_at).total_seconds() < 86_400:
        return f"over its quota: {one.refused:,} refused, {_ago(one.refused_at, now)} ago"
    return "ok"


def text(status: Status) -> str:
    """As a table."""
    rows = [("HOST", "STATE", "BANS", "QUOTA", "VERSION")]
    # A host says which version it is: it may say anything.
    rows += [
        (
            one.name,
            verdict(one, status.now),
            f"{one.bans:,}",
            f"{one.quota:,}",
            shortened(one_line(one.version), _LONGEST_VERSION),
        )
        for one in status.hosts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(5)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in rows]  # fmt: skip
    lines += [f"{host} mails the {role}" for role, host in status.roles]
    return "\n".join(lines)


def data(status: Status) -> dict[str, Any]:
    """The same, in JSON types."""
    return {
        "now": status.now.isoformat(),
        "feed": status.feed,
        "roles": dict(status.roles),
        "hosts": [
            {
                name: value.isoformat() if isinstance(value, datetime) else value
                for name, value in one._asdict().items()
            }
            | {"state": verdict(one, status.now)}
            for one in status.hosts
        ],
    }


def _ago(then: datetime, now: datetime) -> str:
    seconds = max(0, int((now - then).total_seconds()))
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
