"""The hosts of a fleet: each has a role of its own in the database."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from psycopg import Connection, sql
from psycopg.errors import UniqueViolation

from pyruse import UserError, one_line, shortened
from pyruse_fleet.schema import GROUP
from pyruse_fleet.unhindered import end_all, unhindered

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?\Z")
_LONGEST_ROLE = 63  # bytes: NAMEDATALEN of PostgreSQL
_LIMITS = {
    # A statement that takes longer is of no use any more; a transaction that is left open keeps the
    # database from cleaning up. A host could set them anew: so nobody waits for what a host's
    # transaction holds, and fleet.watch ends it after a minute.
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "10s",
    "lock_timeout": "10s",
}
_FIRM_LIMITS = {
    # A host cannot set it anew; each of its sessions may have as much.
    "temp_file_limit": "100MB",
}
_CONNECTIONS = 4
"""A host has one connection; one more while it is made anew, and one for its administrator."""

_LONGEST_SHOWN = 40  # characters
_UNKNOWN = "{!r} is no host of this fleet (expected one of `status`)"
_MAY_DO_MORE = """
    SELECT rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls OR EXISTS (
        SELECT FROM pg_auth_members JOIN pg_roles AS other ON other.oid = roleid
        WHERE member = role.oid AND other.rolname <> %s)
    FROM pg_roles AS role WHERE role.rolname = %s
"""


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
    twin_at: datetime | None
    """When a second machine of its name was last turned away."""
    may_log_in: bool
    """Its role is there, can log in, and is a member of the hosts' group."""
    told_today: int
    """Rows of the feed that it has written today, in UTC …"""
    rows_today: int
    """… and of all tables …"""
    bytes_today: int
    """… and as many bytes."""
    used: float
    """How much of its limits that is: 1.0 is all that it may write a day."""


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
    known = connection.execute("SELECT role FROM fleet.hosts WHERE name = %s", [name]).fetchone()
    role = role or (known[0] if known else name)
    if len(role.encode()) > _LONGEST_ROLE:
        raise UserError(f"the role {role!r} is too long (expected {_LONGEST_ROLE} bytes at most)")
    who = sql.Identifier(role)

    def let_in() -> None:
        other = connection.execute(
            "SELECT name FROM fleet.hosts WHERE role = %s AND name <> %s", [role, name]
        ).fetchone()
        if other:
            raise UserError(
                f"the role {role!r} is that of the host {other[0]!r} (expected another --role)"
            )
        there = connection.execute(_MAY_DO_MORE, [GROUP, role]).fetchone()
        if there is None:
            connection.execute(sql.SQL("CREATE ROLE {}").format(who))
        elif there[0]:
            raise UserError(f"the role {role!r} may do more than a host (expected one of its own)")
        # What a host has set for itself, when it was stolen.
        connection.execute(sql.SQL("ALTER ROLE {} RESET ALL").format(who))
        database = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(who, database))
        connection.execute(
            sql.SQL("ALTER ROLE {} LOGIN CONNECTION LIMIT {}").format(who, _CONNECTIONS)
        )
        if password is not None:
            # Not as it is: the server may log the statement.
            hidden = connection.pgconn.encrypt_password(
                password.encode(), role.encode(), b"scram-sha-256"
            )
            connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(who, hidden.decode()))
        for limit, value in (_LIMITS | _firm_limits(connection)).items():
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

    unhindered(connection, let_in)
    return role


def takes_part(connection: Connection, name: str) -> bool:
    """Whether there is such a host, and it was not removed."""
    query = "SELECT FROM fleet.hosts WHERE name = %s AND removed IS NULL"
    return bool(connection.execute(query, [name]).rowcount)


def _firm_limits(connection: Connection) -> dict[str, str]:
    """Those of them that the owner may set."""
    return {
        limit: value
        for limit, value in _FIRM_LIMITS.items()
        if connection.execute("SELECT has_parameter_privilege(%s, 'SET')", [limit]).fetchone()
        == (True,)
    }


