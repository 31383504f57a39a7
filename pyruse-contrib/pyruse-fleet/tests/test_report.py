"""One report of all hosts, mailed by one of them."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime, timedelta

import pytest
from conftest import Fleet
from pyruse_fleet import days, report, status
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


def mailers(fleet: Fleet, names: str) -> list[SimulatedHost]:
    """Hosts that report, and have `[email] to`; the day before yesterday is done with."""
    made = [fleet.simulated(name, report=True) for name in names]
    for one in made:
        one.plugin.on_stop()
        one.recipients = ["root"]
        one.plugin.on_start(one)  # type: ignore[arg-type]
    before = YESTERDAY - timedelta(days=1)
    fleet.ask(
        "INSERT INTO fleet.mailed (day, host, sending, done) VALUES (%s, 1, now(), true)", before
    )
    for one in made:
        end_day(one, day_of(before))
        end_day(one, day_of(YESTERDAY))
    wait_for_reports(fleet, 2 * len(made))
    return made


def later(fleet: Fleet, rows: str = "true") -> None:
    """Eleven minutes later, as far as the report is concerned."""
    fleet.ask(f"""UPDATE fleet.mailed SET at = at - interval '11 min',
        claimed = claimed - interval '11 min', sending = sending - interval '11 min'
        WHERE {rows}""")


def test_one_host_mails_it_and_another_one_does_when_that_has_died(fleet: Fleet) -> None:
    a, b = mailers(fleet, "ab")
    wait_until(lambda: (look(a), look(b), a.mails + b.mails)[2])
    wait_until(
        lambda: fleet.ask("SELECT day FROM fleet.mailed WHERE done"), lambda now: len(now) == 2
    )
    holder, other = (a, b) if a.mails else (b, a)
    assert not other.mails
    assert holder.mails[0].subject.endswith(": 2 hosts, all quiet")  # type: ignore[union-attr]
    with fleet.server.connection(database=fleet.database) as connection:
        shown = status.text(status.read(connection))
    assert f"has mailed the fleet's report of {YESTERDAY}" in shown
    # It dies while it mails it; nobody has to be told.
    holder.plugin.on_stop()
    fleet.ask("UPDATE fleet.mailed SET done = false WHERE day = %s", YESTERDAY)
    assert not (look(other), other.mails)[1]
    later(fleet)
    wait_until(lambda: (look(other), other.mails)[1])
    wait_until(
        lambda: fleet.ask("SELECT 1 FROM fleet.mailed WHERE done"), lambda now: len(now) == 2
    )


def test_a_stolen_host_neither_keeps_it_from_being_mailed_nor_has_it_mailed_twice(
    fleet: Fleet,
) -> None:
    a, b = mailers(fleet, "ab")
    fleet.add("thief")

    def thief(query: str, *values: object) -> None:
        fleet.ask(query, *values, user="thief")

    for _ in range(3):
        thief("SELECT fleet.hold('report', 600)")
        thief("SELECT fleet.due_report()")  # in some years, it is its turn
        thief("SELECT fleet.report(%s, '{}')", TODAY + timedelta(days=1))
        if not fleet.ask(
            "SELECT 1 FROM fleet.mailed WHERE sending > now() - interval '1 h' AND NOT done"
        ):
            thief("SELECT fleet.has_mailed(%s)", YESTERDAY)
        thief("SELECT fleet.has_mailed(%s)", TODAY)
        thief("SELECT fleet.has_mailed(%s)", TODAY + timedelta(days=1))

    def eleven_minutes() -> None:
        for one in (a, b, a, b):  # whoever looks again is done with looking before
            look(one)
            wait_until(lambda one=one: one.plugin._session._seen_at)  # type: ignore[misc]
        # In eleven minutes, those of the two that mail are done with it.
        later(fleet, "done OR sending IS NULL OR host > 2")

    for _ in range(5):
        eleven_minutes()
    wait_until(lambda: (eleven_minutes(), a.mails + b.mails)[1])
    for _ in range(5):
        thief("SELECT fleet.due_report()")
        eleven_minutes()
    wait_until(
        lambda: fleet.ask("SELECT count(*) FROM fleet.mailed WHERE day = %s AND done", YESTERDAY),
        lambda now: now == [(1,)],
    )
    [mail] = a.mails + b.mails
    assert f"Pyruse fleet, {YESTERDAY}: " in (mail.subject or "")


def test_a_day_is_due_when_those_that_usually_report_have_had_their_time(fleet: Fleet) -> None:
    """Machines of other time zones are waited for; nobody makes others wait without end."""
    fleet.add(*"abc")
    now = datetime.now(UTC)
    # Such that it is after 10:00 on that day, and before 14:00 on the next one.
    day = now.date() if now.hour >= 10 else now.date() - timedelta(days=1)

    def is_due(of_day: date, *rows: tuple[int, date, timedelta]) -> bool:
        fleet.ask("DELETE FROM fleet.reports")
        for host, its_day, ago in rows:
            fleet.ask(
                "INSERT INTO fleet.reports (host, day, at, report) VALUES (%s, %s, %s, '{}')",
                host, its_day, now - ago,
            )  # fmt: skip
        return bool(fleet.ask("SELECT fleet.is_due(%s)", of_day)[0][0])

    before, one, hour = day - timedelta(days=1), timedelta(days=1), timedelta(hours=1)
    assert not is_due(day), "nobody has reported"
    assert is_due(day, (1, before, one), (1, day, hour)), "all have, that usually do"
    missing = (1, day, hour), (1, before, one)
    assert not is_due(day, *missing, (2, before, one + hour)), "its usual time is not two hours ago"
    assert is_due(day, *missing, (2, before, one + 3 * hour))
    assert is_due(day, *missing, (2, before - 9 * one, 10 * one)), "it has not reported for a week"
    assert not is_due(day, (1, day, hour)), "on the first day, two hours after the last one"
    assert is_due(day, (1, day, 3 * hour))
    assert not is_due(day + one, (1, before, one), (1, day + one, 3 * hour)), "it is not over"
    assert is_due(before - one, (1, before - one, hour), (2, before - 2 * one, 0 * one)), (
        "at last, two hours after its end everywhere on earth"
    )


@pytest.mark.parametrize(
    "value",
    [None, [], {"needs": 7}, {"needs": [["x"], [1, 2], ["a", "b"]], "entries": -1, "bans": 1e9}],
)
def test_what_another_host_says_of_its_day_is_checked(value: object) -> None:
    day = days.checked(value)
    assert (day.entries, day.bans, day.important) == (0, 0, 0)


def test_a_day_of_nobody_is_not_quiet_and_one_to_come_is_refused(
    fleet: Fleet, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet.add("a")
    with fleet.server.connection(database=fleet.database) as connection:
        before = report.read(connection, YESTERDAY - timedelta(days=30))
        assert report.subject(before).endswith(": no host was to report")
        assert report.subject(report.read(connection, TODAY)).endswith(": 1 did not report")
    to_come = TODAY + timedelta(days=2)
    with pytest.raises(SystemExit):
        main(["report", to_come.isoformat()])
    assert f"{to_come} has not begun anywhere (expected" in capsys.readouterr().err


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
    main(["--url", url, "rename-host", "web1", "old"])
    main(["--url", url, "remove-host", "old", "--forget"])
    said = capsys.readouterr().out
    assert said.startswith(
        "nothing to do\nweb1 may take part, as the role web1\n"
        "note: it has no password (expected a certificate, or --password-stdin)\n"
        "web1 may take part, as the role web1\nHOST "
    )
    assert "was never there" in said
    assert said.endswith(
        "web1 is out; 0 bans lifted\nweb1 is called old now, and logs in as before\n"
        "old is out; 0 bans lifted\n"
    )
    for command, fault in {
        ("remove-host", "nobody"): "'nobody' is no host of this fleet",
        ("remove-host", "old"): "'old' is no host of this fleet",
        ("rename-host", "old", "new"): "'old' is no host of this fleet",
        ("add-host", "a b"): "'a b' is no name of a host",
        ("add-host", "y", "--password-stdin"): "there is no password on standard input",
        ("add-host", "x", "--role", "postgres"): "may do more than a host",
    }.items():
        with pytest.raises(SystemExit, match=fault):
            main(["--url", url, *command])
    empty = fleet.server.url(database="template1")
    with pytest.raises(SystemExit, match="expected `pyruse-fleet init` first"):
        main(["--url", empty, "status"])
