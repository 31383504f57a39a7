"""A stolen host, with valid credentials: what it can do is bounded, and told."""

from __future__ import annotations

import math
import operator
from functools import partial
from typing import Any

import psycopg
import pytest
from conftest import Fleet, free_port, make_fleet
from psycopg.types.json import Jsonb
from pyruse_fleet import feed, hosts, places, status
from pyruse_fleet.server import Server, binaries

from pyruse.testing import need, wait_until


def tell(fleet: Fleet, as_host: str, *rows: dict[str, Any]) -> int:
    """What a host tells that has no Pyruse; gives how many were beyond its quota."""
    with fleet.server.connection(as_host, fleet.database) as connection:
        found = connection.execute("SELECT fleet.tell(NULL, %s)", (Jsonb(list(rows)),)).fetchone()
    assert found is not None
    return int(found[0])


def ban(network: str, lasts: float | None = 3600.0, **more: Any) -> dict[str, Any]:
    return {"kind": "ban", "network": network, "label": "ssh", "lasts": lasts} | more


@pytest.mark.parametrize(
    "query",
    [
        "INSERT INTO fleet.feed (seq, host, kind) VALUES (99, 1, 'ban')",
        "INSERT INTO fleet.bans (host, network, label) VALUES (1, '192.0.2.1', 'ssh')",
        "DELETE FROM fleet.feed",
        "UPDATE fleet.bans SET until = clock_timestamp()",
        "DELETE FROM fleet.bans",
        "UPDATE fleet.hosts SET quota = 1000000",
        "SELECT role FROM fleet.hosts",
        "SELECT * FROM fleet.parcels",
        "SELECT fleet.lift(1)",
        "SELECT fleet.tell_unban(1, '192.0.2.1', 'ssh', '', '')",
        "SELECT fleet.is_known(1, 'x')",
        "SELECT fleet.left_today(1, 0)",
        "SELECT fleet.spend(1, 0, 0, -1000, 0, 0)",
        "SELECT fleet.watch()",
        "SELECT * FROM fleet.usage",
        "SELECT * FROM fleet.bad_sessions",
        "DO $$ BEGIN LOCK TABLE fleet.feed IN SHARE MODE; END $$",
        "SELECT fleet.upkeep()",
        "SELECT fleet.remove_old(1)",
        "SELECT fleet.empty_slots()",
        "SELECT pg_advisory_lock(20260314, 1)",
        "SELECT pg_try_advisory_xact_lock_shared(7)",
        "SELECT lo_create(0)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT pg_logical_emit_message(false, 'x', 'x')",
        "SET temp_file_limit = -1",
        "SET ROLE a",
        "SET SESSION AUTHORIZATION a",
        "CREATE TABLE fleet.mine ()",
        "CREATE TABLE public.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "TRUNCATE fleet.feed",
    ],
)  # fmt: skip
def test_it_can_do_nothing_but_what_is_its_own(fleet: Fleet, query: str) -> None:
    fleet.add("a", "thief")
    tell(fleet, "a", ban("192.0.2.1"))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        fleet.ask(query, user="thief")
    assert fleet.ask("SELECT count(*) FROM fleet.bans") == [(1,)]


def test_who_is_no_host_reads_nothing_and_calls_nothing(fleet: Fleet) -> None:
    fleet.add("a")
    tell(fleet, "a", ban("192.0.2.1"))
    fleet.ask("DROP ROLE IF EXISTS stranger")
    fleet.ask("CREATE ROLE stranger LOGIN")
    for table in ("feed", "bans", "reports", "mailed", "hosts"):
        column = "name" if table == "hosts" else "host"
        assert fleet.ask(f"SELECT {column} FROM fleet.{table}", user="stranger") == []
    granted = fleet.ask(
        """SELECT format('SELECT fleet.%I(%s)', proname, (
            SELECT string_agg(format('NULL::%s', format_type(type, NULL)), ', ')
            FROM unnest(proargtypes) AS type))
        FROM pg_proc WHERE pronamespace = 'fleet'::regnamespace AND proname <> 'me'
            AND has_function_privilege('stranger', oid, 'EXECUTE')"""
    )
    assert len(granted) > 10
    for (query,) in granted:
        with pytest.raises(psycopg.errors.InsufficientPrivilege, match="stranger is no host"):
            fleet.ask(query, user="stranger")


