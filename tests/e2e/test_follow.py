"""The daemon on a real journald: every entry exactly once, whatever happens to the files."""

from __future__ import annotations

import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyruse.testing.journald import Journald

CHAINS = """
[journal]
namespace = "{namespace}"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[email]
sendmail = ["/bin/false"]
[chains]
"test" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" }},
  {{ action = "count", counter = "all", key = "SYSLOG_IDENTIFIER", into = "n" }},
  {{ action = "report", section = "other", message = "{{MESSAGE}}" }},
]
"""


class Daemon:
    """A `pyruse run` in a process of its own."""

    def __init__(self, journald: Journald, folder: Path) -> None:
        self.config = folder / "pyruse.toml"
        self.config.write_text(CHAINS.format(namespace=journald.namespace, folder=folder))
        self.state = folder / "state.sqlite"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pyruse", "run", "-c", str(self.config), *options]
        )
        return self.process

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(10)

    def reported(self) -> Counter[str]:
        if not self.state.exists():
            return Counter()
        with closing(sqlite3.connect(self.state)) as db, db:
            if not db.execute("PRAGMA user_version").fetchone()[0]:
                return Counter()  # just being made
            return Counter(message for (message,) in db.execute("SELECT message FROM events"))

    def wait_for(self, expected: Counter[str], seconds: float = 20) -> None:
        """Wait until just these messages are reported, each as often as it is expected."""
        deadline = time.monotonic() + seconds
        while (reported := self.reported()) != expected:
            assert time.monotonic() < deadline, reported - expected or expected - reported
            time.sleep(0.05)


@pytest.fixture
def daemon(journald: Journald, tmp_path: Path) -> Iterator[Daemon]:
    daemon = Daemon(journald, tmp_path)
    yield daemon
    if daemon.process is not None and daemon.process.poll() is None:
        daemon.process.kill()
        daemon.process.wait()


def send(journald: Journald, first: int, last: int) -> Counter[str]:
    """Log entries with these numbers; :return: what is to be reported of them."""
    messages = [f"entry {number}" for number in range(first, last)]
    journald.send_all([{"SYSLOG_IDENTIFIER": "test", "MESSAGE": message} for message in messages])
    return Counter(messages)


def test_each_entry_once_through_rotation_and_vacuum(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 50)
    daemon.start()
    daemon.wait_for(expected)
    for round_ in range(1, 5):
        expected += send(journald, round_ * 100, round_ * 100 + 50)
        journald.rotate()
        expected += send(journald, round_ * 100 + 50, round_ * 100 + 100)
        # A vacuum removes files that were not read yet only if nobody had the time to.
        daemon.wait_for(expected)
        journald.vacuum()
    expected += send(journald, 1000, 1010)
    daemon.wait_for(expected)
    assert daemon.stop() == 0
    assert set(daemon.reported().values()) == {1}


def test_resumes_after_a_stop_and_a_kill(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 20)
    daemon.start()
    daemon.wait_for(expected)
    assert daemon.stop() == 0
    expected += send(journald, 20, 40)
    journald.rotate()
    expected += send(journald, 40, 60)
    daemon.start()
    daemon.wait_for(expected)
    assert daemon.stop(signal.SIGKILL) == -signal.SIGKILL
    expected += send(journald, 60, 80)
    journald.sync()
    assert daemon.start("--once").wait(20) == 0
    assert daemon.reported() == expected


def test_sleeps_while_nothing_is_logged(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 5)
    process = daemon.start()
    daemon.wait_for(expected)
    journald.sync()
    time.sleep(1)  # journald tells of its own last lines up to 250 ms late
    # Journals that other tests make and remove meanwhile are news, too: some seconds are without.
    assert any(is_quiet(process.pid, 2) for _ in range(10))
    assert daemon.stop() == 0


def is_quiet(pid: int, seconds: float) -> bool:
    """Whether a process does nothing at all for so long."""
    before = switches(pid)
    time.sleep(seconds)
    return switches(pid) == before


