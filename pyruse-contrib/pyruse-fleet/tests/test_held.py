"""What the transactions of a stolen host hold, at a psql prompt: nobody else needs it."""

from __future__ import annotations

import operator
import random
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from importlib.resources import files
from threading import Event, Thread
from typing import Any

import psycopg
import pytest
from conftest import Fleet, make_fleet
from psycopg.types.json import Jsonb
from pyruse_fleet import hosts, schema
from pyruse_fleet.doubts import doubts
from pyruse_fleet.feed import NEXT
from pyruse_fleet.server import Server, binaries

from pyruse import UserError
from pyruse.testing import need, wait_until

TELL = "SELECT fleet.tell(NULL, %s)"
COUNT = "SELECT fleet.count_up(NULL, %s)"


def ban(network: str, lasts: float | None = 3600.0, **more: Any) -> dict[str, Any]:
    return {"kind": "ban", "network": network, "label": "ssh", "lasts": lasts} | more


@contextmanager
def prompts(fleet: Fleet, number: int = 1) -> Iterator[list[psycopg.Connection]]:
    """Sessions of a thief, who has set the limits of his role anew."""
    fleet.add("thief")
    with ExitStack() as end:
        made = [
            end.enter_context(psycopg.connect(fleet.server.url("thief", fleet.database)))
            for _ in range(number)
        ]
        for one in made:
            one.autocommit = True
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                one.execute(f"SET {limit} = 0")
        yield made
        for one in made:
            with suppress(psycopg.Error):
                one.close()


HELD: dict[str, list[str]] = {
    "bans": [
        """SELECT fleet.tell(NULL, '[
        {"kind": "ban", "network": "192.0.2.1", "label": "ssh"},
        {"kind": "ban", "network": "192.0.2.9", "label": "ssh"}]')"""
    ],
    "counts": [
        """SELECT fleet.count_up(NULL, '[["ssh", "192.0.2.5", 600, 1]]')""",
        """SELECT fleet.spread('[["ssh", "192.0.2.5"]]')""",
    ],
    "upkeep": ["SELECT fleet.keep_up()"],
    "the report": [
        "SELECT fleet.hold('report', 600)",
        "SELECT fleet.due_report()",
        "SELECT fleet.has_mailed(current_date)",
    ],
    "a snapshot": [
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SELECT count(*) FROM fleet.feed, fleet.bans, fleet.reports",
        "LOCK TABLE fleet.feed, fleet.bans, fleet.reports IN ACCESS SHARE MODE",
    ],
    "advisory locks": [
        f"SELECT pg_advisory_lock(20260314, {number}), pg_advisory_lock({number})"
        for number in range(3)
    ],
}


@pytest.mark.parametrize("what", HELD)
def test_what_his_transactions_hold_keeps_nobody_waiting(fleet: Fleet, what: str) -> None:
    fleet.ask(
        "GRANT EXECUTE ON FUNCTION pg_advisory_lock(int, int), pg_advisory_lock(bigint) TO PUBLIC"
    )
    a, b = (fleet.simulated(name) for name in "ab")
    a.own_ban("192.0.2.1")
    wait_until(lambda: b.networks)
    fleet.ask("UPDATE fleet.hosts SET upkeep_at = NULL")
    with prompts(fleet, 3) as thief:
        for one in thief:  # the second one waits for the first one, at most
            one.execute("SET lock_timeout = '100ms'")
            one.execute("BEGIN")
            with suppress(psycopg.errors.LockNotAvailable, psycopg.errors.AdminShutdown):
                for query in HELD[what]:
                    one.execute(query)
        a.own_ban("192.0.2.2")
        a.own_unban("192.0.2.1")
        b.own_ban("192.0.2.3")
        for one in (a, b):
            one.raised("ssh", "192.0.2.5")
        for one in (a, b):
            wait_until(
                lambda one=one: one.networks, partial(operator.eq, {"192.0.2.2", "192.0.2.3"})
            )
            wait_until(lambda one=one: one.counted, partial(operator.eq, {("ssh", "192.0.2.5"): 2}))
        fleet.ask("UPDATE fleet.hosts SET upkeep_at = NULL WHERE name <> 'thief'")
        assert fleet.ask("SELECT fleet.keep_up()", user="a") == [(True,)]
        # Who sits on a partition that is over is ended, and who takes advisory locks.
        if what not in ("upkeep", "advisory locks"):
            thief[0].execute("SELECT 1")  # nobody had to end his session for it
        with fleet.server.connection(database=fleet.database) as connection:
            assert schema.migrate(connection) == []
    assert fleet.ask("SELECT count(*) FROM fleet.hosts WHERE refused > 0") == [(0,)]


