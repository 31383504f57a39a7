"""One report of all hosts, mailed by one of them."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import Fleet
from pyruse_fleet import days, report
from pyruse_fleet.cli import main
from pyruse_fleet.simulation import SimulatedHost

from pyruse import Report
from pyruse.testing import wait_until

TODAY = datetime.now(UTC).date()
YESTERDAY = TODAY - timedelta(days=1)


def day_of(day: date, *attention: tuple[str, int], entries: int = 1_000) -> Report:
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    made = Report(day.isoformat(), ["x"], begin, begin + timedelta(days=1), entries=entries, bans=3)
    for text, weight in attention:
        made.attend(text, weight)
    return made


def end_day(host: SimulatedHost, made: Report) -> None:
    host.plugin.on_day_end(made, host)  # type: ignore[arg-type]


def look(host: SimulatedHost) -> None:
    """Have a host look now whether it is to mail the report, as it does each minute."""
    host.plugin._session._seen_at = 0.0
    host.plugin._link.rouse()  # type: ignore[union-attr]


def wait_for_reports(fleet: Fleet, number: int) -> None:
    wait_until(
        lambda: fleet.ask("SELECT count(*) FROM fleet.reports"), lambda now: now == [(number,)]
    )


def test_who_needs_attention_comes_first_and_who_did_not_report_is_told(fleet: Fleet) -> None:
    a, b, c = (fleet.simulated(name, report=True) for name in "abc")
    fleet.simulated("d")  # shares bans, and does not report
    fleet.add("e")
    fleet.ask("UPDATE fleet.hosts SET added = added - interval '3 days'")
    wait_until(lambda: fleet.ask("SELECT count(seen) FROM fleet.hosts"), lambda now: now == [(4,)])
    a.raised("ssh", "192.0.2.9")
    b.raised("ssh", "192.0.2.9", by=2)
    wait_until(lambda: fleet.ask("SELECT 1 FROM fleet.feed WHERE kind = 'count'"))
    c.own_ban("192.0.2.1")
    wait_until(lambda: a.networks)
    end_day(a, day_of(TODAY))
    end_day(b, day_of(TODAY, ("backup is 3 days old\nforged line", 50), ("sda fails", 90)))
    wait_for_reports(fleet, 2)
    with fleet.server.connection(database=fleet.database) as connection:
        found = report.read(connection, TODAY)
    assert report.subject(found) == (
        f"Pyruse fleet, {TODAY}: 1 of 4 hosts need attention, 2 did not report"
    )
    lines = report.text(found).splitlines()
    assert lines[2:5] == [
        "b: needs attention",
        "  - sda fails",
        "  - backup is 3 days old forged line",
    ]
    assert "  e: it was never there" in lines
    assert any(line.startswith("  c: it was there last at") for line in lines)
    assert "  192.0.2.9: 2 hosts, counted 3 times" in lines
    assert "  a: 1,000 entries, 3 bans" in lines
    assert "Bans told: 1, of 1 addresses and networks." in lines
    json.dumps(report.data(found))


def test_one_host_mails_it_and_another_one_does_when_that_has_died(fleet: Fleet) -> None:
    a, b = (fleet.simulated(name, report=True) for name in "ab")
    for one in (a, b):  # as `[email] to` says, from the start on
        one.plugin.on_stop()
        one.recipients = ["root"]
        one.plugin.on_start(one)  # type: ignore[arg-type]
    for one in (a, b):
        end_day(one, day_of(YESTERDAY - timedelta(days=1)))
        end_day(one, day_of(YESTERDAY))
    wait_for_reports(fleet, 4)
    wait_until(lambda: (look(a), look(b), a.mails + b.mails)[2])
    wait_until(lambda: fleet.ask("SELECT day FROM fleet.mailed WHERE done"))
    holder, other = (a, b) if a.mails else (b, a)
    assert not other.mails
    assert holder.mails[0].subject.endswith(": 2 hosts, all quiet")  # type: ignore[union-attr]
    # The holder dies before the next day; nobody has to be told.
    holder.plugin.on_stop()
    fleet.ask("UPDATE fleet.roles SET until = clock_timestamp()")
    fleet.ask("UPDATE fleet.mailed SET done = false, at = at - interval '1 hour'")
    wait_until(lambda: (look(other), other.mails)[1])
    wait_until(lambda: fleet.ask("SELECT 1 FROM fleet.mailed WHERE done"))


@pytest.mark.parametrize(
    "value",
    [None, [], {"needs": 7}, {"needs": [["x"], [1, 2], ["a", "b"]], "entries": -1, "bans": 1e9}],
)
def test_what_another_host_says_of_its_day_is_checked(value: object) -> None:
    day = days.checked(value)
    assert (day.entries, day.bans, day.important) == (0, 0, 0)


def test_the_commands(
    fleet: Fleet, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = fleet.server.url(database=fleet.database)
    main(["--url", url, "init"])
    main(["--url", url, "add-host", "web1", "--quota", "7"])
    monkeypatch.setattr("sys.stdin", io.StringIO("secret\n"))
    main(["--url", url, "add-host", "web1", "--password-stdin"])
    kept = fleet.ask("SELECT rolpassword FROM pg_authid WHERE rolname = 'web1'")
    assert kept[0][0].startswith("SCRAM-SHA-256$")
    main(["--url", url, "status"])
    main(["--url", url, "status", "--json"])
    main(["--url", url, "report", "today", "--json"])
    main(["--url", url, "remove-host", "web1", "--lift-bans"])
    said = capsys.readouterr().out
    assert said.startswith("nothing to do\nweb1 may take part, as the role web1\nweb1 may ")
    assert "was never there" in said
    assert said.endswith("web1 is out; 0 bans lifted\n")
    for command, fault in {
        ("remove-host", "nobody"): "'nobody' is no host of this fleet",
        ("add-host", "a b"): "'a b' is no name of a host",
        ("add-host", "y", "--password-stdin"): "there is no password on standard input",
        ("add-host", "x", "--role", "postgres"): "may do more than a host",
    }.items():
        with pytest.raises(SystemExit, match=fault):
            main(["--url", url, *command])
    empty = fleet.server.url(database="template1")
    with pytest.raises(SystemExit, match="expected `pyruse-fleet init` first"):
        main(["--url", empty, "status"])
