"""The hosts of a fleet: each has a role of its own in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection, sql

from pyruse import UserError
from pyruse_fleet.schema import GROUP

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\Z")
_LONGEST_ROLE = 63  # bytes: NAMEDATALEN of PostgreSQL
_LIMITS = {
    # A statement that takes longer is of no use any more; a transaction that is left open holds
    # others up. A host could set them anew: so fleet.release ends who holds the feed's lock.
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "10s",
}
_CONNECTIONS = 4
"""A host has one connection; one more while it is made anew, and one for its administrator."""


class HostState(NamedTuple):
    """How a host is doing."""

    name: str
    role: str
    added: datetime
    removed: datetime | None
    seen: datetime | None
    behind: int
    """So many rows of the feed it has yet to read."""
    behind_since: datetime | None
    """When the first of these was written; None: it has read all."""
    bans: int
    quota: int
    refused: int
    refused_at: datetime | None
    version: str


def add(
    connection: Connection,
    name: str,
    role: str | None = None,
    password: str | None = None,
    quota: int | None = None,
) -> str:
    """Let a host take part; one that was removed may come back.

    :param name: of the host, as reports call it.
    :param role: its role, which may be there already; None: as the host.
    :param password: of a role that is made; None: it logs in by a certificate, or as pg_hba says.
    :param quota: so many bans in force it may have told; None: as before, at first 10,000.
    :return: the role.
    :raises UserError: the name cannot be, or another host has the role.
    """
    if not _NAME.match(name):
        raise UserError(f"{name!r} is no name of a host (expected letters, digits, dots, hyphens)")
    role = role or name
    if len(role.encode()) > _LONGEST_ROLE:
        raise UserError(f"the role {role!r} is too long (expected {_LONGEST_ROLE} bytes at most)")
    who = sql.Identifier(role)
    with connection.transaction():
        other = connection.execute(
            "SELECT name FROM fleet.hosts WHERE role = %s AND name <> %s", [role, name]
        ).fetchone()
        if other:
            raise UserError(f"the role {role!r} is the host {other[0]!r}'s (expected one a host)")
        there = connection.execute(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = %s", [role]
        ).fetchone()
        if there is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(who))
        elif there[0]:
            raise UserError(f"the role {role!r} may do more than a host (expected one of its own)")
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {}").format(who, _CONNECTIONS)
        )
        if password is not None:
            # Not as it is: the server may log the statement.
            hidden = connection.pgconn.encrypt_password(
                password.encode(), role.encode(), b"scram-sha-256"
            )
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(who, hidden.decode()))
        for limit, value in _LIMITS.items():
            connection.execute(
                sql.SQL("ALTER ROLE {} SET {} = {}").format(who, sql.Identifier(limit), value)
            )
        connection.execute(sql.SQL("GRANT {} TO {}").format(sql.Identifier(GROUP), who))
        connection.execute(
            "INSERT INTO fleet.hosts (name, role) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET role = excluded.role, removed = NULL,"
            # Whichever machine comes next takes part: so it may be another one than before.
            " identity = NULL, run = NULL",
            [name, role],
        )
        if quota is not None:
            connection.execute("UPDATE fleet.hosts SET quota = %s WHERE name = %s", [quota, name])
    return role


def remove(connection: Connection, name: str, *, lift: bool) -> int:
    """Keep a host out from now on: it can log in no more, and its connections end.

    :param lift: whether its bans are lifted everywhere, but for those that others have told, too.
    :return: how many were lifted.
    :raises UserError: there is no such host.
    """
    with connection.transaction():
        found = connection.execute(
            "UPDATE fleet.hosts SET removed = coalesce(removed, clock_timestamp())"
            " WHERE name = %s RETURNING id, role",
            [name],
        ).fetchone()
        if found is None:
            raise UserError(f"{name!r} is no host of this fleet (expected one of `status`)")
        host, role = found
        who = sql.Identifier(role)
        connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN").format(who))
        connection.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(GROUP), who))
        lifted = connection.execute("SELECT fleet.lift(%s)", [host]).fetchone() if lift else (0,)
    # Ending the connections comes last: until the commit, the role could log in anew.
    connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = %s AND pid <> pg_backend_pid()",
        [role],
    )
    assert lifted is not None
    return int(lifted[0])


def states(connection: Connection) -> Iterator[HostState]:
    """How the hosts are doing: who is furthest behind comes first."""
    rows = connection.execute(
        """
        SELECT name, role, added, removed, seen,
            (SELECT count(*) FROM fleet.feed WHERE seq > read),
            (SELECT min(at) FROM fleet.feed WHERE seq > read),
            (SELECT count(*) FROM fleet.bans
                WHERE host = id AND (until IS NULL OR until > clock_timestamp())),
            quota, refused, refused_at, version
        FROM fleet.hosts
        ORDER BY removed IS NOT NULL, seen IS NOT NULL, read, name
        """
    )
    return (HostState(*row) for row in rows)
