"""A database that is not as `init` has made it: it is refused, mended or told."""

from __future__ import annotations

import operator
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import psycopg
import pytest
from conftest import Fleet, make_fleet
from pyruse_fleet import hosts, schema, status
from pyruse_fleet.doubts import doubts
from pyruse_fleet.faults import UnfitDatabase
from pyruse_fleet.link import connect
from pyruse_fleet.server import Server, binaries

from pyruse import UserError
from pyruse.testing import need, wait_until


@pytest.mark.parametrize("encoding", ["SQL_ASCII", "LATIN1"])
def test_another_encoding_is_refused_and_told(fleet: Fleet, encoding: str) -> None:
    name = f"in_{encoding.lower()}"
    fleet.ask(
        f"CREATE DATABASE {name} ENCODING {encoding} TEMPLATE template0 LC_COLLATE 'C' LC_CTYPE 'C'"
    )
    try:
        with (
            fleet.server.connection(database=name) as connection,
            pytest.raises(UserError, match=rf"in {encoding} \(expected UTF8: `createdb "),
        ):
            schema.migrate(connection)
        with pytest.raises(UnfitDatabase, match=rf"in {encoding} \(expected UTF8"):
            connect(fleet.server.url(database=name), None)
        a = fleet.simulated("a", url=fleet.server.url("a", name))
        session = a.plugin._session
        wait_until(lambda: f"in {encoding} (expected UTF8" in session.trouble.text)
        a.plugin.on_stop()
    finally:
        fleet.ask(f"DROP DATABASE {name} WITH (FORCE)")


def dump(fleet: Fleet, into: Server, database: str) -> None:
    """Restore a dump, as an administrator does."""
    programs = binaries()
    assert programs is not None
    with into.connection() as connection:
        connection.execute(f"CREATE DATABASE {database} ENCODING UTF8 TEMPLATE template0".encode())
    kept = Path(into.folder) / "dump"
    url = fleet.server.url(database=fleet.database)
    subprocess.run([programs / "pg_dump", "-d", url, "-f", kept], check=True)
    command = [programs / "psql", "-q", "-d", into.url(database=database), "-f", kept]
    subprocess.run(command, check=True, capture_output=True)


@contextmanager
def another(server: Server | None = None) -> Iterator[Server]:
    need(None if binaries() else "PostgreSQL is not installed (Debian: postgresql)")
    with Server() as made:
        yield made


def test_a_dump_that_is_restored_here_loses_no_right(fleet: Fleet) -> None:
    fleet.add("a", "thief")
    with fleet.server.connection(database=fleet.database) as connection:
        assert list(doubts(connection)) == []
    dump(fleet, fleet.server, "again")
    try:
        with fleet.server.connection(database="again") as connection:
            said = " ".join(doubts(connection))
            assert "hosts may make tables of their own in this database" in said
            fleet.ask("CREATE TEMPORARY TABLE mine ()", user="thief", database="again")
            schema.migrate(connection)
            assert list(doubts(connection)) == []
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            fleet.ask("CREATE TEMPORARY TABLE mine ()", user="thief", database="again")
        assert fleet.ask("SELECT fleet.tell(NULL, '[]')", user="a", database="again") == [(0,)]
    finally:
        fleet.ask("DROP DATABASE again WITH (FORCE)")


@pytest.mark.parametrize("ahead", [0, 100_000], ids=["an older server", "a younger server"])
def test_a_dump_that_is_restored_on_another_server(fleet: Fleet, ahead: int) -> None:
    """Its transactions have other numbers; its roles are not there."""
    a, b = (fleet.simulated(name) for name in "ab")
    fleet.ask(
        "DO $$ BEGIN FOR n IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
    )
    a.own_ban("192.0.2.1")
    wait_until(lambda: b.networks)
    with another() as server:
        if ahead == 0:
            with server.connection() as connection:
                connection.execute(
                    "DO $$ BEGIN FOR n IN 1..20000 LOOP"
                    " PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
                )
        dump(fleet, server, fleet.database)
        for one in (a, b):
            one.plugin.on_stop()
        with server.connection(database=fleet.database) as connection:
            assert [one for one in doubts(connection) if "there is no role pyruse_hosts" in one]
            schema.migrate(connection)
            states = list(hosts.states(connection))
            now = status.read(connection).now
            assert [status.verdict(one, now) for one in states] == [
                f"its role {name!r} cannot log in (expected `pyruse-fleet add-host {name}`)"
                for name in "ab"
            ]
            for name in "ab":
                hosts.add(connection, name)
            assert list(doubts(connection)) == []
        for one in (a, b):
            one.plugin.url = server.url(
                next(n for n in "ab" if f"//{n}@" in one.plugin.url), fleet.database
            )  # type: ignore[operator, arg-type]
            one.plugin.on_start(one)  # type: ignore[arg-type]
        a.own_ban("192.0.2.2")
        b.own_ban("192.0.2.3")
        everybody = {"192.0.2.1", "192.0.2.2", "192.0.2.3"}
        for host in (a, b):
            wait_until(lambda host=host: host.networks, partial(operator.eq, everybody))
        for host in (a, b):
            host.plugin.on_stop()