def switches(pid: int) -> int:
    """How often the process has gone to sleep by itself so far (proc(5))."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def test_a_vacuumed_cursor_is_told_of(journald: Journald, daemon: Daemon) -> None:
    send(journald, 0, 10)
    journald.sync()
    assert daemon.start("--once").wait(20) == 0
    send(journald, 10, 20)
    journald.rotate()
    journald.vacuum()
    expected = send(journald, 20, 30)
    journald.sync()
    assert daemon.start("--once").wait(20) == 0
    reported = daemon.reported()
    assert {message: reported[message] for message in expected} == expected
    with closing(sqlite3.connect(daemon.state)) as db, db:
        (note,) = db.execute("SELECT note FROM notes").fetchone()
    told = re.fullmatch(
        r"the journal no longer has the entry of (\S+ \S+) at which the last run ended: entries "
        r"from then until (\S+ \S+) may have been removed unread",
        note,
    )
    assert told is not None
    assert told[1] <= told[2]


def test_reloads_the_configuration_unless_it_is_faulty(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 5)
    process = daemon.start()
    daemon.wait_for(expected)
    old = daemon.config.read_text()
    for faulty in ("[chains", old.replace("equals", "equal")):
        daemon.config.write_text(faulty)
        process.send_signal(signal.SIGHUP)
        expected += send(journald, sum(expected.values()), sum(expected.values()) + 5)
        daemon.wait_for(expected)
    daemon.config.write_text(old.replace("{MESSAGE}", "{n}: {MESSAGE}"))
    process.send_signal(signal.SIGHUP)
    time.sleep(1)
    send(journald, 50, 51)
    expected["16: entry 50"] += 1  # the counter goes on where it was
    daemon.wait_for(expected)
    assert daemon.stop() == 0


def test_what_no_chain_wanted_is_not_looked_at_by_the_chains_of_later(
    journald: Journald, daemon: Daemon
) -> None:
    """libsystemd leaves out what comes from others, until all that was pending is read."""

    def entries() -> int:
        asked = [sys.executable, "-m", "pyruse", "status", "-c", str(daemon.config)]
        done = subprocess.run([*asked, "--format", "json"], capture_output=True, check=True)
        said = json.loads(done.stdout)
        assert said["journal"]["behind"] == 0
        return int(said["daemon"]["entries"])

    def others(*messages: str) -> None:
        journald.send_all(
            [{"SYSLOG_IDENTIFIER": "other", "MESSAGE": message} for message in messages]
        )
        journald.sync()

    own = daemon.config.read_text()
    both = own.replace('equals", field', 'in", field').replace(
        'value = "test"', 'values = ["test", "other"]'
    )
    others(*["before the start"] * 20)
    expected = send(journald, 0, 5)
    process = daemon.start()
    daemon.wait_for(expected)
    assert entries() == 5
    others("before the reload")
    time.sleep(1)
    assert entries() == 6
    daemon.config.write_text(both)
    process.send_signal(signal.SIGHUP)
    time.sleep(1)
    expected += Counter(["after the reload"])
    others("after the reload")
    daemon.wait_for(expected)
    daemon.config.write_text(own)
    process.send_signal(signal.SIGHUP)
    time.sleep(1)
    others("before the stop")
    time.sleep(1)
    assert daemon.stop() == 0
    daemon.config.write_text(both)
    others("after the stop")
    expected += Counter(["after the stop"])
    assert daemon.start("--once").wait(20) == 0
    assert daemon.reported() == expected


def test_a_second_daemon_on_the_same_state_says_who_holds_it(
    journald: Journald, daemon: Daemon
) -> None:
    expected = send(journald, 0, 5)
    first = daemon.start()
    daemon.wait_for(expected)
    second = subprocess.run(
        [sys.executable, "-m", "pyruse", "run", "-c", str(daemon.config)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert second.stderr.endswith(
        f"pyruse: {daemon.state}: in use by another Pyruse, process {first.pid} "
        "(expected one daemon a state)\n"
    )
    assert daemon.stop() == 0


def test_a_stop_comes_within_a_second(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 5)
    daemon.start()
    daemon.wait_for(expected)
    began = time.monotonic()
    assert daemon.stop(signal.SIGINT) == 0
    assert time.monotonic() - began < 5  # seconds on a busy machine; one at rest
    assert os.path.exists(daemon.state)
