"""What a report says of its events: log lines in, attention, verdict and numbers out."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pyruse import Report
from pyruse.report.rows import report_of_all
from pyruse.report.subject import LONGEST, verdict
from pyruse.testing import Clock, MakePipeline, Pipeline

CONFIG = """
use = ["sshd", "systemd", "kernel", "smartd", "mdadm", "sudo"]
[report]
timezone = "UTC"
[email]
to = ["root"]
[bans.nftables]
command = ["true"]
"""


@pytest.fixture
def server(pipeline: MakePipeline) -> Pipeline:
    """A server with rules, and the lines that nobody knows under other."""
    return pipeline(CONFIG)


def feed(here: Pipeline, program: str, message: str, **fields: Any) -> None:
    known: dict[str, Any] = {"_UID": 0, "_COMM": program, "PRIORITY": 6, "_HOSTNAME": "mercury"}
    here.feed(SYSLOG_IDENTIFIER=program, MESSAGE=message, **known | fields)
    here.clock.advance("1s")


def sshd(here: Pipeline, message: str) -> None:
    feed(here, "sshd", message, _EXE="/usr/sbin/sshd", _SYSTEMD_UNIT="ssh.service", _PID=7)


def failed(here: Pipeline, unit: str) -> None:
    feed(
        here, "systemd", f"{unit}: Failed with result 'exit-code'.", _PID=1, PRIORITY=4, UNIT=unit,
        UNIT_RESULT="exit-code", MESSAGE_ID="d9b373ed55a64feb8242e02dbe79a49c",
    )  # fmt: skip


def usual(here: Pipeline) -> None:
    """A day without anything."""
    for number in range(3):
        feed(here, "ledgerd", f"booked order {number}", _UID=990)
        feed(here, "ledgerd", f"error: feed answered 503 for item {number}", _UID=990, PRIORITY=3)
    feed(here, "inventory", "inventory finished: 12 items", _UID=990)
    sshd(here, "Accepted publickey for ada from 192.0.2.7 port 5022 ssh2: ED25519 SHA256:AAAA")


def a_week(here: Pipeline, day: Callable[[Pipeline], object] = usual) -> None:
    for _ in range(8):
        day(here)
        here.end_day()


def told(report: Report) -> list[str]:
    return [item.text for item in report.attention]


def test_on_a_quiet_day_nothing_is_called_out(server: Pipeline) -> None:
    a_week(server)
    usual(server)
    report = server.end_day()
    assert told(report) == []
    assert (report.unusual, report.learning) == ([], 0)
    assert verdict(report) == "nothing unusual on Sun 22 Mar (8 entries)"
    mail = server.emails[-1]
    assert mail.subject == "mercury: nothing unusual on Sun 22 Mar (8 entries)"


def test_the_heaviest_comes_first_and_a_cause_is_one_item(server: Pipeline) -> None:
    failed(server, "backup.service")
    for _ in range(12):
        sshd(server, "Failed password for root from 203.0.113.66 port 4022 ssh2")
        server.clock.advance("13m")
    sshd(server, "Accepted password for root from 203.0.113.66 port 4022 ssh2")
    for number in range(3):
        message = f"I/O error, dev sdc, sector {number} op 0x0:(READ) flags 0x80700 phys_seg 1"
        server.feed(SYSLOG_IDENTIFIER="kernel", MESSAGE=message, _TRANSPORT="kernel", PRIORITY=3)
        feed(server, "smartd", "Device: /dev/sdc [SAT], 8 Currently unreadable (pending) sectors")
    failed(server, "backup.service")
    report = server.end_day()
    disk, login, unit = report.attention
    assert "sdc" in disk.text
    assert (disk.weight, disk.count, disk.cause) == (90, 6, "device sdc")
    assert login.text == (
        "root logged in from 203.0.113.66 (ssh, password), after 12 failed logins from there, for "
        "the first time from there"
    )
    assert login.quote == "Accepted password for root from 203.0.113.66 port 4022 ssh2"
    assert (unit.text, unit.count) == ("backup.service failed: exit-code", 2)
    assert unit.time is not None
    assert f"{unit.time:%H:%M:%S}" == "12:00:00"
    assert verdict(report).startswith("3 need attention: ")


def test_whether_a_unit_had_failed_before_is_said(server: Pipeline) -> None:
    failed(server, "often.service")
    a_week(server, lambda here: failed(here, "often.service"))
    failed(server, "often.service")
    failed(server, "backup.service")
    assert sorted(told(server.end_day())) == [
        "backup.service failed: exit-code; for the first time in 8 days",
        "often.service failed: exit-code; as on each of the 7 days before",
    ]


def test_scary_words_of_strangers_are_not_called_out(server: Pipeline) -> None:
    a_week(server)
    usual(server)
    sshd(server, "Invalid user PANIC from 198.51.100.7 port 4000")
    sshd(server, "error: fatal failure denied by 198.51.100.7 port 4000")
    page = 'GET /fatal-disk-failure HTTP/1.1" 404'
    feed(server, "webd", f'198.51.100.7 - - "{page} "kernel panic failed"', _UID=33, PRIORITY=4)
    feed(server, "maild", "helo=<fatal-disk-failed.example> accepted", _UID=107)
    report = server.end_day()
    assert told(report) == []
    assert [one.what for one in report.unusual] == ["new"] * len(report.unusual)


def test_what_is_new_and_grave_or_gone_is_called_out(server: Pipeline) -> None:
    a_week(server)
    for number in range(3):
        feed(server, "ledgerd", f"booked order {number}", _UID=990)
        feed(server, "ledgerd", f"error: feed answered 503 for item {number}", _UID=990, PRIORITY=3)
    feed(server, "ledgerd", "replication halted: position lost", _UID=990, PRIORITY=3)
    feed(server, "restic", "Fatal: unable to open repository", _UID=990)
    feed(server, "ledgerd", "hello, a new line", _UID=990)
    server.state.commit()
    so_far = told(server.engine.report("2026-03-22"))
    report = server.end_day()
    assert told(report) == [
        "ledgerd: replication halted: position lost",
        "restic: Fatal: unable to open repository",
        "“inventory finished: 12 items” came every day (once), but not on this one",
    ]
    assert [one.what for one in report.unusual] == ["new", "new", "new", "gone"]
    assert so_far == told(report)[:2], "nothing is absent before the day has ended"


def test_a_program_that_says_much_that_is_new_hides_no_other(server: Pipeline) -> None:
    """As a stranger makes a web application cry, who tries all that he can think of."""
    a_week(server)
    for number in range(60):
        words = (
            f"{chr(97 + number % 26) * 3} {chr(98 + number % 24) * 4} {chr(97 + number // 9) * 5}"
        )
        feed(server, "webapp", f"critical failure of {words}", _UID=33, PRIORITY=3)
    usual(server)
    feed(server, "ledgerd", "replication halted: position lost", _UID=990, PRIORITY=3)
    report = server.end_day()
    assert told(report) == [
        "webapp: 60 kinds of entries that were never seen before",
        "ledgerd: replication halted: position lost",
    ]
    assert report.attention[0].count == 60
    text = server.engine.render(report, "text")
    unlike = text.partition("Unlike other days")[2].partition("AT A GLANCE")[0]
    assert "replication halted" in unlike
    (other,) = [text[at:] for at in [text.rindex("OTHER")]]
    assert "replication halted" in other


def test_a_program_that_calls_all_that_it_says_critical_is_one_thing_that_needs_attention(
    server: Pipeline,
) -> None:
    a_week(server)
    for number in range(40):
        feed(server, "webapp", f"{chr(97 + number % 26) * 3} failed", _UID=33, PRIORITY=2)
    usual(server)
    feed(server, "ledgerd", "replication halted: position lost", _UID=990, PRIORITY=3)
    report = server.end_day()
    assert told(report)[-1] == "[2/webapp] aaa failed"
    assert "ledgerd: replication halted: position lost" in told(report)
    assert sum("[2/webapp]" in text for text in told(report)) == 1
    assert len(report.important) == 10


def test_of_a_day_without_entries_one_thing_is_said(server: Pipeline) -> None:
    a_week(server)
    server.clock.advance("30s")
    for _ in range(2):
        report = server.end_day()
        assert told(report) == [
            "no entry came: the machine was off, or nothing was read of its journal"
        ]
        assert report.unusual == []
    usual(server)
    assert told(server.end_day()) == []


def test_who_names_himself_like_a_sentence_is_quoted(server: Pipeline) -> None:
    a_week(server)
    usual(server)
    feed(server, "root logged in", "error: it failed", _UID=1000, PRIORITY=3)
    assert told(server.end_day()) == ["“root logged in”: error: it failed"]


def test_a_program_that_is_gone_is_one_item(server: Pipeline) -> None:
    def with_more(here: Pipeline) -> None:
        usual(here)
        for text in ("begins", "cleaned its cache", "wrote the index", "is done with all of it"):
            feed(here, "nightly", text, _UID=990)

    a_week(server, with_more)
    usual(server)
    assert told(server.end_day()) == [
        "nightly: 4 kinds of entries that came every day, but not on this one"
    ]


def test_on_the_first_day_everything_is_usual(server: Pipeline) -> None:
    feed(server, "ledgerd", "replication halted: position lost", _UID=990, PRIORITY=3)
    report = server.end_day()
    assert (told(report), report.unusual, report.learning) == ([], [], 7)
    usual(server)
    assert server.end_day().learning == 6


OWN = """
[report]
timezone = "UTC"
[chains]
"heavy" = [
  { filter = "equals", field = "MESSAGE", value = "heavy" },
  { action = "report", section = "important", message = "heavy", weight = 90 },
]
"light" = [
  { filter = "equals", field = "MESSAGE", value = "light" },
  { action = "report", section = "important", message = "light", weight = 0 },
]
"backup" = [
  { filter = "contains", field = "MESSAGE", text = "backup" },
  { action = "set", field = "name", value = "nightly" },
  { filter = "equals", field = "MESSAGE", value = "backup failed", then = "no backup" },
  { action = "event", name = "backup done", service = "backup" },
]
"no backup" = [ { action = "event", name = "backup failed", service = "backup" } ]
"rest" = [ { action = "report", section = "important", message = "{MESSAGE}" } ]
"""


def test_a_chain_says_how_much_its_events_weigh(pipeline: MakePipeline) -> None:
    here = pipeline(OWN)
    for message in ("plain", "light", "heavy"):
        here.feed(MESSAGE=message)
    report = here.end_day()
    assert [(item.text, item.weight) for item in report.attention] == [("heavy", 90), ("plain", 50)]
    assert [row.message for row in report.important] == ["heavy", "light", "plain"]


def test_an_event_that_weighs_is_called_out_though_no_chain_reports_it(
    pipeline: MakePipeline,
) -> None:
    here = pipeline(
        OWN.replace('message = "{MESSAGE}" } ]', 'message = "{MESSAGE}", weight = 0 } ]')
    )
    for _ in range(4):
        here.feed(MESSAGE="backup done")
        assert told(here.end_day()) == []
    here.feed(MESSAGE="backup failed")
    (text,) = told(here.end_day())
    assert "backup nightly" in text
    assert text.endswith("; it had succeeded on each of the 4 days before")


def test_who_knocks_at_doors_hides_nothing_of_the_days_after(
    pipeline: MakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A digest has the rows of many days: strangers fill those of the first ones."""
    monkeypatch.setattr("pyruse.report.attention._MOST_ROWS", 10)
    chain = """
        [report]
        timezone = "UTC"
        [chains]
        "all" = [
          { filter = "exists", field = "UNIT", else = "doors" },
          { action = "set", field = "unit", value = "{UNIT}" },
          { action = "event", name = "unit failed" },
        ]
        "doors" = [
          { filter = "exists", field = "FROM" },
          { action = "set", field = "ip", value = "{FROM}" },
          { action = "event", name = "denied" },
        ]
        """
    here = pipeline(chain)
    for number in range(20):
        here.feed(FROM=f"192.0.2.{number}")
    here.end_day()
    here.feed(UNIT="backup.service")
    here.end_day()
    report = report_of_all(here.state, here.engine.calendar, "mercury", lambda _: None)
    assert told(report) == ["backup.service failed"]


