"""The tables stay small, and are brought up to date by numbered files."""

from __future__ import annotations

import psycopg
import pytest
from conftest import Fleet
from pyruse_fleet import schema

from pyruse import UserError
from pyruse.testing import wait_until


def test_counts_go_by_the_day_and_the_feed_by_the_week(fleet: Fleet) -> None:
    fleet.add("a", "b")
    for ago in (2, 3):
        fleet.ask(
            """INSERT INTO fleet.counts (slot, counter, key, until, host, number)
            SELECT fleet.slot(day), 'ssh', 'x', day, 1, 5
            FROM (SELECT clock_timestamp() - %s * interval '1 day') AS ended (day)""",
            ago,
        )
    fleet.ask("""SELECT fleet.count_up(NULL, '[["ssh", "192.0.2.1", 604800, 1]]')""", user="a")
    for seq in (2, 3):
        fleet.ask("INSERT INTO fleet.feed (seq, host, kind) VALUES (%s, 1, 'ban')", seq)
    fleet.ask("UPDATE fleet.feed SET at = '2020-01-01'")
    fleet.ask("INSERT INTO fleet.bans VALUES (1, '192.0.2.1', 'ssh', '', '', '2020-01-01')")
    fleet.ask("INSERT INTO fleet.parcels VALUES (1, 'x', '2020-01-01')")
    for table in ("reports", "mailed", "usage"):
        more = (", report", ", '{}'") if table == "reports" else ("", "")
        fleet.ask(
            f"INSERT INTO fleet.{table} (host, day{more[0]}) VALUES (1, '2020-01-01'{more[1]})"
        )
    assert fleet.ask("SELECT fleet.keep_up()", user="a") == [(True,)]
    assert fleet.ask("SELECT fleet.keep_up()", user="a") == [(False,)], "it was done just now"
    assert fleet.ask("SELECT seq FROM fleet.feed ORDER BY seq") == [(3,)], "the last one stays"
    assert fleet.ask("SELECT key FROM fleet.counts") == [("192.0.2.1",)], "what counts stays"
    for table in ("bans", "parcels", "reports", "mailed"):
        assert fleet.ask(f"SELECT * FROM fleet.{table}") == []
    assert fleet.ask("SELECT count(*) FROM fleet.usage") == [(1,)]


def test_each_host_removes_its_own_and_what_silent_ones_have_left(fleet: Fleet) -> None:
    """Who holds what he removes keeps nobody else from removing his own."""
    fleet.add("a", "b", "silent", "thief")
    fleet.ask("UPDATE fleet.hosts SET seen = now() WHERE name <> 'silent'")
    for host in (1, 2, 3, 4):
        fleet.ask(
            "INSERT INTO fleet.bans VALUES (%s, '192.0.2.1', 'ssh', '', '', '2020-01-01')", host
        )
        fleet.ask("INSERT INTO fleet.parcels VALUES (%s, 'x', '2020-01-01')", host)
    fleet.ask(
        """INSERT INTO fleet.counts (slot, counter, key, until, host, number)
        SELECT fleet.slot(day), 'ssh', 'x', day, 1, 5
        FROM (SELECT clock_timestamp() - interval '2 days') AS ended (day)"""
    )
    with psycopg.connect(fleet.url("thief")) as thief:
        thief.execute("SELECT fleet.keep_up()")  # and leaves it at that
        wait_until(
            lambda: fleet.ask(
                "SELECT 1 FROM pg_stat_activity WHERE usename = 'thief'"
                " AND xact_start < clock_timestamp() - interval '1 second'"
            )
        )
        assert fleet.ask("SELECT fleet.keep_up()", user="a") == [(True,)]
        assert fleet.ask("SELECT host FROM fleet.bans ORDER BY 1") == [(2,), (3,), (4,)]
        assert fleet.ask("SELECT * FROM fleet.counts") == [], "he sat on what is over: he is ended"
        with pytest.raises(psycopg.OperationalError):
            thief.execute("SELECT 1")
    fleet.ask("UPDATE fleet.hosts SET upkeep_at = NULL WHERE name = 'b'")
    assert fleet.ask("SELECT fleet.keep_up()", user="b") == [(True,)]
    assert fleet.ask("SELECT host FROM fleet.bans ORDER BY 1") == [(4,)]
    assert fleet.ask("SELECT host FROM fleet.parcels ORDER BY 1") == [(4,)]


def test_a_count_is_in_the_partition_of_its_day(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.ask(
        """SELECT fleet.count_up(NULL, '[["ssh", "192.0.2.1", 600, 1], ["ssh", "x", 9e9, 2]]')""",
        user="a",
    )
    assert fleet.ask("SELECT count(*) FROM fleet.counts") == [(2,)]
    assert fleet.ask("SELECT slot = fleet.slot(until) FROM fleet.counts") == [(True,)] * 2


def test_migrations_are_applied_once_and_newer_ones_are_refused(fleet: Fleet) -> None:
    with fleet.server.connection(database=fleet.database) as connection:
        assert schema.migrate(connection) == []
        numbers = [number for number, _ in schema.migrations()]
        assert numbers == list(range(1, len(numbers) + 1))
        connection.execute("INSERT INTO fleet.migrations (number) VALUES (99)")
        with pytest.raises(UserError, match="have migration 99"):
            schema.migrate(connection)


def test_a_migration_that_fails_leaves_nothing(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = schema.migrations()
    broken = [*known, (len(known) + 1, "CREATE TABLE fleet.half (); SELECT 1 / 0")]
    monkeypatch.setattr(schema, "migrations", lambda: broken)
    with fleet.server.connection(database=fleet.database) as connection:
        with pytest.raises(Exception, match="division by zero"):
            schema.migrate(connection)
        assert connection.execute("SELECT to_regclass('fleet.half')").fetchone() == (None,)
        assert connection.execute("SELECT count(*) FROM fleet.migrations").fetchone() == (
            len(known),
        )
