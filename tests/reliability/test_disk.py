"""A disk that is full, read-only or gone: nothing is lost, and the administrator is told."""

from __future__ import annotations

import signal
import subprocess

import pytest

from pyruse.testing.journald import Journald
from pyruse.testing.waiting import TIME_LIMIT
from tests.reliability.machine import Machine

pytestmark = pytest.mark.realparts

CONFIG = """
[journal]
namespace = "{namespace}"
start = "head"
[state]
url = "sqlite://{disk}/state.sqlite"
[email]
to = ["hostmaster@example.org"]
sendmail = ["{folder}/sendmail", "-t"]
[report]
archive = "{folder}/reports"
[chains]
"test" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { action = "count", counter = "all", key = "SYSLOG_IDENTIFIER", into = "n" },
  { action = "report", section = "other", message = "{MESSAGE}" },
  { filter = "contains", field = "MESSAGE", text = "alarm" },
  { action = "email", subject = "alarm", message = "number {n}" },
]
"""

SENDMAIL = """#!/bin/sh
file=$(mktemp {folder}/new.XXXXXX) && cat > "$file" && mv "$file" {folder}/mail.$$
"""

EVENTS = "SELECT count(*), count(DISTINCT message) FROM events"
FULL = "<3>pyruse: state: cannot be written: database or disk is full"
LOG_LIMIT = 4 << 20
AGAIN = "<6>pyruse: the state can be written again: nothing is lost"


@pytest.fixture
def running(machine: Machine, journald: Journald) -> Machine:
    """A daemon at work."""
    machine.configure(CONFIG.replace("{namespace}", journald.namespace))
    sendmail = machine.folder / "sendmail"
    sendmail.write_text(SENDMAIL.format(folder=machine.folder))
    sendmail.chmod(0o755)
    log(journald, 0, 10)
    machine.start()
    machine.wait_for_rows(EVENTS, [(10, 10)])
    return machine


def log(journald: Journald, first: int, last: int, text: str = "x" * 500) -> None:
    journald.send_all(
        [
            {"SYSLOG_IDENTIFIER": "test", "MESSAGE": f"{number} {text}"}
            for number in range(first, last)
        ]
    )


def test_a_full_disk_holds_everything_up_and_loses_nothing(
    running: Machine, journald: Journald
) -> None:
    running.fill()
    log(journald, 10, 1000)
    log(journald, 1000, 1001, "alarm")
    running.wait_for_line(FULL)
    assert not list(running.folder.glob("mail.*")), "it is not told before it is committed"
    held = running.rows(EVENTS)
    assert held < [(1001, 1001)]
    status = running.ask("status")
    assert status["daemon"]["held_up_by"] == "the state cannot be written: database or disk is full"
    assert not status["well"]
    assert running.command("status").returncode == 1
    running.make_room()
    running.process.send_signal(signal.SIGHUP)  # or five seconds later
    running.wait_for_rows(EVENTS, [(1001, 1001)])
    (mail,) = running.wait_until(lambda: list(running.folder.glob("mail.*")))
    assert running.ask("status")["well"]
    assert running.stop() == 0
    assert (running.log.count(FULL), running.log.count(AGAIN)) == (1, 1)
    assert "number 1001" in mail.read_text()
    assert running.rows("SELECT amount FROM counts WHERE counter = 'all'") == [(1001,)]


def test_a_stop_while_the_disk_is_full_says_what_is_to_be_read_again(
    running: Machine, journald: Journald
) -> None:
    running.fill()
    log(journald, 10, 1000)
    running.wait_for_line(FULL)
    assert running.stop() == 1
    assert running.log.endswith(
        "cannot be written: database or disk is full (expected room on the disk; the entries will "
        "be read again at the next start)\n"
    )
    running.make_room()
    running.start()
    running.wait_for_rows(EVENTS, [(1000, 1000)])
    assert running.stop() == 0


def test_on_a_full_disk_a_daemon_does_not_start(running: Machine, journald: Journald) -> None:
    assert running.stop() == 0
    running.fill()
    log(journald, 10, 1000)
    done = running.command("run")
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert "the state cannot be used: there is no room on the disk (expected " in line
    running.make_room()
    running.start()
    running.wait_for_rows(EVENTS, [(1000, 1000)])
    assert running.stop() == 0


def test_on_a_read_only_disk_a_daemon_does_not_start(running: Machine, journald: Journald) -> None:
    assert running.stop() == 0
    running.mount("ro")
    done = running.command("run")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith(f"pyruse: {running.state}")
    running.mount("rw")
    log(journald, 10, 20)
    running.start()
    running.wait_for_rows(EVENTS, [(20, 20)])
    assert running.stop() == 0


def test_a_disk_that_takes_no_more_writes_is_waited_for(
    running: Machine, journald: Journald
) -> None:
    """As when the kernel mounts a faulty disk read-only under open files (ext4: errors=)."""
    pid = str(running.process.pid)
    subprocess.run(["prlimit", "--pid", pid, "--fsize=4096:unlimited"], check=True)
    log(journald, 10, 1000)
    running.wait_for_line("<3>pyruse: state: cannot be written: disk I/O error")
    subprocess.run(["prlimit", "--pid", pid, "--fsize=unlimited:unlimited"], check=True)
    running.process.send_signal(signal.SIGHUP)
    running.wait_for_rows(EVENTS, [(1000, 1000)])
    assert running.stop() == 0
    assert running.log.count(AGAIN) == 1


def test_a_state_that_is_removed_is_written_again(running: Machine, journald: Journald) -> None:
    for file in running.disk.iterdir():
        file.unlink()
    log(journald, 10, 20)
    assert running.process.wait(TIME_LIMIT) == 1
    assert running.log.endswith("nothing is lost (start Pyruse again)\n")
    running.start()
    running.wait_for_rows(EVENTS, [(20, 20)])
    assert running.stop() == 0


def test_a_reader_that_does_not_end_makes_the_log_grow_for_its_time_only(
    running: Machine, journald: Journald
) -> None:
    log_file = running.disk / "state.sqlite-wal"
    running.mount("size=64m")
    reader = running.reading()
    try:
        log(journald, 10, 20_000)
        running.wait_for_rows(EVENTS, [(20_000, 20_000)])
        assert log_file.stat().st_size > LOG_LIMIT
    finally:
        reader.kill()
        reader.wait()

    def is_short_again() -> bool:
        # One commit empties the log, the next one begins it anew, if nobody just reads it.
        log(journald, 20_000, 20_001)
        return log_file.stat().st_size <= LOG_LIMIT

    running.wait_until(is_short_again)
    assert running.stop() == 0
    assert not log_file.exists()
