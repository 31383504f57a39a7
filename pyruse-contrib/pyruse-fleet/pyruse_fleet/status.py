"""How the fleet is doing, for its administrator: who is behind comes first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

from psycopg import Connection

from pyruse_fleet import hosts
from pyruse_fleet.doubts import doubts
from pyruse_fleet.hosts import HostState

_SILENT_S = 300.0
"""A host says every minute that it is there."""
_SLOW_S = 60.0
_MUCH = 0.5
"""So much of what a host may write a day is told: nothing is refused yet."""


class Status(NamedTuple):
    """The hosts, who has mailed the report, and what is to be mended."""

    now: datetime
    hosts: Sequence[HostState]
    mailed: tuple[str, date] | None
    """Who has mailed the fleet's report last, and of which day."""
    doubts: Sequence[str]
    feed: int
    """The number of the last row."""


def read(connection: Connection) -> Status:
    """How the fleet is doing now."""
    now, feed = connection.execute(
        "SELECT clock_timestamp(), (SELECT max(seq) FROM fleet.feed)"
    ).fetchone() or (datetime.now(UTC), 0)
    mailed = connection.execute(
        "SELECT name, day FROM fleet.mailed JOIN fleet.hosts ON hosts.id = host"
        " WHERE done ORDER BY day DESC, sending DESC LIMIT 1"
    ).fetchone()
    last = None if mailed is None else (str(mailed[0]), mailed[1])
    return Status(now, list(hosts.states(connection)), last, list(doubts(connection)), feed or 0)


def verdict(one: HostState, now: datetime) -> str:
    """How a host is doing, in words."""
    if one.removed:
        return f"removed {_ago(one.removed, now)} ago"
    if not one.may_log_in:
        return f"its role {one.role!r} cannot log in (expected `pyruse-fleet add-host {one.name}`)"
    return "; ".join(_verdicts(one, now)) or "ok"


def _verdicts(one: HostState, now: datetime) -> Iterator[str]:
    if one.seen is None:
        yield "was never there"
    elif (now - one.seen).total_seconds() > _SILENT_S:
        yield f"silent for {_ago(one.seen, now)}"
    # A host says how far it is once a minute.
    if one.behind_since and (now - one.behind_since).total_seconds() > 2 * _SLOW_S:
        yield f"behind for {_ago(one.behind_since, now)}, by {one.behind:,}"
    if one.refused_at and (now - one.refused_at).total_seconds() < 86_400:
        yield f"over its quota: {one.refused:,} refused, {_ago(one.refused_at, now)} ago"
    if one.twin_at and (now - one.twin_at).total_seconds() < _SILENT_S:
        yield "a second machine has its name, and shares nothing (expected a name of its own)"
    if one.used > _MUCH:
        yield f"has written {one.used:.0%} of what it may a day"


def text(status: Status) -> str:
    """As a table."""
    rows = [("HOST", "STATE", "BANS", "QUOTA", "TODAY", "VERSION")]
    rows += [
        (
            one.name,
            verdict(one, status.now),
            f"{one.bans:,}",
            f"{one.quota:,}",
            f"{one.rows_today:,}",
            one.version,
        )
        for one in status.hosts
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
             for row in rows]  # fmt: skip
    if status.mailed:
        lines.append("{} has mailed the fleet's report of {}".format(*status.mailed))
    lines += [f"note: {one}" for one in status.doubts]
    return "\n".join(lines)


def data(status: Status) -> dict[str, Any]:
    """The same, in JSON types."""
    return {
        "now": status.now.isoformat(),
        "feed": status.feed,
        "mailed": {"host": status.mailed[0], "day": status.mailed[1].isoformat()}
        if status.mailed
        else None,
        "doubts": list(status.doubts),
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