def test_he_takes_no_right_from_others(fleet: Fleet) -> None:
    """A member of a group may revoke all that was granted to the group."""
    a, b = (fleet.simulated(name) for name in "ab")
    with prompts(fleet) as [thief]:
        for query in (
            "DROP OWNED BY thief",
            "DROP OWNED BY pyruse_hosts CASCADE",
            "SET ROLE pyruse_hosts",
            "DROP OWNED BY pyruse_hosts CASCADE",
            "ALTER ROLE pyruse_hosts SET search_path = nowhere",
            "ALTER ROLE pyruse_hosts PASSWORD 'mine'",
            "ALTER DEFAULT PRIVILEGES FOR ROLE pyruse_hosts REVOKE ALL ON FUNCTIONS FROM PUBLIC",
        ):
            with suppress(psycopg.errors.InsufficientPrivilege):
                thief.execute(query)
        a.own_ban("192.0.2.1")
        wait_until(lambda: b.networks)
        for one in (a, b):
            one.raised("ssh", "192.0.2.5")
        wait_until(lambda: a.counted, partial(operator.eq, {("ssh", "192.0.2.5"): 2}))
        c = fleet.simulated("c")
        wait_until(lambda: c.networks)
    with fleet.server.connection(database=fleet.database) as connection:
        assert list(doubts(connection)) == []