def test_it_cannot_unban_for_others_nor_be_somebody_else(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    fleet.add("thief")
    a.own_ban("192.0.2.7")
    wait_until(lambda: b.networks)
    tell(fleet, "thief", {"kind": "unban", "network": "192.0.2.7", "label": "ssh"})
    # Not even by a ban of its own that it takes back.
    tell(
        fleet, "thief", ban("192.0.2.7"), {"kind": "unban", "network": "192.0.2.7", "label": "ssh"}
    )
    tell(fleet, "thief", ban("192.0.2.8", host=1, seq=1))
    wait_until(lambda: b.networks, partial(operator.eq, {"192.0.2.7", "192.0.2.8"}))
    wait_until(lambda: a.networks, partial(operator.eq, {"192.0.2.7", "192.0.2.8"}))
    rows = fleet.ask(
        "SELECT name, host(network) FROM fleet.bans JOIN fleet.hosts ON hosts.id = host ORDER BY 1"
    )
    assert rows == [("a", "192.0.2.7"), ("thief", "192.0.2.8")]


def test_what_it_tells_is_as_hostile_as_a_log_line(fleet: Fleet) -> None:
    """Whom others protect, half of the internet, nonsense: others look at each by themselves."""
    b = fleet.simulated("b", never=frozenset({"198.51.100.0/24"}))
    fleet.add("thief")
    tell(
        fleet, "thief",
        ban("198.51.100.0/24"), ban("0.0.0.0/0"), ban("128.0.0.0/1"), ban("2001::/16"),
        ban("192.0.2.1", ports="22,x"), ban("192.0.2.2", protocol="\n"), ban("192.0.2.3", -5.0),
        ban("192.0.2.4", 1e300), ban("192.0.2.5", None), ban("192.0.2.6", label="other"),
    )  # fmt: skip
    wait_until(lambda: b.networks, lambda now: {"192.0.2.4", "192.0.2.5"} <= now)
    assert b.networks <= {"192.0.2.2", "192.0.2.4", "192.0.2.5"}
    assert [line for line in b.lines if "thief" in line]
    for garbage in (
        {"kind": "ban"},
        {"kind": "begin"},
        ban("x"),
        ban("192.0.2.1", label="x" * 300),
    ):
        with pytest.raises(psycopg.Error):
            tell(fleet, "thief", garbage)
    with pytest.raises(psycopg.Error):
        tell(fleet, "thief", *[ban("192.0.2.1")] * 1_001)


def test_what_it_calls_its_version_is_no_line_of_the_status(fleet: Fleet) -> None:
    fleet.add("thief")
    fleet.ask("SELECT fleet.be_seen(0, E'x\\nweb9   ok\\x1b[2J', true)", user="thief")
    with fleet.server.connection(database=fleet.database) as connection:
        shown = status.text(status.read(connection))
    assert len(shown.splitlines()) == 2, "the headings, and the one host"
    assert "\x1b" not in shown


def test_a_flood_ends_at_the_quota_and_is_told(fleet: Fleet) -> None:
    b = fleet.simulated("b", quota=15)
    fleet.add("thief")
    fleet.ask("UPDATE fleet.hosts SET quota = 20 WHERE name = 'thief'")
    rows = [ban(f"203.0.113.{number}") for number in range(1, 101)]
    assert tell(fleet, "thief", *rows) == 80
    wait_until(lambda: [line for line in b.lines if "more than 15 a day" in line])
    assert len(b.networks) == 15
    with fleet.server.connection(database=fleet.database) as connection:
        [thief] = [one for one in hosts.states(connection) if one.name == "thief"]
    assert (thief.bans, thief.quota, thief.refused) == (20, 20, 80)


def test_a_host_that_is_beyond_its_quota_hears_of_it(fleet: Fleet) -> None:
    a = fleet.simulated("a")
    fleet.ask("UPDATE fleet.hosts SET quota = 1 WHERE name = 'a'")
    for number in range(1, 6):
        a.own_ban(f"203.0.113.{number}")
    wait_until(lambda: a.lines)
    [line] = a.lines
    assert "its quota is used up" in line
    assert fleet.ask("SELECT count(*) FROM fleet.bans") == [(1,)]


def test_hints_without_end_are_no_more_than_hints(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    fleet.add("thief")
    with fleet.server.connection("thief", fleet.database) as thief:
        for number in range(300):
            thief.execute(f"NOTIFY pyruse_fleet, 'x{number}'")
        a.own_ban("192.0.2.7")
        wait_until(lambda: b.networks)


def test_a_host_that_is_removed_reads_nothing_and_its_bans_can_be_lifted(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    thief = fleet.simulated("thief")
    a.own_ban("192.0.2.1")
    thief.own_ban("192.0.2.1")
    wait_until(lambda: b.networks)
    thief.own_ban("192.0.2.2")
    everybody = {"192.0.2.1", "192.0.2.2"}
    wait_until(lambda: b.networks, partial(operator.eq, everybody))
    with (
        fleet.server.connection("thief", fleet.database) as inside,
        fleet.server.connection(database=fleet.database) as connection,
    ):
        inside.execute("SELECT * FROM fleet.feed")
        lifted = hosts.remove(connection, "thief", lift=True)
        with pytest.raises(psycopg.Error):
            inside.execute("SELECT * FROM fleet.feed")
    assert lifted in {1, 2}, "a may have been first"
    wait_until(lambda: b.networks, partial(operator.eq, {"192.0.2.1"}))
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        fleet.ask("SELECT 1", user="thief")
    fleet.add("thief")
    assert fleet.ask("SELECT fleet.me() IS NOT NULL", user="thief") == [(True,)]


def test_bans_of_ever_other_ports_do_not_fill_the_firewall(fleet: Fleet) -> None:
    """Of each choice of ports, it has a set and a rule, which each packet passes."""
    b = fleet.simulated("b")
    wait_until(lambda: b.table("fleet").get("position"))
    fleet.add("thief")
    rows = [ban(f"203.0.113.{number}", ports=str(number)) for number in range(1, 101)]
    tell(fleet, "thief", *rows, ban("203.0.113.101", ports="1"), ban("203.0.113.102"))
    wait_until(lambda: b.networks, lambda now: {"203.0.113.101", "203.0.113.102"} <= now)
    assert len(b.networks) == places.MOST + 2
    assert {line for line in b.lines if "choices" in line} == {
        "a ban that thief has told to the fleet is for ports of more than 50 choices, and is not "
        "taken over"
    }
    # What is over has given its place back.
    table = b.table("fleet places")
    (of_thief,) = table
    table[of_thief] = dict.fromkeys(table[of_thief], 1)
    tell(fleet, "thief", ban("203.0.113.201", ports="201"))
    wait_until(lambda: "203.0.113.201" in b.networks)


def test_its_words_do_not_fill_the_logs_of_others(fleet: Fleet) -> None:
    b = fleet.simulated("b", never=frozenset(f"10.0.{number}.1" for number in range(50)))
    fleet.add("thief")
    tell(fleet, "thief", *(ban(f"10.0.{number}.0/24") for number in range(50)), ban("192.0.2.1"))
    wait_until(lambda: b.networks, lambda now: now == {"192.0.2.1"})
    assert len({line for line in b.lines if "never banned here" in line}) == 10


def test_what_it_takes_back_that_nobody_takes_over_is_no_ones_work(
    fleet: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In half of the internet is what all others have banned."""
    monkeypatch.setattr(feed, "_MOST_LEFT", 5)
    a, b = fleet.simulated("a", accept=[]), fleet.simulated("b")
    fleet.add("thief")
    for number in range(1, 11):
        a.own_ban(f"203.0.113.{number}")
    wait_until(lambda: b.networks, lambda now: len(now) == 10)
    broad = "128.0.0.0/1"
    tell(fleet, "thief", ban(broad), {"kind": "unban", "network": broad, "label": "ssh"})
    tell(fleet, "thief", ban("192.0.2.1"))
    wait_until(lambda: "192.0.2.1" in b.networks)
    assert b.plugin._session.feed.lift_in() == math.inf


def test_it_does_not_choose_its_place_among_those_that_mail_the_report(fleet: Fleet) -> None:
    fleet.add("a")
    yesterday = fleet.ask("SELECT fleet.today() - 1")[0][0]
    fleet.ask("SELECT fleet.report(%s, '{}')", yesterday, user="a")
    fleet.ask("SELECT fleet.hold('report', 600)", user="a")
    fleet.ask("UPDATE fleet.reports SET at = at - interval '3 days'")
    first = f"SELECT md5('{yesterday} ' || id) FROM fleet.hosts WHERE name = %s"
    names = (f"thief{number}" for number in range(100))
    for thief in names:
        fleet.add(thief)
        if fleet.ask(first, thief) > fleet.ask(first, "a"):
            break
    for style in ("ISO", "SQL, DMY", "SQL, MDY", "German", "Postgres, DMY", "Postgres, MDY"):
        with fleet.server.connection(thief, fleet.database) as session:
            session.execute(f"SET DateStyle = '{style}'")
            for _ in range(3):
                assert session.execute("SELECT fleet.due_report()").fetchone() == (None,)
    assert fleet.ask("SELECT claimed, sending FROM fleet.mailed") == [(None, None)]


@pytest.mark.parametrize("where", ["127.0.0.1", "localhost", "127.0.0.1,127.0.0.9"])
def test_nobody_bans_the_database_by_its_word(where: str) -> None:
    """Who has banned that hears of no unban."""
    need(None if binaries() else "PostgreSQL is not installed (Debian: postgresql)")
    with Server(free_port(), listen="127.0.0.1") as server, make_fleet(server, "own", None) as own:
        ports = ",".join([str(server.port)] * len(where.split(",")))
        b = own.simulated("b", url=f"postgresql://b@/own?host={where}&port={ports}")
        own.add("thief")
        networks = ["127.0.0.1", "127.0.0.9", "127.0.0.0/24", "::1", "192.0.2.1"]
        tell(own, "thief", *map(ban, networks))
        wait_until(lambda: "192.0.2.1" in b.networks)
        others = {"192.0.2.1", "127.0.0.9", "::1"}
        assert b.networks <= others - ({"127.0.0.9"} if "," in where else set())
        assert [line for line in b.lines if "is of the fleet's database" in line]
