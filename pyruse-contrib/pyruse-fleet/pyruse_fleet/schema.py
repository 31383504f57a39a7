"""Makes the fleet's tables, and brings them up to date: numbered files of SQL, each once."""

from __future__ import annotations

from importlib.resources import files

from psycopg import Connection, sql

from pyruse import UserError

GROUP = "pyruse_hosts"
"""The role that all the hosts' roles are members of."""

_LOCK = (20260314, 0)


def migrations() -> list[tuple[int, str]]:
    """The numbers of the migrations, and their texts, in order."""
    folder = files("pyruse_fleet") / "migrations"
    found = [one for one in folder.iterdir() if one.name.endswith(".sql")]
    return sorted((int(one.name.partition("_")[0]), one.read_text("utf-8")) for one in found)


def migrate(connection: Connection) -> list[int]:
    """Make what is missing, in one transaction: all of it, or nothing.

    :param connection: of the owner of the database, who may make roles.
    :return: the numbers of the migrations that were applied.
    :raises UserError: the tables are of a newer version than this package.
    """
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s, %s)", _LOCK)
        connection.execute("CREATE SCHEMA IF NOT EXISTS fleet")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS fleet.migrations"
            " (number int PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())"
        )
        done = {number for (number,) in connection.execute("SELECT number FROM fleet.migrations")}
        known = migrations()
        if newer := sorted(done - {number for number, _ in known}):
            raise UserError(
                f"the fleet's tables have migration {newer[-1]}, and this package knows "
                f"{known[-1][0]} (expected an upgrade of pyruse-fleet here)"
            )
        _make_group(connection)
        added = []
        for number, text in known:
            if number not in done:
                connection.execute(text.encode())
                connection.execute("INSERT INTO fleet.migrations (number) VALUES (%s)", [number])
                added.append(number)
    return added


def doubts(connection: Connection) -> list[str]:
    """What keeps the fleet from being as safe as it could be, for the administrator to mend."""
    found = []
    for role in ("pg_signal_backend", "pg_read_all_stats"):
        has = connection.execute("SELECT pg_has_role(current_user, %s, 'USAGE')", [role])
        if has.fetchone() == (False,):
            found.append(
                f"the owner lacks {role}: a host that leaves a transaction open can keep others "
                f"from telling anything (expected GRANT {role} TO CURRENT_USER, by a superuser)"
            )
    return found


def _make_group(connection: Connection) -> None:
    """The group outlives the database: it may be there from another one of this server."""
    there = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [GROUP]).rowcount
    if not there:
        connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(GROUP)))
