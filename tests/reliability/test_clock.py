"""Clocks that are wrong, are set, or change twice a year: days, windows and retries stay right."""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.config.settings import EmailSettings
from pyruse.daemon import day_ends
from pyruse.daemon.daemon import Daemon
from pyruse.delivery.delivery import Delivery
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import LIVE
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.replay.replay import replay
from pyruse.state.database import State
from pyruse.state.days import Days
from pyruse.state.outbox_item import OutboxItem
from pyruse.testing.journal import FIRST_TIME, journal_remote, make_journal, write_export
from pyruse.testing.waiting import TIME_LIMIT
from pyruse.times import time_us_of
from pyruse_plugins.reports import archive

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
YEAR = 365 * DAY

CONFIG = """
[journal]
directory = "{folder}/journal"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[report]
timezone = "{zone}"
archive = "{folder}/reports"
[chains]
"guesses" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" }},
  {{ action = "count", counter = "guesses", key = "CLIENT", within = "10m", into = "n" }},
  {{ action = "report", section = "important", message = "{{MESSAGE}}: {{n}}" }},
]
"everything else" = [{{ action = "report", section = "other", message = "{{MESSAGE}}" }}]
"""


class Follower:
    """The daemon's own classes, on a journal that grows and a clock that tests set."""

    def __init__(self, folder: Path, zone: str = "UTC") -> None:
        self.now = FIRST_TIME
        self.folder = folder
        self._journal = folder / "journal" / "system.journal"
        self._journal.parent.mkdir()
        self.logged: list[str] = []
        self._configuration = configure(
            from_text(CONFIG.format(folder=folder, zone=zone)), Registry()
        )
        self.state = State(str(folder / "state.sqlite"))
        self._start()

    def _start(self) -> None:
        self.state.load()
        faults = Faults(lambda message, *_: self.logged.append(message))
        mode = replace(LIVE, own=set, clock=lambda: self.now)
        self.engine = assemble(self._configuration, self.state, faults, mode)
        self.daemon = Daemon(self.engine, lambda: self.engine)
        self.daemon.begin()

    def restart(self) -> None:
        self.close()
        self.state = State(str(self.folder / "state.sqlite"))
        self._start()

    def close(self) -> None:
        self.daemon.close()
        self.state.close()

    def log(self, *entries: dict[str, str | int], machine: str = "system") -> None:
        """Have entries in the journal, of the clock's time unless they say another one."""
        file = self._journal.with_name(f"{machine}.journal")
        export = self.folder / "entries"
        write_export(export, [{"__REALTIME_TIMESTAMP": self.now, **entry} for entry in entries])
        append = [journal_remote(), f"--output={file}", "--split-mode=none", str(export)]
        subprocess.run(append, check=True, capture_output=True)

    def pass_by(self, span: int = 0) -> None:
        """Let time pass, and then the daemon do what is to be done."""
        self.now += span
        self.daemon._reading.journal.wait(0)
        while not self.daemon.batch() or self.daemon._day_ends.is_busy:
            if self.daemon._day_ends.is_busy:
                assert self.daemon._day_ends._made.wait(TIME_LIMIT)

    def reports(self) -> dict[str, str]:
        """The days whose reports are out, with their text."""
        return {file.stem: file.read_text() for file in sorted(self.folder.glob("reports/*.txt"))}

    def events(self) -> Counter[tuple[str, str]]:
        """How often each message is filed under each day."""
        query = "SELECT day, message FROM events"
        return Counter(self.state.db.execute(query))


@pytest.fixture
def follower(tmp_path: Path) -> Iterator[Follower]:
    follower = Follower(tmp_path)
    yield follower
    follower.close()


def today(follower: Follower) -> str:
    return day_ends.today(follower.engine)


@pytest.mark.realparts
def test_an_entry_of_the_year_2100_counts_as_of_now(follower: Follower) -> None:
    in_2100 = time_us_of(datetime(2100, 1, 1, tzinfo=UTC))
    follower.log(
        {"MESSAGE": "from the future", "_HOSTNAME": "tv", "__REALTIME_TIMESTAMP": in_2100},
    )
    follower.pass_by()
    day = today(follower)
    assert follower.state.days.unreported() == [day]
    assert follower.events() == {(day, "from the future"): 1}
    follower.pass_by(DAY)
    (report,) = follower.reports().values()
    assert re.search(r"1 × .*from the future +12:00\n", report)
    assert "an entry of tv is dated 2100-01-01 00:00:00, and counts as of now" in " ".join(
        report.split()
    )
    assert follower.state.days.unreported() == [today(follower)]


