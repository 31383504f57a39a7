"""One machine at a time takes part under a name."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from conftest import Fleet, banned
from pyruse_fleet.plugin import Fleet as Plugin
from pyruse_fleet.simulation import SimulatedHost

from pyruse import Report
from pyruse.testing import MakeJournal, wait_until

TWIN = (
    "plugins.fleet: another machine takes part as a (expected a role of its own for each machine: "
    "`pyruse-fleet add-host NAME`, and NAME in the url; for one that was made anew, "
    "`pyruse-fleet add-host a` once more): nothing is shared meanwhile"
)


@contextmanager
def another(fleet: Fleet, name: str, of: SimulatedHost | None = None) -> Iterator[SimulatedHost]:
    """One more machine that logs in as this host; with a copy of another one's state."""
    plugin = Plugin(fleet.url(name), share=["ssh"], accept=["ssh"])
    tables = {} if of is None else copy.deepcopy(of._tables)
    made = SimulatedHost(fleet.main, plugin, tables=tables)
    try:
        yield made
    finally:
        made.close()


def told(fleet: Fleet) -> list[tuple[str]]:
    return fleet.ask("SELECT host(network) FROM fleet.bans ORDER BY 1")


def let_time_pass(fleet: Fleet, minutes: int) -> None:
    fleet.ask("UPDATE fleet.hosts SET attended = attended - %s * interval '1 minute'", minutes)


def look(host: SimulatedHost) -> None:
    """Have its minute pass."""
    host.plugin._session._seen_at = 0.0
    host.plugin._link.rouse()  # type: ignore[union-attr]


def attention(host: SimulatedHost) -> list[str]:
    """What needs attention in a host's report."""
    begin = datetime(2026, 11, 28, tzinfo=UTC)
    made = Report("2026-11-28", ["x"], begin, begin + timedelta(days=1))
    host.plugin.contribute_to_report(made)
    return [one.text for one in made.attention]


def test_a_second_machine_of_the_same_name_is_told_and_shares_nothing(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name) for name in "ab")
    a.own_ban("192.0.2.1")
    wait_until(lambda: b.networks)
    with another(fleet, "a") as second:
        second.own_ban("192.0.2.2")
        wait_until(lambda: second.lines)
        assert second.lines == [TWIN]
        a.own_ban("192.0.2.3")
        wait_until(lambda: b.networks, lambda now: now == {"192.0.2.1", "192.0.2.3"})
        assert told(fleet) == [("192.0.2.1",), ("192.0.2.3",)], "nobody has taken anything back"
        assert a.lines == []
        assert [attention(one) for one in (a, second)] == [
            [],
            [
                "the fleet does not have this machine: "
                + TWIN.removeprefix("plugins.fleet: ").removesuffix(": nothing is shared meanwhile")
            ],
        ]
        # A name of its own, and all is well.
        fleet.add("c")
        second.plugin.on_stop()
        second.plugin = Plugin(fleet.url("c"), share=["ssh"], accept=["ssh"])
        second.plugin.on_start(second)  # type: ignore[arg-type]
        everybody = {"192.0.2.1", "192.0.2.2", "192.0.2.3"}
        wait_until(lambda: b.networks, lambda now: now == everybody)
        wait_until(lambda: second.networks, lambda now: now == everybody)


def test_a_copy_of_a_machine_is_found_out(fleet: Fleet) -> None:
    a = fleet.simulated("a")
    a.own_ban("192.0.2.1")
    wait_until(lambda: told(fleet))
    with another(fleet, "a", of=a) as copied:
        assert copied._tables["fleet"]["identity"] == a._tables["fleet"]["identity"]
        wait_until(lambda: copied.plugin._session.trouble.kind == "wait")
        assert copied.lines == []
        wait_until(lambda: (look(a), copied.lines)[1])  # the first one goes on
        assert copied.lines == [TWIN]
        assert told(fleet) == [("192.0.2.1",)]


def test_a_machine_that_was_killed_comes_back_after_two_minutes_and_after_a_stop_at_once(
    fleet: Fleet,
) -> None:
    a = fleet.simulated("a")
    wait_until(lambda: a.plugin._link.is_connected)  # type: ignore[union-attr]
    before = a.plugin._session._attendance
    a.plugin.on_stop()
    a.plugin.on_start(a)  # type: ignore[arg-type]
    wait_until(lambda: a.plugin._link.is_connected)  # type: ignore[union-attr]
    now = a.plugin._session._attendance
    assert now.identity == before.identity
    a.plugin._session._attendance = now._replace(run="never leaves")
    a.plugin.on_stop()
    a.plugin.on_start(a)  # type: ignore[arg-type]
    wait_until(lambda: a.plugin._session.trouble.kind == "wait")
    let_time_pass(fleet, 2)
    wait_until(lambda: a.plugin._link.is_connected)  # type: ignore[union-attr]
    assert a.lines == []


def test_a_machine_that_was_made_anew_comes_back_after_ten_minutes_or_when_it_is_added(
    fleet: Fleet,
) -> None:
    a = fleet.simulated("a")
    a.own_ban("192.0.2.1")
    wait_until(lambda: told(fleet))
    a.plugin.on_stop()
    with another(fleet, "a") as anew:
        wait_until(lambda: anew.lines)
        let_time_pass(fleet, 10)
        wait_until(lambda: told(fleet) == [])  # what it does not know of is taken back
    with another(fleet, "a") as anew:
        wait_until(lambda: anew.lines)
        fleet.add("a")
        anew.own_ban("192.0.2.2")
        wait_until(lambda: told(fleet) == [("192.0.2.2",)])


def test_two_daemons_of_one_name(fleet: Fleet, journal_file: MakeJournal) -> None:
    journal = journal_file([{"MESSAGE": "hello"}])
    a, b = (fleet.host(name, journal).start() for name in ("a", "b"))
    a.command("ban", "192.0.2.7", "--for", "1h")
    b.wait_until(lambda: banned(b), lambda now: now == {"192.0.2.7": "manual"})
    second = fleet.host("second", journal, url=fleet.url("a")).start()
    second.wait_until(lambda: second.log, lambda log: TWIN in log)
    a.command("ban", "192.0.2.8", "--for", "1h")
    b.wait_until(lambda: sorted(banned(b)), lambda now: now == ["192.0.2.7", "192.0.2.8"])
    assert banned(second) == {}


def test_after_a_reload_or_a_restart_a_daemon_goes_on_at_once(
    fleet: Fleet, journal_file: MakeJournal
) -> None:
    journal = journal_file([{"MESSAGE": "hello"}])
    a, b = (fleet.host(name, journal).start() for name in ("a", "b"))
    a.command("ban", "192.0.2.7", "--for", "1h")
    b.wait_until(lambda: sorted(banned(b)), lambda now: now == ["192.0.2.7"])
    waits = "SELECT count(waiting_since) FROM fleet.hosts"
    a.reload()
    a.command("ban", "192.0.2.8", "--for", "1h")
    b.wait_until(lambda: sorted(banned(b)), lambda now: now == ["192.0.2.7", "192.0.2.8"])
    a.stop()
    a.start()
    a.command("ban", "192.0.2.9", "--for", "1h")
    b.wait_until(lambda: len(banned(b)), lambda now: now == 3)
    assert fleet.ask(waits) == [(0,)]
