"""The tables stay small, and are brought up to date by numbered files."""

from __future__ import annotations

import pytest
from conftest import Fleet
from pyruse_fleet import schema

from pyruse import UserError

PARTITIONS = """
    SELECT inhrelid::regclass::text FROM pg_inherits
    WHERE inhparent = 'fleet.counts'::regclass ORDER BY 1
"""


def test_counts_go_by_the_day_and_the_feed_by_the_week(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.ask(
        "CREATE TABLE fleet.counts_20200101 PARTITION OF fleet.counts"
        " FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')"
    )
    fleet.ask("INSERT INTO fleet.counts VALUES ('ssh', 'x', '2020-01-01 12:00', 1, 5)")
    for seq in (2, 3):
        fleet.ask("INSERT INTO fleet.feed (seq, host, kind) VALUES (%s, 1, 'ban')", seq)
    fleet.ask("UPDATE fleet.feed SET at = '2020-01-01'")
    fleet.ask("INSERT INTO fleet.bans VALUES (1, '192.0.2.1', 'ssh', '', '', '2020-01-01')")
    fleet.ask("INSERT INTO fleet.parcels VALUES (1, 'x', '2020-01-01')")
    assert fleet.ask("SELECT fleet.keep_up()", user="a") == [(False,)], "it was done just now"
    fleet.ask("UPDATE fleet.upkeep_done SET at = at - interval '2 hours'")
    assert fleet.ask("SELECT fleet.keep_up()", user="a") == [(True,)]
    left = [name for (name,) in fleet.ask(PARTITIONS)]
    assert len(left) == 10, "a default, and today with eight days ahead"
    assert "fleet.counts_20200101" not in left
    assert fleet.ask("SELECT seq FROM fleet.feed ORDER BY seq") == [(3,)], "the last one stays"
    for table in ("counts", "bans", "parcels"):
        assert fleet.ask(f"SELECT * FROM fleet.{table}") == []


def test_a_count_is_in_the_partition_of_its_day(fleet: Fleet) -> None:
    fleet.add("a")
    fleet.ask(
        """SELECT fleet.count_up(NULL, '[["ssh", "192.0.2.1", 600, 1], ["ssh", "x", 9e9, 2]]')""",
        user="a",
    )
    assert fleet.ask("SELECT count(*) FROM fleet.counts") == [(2,)]
    assert fleet.ask("SELECT count(*) FROM fleet.counts_other") == [(0,)]


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
