"""The fleet's report of hosts in several time zones, and of hosts that have not told their day."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, timezone

from conftest import Fleet
from pyruse_fleet import days, report
from pyruse_fleet.report import Attacker, FleetDay, HostDay
from pyruse_fleet.simulation import SimulatedHost

from pyruse import Report
from pyruse.testing import wait_until

DAY = date(2026, 11, 28)
NOW = datetime(2026, 11, 29, 2, 10, tzinfo=UTC)


def told(hours: float = 0.0) -> days.Day:
    """What a host says of a quiet day, so many hours before UTC."""
    begin = datetime(2026, 11, 28, tzinfo=timezone(timedelta(hours=hours)))
    made = Report("2026-11-28", ["x"], begin, begin + timedelta(days=1), entries=7, bans=1)
    return days.checked(days.told(made))


def fleet_day(*hosts: tuple[str, days.Day | None]) -> FleetDay:
    found = [HostDay(name, NOW - timedelta(hours=9), day, None) for name, day in hosts]
    return FleetDay(DAY, NOW, found, [Attacker("192.0.2.1", 2, 0)], 3, 2)


def test_a_report_says_of_which_zone_a_day_is_if_they_differ() -> None:
    lines = report.text(fleet_day(("tokyo", told(9)), ("lima", told(-5)), ("goa", told(5.5))))
    assert "  tokyo: 7 entries, 1 bans (its day, UTC+09:00)" in lines
    assert "  lima: 7 entries, 1 bans (its day, UTC-05:00)" in lines
    assert "  goa: 7 entries, 1 bans (its day, UTC+05:30)" in lines
    assert "Bans told (the day by UTC): 3" in lines


def test_of_one_zone_alone_nothing_is_said_of_zones() -> None:
    assert "UTC" not in report.text(fleet_day(("a", told(1)), ("b", told(1))))


def test_a_report_that_is_not_complete_says_so_and_where_the_rest_is() -> None:
    fleet = fleet_day(("a", told()), ("b", None))
    text = report.text(fleet)
    assert report.subject(fleet) == "Pyruse fleet, 2026-11-28: 1 did not report"
    assert "  b: it was there last at 2026-11-28 17:10 UTC; it never reported\n" in text
    assert (
        "This was written at 2026-11-29 02:10 UTC. What they tell later is there: "
        "pyruse-fleet report 2026-11-28\n"
    ) in text
    assert "This was written" not in report.text(fleet_day(("a", told())))
    assert "\n\n\n" not in text + report.text(fleet_day(("a", None)))


def test_a_host_that_has_mailed_nothing_and_says_so_keeps_a_day_from_nobody(fleet: Fleet) -> None:
    """The next report says again what the day was like, and whose turn it was."""
    a = fleet.simulated("a", report=True)
    fleet.add("thief")
    for ago, attention in ((2, "sda fails"), (1, "")):
        begin = datetime.combine(datetime.now(UTC).date() - timedelta(days=ago), time(), UTC)
        made = Report(begin.date().isoformat(), ["x"], begin, begin + timedelta(days=1))
        if attention:
            made.attend(attention, 90)
        a.plugin.on_day_end(made, a)  # type: ignore[arg-type]
    wait_until(lambda: fleet.ask("SELECT count(*) FROM fleet.reports") == [(2,)])
    fleet.ask("UPDATE fleet.hosts SET added = added - interval '3 days', reports = name = 'a'")
    fleet.ask(
        """INSERT INTO fleet.mailed (day, host, claimed, sending, done)
        SELECT current_date - 2, id, now(), now(), true FROM fleet.hosts WHERE name = 'thief'"""
    )
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with fleet.server.connection("a", fleet.database) as connection:  # with a host's rights
        text = report.text(report.read(connection, yesterday))
    before = yesterday - timedelta(days=1)
    assert f"THE DAYS BEFORE\n\n  {before}, mailed by thief: 1 of 1 hosts need attention\n" in text


def test_an_offset_that_is_none_is_not_told() -> None:
    for odd in (True, 1e9, "1", 100_000):
        assert days.checked({"offset": odd}).offset is None
    assert days.checked({"offset": -300}).offset == -300


def test_a_day_that_has_not_been_is_refused_and_told_why(fleet: Fleet) -> None:
    host = fleet.simulated("a", report=True)
    wait_until(lambda: host.plugin._link.is_connected)  # type: ignore[union-attr]
    begin = datetime(2099, 1, 1, tzinfo=UTC)
    made = Report("2099-01-01", ["x"], begin, begin + timedelta(days=1))
    host.plugin.on_day_end(made, host)  # type: ignore[arg-type]
    wait_until(lambda: host.refused)
    [why] = host.refused
    assert why.startswith(
        "the fleet's database does not take a report of 2099-01-01 (expected a right clock of this "
        "machine), and says: "
    )


def test_hosts_of_zones_far_apart_are_in_one_report(fleet: Fleet) -> None:
    hosts = [fleet.simulated(name, report=True) for name in ("auckland", "honolulu")]
    for one, hours in zip(hosts, (13, -10), strict=True):
        _end_day(one, hours)
    wait_until(lambda: fleet.ask("SELECT count(*) FROM fleet.reports") == [(2,)])
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    with fleet.server.connection(database=fleet.database) as connection:
        found = report.read(connection, yesterday)
    assert [one.day and one.day.offset for one in found.hosts] == [780, -600]
    assert found.absent == []


def _end_day(host: SimulatedHost, hours: int) -> None:
    day = datetime.now(UTC).date() - timedelta(days=1)
    begin = datetime(day.year, day.month, day.day, tzinfo=timezone(timedelta(hours=hours)))
    made = Report(day.isoformat(), ["x"], begin, begin + timedelta(days=1))
    host.plugin.on_day_end(made, host)  # type: ignore[arg-type]