def test_what_commits_later_than_others_is_missed_by_nobody(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    with prompts(fleet) as [slow]:
        slow.execute("BEGIN")
        slow.execute(TELL, [Jsonb([ban("192.0.2.9")])])
        a.own_ban("192.0.2.1")
        wait_until(lambda: b.networks, partial(operator.eq, {"192.0.2.1"}))
        slow.execute("COMMIT")
        wait_until(lambda: b.networks, partial(operator.eq, {"192.0.2.1", "192.0.2.9"}))
        numbered = "SELECT host(network) FROM fleet.feed WHERE kind = 'ban' ORDER BY seq"
        assert fleet.ask(numbered) == [("192.0.2.9",), ("192.0.2.1",)]


@pytest.mark.parametrize("seed", range(4))
def test_each_row_is_read_once_in_whatever_order_transactions_end(fleet: Fleet, seed: int) -> None:
    chance = random.Random(seed)
    fleet.add("reader", *"abcd")
    [position] = fleet.ask("SELECT seq, pg_current_snapshot()::text FROM fleet.feed")
    told: set[str] = set()
    read: list[str] = []
    open_rows: dict[psycopg.Connection, list[str]] = {}
    with ExitStack() as end:
        reader, *writers = (
            end.enter_context(psycopg.connect(fleet.url(name))) for name in ("reader", *"abcd")
        )
        reader.autocommit = True

        def look() -> bool:
            nonlocal position
            first, *rows = reader.execute(NEXT, (position[1], position[0], 3)).fetchall()
            assert first[1] == position[0]
            if rows:
                position = max(position[0], *(row[1] for row in rows)), rows[0][0]
            read.extend(row[5] for row in rows)
            return bool(rows)

        for number in range(300):
            one = chance.choice(writers)
            rows = open_rows.setdefault(one, [])
            if chance.random() < 0.6:
                network = f"10.0.{number >> 8}.{number & 255}/32"
                one.execute(TELL, [Jsonb([ban(network)])])
                rows.append(network)
            elif chance.random() < 0.8:
                one.commit()
                told.update(open_rows.pop(one))
            else:
                one.rollback()
                open_rows.pop(one)
            if chance.random() < 0.5:
                look()
        for one, rows in open_rows.items():
            one.commit()
            told.update(rows)
        while look():
            pass
    assert len(told) > 50
    assert sorted(read) == sorted(told)


def test_a_transaction_that_is_left_open_is_told_and_ended(fleet: Fleet) -> None:
    text = (files("pyruse_fleet") / "functions" / "5_upkeep.sql").read_text()
    fleet.ask(text.replace("'1 minute'", "'1 second'"))
    with prompts(fleet, 2) as thief:
        for one in thief:
            one.execute("BEGIN")
            one.execute("SELECT * FROM fleet.feed")
        wait_until(lambda: fleet.ask("SELECT * FROM fleet.bad_sessions"), lambda now: len(now) == 2)
        with fleet.server.connection(database=fleet.database) as connection:
            assert (
                len([x for x in doubts(connection) if "thief has left a transaction open" in x])
                == 2
            )
        fleet.simulated("a")  # as each host does once a minute
        wait_until(lambda: fleet.ask("SELECT * FROM fleet.bad_sessions"), operator.not_)
        for one in thief:
            with pytest.raises(psycopg.OperationalError):
                one.execute("SELECT 1")


def test_hints_that_he_does_not_take_are_no_ones_trouble(fleet: Fleet) -> None:
    """They would pile up for all: until no commit that gives a hint is possible any more."""
    text = (files("pyruse_fleet") / "functions" / "5_upkeep.sql").read_text()
    fleet.ask(text.replace("'1 minute'", "'1 second'"))
    with prompts(fleet, 2) as [listens, hints]:
        listens.execute("LISTEN pyruse_fleet")
        for number in range(1_000):
            hints.execute("SELECT pg_notify('pyruse_fleet', %s)", [f"{number:>07000}"])
        why = "SELECT why FROM fleet.bad_sessions"
        # While it hands out hints, a session may or may not be in a transaction of its own.
        told = {("does not take its hints",), ("has left a transaction open",)}
        wait_until(lambda: fleet.ask(why), lambda now: len(now) == 1 and set(now) <= told)
        a, b = (fleet.simulated(name) for name in "ab")
        wait_until(lambda: fleet.ask(why), operator.not_)
        a.own_ban("192.0.2.1")
        wait_until(lambda: b.networks)


def test_he_is_removed_whatever_he_holds(fleet: Fleet) -> None:
    b = fleet.simulated("b")
    stop = Event()

    def hold() -> None:
        """Over and over, in all the sessions that a host may have."""
        while not stop.is_set():
            with suppress(psycopg.Error), psycopg.connect(fleet.url("thief")) as one:
                one.execute("SET idle_in_transaction_session_timeout = 0")
                one.execute("SET statement_timeout = 0")
                one.execute("SELECT fleet.be_seen(0, 'x', true)")
                one.execute(TELL, [Jsonb([ban("192.0.2.1")])])
                one.execute(COUNT, [Jsonb([["ssh", "x", 600, 1]])])
                one.execute("ALTER ROLE thief PASSWORD 'mine'")
                stop.wait(60)

    with prompts(fleet) as [thief]:
        thief.execute(TELL, [Jsonb([ban("192.0.2.1"), ban("192.0.2.2")])])
        wait_until(lambda: b.networks, lambda now: len(now) == 2)
        threads = [Thread(target=hold) for _ in range(3)]
        for one in threads:
            one.start()
        try:
            holding = (
                "SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE usename = 'thief'"
            )
            wait_until(lambda: fleet.ask(holding))
            with fleet.server.connection(database=fleet.database) as connection:
                assert hosts.remove(connection, "thief", lift=True) == 2
        finally:
            stop.set()
            for one in threads:
                one.join()
    wait_until(lambda: b.networks, operator.not_)
    with pytest.raises(psycopg.OperationalError, match="not permitted to log in"):
        fleet.ask("SELECT 1", user="thief")
    assert fleet.ask("SELECT rolpassword FROM pg_authid WHERE rolname = 'thief'") == [(None,)]


def test_an_upgrade_does_not_wait_for_him(fleet: Fleet, monkeypatch: pytest.MonkeyPatch) -> None:
    known = schema.migrations()
    more = [*known, (len(known) + 1, "ALTER TABLE fleet.feed ADD COLUMN more int")]
    with (
        prompts(fleet) as [thief],
        fleet.server.connection(database=fleet.database) as connection,
    ):
        thief.execute("BEGIN")
        thief.execute("LOCK TABLE fleet.feed IN ACCESS SHARE MODE")
        monkeypatch.setattr(schema, "migrations", lambda: more)
        assert schema.migrate(connection) == [len(known) + 1]
        # Whoever is no host is not ended, but told of.
        with psycopg.connect(fleet.server.url(database=fleet.database)) as backup:
            backup.execute("LOCK TABLE fleet.feed IN ACCESS SHARE MODE")
            more.append((len(known) + 2, "ALTER TABLE fleet.feed DROP COLUMN more"))
            monkeypatch.setattr("pyruse_fleet.unhindered._ATTEMPTS", 2)
            with pytest.raises(
                UserError, match=r"hold on to the fleet's tables: postgres \(process "
            ):
                schema.migrate(connection)
            backup.execute("SELECT 1")


def test_prepared_transactions_are_told_and_keep_nobody_waiting() -> None:
    need(None if binaries() else "PostgreSQL is not installed (Debian: postgresql)")
    with (
        Server(settings={"max_prepared_transactions": "5"}) as server,
        make_fleet(server, "own", None) as fleet,
    ):
        a, b = (fleet.simulated(name) for name in "ab")
        with prompts(fleet) as [thief]:
            thief.execute("BEGIN")
            thief.execute("SELECT fleet.be_seen(0, 'x', true)")
            thief.execute(COUNT, [Jsonb([["ssh", "192.0.2.5", 600, 1]])])
            thief.execute("PREPARE TRANSACTION 'for ever'")
        a.own_ban("192.0.2.1")
        wait_until(lambda: b.networks)
        for one in (a, b):
            one.raised("ssh", "192.0.2.5")
        wait_until(lambda: a.counted, partial(operator.eq, {("ssh", "192.0.2.5"): 2}))
        with server.connection(database="own") as connection:
            found = list(doubts(connection))
            assert [one for one in found if "expected max_prepared_transactions = 0" in one]
            assert [
                one for one in found if "thief has left the prepared transaction 'for ever'" in one
            ]
            hosts.remove(connection, "thief", lift=True)
            assert fleet.ask("SELECT * FROM pg_prepared_xacts") == []
