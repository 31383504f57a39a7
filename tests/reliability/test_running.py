"""A daemon at work while what is around it hangs, fails, floods, reads along, or stops it."""

from __future__ import annotations

import email
import email.policy
import re
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pyruse.testing.journal import make_journal
from pyruse.testing.journald import Journald
from pyruse.testing.processes import has_ended
from pyruse.testing.waiting import TIME_LIMIT
from tests.reliability.machine import Machine

pytestmark = pytest.mark.realparts

BASE = """
[state]
url = "sqlite://{disk}/state.sqlite"
[bans]
backend = "nftables"
[bans.nftables]
command = ["/bin/true"]
"""
TEST = """
[chains]
"test" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { action = "report", section = "other", message = "{MESSAGE}" },
  { filter = "contains", text = "hang" },
"""
EVENTS = "SELECT count(*), count(DISTINCT message) FROM events"


@pytest.fixture
def follow(machine: Machine, journald: Journald) -> Callable[[str, str], Machine]:
    """``follow(settings, step)``: a daemon at work; the step is for entries with "hang"."""

    def start(settings: str, step: str) -> Machine:
        source = f'[journal]\nnamespace = "{journald.namespace}"\nstart = "head"\n'
        machine.configure(f"{source}{BASE}{settings}{TEST}  {step}\n]\n")
        return machine.start()

    return start


def log(journald: Journald, *messages: str) -> None:
    journald.send_all([{"SYSLOG_IDENTIFIER": "test", "MESSAGE": text} for text in messages])


def program(folder: Path, script: str) -> Path:
    file = folder / "program"
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def test_a_program_that_hangs_is_killed_with_its_children_and_entries_go_on(
    follow: Callable[[str, str], Machine], journald: Journald, tmp_path: Path
) -> None:
    file = program(tmp_path, f"sleep 1000 & echo $$ $! > {tmp_path}/pids; wait")
    machine = follow("", f'{{ action = "run", command = ["{file}"], timeout = "1s" }},')
    log(journald, "hang")
    machine.wait_until((tmp_path / "pids").exists)
    machine.wait_until(lambda: (tmp_path / "pids").read_text().endswith("\n"))
    log(journald, *map(str, range(100)))
    machine.wait_for_rows(EVENTS, [(101, 101)])
    machine.wait_for_line("program was killed after 1 s, its time limit")
    pids = (tmp_path / "pids").read_text().split()
    machine.wait_until(lambda: all(has_ended(int(pid)) for pid in pids))
    machine.wait_for_rows("SELECT count(*) FROM outbox", [(0,)])
    assert machine.stop() == 0


def test_a_stop_does_not_wait_for_a_program_that_hangs(
    follow: Callable[[str, str], Machine], journald: Journald, tmp_path: Path
) -> None:
    file = program(tmp_path, f"echo $$ > {tmp_path}/pids; exec sleep 1000")
    machine = follow("", f'{{ action = "run", command = ["{file}"], timeout = "1h" }},')
    log(journald, "hang")
    machine.wait_until((tmp_path / "pids").exists)
    assert machine.stop() == 0
    assert machine.rows("SELECT kind FROM outbox") == [("command",)], "it runs at the next start"