@pytest.mark.realparts
def test_an_entry_from_the_future_neither_fills_nor_empties_a_window(follower: Follower) -> None:
    guess: dict[str, str | int] = {"SYSLOG_IDENTIFIER": "sshd", "CLIENT": "::1", "MESSAGE": "a"}
    follower.log({**guess, "_HOSTNAME": "right"})
    follower.pass_by()
    follower.log({**guess, "MESSAGE": "b", "__REALTIME_TIMESTAMP": follower.now + 50 * YEAR})
    follower.pass_by(SECOND)
    follower.log({**guess, "MESSAGE": "c"})
    follower.pass_by(SECOND)
    follower.log({**guess, "MESSAGE": "d", "__REALTIME_TIMESTAMP": follower.now + 11 * 60 * SECOND})
    follower.pass_by(11 * 60 * SECOND)
    day = today(follower)
    assert [message for _, message in follower.events()] == ["a: 1", "b: 2", "c: 3", "d: 1"]
    assert {filed for filed, _ in follower.events()} == {day}
    assert len(follower.state.counters) == 1


@pytest.mark.realparts
def test_a_clock_that_was_years_ahead_does_not_end_the_reports(follower: Follower) -> None:
    """The clock of a machine is wrong until NTP has set it; reports go on afterwards."""
    follower.log({"MESSAGE": "before"})
    follower.pass_by()
    right = follower.now
    follower.now += 4 * YEAR
    follower.log({"MESSAGE": "while it was wrong"})
    follower.pass_by()
    wrong_day = today(follower)
    follower.now = right + 60 * SECOND
    follower.log({"MESSAGE": "after"})
    follower.pass_by()
    for number in range(3):
        follower.pass_by(DAY)
        follower.log({"MESSAGE": f"noon {number};"})
        follower.pass_by()
    follower.pass_by(DAY)
    reports = follower.reports()
    # The 14th was over by the clock that was wrong: what came after it was set is told a day later.
    assert list(reports) == [
        "2026-03-14", "2026-03-15", "2026-03-16", "2026-03-17", wrong_day
    ]  # fmt: skip
    for message, day in {
        "before": "2026-03-14", "while it was wrong": wrong_day, "after": "2026-03-15",
        "noon 0;": "2026-03-15", "noon 1;": "2026-03-16", "noon 2;": "2026-03-17",
    }.items():  # fmt: skip
        assert [name for name, text in reports.items() if message in text] == [day]
    assert follower.state.days.unreported() == [today(follower)] == ["2026-03-18"]


@pytest.mark.realparts
@pytest.mark.parametrize("restarted", [False, True])
def test_no_day_is_reported_twice_when_the_clock_is_set_back(
    follower: Follower, restarted: bool
) -> None:
    follower.log({"MESSAGE": "one"})
    follower.pass_by(DAY)
    follower.log({"MESSAGE": "two"})
    follower.pass_by(HOUR)
    written = follower.reports()
    assert list(written) == ["2026-03-14"]
    follower.now -= DAY
    if restarted:
        follower.restart()
    follower.log({"MESSAGE": "again on the 14th"})
    follower.pass_by()
    assert follower.reports() == written
    follower.pass_by(2 * DAY)
    reports = follower.reports()
    assert list(reports) == ["2026-03-14", "2026-03-15"]
    assert reports["2026-03-14"] == written["2026-03-14"]
    assert "two" in reports["2026-03-15"]
    assert "again on the 14th" in reports["2026-03-15"]


@pytest.mark.realparts
def test_a_clock_set_back_by_a_year_reports_each_of_its_days(follower: Follower) -> None:
    follower.log({"MESSAGE": "then"})
    follower.pass_by(DAY)
    follower.pass_by(-YEAR)
    assert follower.daemon._timeout_ms() is not None  # no more than poll(2) takes
    follower.log({"MESSAGE": "a year ago"})
    follower.pass_by()
    follower.pass_by(DAY)
    reports = follower.reports()
    assert list(reports) == ["2025-03-15", "2026-03-14", "2026-03-15"]
    assert "a year ago" in reports["2025-03-15"]