def rename(connection: Connection, name: str, new: str) -> None:
    """Give a host another name; it logs in as before, and keeps what it has told.

    :raises UserError: there is no such host, or there is one of the new name, or it cannot be one.
    """
    if not _NAME.match(new):
        raise UserError(f"{new!r} is no name of a host (expected letters, digits, dots, hyphens)")

    def call_it() -> int:
        return connection.execute(
            "UPDATE fleet.hosts SET name = %s WHERE name = %s", [new, name]
        ).rowcount

    try:
        found = unhindered(connection, call_it)
    except UniqueViolation:
        raise UserError(
            f"{new!r} is another host (expected a new name, or `remove-host {new} --forget`)"
        ) from None
    if not found:
        raise UserError(_UNKNOWN.format(name))


def remove(connection: Connection, name: str, *, lift: bool, forget: bool = False) -> int:
    """Keep a host out from now on: it can log in no more, and its connections end.

    What it has told counts no more. Where that was taken over, it stays until its end, or until
    another host that has told it, too, lifts it.

    :param lift: whether its bans are lifted everywhere, but for those that others have told, too.
    :param forget: whether its name is free again, and all that is known of it is forgotten.
    :return: how many were lifted.
    :raises UserError: there is no such host, or somebody else is in the way.
    """
    found = connection.execute(
        "SELECT id, role, role IN (SELECT rolname FROM pg_roles) FROM fleet.hosts WHERE name = %s",
        [name],
    ).fetchone()
    if found is None:
        raise UserError(_UNKNOWN.format(name))
    host, role, is_there = found
    who = sql.Identifier(role)

    def shut_out() -> None:
        # A password that a thief has set is not to be good again, if the host comes back.
        connection.execute(sql.SQL("ALTER ROLE {} NOLOGIN PASSWORD NULL").format(who))
        connection.execute(sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(GROUP), who))

    def clean_up() -> int:
        lifted = 0
        connection.execute(
            "UPDATE fleet.hosts SET removed = coalesce(removed, clock_timestamp()) WHERE id = %s",
            [host],
        )
        if lift:
            (lifted,) = connection.execute("SELECT fleet.lift(%s)", [host]).fetchone() or (0,)
        if forget:
            for table in ("bans", "counts", "parcels", "usage", "mailed", "reports"):
                connection.execute(f"DELETE FROM fleet.{table} WHERE host = %s".encode(), [host])
            connection.execute("DELETE FROM fleet.hosts WHERE id = %s", [host])
        return lifted

    if is_there:  # else, somebody has dropped it by hand
        unhindered(connection, shut_out, role)
    end_all(connection, role)  # until the commit, it could log in anew
    return unhindered(connection, clean_up, role)


def states(connection: Connection) -> Iterator[HostState]:
    """How the hosts are doing: who is furthest behind comes first."""
    rows = connection.execute(
        """
        SELECT name, role, added, removed, seen,
            (SELECT count(*) FROM fleet.feed WHERE seq > read),
            (SELECT min(at) FROM fleet.feed WHERE seq > read),
            (SELECT count(*) FROM fleet.bans
                WHERE host = id AND (until IS NULL OR until > clock_timestamp())),
            quota, hosts.refused, refused_at, version, twin_at,
            EXISTS (SELECT FROM pg_auth_members JOIN pg_roles AS one ON one.oid = member
                JOIN pg_roles AS hosts_group ON hosts_group.oid = roleid
                WHERE one.rolname = role AND hosts_group.rolname = %s AND one.rolcanlogin),
            coalesce(usage.told + usage.counted, 0), coalesce(usage.rows, 0),
            coalesce(usage.bytes, 0),
            coalesce(greatest(
                usage.told / most.told::float8, usage.counted / most.told::float8,
                usage.rows / most.rows::float8, usage.bytes / most.bytes::float8), 0)
        FROM fleet.hosts
            LEFT JOIN fleet.usage ON usage.host = id AND day = fleet.today(),
            LATERAL (SELECT greatest(told, 1) AS told, rows, bytes FROM fleet.limits(id)) AS most
        ORDER BY removed IS NOT NULL, seen IS NOT NULL, read, name
        """,
        [GROUP],
    )
    return (HostState(*row)._replace(version=_shown(row[11])) for row in rows)


def _shown(text: str) -> str:
    """What a host says of itself: it may say anything."""
    return shortened(one_line(text), _LONGEST_SHOWN)