@pytest.fixture
def silent_server() -> Iterator[tuple[int, socket.socket]]:
    """A mail server that takes connections, and says nothing: its port, its socket."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1], server


def test_a_stop_does_not_wait_for_a_mail_server_that_hangs(
    follow: Callable[[str, str], Machine],
    journald: Journald,
    silent_server: tuple[int, socket.socket],
) -> None:
    port, server = silent_server
    settings = f'[email]\nto = ["root"]\nsmtp = "smtp://127.0.0.1:{port}"\ntimeout = "1h"\n'
    machine = follow(settings, '{ action = "email", message = "x" },')
    log(journald, "hang")
    server.settimeout(TIME_LIMIT)
    with server.accept()[0]:
        log(journald, "one", "two")
        machine.wait_for_rows(EVENTS, [(3, 3)])
        assert machine.stop() == 0
    assert machine.rows("SELECT kind, attempts FROM outbox") == [("mail", 0)]


def test_sendmail_that_hangs_is_killed_and_the_mail_kept(
    follow: Callable[[str, str], Machine], journald: Journald, tmp_path: Path
) -> None:
    file = program(tmp_path, "exec sleep 1000")
    settings = f'[email]\nto = ["root"]\ntimeout = "1s"\nsendmail = ["{file}", "-t"]\n'
    machine = follow(settings, '{ action = "email", subject = "Alarm", message = "x" },')
    log(journald, "hang")
    machine.wait_for_line(
        'program" was killed after 1 s, its time limit; the mail "Alarm" is tried again in 30 s'
    )
    assert machine.stop() == 0
    assert machine.rows("SELECT kind, attempts FROM outbox") == [("mail", 1)]


def test_a_reload_keeps_the_bans(follow: Callable[[str, str], Machine], journald: Journald) -> None:
    step = '{ action = "ban", ip = "SYSLOG_RAW", duration = "1d" },'
    machine = follow("", step)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="hang", SYSLOG_RAW="203.0.113.7")
    query = "SELECT network, since, until FROM bans"
    bans = machine.wait_until(lambda: machine.rows(query))
    machine.reload()
    assert machine.rows(query) == bans
    assert machine.stop() == 0
    assert machine.rows(query) == bans


def has_stopped(pid: int) -> bool:
    """Whether a process was stopped by a signal (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


TELL_ITSELF = """
import os, sys
from pyruse.journal.reader import JournalReader
read = JournalReader.entries
count = 0
def entries(*arguments):
    global count
    for entry in read(*arguments):
        count += 1
        if count in {after}:
            os.kill(os.getpid(), {signal})
        yield entry
if sys.argv[1] == "run":
    JournalReader.entries = entries
"""
"""Has the daemon get a signal when it has read so many entries: it is at work then."""
ENTRIES = 20_000
DAY = "2026-03-14"


@pytest.fixture(scope="module")
def long_journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("journal")
    start = 1_773_489_600_000_000  # µs: 2026-03-14 12:00 UTC
    make_journal(
        folder / "system.journal",
        (
            {
                "MESSAGE": f"hang {number}",
                "SYSLOG_IDENTIFIER": "test",
                "__REALTIME_TIMESTAMP": start + number * 1000,
            }
            for number in range(ENTRIES)
        ),
    )
    return folder


@pytest.fixture
def catch_up(machine: Machine, long_journal: Path) -> Callable[[str, str], Machine]:
    """``catch_up(settings, step)``: a machine with much to read."""

    def configure(settings: str, step: str) -> Machine:
        machine.mount("size=64m")
        source = f'[journal]\ndirectory = "{long_journal}"\nstart = "head"\n'
        times = '[report]\ntimezone = "UTC"\nlimit = 10\n'
        machine.configure(f"{source}{BASE}{times}{settings}{TEST}  {step}\n]\n")
        return machine

    return configure


def test_a_stop_while_it_catches_up_comes_between_two_batches(
    catch_up: Callable[[str, str], Machine],
) -> None:
    machine = catch_up("", '{ action = "discard" },')
    machine.prelude = TELL_ITSELF.format(signal=int(signal.SIGTERM), after=[3_000])
    machine.start()
    assert machine.process.wait(TIME_LIMIT) == 0
    assert machine.rows(EVENTS) == [(4_000, 4_000)]
    machine.prelude = ""
    assert machine.command("run", "--once").returncode == 0
    assert machine.rows(EVENTS) == [(ENTRIES, ENTRIES)]


def test_reports_can_be_read_while_it_catches_up(catch_up: Callable[[str, str], Machine]) -> None:
    machine = catch_up("", '{ action = "discard" },')
    stops = [3_000, 4_001, 9_999, 20_000]
    machine.prelude = TELL_ITSELF.format(signal=int(signal.SIGSTOP), after=stops)
    machine.start("--once")
    for stop in stops:
        machine.wait_until(lambda: has_stopped(machine.process.pid))
        seen = len(machine.ask("report", DAY)["report"]["other"])
        assert seen == (stop - 1) // 2_000 * 2_000, "only whole batches are seen"
        machine.process.send_signal(signal.SIGCONT)
    assert machine.process.wait(TIME_LIMIT) == 0
    assert machine.rows(EVENTS) == [(ENTRIES, ENTRIES)]


def test_a_flood_gives_a_handful_of_mails_that_count_it(
    catch_up: Callable[[str, str], Machine], tmp_path: Path
) -> None:
    file = program(tmp_path, f'cat > "$(mktemp {tmp_path}/mail.XXXXXX)"')
    settings = f'[email]\nto = ["root"]\nsendmail = ["{file}", "-t"]\n'
    step = '{ action = "email", subject = "s", message = "x", every = "10m" },'
    machine = catch_up(settings, step)
    assert machine.command("run", "--once").returncode == 0
    counts = []
    for mail in tmp_path.glob("mail.*"):
        message = email.message_from_bytes(mail.read_bytes(), policy=email.policy.default)
        if message["Subject"].startswith("s"):
            found = re.search(r"\(([0-9]+) times\)", message["Subject"])
            counts.append(int(found[1]) if found else 1)
    # While it catches up, each batch is a mail; the first entry has one of its own.
    assert sorted(counts) == [1, 1_999, *[2_000] * (ENTRIES // 2_000 - 1)]


def test_an_archive_that_is_full_does_not_keep_the_report_from_its_readers(
    catch_up: Callable[[str, str], Machine], tmp_path: Path
) -> None:
    file = program(tmp_path, f"cat > {tmp_path}/mail")
    settings = 'archive = "{disk}/reports"\n[email]\nto = ["root"]\n'
    machine = catch_up(f'{settings}sendmail = ["{file}", "-t"]\n', '{ action = "discard" },')
    elsewhere = f'[state]\nurl = "sqlite://{tmp_path}/state.sqlite"\n'
    (tmp_path / "conf.d" / "z_state.toml").write_text(elsewhere)
    (machine.disk / "reports").mkdir()
    machine.fill()
    done = machine.command("run", "--once")
    assert done.returncode == 0
    assert "X-Pyruse-Attention" in (tmp_path / "mail").read_text()
    (line,) = [line for line in done.stderr.splitlines() if "archive_report" in line]
    assert "No space left on device" in line
    assert list((machine.disk / "reports").iterdir()) == [], "no half of a report"
