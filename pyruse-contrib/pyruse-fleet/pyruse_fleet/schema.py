"""Makes the fleet's tables, and brings them up to date.

Tables change by numbered files of SQL (`migrations`), each once. Functions and rights are as the
files in `functions` say, which are run each time. Who changes a function adds a migration, too, an
empty one if need be: so an older package does not put its own in the place of newer ones.
"""

from __future__ import annotations

from importlib.resources import files

from psycopg import Connection, errors, sql

from pyruse import UserError
from pyruse_fleet.unhindered import unhindered

GROUP = "pyruse_hosts"
"""The role that all the hosts' roles are members of."""
ENCODING = "UTF8"


def migrations() -> list[tuple[int, str]]:
    """The numbers of the migrations, and their texts, in order."""
    return [(int(name.partition("_")[0]), text) for name, text in _texts("migrations")]


def migrate(connection: Connection) -> list[int]:
    """Make what is missing, in one transaction: all of it, or nothing.

    :param connection: of the owner of the database, who may make roles.
    :return: the numbers of the migrations that were applied.
    :raises UserError: the database is in another encoding, or its tables are of a newer version
        than this package, or somebody holds on to them.
    """
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != ENCODING:
        raise UserError(
            f"the database is in {encoding} (expected {ENCODING}: "
            "`createdb --encoding UTF8 --template template0`)"
        )
    _begin(connection)
    return unhindered(connection, lambda: _apply(connection))


def _begin(connection: Connection) -> None:
    try:
        with connection.transaction():
            connection.execute("CREATE SCHEMA IF NOT EXISTS fleet")
            connection.execute(
                "CREATE TABLE IF NOT EXISTS fleet.migrations"
                " (number int PRIMARY KEY, at timestamptz NOT NULL DEFAULT clock_timestamp())"
            )
            if not connection.execute("SELECT FROM pg_roles WHERE rolname = %s", [GROUP]).rowcount:
                # It outlives the database: it may be there from another one of this server.
                connection.execute(sql.SQL("CREATE ROLE {} NOLOGIN").format(sql.Identifier(GROUP)))
    except (errors.UniqueViolation, errors.DuplicateObject):
        pass  # somebody else has made it at the same time


def _apply(connection: Connection) -> list[int]:
    # No host has a right to this lock: so none keeps the administrator waiting by it.
    connection.execute("LOCK TABLE fleet.migrations IN EXCLUSIVE MODE")
    done = {number for (number,) in connection.execute("SELECT number FROM fleet.migrations")}
    known = migrations()
    if newer := sorted(done - {number for number, _ in known}):
        raise UserError(
            f"the fleet's tables have migration {newer[-1]}, and this package knows "
            f"{known[-1][0]} (expected an upgrade of pyruse-fleet here)"
        )
    added = []
    for number, text in known:
        if number not in done:
            connection.execute(text.encode())
            connection.execute("INSERT INTO fleet.migrations (number) VALUES (%s)", [number])
            added.append(number)
    for _, text in _texts("functions"):
        connection.execute(text.encode())
    connection.execute("SELECT fleet.upkeep()")
    return added


def _texts(folder: str) -> list[tuple[str, str]]:
    found = (files("pyruse_fleet") / folder).iterdir()
    return sorted((one.name, one.read_text("utf-8")) for one in found if one.name.endswith(".sql"))
