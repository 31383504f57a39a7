"""What a stolen host writes is bounded a day, in rows and in bytes, and told."""

from __future__ import annotations

import operator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import psycopg
import pytest
from conftest import Fleet
from psycopg.types.json import Jsonb
from pyruse_fleet import hosts, status
from pyruse_fleet.hosts import HostState

from pyruse.testing import wait_until

TELL = "SELECT fleet.tell(%s, %s)"
COUNT = "SELECT fleet.count_up(%s, %s)"


def ban(network: str, lasts: float | None = 3600.0, **more: Any) -> dict[str, Any]:
    return {"kind": "ban", "network": network, "label": "ssh", "lasts": lasts} | more


def state(fleet: Fleet, name: str) -> HostState:
    with fleet.server.connection(database=fleet.database) as connection:
        return next(one for one in hosts.states(connection) if one.name == name)


def shown(fleet: Fleet, name: str) -> str:
    """A host's line of the status."""
    with fleet.server.connection(database=fleet.database) as connection:
        lines = status.text(status.read(connection)).splitlines()
    return next(line for line in lines if line.startswith(name))


def add(fleet: Fleet, quota: int) -> psycopg.Connection:
    with fleet.server.connection(database=fleet.database) as connection:
        hosts.add(connection, "thief", quota=quota)
    return psycopg.connect(fleet.url("thief"), autocommit=True)


def value(connection: psycopg.Connection, query: str, *values: Any) -> Any:
    found = connection.execute(query, values).fetchone()
    assert found is not None
    return found[0]


def test_bans_that_are_known_are_no_news(fleet: Fleet) -> None:
    with add(fleet, 10) as thief:
        rows = Jsonb([ban("192.0.2.1"), ban("192.0.2.2", None)])
        for number in range(20):
            assert value(thief, TELL, f"p{number}", rows) == 0
    assert fleet.ask("SELECT count(*) FROM fleet.feed WHERE kind = 'ban'") == [(2,)]
    assert fleet.ask("SELECT count(*) FROM fleet.parcels") == [(1,)], "nor are their parcels kept"


def test_longer_bans_end_at_the_days_limit_and_unbans_do_not(fleet: Fleet) -> None:
    with add(fleet, 2) as thief:
        beyond = [
            value(thief, TELL, None, Jsonb([ban("192.0.2.1", 60.0 * number)]))
            for number in range(1, 31)
        ]
        assert sum(beyond) == 20, "five rows of the feed for each ban that it may have in force"
        assert (
            value(
                thief,
                TELL,
                None,
                Jsonb([{"kind": "unban", "network": "192.0.2.1", "label": "ssh"}]),
            )
            == 0
        )
    assert fleet.ask("SELECT count(*) FROM fleet.feed WHERE kind = 'ban'") == [(10,)]
    assert fleet.ask("SELECT * FROM fleet.bans") == []
    assert (state(fleet, "thief").told_today, state(fleet, "thief").refused) == (10, 20)


def test_one_key_and_minute_counts_so_far_and_no_further(fleet: Fleet) -> None:
    with add(fleet, 10_000) as thief:
        row = ["ssh", "192.0.2.1", 600, 1_000_000]
        assert value(thief, COUNT, None, Jsonb([row] * 1_000)) == 1
        assert value(thief, COUNT, None, Jsonb([row, ["ssh", "192.0.2.2", 600, 5]])) == 1
        for hostile in (float("nan"), 1e308):
            thief.execute(COUNT.replace("%s, %s", f'NULL, \'[["ssh", "x", "{hostile}", 1]]\''))
    assert fleet.ask(
        "SELECT key, sum(number) FROM fleet.counts WHERE key <> 'x' GROUP BY key ORDER BY key"
    ) == [("192.0.2.1", 200_000), ("192.0.2.2", 5)] or fleet.ask(
        "SELECT max(number) FROM fleet.counts"
    ) == [(100_000,)]
    assert "over its quota: 2 refused" in shown(fleet, "thief")


def test_rows_and_parcels_end_at_the_days_limit(fleet: Fleet) -> None:
    with add(fleet, 0) as thief:

        def keys(first: int, number: int) -> Jsonb:
            return Jsonb([["ssh", f"k{one}", 600, 1] for one in range(first, first + number)])

        assert value(thief, COUNT, "p1", keys(0, 900)) == 0
        assert "has written 90% of what it may a day" in shown(fleet, "thief")
        assert value(thief, COUNT, "p2", keys(900, 300)) == 300
        for number in range(300):
            value(thief, COUNT, f"q{number}", keys(0, 1))
    assert fleet.ask("SELECT count(*) FROM fleet.counts") == [(900,)]
    [(rows,)] = fleet.ask("SELECT rows FROM fleet.usage")
    assert rows <= 1_000
    assert fleet.ask("SELECT count(*) < 60 FROM fleet.parcels") == [(True,)]
    assert "over its quota: " in shown(fleet, "thief")