@pytest.mark.realparts
@pytest.mark.parametrize(
    ("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 6, 1), 24)]
)
def test_a_day_has_as_many_hours_as_it_has(tmp_path: Path, day: date, hours: int) -> None:
    follower = Follower(tmp_path, "Europe/Paris")
    begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Paris"))
    follower.now = time_us_of(begin)
    for hour in range(hours):
        follower.log({"MESSAGE": f"hour {hour};"})
        follower.pass_by(HOUR)
    follower.pass_by(3 * SECOND)
    report = json.loads((tmp_path / "reports" / f"{day}.json").read_text())
    messages = [line["message"] for line in report["report"]["other"]]
    assert messages == [f"hour {hour};" for hour in range(hours)]
    assert report["hours"] == [1] * hours
    assert follower.state.days.unreported() == [str(day + timedelta(days=1))]
    follower.close()


@pytest.mark.realparts
def test_machines_whose_entries_come_out_of_order_are_each_filed_once(
    tmp_path: Path,
) -> None:
    follower = Follower(tmp_path)
    follower.now = FIRST_TIME + 2 * DAY
    sent = Counter[tuple[str, str]]()
    for minute in range(40):
        # Three machines around midnight, one of them slow, one of them ahead by half an hour.
        for host, late in (("a", 0), ("b", 90 * 60 * SECOND), ("c", -30 * 60 * SECOND)):
            time_us = FIRST_TIME + 11 * HOUR + minute * 3 * 60 * SECOND - late
            follower.log({"MESSAGE": f"{host}{minute}", "__REALTIME_TIMESTAMP": time_us})
            sent[follower.engine.calendar.day_of(time_us).isoformat(), f"{host}{minute}"] += 1
        follower.daemon._reading.journal.wait(0)
    follower.pass_by()
    assert follower.events() == sent
    assert list(follower.reports()) == ["2026-03-14", "2026-03-15"]
    follower.close()


@pytest.mark.realparts
def test_one_journal_of_two_machines_is_replayed_entry_by_entry(tmp_path: Path) -> None:
    times = [FIRST_TIME + offset for offset in (0, 5 * HOUR, -HOUR, 13 * HOUR, 2 * HOUR, -DAY)]
    journal = make_journal(
        tmp_path / "merged.journal",
        [{"MESSAGE": f"at {time_us}", "__REALTIME_TIMESTAMP": time_us} for time_us in times],
    )
    chains = '[chains]\n"a" = [{ action = "report", section = "other", message = "{MESSAGE}" }]'
    configuration = configure(from_text(f'[report]\ntimezone = "UTC"\n{chains}'), Registry())
    outcome = replay(configuration, Selection(files=[journal]), Faults(lambda *_: None))
    assert [line.message for line in outcome.report.other] == [f"at {one}" for one in sorted(times)]
    assert [time_us_of(line.time) for line in outcome.report.other] == sorted(times)


def test_a_retry_does_not_wait_a_year_when_the_clock_is_set_back() -> None:
    with closing(State()) as state:
        fates: list[str] = []

        def refuse(message: str, *_: object) -> None:
            fates.append(message)
            if len(fates) == 1:
                raise OSError("no journal")

        delivery = Delivery(
            outbox=state.outbox,
            settings=EmailSettings(),
            host="host",
            journal_log=refuse,
            on_fault=lambda *_: None,
            wake=lambda: None,
        )  # fmt: skip
        now = FIRST_TIME
        fields = {"message": "line", "level": 3, "fields": {}}
        state.outbox.put(OutboxItem("log", fields, now, now))
        gathered = {"parts": ["x"], "count": 1, "subject": "s", "to": ["root"], "html": None}
        for _ in range(2):
            state.outbox.put_gathered(
                OutboxItem("mail", {**gathered}, now, now, "step"), 10 * 60 * SECOND
            )
        delivery.dispatch(now)
        assert fates == ["line"]
        delivery.send_now()
        delivery.dispatch(now - YEAR)
        assert fates == ["line", "line"]
        # The mail that gathers repeats does not stay for a year, either.
        assert state.outbox.next_due("mail") is None


def test_days_that_are_reported_without_a_gap_stay_reported() -> None:
    days = Days()
    for name in ("2026-03-14", "2026-03-15", "2026-03-16"):
        days.begin(name)
        days.end(name, 1)
    days.begin("2026-03-15")  # the clock was set back
    assert days.open_day(date(2026, 3, 15)) == "2026-03-17"
    assert days.open_day(date(2026, 3, 1)) == "2026-03-17"
    days.begin("2026-03-17")
    assert days.open_day(date(2026, 3, 15)) == "2026-03-17"
    assert days.unreported() == ["2026-03-17"]


def guess(number: int, time_us: int) -> dict[str, str | int]:
    return {
        "SYSLOG_IDENTIFIER": "sshd", "CLIENT": "192.0.2.1", "MESSAGE": f"guess {number}",
        "__REALTIME_TIMESTAMP": time_us, "__MONOTONIC_TIMESTAMP": time_us - FIRST_TIME + DAY,
    }  # fmt: skip


def test_a_machine_that_is_late_counts_within_its_own_window(follower: Follower) -> None:
    late = 11 * 60 * SECOND  # the window is 10 minutes
    follower.log({"MESSAGE": "here"})
    follower.log(guess(0, follower.now - late - 1000 * SECOND), machine="remote-a")
    follower.pass_by()
    for number in range(1, 5):
        follower.log(guess(number, follower.now - late), machine="remote-a")
        follower.pass_by()
        follower.log({"MESSAGE": f"another {number}"})
        follower.pass_by(20 * SECOND)
    found = {message for _, message in follower.events() if message.startswith("guess")}
    assert found == {"guess 0: 1", "guess 1: 1", "guess 2: 2", "guess 3: 3", "guess 4: 4"}


def test_a_day_waits_for_a_machine_that_is_late(follower: Follower) -> None:
    midnight = FIRST_TIME + 12 * HOUR
    follower.now = midnight - 5 * 60 * SECOND
    for number in range(3):
        follower.log({"MESSAGE": f"here {number}"})
        follower.log(
            {"MESSAGE": f"late {number}", "__REALTIME_TIMESTAMP": follower.now - 60 * SECOND},
            machine="remote-a",
        )
        follower.pass_by(10 * SECOND)
    follower.now = midnight + 30 * SECOND
    follower.pass_by()
    assert follower.reports() == {}
    follower.log({"MESSAGE": "last", "__REALTIME_TIMESTAMP": midnight - 1}, machine="remote-a")
    follower.pass_by(29 * SECOND)
    assert follower.reports() == {}
    follower.pass_by(2 * SECOND)
    (report,) = follower.reports().values()
    assert "last" in report


def test_a_machine_that_has_fallen_silent_holds_nothing_up(follower: Follower) -> None:
    midnight = FIRST_TIME + 12 * HOUR
    follower.now = midnight - 11 * 60 * SECOND
    for number in range(3):
        follower.log({"MESSAGE": f"here {number}"})
        follower.log(
            {"MESSAGE": f"late {number}", "__REALTIME_TIMESTAMP": follower.now - 5 * 60 * SECOND},
            machine="remote-a",
        )
        follower.pass_by(10 * SECOND)
    follower.now = midnight + 3 * SECOND
    follower.pass_by()
    assert set(follower.reports()) == {"2026-03-14"}


def test_a_report_for_which_there_is_no_room_now_is_made_a_minute_later(
    follower: Follower, monkeypatch: pytest.MonkeyPatch
) -> None:
    follower.log({"MESSAGE": "hello"})
    follower.pass_by()
    write = archive._write

    def no_room(*_: object) -> None:
        raise MemoryError

    monkeypatch.setattr(archive, "_write", no_room)
    follower.pass_by(DAY)
    assert follower.reports() == {}
    assert [line for line in follower.logged if "publish_report: MemoryError" in line]
    follower.pass_by(30 * SECOND)
    assert follower.reports() == {}
    monkeypatch.setattr(archive, "_write", write)
    follower.pass_by(31 * SECOND)
    (report,) = follower.reports().values()
    assert "hello" in report
    follower.pass_by(HOUR)
    assert len(follower.reports()) == 1


@pytest.mark.realparts
def test_what_comes_on_a_day_that_was_removed_while_the_clock_was_ahead_is_filed(
    follower: Follower,
) -> None:
    """Lists that take a day's events are let go with the day, and nobody still fills one."""
    follower.log({"MESSAGE": "a line"})
    follower.pass_by()
    day = today(follower)
    follower.pass_by(4 * YEAR)
    follower.pass_by(DAY)
    follower.pass_by()  # what is older than [state] keep goes
    assert follower.events() == {}
    follower.now = FIRST_TIME + HOUR
    follower.log({"MESSAGE": "a line"}, {"MESSAGE": "a line"})
    follower.pass_by()
    assert follower.events() == {(day, "a line"): 2}
    query = "SELECT count(*) FROM events WHERE section IS NULL OR step IS NULL OR host IS NOT NULL"
    assert follower.state.db.execute(query).fetchone() == (0,)