def test_a_flood_of_important_events_of_a_kind_is_one_item(pipeline: MakePipeline) -> None:
    here = pipeline(OWN)
    for number in range(300):
        here.feed(MESSAGE=f"request {number} failed")
    (item,) = here.end_day().attention
    assert item.text == "request 0 failed (and 299 more of this kind)"
    assert item.count == 300


def test_of_too_many_causes_it_is_said_that_there_are_more(
    pipeline: MakePipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pyruse.report.attention._MOST", 3)
    here = pipeline(OWN)
    for word in ("alpha", "beta", "gamma", "delta", "epsilon"):
        here.feed(MESSAGE=f"{word} {word} {word}")
    *_, last = told(here.end_day())
    assert last == "more than 3 important things: the section has the others"


WILD = """
from pyruse import Entry, hookimpl

class Wild:
    @hookimpl
    def act_on_entry(self, entry: Entry) -> None:
        raise LookupError("x")
"""


def test_faults_of_pyruse_and_what_is_absent_are_called_out(
    pipeline: MakePipeline, tmp_path: Path
) -> None:
    plugin = tmp_path / "wild.py"
    plugin.write_text(WILD)
    toml = (
        '[report]\ntimezone = "UTC"\n[chains]\n"c" = [ { action = "expect", name = "backup", '
        'every = "1h" }, { action = "wild" } ]'
    )
    here = pipeline(toml, plugins=plugin)
    here.feed(MESSAGE="x")
    here.pass_time("2h")
    absent, fault = here.end_day().attention
    assert absent.text.startswith("backup has not happened since 2026-03-14 12:00:00")
    assert (absent.weight, absent.cause) == (70, "absent backup ")
    assert fault.text == 'Pyruse: chains."c"[1]: action wild: LookupError: x'


@pytest.mark.parametrize(
    ("day", "hours"), [((2026, 3, 14), 24), ((2026, 3, 29), 23), ((2026, 10, 25), 25)]
)
def test_entries_are_counted_by_hour(
    pipeline: MakePipeline, clock: Clock, day: tuple[int, int, int], hours: int
) -> None:
    clock.now = datetime(*day, 11, 30, tzinfo=UTC)
    here = pipeline('[report]\ntimezone = "Europe/Paris"\n[chains]\n"c" = []')
    before = here.clock.now.astimezone(here.engine.calendar.zone)
    start = datetime.combine(before.date(), datetime.min.time(), before.tzinfo)
    elapsed = int((clock.now.timestamp() - start.timestamp()) // 3600)
    for _ in range(3):
        here.feed(MESSAGE="x")
    clock.advance("1h")
    here.feed(MESSAGE="y")
    report = here.end_day()
    assert len(report.hours) == hours
    expected = [0] * hours
    expected[elapsed], expected[elapsed + 1] = 3, 1
    assert report.hours == expected


def test_numbers_stand_beside_the_usual_ones(server: Pipeline) -> None:
    for entries in (2, 4, 9):
        for _ in range(entries):
            feed(server, "ledgerd", "booked", _UID=990)
        server.end_day()
    for _ in range(7):
        feed(server, "ledgerd", "booked", _UID=990)
    failed(server, "x.service")
    rows = [(row.name, row.today, row.usual) for row in server.end_day().glance]
    assert ("Entries", 8, 4) in rows
    assert ("Important events", 1, 0) in rows


def test_a_subject_is_one_short_line_whatever_lines_hold(pipeline: MakePipeline) -> None:
    here = pipeline(OWN + '[email]\nto = ["root"]\n')
    here.feed(MESSAGE="a\r\nBcc: all@example.org\x1b[31m" + "x" * 5_000, _HOSTNAME="h\n" * 80)
    for number in range(30):
        here.feed(
            MESSAGE=f"{'abcdefghij'[number % 10] * 9} {number // 10 * 'z'}", _HOSTNAME=f"h{number}"
        )
    here.end_day()
    (mail,) = here.emails
    assert len(mail.subject) <= LONGEST
    assert mail.subject.isprintable()
    assert "; …" in mail.subject or mail.subject.endswith("…")


def test_kinds_are_told_with_their_messages_new_ones_first(server: Pipeline) -> None:
    a_week(server)
    usual(server)
    feed(server, "ledgerd", "a line that is new", _UID=990)
    rows = [row for row in server.end_day().kinds if row.section == "other"]
    assert [(row.template, row.count, row.is_new, row.usual) for row in rows] == [
        ("a line that is new", 1, True, 0),
        ("error: feed answered * for item *", 3, False, 3),
        ("booked order *", 3, False, 3),
        ("inventory finished: * items", 1, False, 1),
    ]
    assert rows[2].different == 3
    assert sorted(message for message, _ in rows[2].messages)[0].endswith("booked order 0")
