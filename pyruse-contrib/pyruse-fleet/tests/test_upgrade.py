"""A database of an earlier version, with rows, comes through; so do hosts of an earlier version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from conftest import Fleet, make_fleet
from psycopg.types.json import Jsonb
from pyruse_fleet import hosts, schema
from pyruse_fleet.server import Server

from pyruse.testing import wait_until

_FIRST = 6
"""The last migration of the first version: its functions were in the migrations."""
_NEXT = """
    SELECT seq, mark, host, kind, network::text, label, ports, protocol, until IS NULL,
        extract(epoch FROM until - clock_timestamp())::float8, others, counter, key, parts
    FROM fleet.feed WHERE seq >= %s ORDER BY seq LIMIT 500
"""
"""How hosts of that version read."""


@pytest.fixture
def first(server: Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fleet]:
    """A fleet whose tables are of the first version."""
    with monkeypatch.context() as patched:
        known = schema.migrations()[:_FIRST]
        patched.setattr(schema, "migrations", lambda: known)
        patched.setattr(schema, "_texts", lambda folder: [])
        made = make_fleet(server, "first", None)
        fleet = made.__enter__()
    try:
        for name in "ab":
            # As `add-host` did.
            fleet.ask(f"DROP ROLE IF EXISTS {name}")
            fleet.ask(f"CREATE ROLE {name} LOGIN IN ROLE pyruse_hosts")
            fleet.ask("INSERT INTO fleet.hosts (name, role, quota) VALUES (%s, %s, 7)", name, name)
        yield fleet
    finally:
        made.__exit__(None, None, None)
        fleet.ask("DROP DATABASE first WITH (FORCE)", database="postgres")


def ban(network: str) -> Jsonb:
    return Jsonb([{"kind": "ban", "network": network, "label": "ssh", "lasts": 3600}])


def rows_of(fleet: Fleet) -> dict[str, list[object]]:
    """All that has to be there afterwards."""
    return {
        table: fleet.ask(f"SELECT {columns} FROM fleet.{table} ORDER BY 1, 2")
        for table, columns in {
            "hosts": "name, role, quota, seen",
            "feed": "seq, mark, host, kind, network, key",
            "bans": "host, network, until, since",
            "counts": "host, counter, key, number, told",
            "reports": "host, day, report",
            "parcels": "host, parcel",
        }.items()
    }


def be_of_the_first_version(fleet: Fleet, name: str, network: str, key: str) -> None:
    """All that a host of that version calls."""
    day = datetime.now(UTC).date() - timedelta(days=1)
    counts = Jsonb([["ssh", key, 600, 3]])
    for query, values in (
        ("SELECT * FROM fleet.be_seen(%s, %s, %s)", (1, "1.0", True)),
        ("SELECT fleet.keep_up()", ()),
        ("SELECT fleet.tell(%s, %s)", (f"{name} {network}", ban(network))),
        ("SELECT fleet.count_up(%s, %s)", (f"{name} {key}", counts)),
        ("SELECT fleet.spread(%s)", (Jsonb([["ssh", key]]),)),
        ("SELECT fleet.report(%s::date, %s)", (day, Jsonb({"entries": 5}))),
        ("SELECT fleet.hold(%s, %s)", ("report", 180)),
        ("SELECT fleet.due_report()", ()),
        ("SELECT fleet.has_mailed(%s::date)", (day,)),
        ("SELECT fleet.release()", ()),
        ("SELECT id, name FROM fleet.hosts", ()),
        ("SELECT host, network FROM fleet.bans WHERE host <> %s", (1,)),
    ):
        fleet.ask(query, *values, user=name)


def test_a_database_of_the_first_version_comes_through_with_its_rows(first: Fleet) -> None:
    for name, network in {"a": "192.0.2.1", "b": "192.0.2.2"}.items():
        be_of_the_first_version(first, name, network, "192.0.2.9")
    kept = rows_of(first)
    assert len(kept["feed"]) == 4, "a beginning, two bans and a count"
    with first.server.connection(database=first.database) as connection:
        assert schema.migrate(connection)[0] == _FIRST + 1
        assert rows_of(first) == kept
        assert [one.quota for one in hosts.states(connection)] == [7, 7]
    c = first.simulated("c")
    wait_until(lambda: c.networks, lambda now: now == {"192.0.2.1", "192.0.2.2"})
    a = first.simulated("a")  # it has forgotten its own ban, and takes it back
    wait_until(lambda: c.networks, lambda now: now == {"192.0.2.2"})
    a.own_ban("192.0.2.3")
    wait_until(lambda: c.networks, lambda now: now == {"192.0.2.2", "192.0.2.3"})


def test_a_host_that_was_upgraded_begins_with_what_is_in_force(fleet: Fleet) -> None:
    """Where it was in the feed, it has noted in another form."""
    a, b = (fleet.simulated(name) for name in "ab")
    a.own_ban("192.0.2.1")
    wait_until(lambda: b.networks)
    b.plugin.on_stop()
    b.table("fleet")["position"] = b.table("fleet")["position"][:2]
    a.own_unban("192.0.2.1")
    a.own_ban("192.0.2.2")
    wait_until(lambda: fleet.ask("SELECT 1 FROM fleet.feed WHERE kind = 'unban'"))
    b.plugin.on_start(b)  # type: ignore[arg-type]
    wait_until(lambda: b.networks, lambda now: now == {"192.0.2.2"})


def test_hosts_of_the_first_version_go_on(first: Fleet) -> None:
    [(last,)] = first.ask("SELECT max(seq) FROM fleet.feed")
    with first.server.connection(database=first.database) as connection:
        schema.migrate(connection)
    c = first.simulated("c")
    for name, network in {"a": "192.0.2.1", "b": "192.0.2.2"}.items():
        be_of_the_first_version(first, name, network, "192.0.2.9")
    wait_until(lambda: c.networks, lambda now: now == {"192.0.2.1", "192.0.2.2"})
    wait_until(lambda: c.counted)
    c.own_ban("192.0.2.3")
    c.raised("ssh", "192.0.2.9")
    wait_until(
        lambda: first.ask("SELECT max(seq) FROM fleet.feed"), lambda now: now >= [(last + 5,)]
    )
    rows = first.ask(_NEXT, last, user="a")
    assert rows[0][3] == "begin"
    assert {row[4] for row in rows if row[3] == "ban"} == {
        "192.0.2.1/32", "192.0.2.2/32", "192.0.2.3/32",
    }  # fmt: skip
