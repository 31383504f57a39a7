"""The administrator does not wait for a host that leaves a transaction open, or locks something."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from psycopg import Connection, errors, sql

from pyruse import UserError, one_line

T = TypeVar("T")

_ATTEMPTS = 10
_GONE_S = 10.0
_IN_THE_WAY = (errors.LockNotAvailable, errors.DeadlockDetected, errors.InternalError_)
"""The last one is PostgreSQL's "tuple concurrently updated": of a role that changes itself."""

_HOSTS = """
    SELECT activity.pid FROM pg_stat_activity AS activity
    JOIN pg_auth_members ON member = usesysid JOIN pg_roles ON pg_roles.oid = roleid
    WHERE rolname = 'pyruse_hosts' AND datname = current_database()
        AND (xact_start IS NULL OR xact_start < clock_timestamp() - interval '0.5 s')
        AND EXISTS (SELECT FROM pg_locks WHERE pg_locks.pid = activity.pid)
"""
_OF_A_ROLE = "SELECT pid FROM pg_stat_activity WHERE usename = %s AND pid <> pg_backend_pid()"
_OTHERS = """
    SELECT DISTINCT format('%s (process %s)', usename, pid)
    FROM pg_locks JOIN pg_stat_activity USING (pid)
    WHERE pid <> pg_backend_pid() AND relation IN (
        SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace('fleet'))
    UNION ALL
    SELECT format('%s (prepared transaction %s)', owner, gid) FROM pg_prepared_xacts
    WHERE database = current_database() ORDER BY 1
"""


def unhindered(connection: Connection, work: Callable[[], T], role: str | None = None) -> T:
    """Do something in a transaction; end sessions of hosts that are in its way.

    :param role: all the sessions of this one end first; None: those that hold locks, if need be.
    :raises UserError: somebody else is in the way, or the owner may not end sessions.
    """
    for _ in range(_ATTEMPTS):
        if role is not None:
            _end(connection, _OF_A_ROLE, role)
        try:
            with connection.transaction():
                connection.execute("SET LOCAL lock_timeout = '1s'")
                return work()
        except _IN_THE_WAY:
            if role is None:
                _end(connection, _HOSTS)
    # A host may have given its prepared transaction any name.
    others = ", ".join(one_line(str(who)) for (who,) in connection.execute(_OTHERS))
    raise UserError(
        f"others hold on to the fleet's tables: {others or 'unknown'} (expected nobody: "
        "`SELECT pg_terminate_backend(PROCESS)` or `ROLLBACK PREPARED 'TRANSACTION'`)"
    )


def end_all(connection: Connection, role: str) -> None:
    """End the sessions of a role that can log in no more, and its prepared transactions.

    :raises UserError: they do not end.
    """
    deadline = time.monotonic() + _GONE_S
    while _end(connection, _OF_A_ROLE, role):
        if time.monotonic() > deadline:
            raise UserError(f"the sessions of {role!r} do not end (expected it after some seconds)")
        time.sleep(0.05)
    prepared = connection.execute(
        "SELECT gid FROM pg_prepared_xacts WHERE owner = %s AND database = current_database()",
        [role],
    ).fetchall()
    for (gid,) in prepared:
        try:
            connection.execute(sql.SQL("ROLLBACK PREPARED {}").format(gid))
        except errors.InsufficientPrivilege:
            raise UserError(
                f"{role!r} has left the prepared transaction {gid!r} (expected "
                "`ROLLBACK PREPARED` of it by a superuser, then this command again)"
            ) from None


def _end(connection: Connection, which: str, *values: str) -> int:
    try:
        found = connection.execute(
            f"SELECT count(pg_terminate_backend(pid)) FROM ({which}) AS session", values or None
        ).fetchone()
    except errors.InsufficientPrivilege:
        raise UserError(
            "a host's session is in the way, and the owner may not end it (expected "
            "GRANT pg_signal_backend TO CURRENT_USER, by a superuser)"
        ) from None
    return 0 if found is None else int(found[0])