def test_a_role_that_was_dropped_by_hand_is_told_and_comes_back(fleet: Fleet) -> None:
    fleet.add("gone", "b")
    fleet.ask("DROP ROLE gone")
    fleet.ask("ALTER ROLE b NOLOGIN")
    with fleet.server.connection(database=fleet.database) as connection:
        shown = status.text(status.read(connection))
        for name in ("gone", "b"):
            assert (
                f"its role {name!r} cannot log in (expected `pyruse-fleet add-host {name}`)"
                in shown
            )
        assert hosts.remove(connection, "gone", lift=True) == 0
        for name in ("gone", "b"):
            hosts.add(connection, name)
    for name in ("gone", "b"):
        assert fleet.ask("SELECT fleet.me() IS NOT NULL", user=name) == [(True,)]


def test_a_host_gets_another_name_and_keeps_its_role(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    a.own_ban("192.0.2.1")
    wait_until(lambda: b.networks)
    with fleet.server.connection(database=fleet.database) as connection:
        hosts.rename(connection, "a", "web1")
        assert hosts.add(connection, "web1") == "a", "its role is as before"
        for name, new, fault in (
            ("a", "x", "'a' is no host of this fleet"),
            ("web1", "b", "'b' is another host"),
            ("web1", "a b", "'a b' is no name of a host"),
        ):
            with pytest.raises(UserError, match=fault):
                hosts.rename(connection, name, new)
    a.own_unban("192.0.2.1")
    wait_until(lambda: b.networks, operator.not_)


def test_what_a_removed_host_has_told_keeps_no_ban(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    c = fleet.simulated("c", accept=[])
    for one in (a, c):
        one.own_ban("192.0.2.1")
    wait_until(partial(fleet.ask, "SELECT host FROM fleet.bans"), lambda now: len(now) == 2)
    with fleet.server.connection(database=fleet.database) as connection:
        hosts.remove(connection, "c", lift=False)
    a.own_unban("192.0.2.1")
    wait_until(lambda: b.networks, operator.not_)
    assert fleet.ask("SELECT others FROM fleet.feed WHERE kind = 'unban'") == [(False,)]
    assert fleet.ask("SELECT * FROM fleet.bans", user="a") == [], "nobody takes it over any more"
    with fleet.server.connection(database=fleet.database) as connection:
        hosts.remove(connection, "c", lift=True, forget=True)
        assert [one.name for one in hosts.states(connection)] == ["a", "b"]


def test_a_role_that_may_do_more_is_no_hosts(fleet: Fleet) -> None:
    for number, right in enumerate(
        ("CREATEDB", "REPLICATION", "BYPASSRLS", "IN ROLE pg_write_all_data")
    ):
        fleet.ask(f"DROP ROLE IF EXISTS more{number}")
        fleet.ask(f"CREATE ROLE more{number} {right}")
        with (
            fleet.server.connection(database=fleet.database) as connection,
            pytest.raises(UserError, match="may do more than a host"),
        ):
            hosts.add(connection, f"x{number}", f"more{number}")


def test_an_owner_who_is_no_superuser_is_told_what_is_missing() -> None:
    with another() as server:
        with server.connection() as connection:
            connection.execute("CREATE ROLE boss LOGIN CREATEROLE")
            connection.execute("CREATE DATABASE own OWNER boss")
        with server.connection("boss", "own") as connection:
            schema.migrate(connection)
            hosts.add(connection, "a")
            assert [one.split(":")[0].split(" (")[0] for one in doubts(connection)] == [
                "the owner lacks pg_signal_backend",
                "the owner lacks pg_read_all_stats",
                "hosts may make large objects, and use up the memory for locks",
                "a host's queries may fill the disk by temporary files",
            ]
        with server.connection("a", "own") as connection:
            connection.execute("SELECT fleet.be_seen(0, '', true)")
            assert connection.execute("SELECT fleet.release()").fetchone() == (0,)
        with server.connection() as connection:
            connection.execute("GRANT pg_signal_backend, pg_read_all_stats TO boss")
            connection.execute("GRANT SET ON PARAMETER temp_file_limit TO boss")
        with server.connection(database="own") as connection:
            schema.migrate(connection)
        with server.connection("boss", "own") as connection:
            assert list(doubts(connection)) == []
            schema.migrate(connection)
            hosts.add(connection, "a")
        with make_fleet(server, "other", None):
            pass
