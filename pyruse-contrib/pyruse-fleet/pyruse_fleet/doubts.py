"""What keeps a fleet's database from being as safe as it could be; its administrator mends it."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection

_SINGLE = {
    "SELECT NOT pg_has_role('pg_signal_backend', 'USAGE')": (
        "the owner lacks pg_signal_backend: nobody ends the sessions of a host that leaves "
        "transactions open (expected GRANT pg_signal_backend TO CURRENT_USER, by a superuser)"
    ),
    "SELECT NOT pg_has_role('pg_read_all_stats', 'USAGE')": (
        "the owner lacks pg_read_all_stats: nobody sees which host leaves transactions open "
        "(expected GRANT pg_read_all_stats TO CURRENT_USER, by a superuser)"
    ),
    "SELECT EXISTS (SELECT FROM fleet.open_functions)": (
        "hosts may make large objects, and use up the memory for locks (expected `pyruse-fleet "
        "init` by a superuser)"
    ),
    "SELECT NOT has_parameter_privilege('temp_file_limit', 'SET')": (
        "a host's queries may fill the disk by temporary files (expected GRANT SET ON PARAMETER "
        "temp_file_limit TO CURRENT_USER, by a superuser, then `add-host` of each host)"
    ),
    "SELECT current_setting('max_prepared_transactions') <> '0'": (
        "hosts may leave prepared transactions, which no end of a session ends (expected "
        "max_prepared_transactions = 0 in postgresql.conf)"
    ),
    "SELECT has_database_privilege('pyruse_hosts', current_database(), 'TEMPORARY, CREATE')": (
        "hosts may make tables of their own in this database, as after a dump was restored "
        "(expected `pyruse-fleet init`)"
    ),
    "SELECT NOT has_function_privilege('pyruse_hosts', 'fleet.tell(text, jsonb)', 'EXECUTE')"
    " OR NOT has_table_privilege('pyruse_hosts', 'fleet.feed', 'SELECT')"
    " OR (SELECT count(*) < 5 FROM pg_policies WHERE schemaname = 'fleet')": (
        "hosts lack rights, as after a dump was restored (expected `pyruse-fleet init`)"
    ),
}
_SCHEMAS = """
    SELECT nspname FROM pg_namespace
    WHERE nspname !~ '^pg_' AND has_schema_privilege('pyruse_hosts', oid, 'CREATE') ORDER BY 1
"""
_PREPARED = """
    SELECT gid, owner FROM pg_prepared_xacts
    WHERE database = current_database() AND owner IN (SELECT role FROM fleet.hosts) ORDER BY 1
"""
_GROUP = "SELECT FROM pg_roles WHERE rolname = 'pyruse_hosts'"


def doubts(connection: Connection) -> Iterator[str]:
    """Each in a line: *fault (expected …)*."""
    if not connection.execute(_GROUP).rowcount:
        yield "there is no role pyruse_hosts: no host reads anything (expected `pyruse-fleet init`)"
        return
    for query, text in _SINGLE.items():
        if connection.execute(query.encode()).fetchone() == (True,):
            yield text
    for (schema,) in connection.execute(_SCHEMAS):
        yield f"hosts may make tables in the schema {schema} (expected `pyruse-fleet init`)"
    for gid, owner in connection.execute(_PREPARED):
        yield (
            f"{owner} has left the prepared transaction {gid!r} "
            "(expected `ROLLBACK PREPARED` of it, by a superuser)"
        )
    for name, why in connection.execute("SELECT name, why FROM fleet.bad_sessions ORDER BY 1, 2"):
        yield f"a session of {name} {why} (expected that hosts end it within two minutes)"