def test_bytes_end_at_the_days_limit(fleet: Fleet) -> None:
    today = datetime.now(UTC).date()
    with add(fleet, 0) as thief:
        for number in range(200):
            day = today - timedelta(days=number % 10)
            thief.execute("SELECT fleet.report(%s, %s)", [day, Jsonb({"x": "y" * 65_000})])
        size, refused = fleet.ask("SELECT bytes, refused FROM fleet.usage")[0]
        assert size <= 10_000_000
        assert refused > 40
        keys = [["ssh", f"{number:>0100}", 600, 1] for number in range(700)]
        assert value(thief, COUNT, None, Jsonb(keys)) == 700


def test_days_of_long_ago_and_of_the_future_are_refused(fleet: Fleet) -> None:
    today = datetime.now(UTC).date()
    with add(fleet, 10) as thief:
        for days in (-4_000, -17, 2, 4_000):
            with pytest.raises(psycopg.DataError):
                thief.execute("SELECT fleet.report(%s, '{}')", [today + timedelta(days=days)])
        with pytest.raises(psycopg.DataError):
            thief.execute("SELECT fleet.report(%s, %s)", [today, Jsonb({"x": "y" * 70_000})])


def test_what_all_count_is_in_the_feed_no_more_often_than_the_limit(fleet: Fleet) -> None:
    """It counts what others count: neither has it others tell without end, nor does it itself."""
    a = fleet.simulated("a")
    fleet.ask("UPDATE fleet.hosts SET quota = 2 WHERE name = 'a'")
    with add(fleet, 2) as thief:
        keys = [f"192.0.2.{number}" for number in range(40)]
        for key in keys:
            a.raised("ssh", key)
        wait_until(
            partial(fleet.ask, "SELECT count(*) FROM fleet.counts"), partial(operator.eq, [(40,)])
        )
        value(thief, COUNT, None, Jsonb([["ssh", key, 600, 1] for key in keys]))
        pairs = Jsonb([["ssh", key] for key in keys])
        assert value(thief, "SELECT fleet.spread(%s)", pairs) == 10
        assert value(thief, "SELECT fleet.spread(%s)", pairs) == 0
        wait_until(
            partial(fleet.ask, "SELECT count(*) FROM fleet.feed WHERE kind = 'count' AND host = 1"),
            partial(operator.eq, [(10,)]),
        )
        # What is told of bans has a limit of its own: that is not used up.
        a.own_ban("192.0.2.1")
        wait_until(partial(fleet.ask, "SELECT host FROM fleet.bans"))


def test_a_host_hears_that_its_counts_are_refused(fleet: Fleet) -> None:
    a = fleet.simulated("a")
    fleet.ask("UPDATE fleet.hosts SET quota = 0 WHERE name = 'a'")
    fleet.ask("INSERT INTO fleet.usage (host, day, rows) VALUES (1, fleet.today(), 1000)")
    a.raised("ssh", "192.0.2.1")
    wait_until(lambda: a.lines)
    [line] = a.lines
    assert "its quota is used up" in line


def test_its_sessions_have_one_limit_together(fleet: Fleet) -> None:
    with (
        add(fleet, 5) as one,
        psycopg.connect(fleet.url("thief")) as other,
        ThreadPoolExecutor() as pool,
    ):
        rows = [[ban(f"192.0.2.{number + 10 * half}") for number in range(5)] for half in (0, 1)]
        assert value(other, TELL, None, Jsonb(rows[0])) == 0  # not committed yet
        beyond = pool.submit(value, one, TELL, None, Jsonb(rows[1]))
        wait_until(lambda: fleet.ask("SELECT 1 FROM pg_locks WHERE NOT granted"))
        other.commit()
        assert beyond.result() == 5
    assert fleet.ask("SELECT count(*) FROM fleet.bans") == [(5,)]


def test_a_role_has_firm_limits_and_none_of_its_own(fleet: Fleet) -> None:
    with add(fleet, 10) as thief:
        thief.execute("ALTER ROLE thief SET statement_timeout = 0")
        thief.execute(f"ALTER ROLE thief IN DATABASE {fleet.database} SET lock_timeout = 0")
        assert value(thief, "SHOW temp_file_limit") == "100MB"
        thief.execute("SET work_mem = '64kB'")
        with pytest.raises(psycopg.errors.ConfigurationLimitExceeded):
            thief.execute(
                "SELECT random() FROM generate_series(1, 10000000) ORDER BY 1 LIMIT 9000000"
            )
    add(fleet, 10).close()
    with psycopg.connect(fleet.url("thief")) as again:
        assert value(again, "SHOW statement_timeout") == "30s"
        assert value(again, "SHOW lock_timeout") == "10s"
