"""The daemon on a real journald: every entry exactly once, whatever happens to the files."""

from __future__ import annotations

import os
import re
import resource
import signal
import sqlite3
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon
from pyruse.testing.plugin import need
from tests.reliability.machine import unavailable

CHAINS = """
[chains]
"test" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { action = "count", counter = "all", key = "SYSLOG_IDENTIFIER", into = "n" },
  { action = "report", section = "other", message = "{MESSAGE}" },
]
"""


@pytest.fixture
def daemon(daemon: MakeDaemon, journald: Journald) -> Daemon:
    return daemon(CHAINS, journald)


def reported(daemon: Daemon) -> Counter[str]:
    with closing(sqlite3.connect(daemon.state)) as db, db:
        return Counter(message for (message,) in db.execute("SELECT message FROM events"))


def wait_for(daemon: Daemon, expected: Counter[str]) -> None:
    """Wait until just these messages are reported, each as often as it is expected."""
    daemon.wait_until(lambda: reported(daemon), lambda found: found == expected)


def send(journald: Journald, first: int, last: int) -> Counter[str]:
    """Log entries with these numbers; :return: what is to be reported of them."""
    messages = [f"entry {number}" for number in range(first, last)]
    journald.send_all([{"SYSLOG_IDENTIFIER": "test", "MESSAGE": message} for message in messages])
    return Counter(messages)


def test_each_entry_once_through_rotation_and_vacuum(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 50)
    daemon.start()
    wait_for(daemon, expected)
    for round_ in range(1, 5):
        expected += send(journald, round_ * 100, round_ * 100 + 50)
        journald.rotate()
        expected += send(journald, round_ * 100 + 50, round_ * 100 + 100)
        # A vacuum removes files that were not read yet only if nobody had the time to.
        wait_for(daemon, expected)
        journald.vacuum()
    expected += send(journald, 1000, 1010)
    wait_for(daemon, expected)
    assert daemon.stop() == 0
    assert set(reported(daemon).values()) == {1}


def test_resumes_after_a_stop_and_a_kill(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 20)
    daemon.start()
    wait_for(daemon, expected)
    assert daemon.stop() == 0
    expected += send(journald, 20, 40)
    journald.rotate()
    expected += send(journald, 40, 60)
    daemon.start()
    wait_for(daemon, expected)
    assert daemon.stop(signal.SIGKILL) == -signal.SIGKILL
    expected += send(journald, 60, 80)
    journald.sync()
    assert daemon.command("run", "--once").returncode == 0
    assert reported(daemon) == expected


ALONE = """
mount --make-rprivate / && mkdir "$1" && mount --bind "$2" "$1" &&
mount -t tmpfs none /var/log/journal && mkdir "$2" && mount --bind "$1" "$2" && shift 2 && exec "$@"
"""
"""Journals that other tests make and remove meanwhile are news to libsystemd, too: hidden here."""


def test_sleeps_while_nothing_is_logged(journald: Journald, daemon: Daemon, tmp_path: Path) -> None:
    need(unavailable())
    at = [str(tmp_path / "at"), str(journald.directory)]
    daemon.prefix = ["unshare", "--mount", "sh", "-c", ALONE, "sh", *at]
    expected = send(journald, 0, 5)
    daemon.start()
    wait_for(daemon, expected)
    # journald tells of its own last lines a moment later.
    daemon.wait_until(lambda: is_quiet(daemon.process.pid, 2))
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
    assert daemon.command("run", "--once").returncode == 0
    send(journald, 10, 20)
    journald.sync()
    journald.rotate()
    journald.vacuum()
    expected = send(journald, 20, 30)
    journald.sync()
    assert daemon.command("run", "--once").returncode == 0
    found = reported(daemon)
    assert {message: found[message] for message in expected} == expected
    with closing(sqlite3.connect(daemon.state)) as db, db:
        (note,) = db.execute("SELECT note FROM notes").fetchone()
    told = re.fullmatch(
        r"\d+ entries from (\S+ \S+) until (\S+ \S+) were removed unread \(expected a journal "
        r"that keeps more: SystemMaxUse= in journald.conf\)",
        note,
    )
    assert told is not None, note
    assert told[1] <= told[2]


def test_reloads_the_configuration_unless_it_is_faulty(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 5)
    daemon.start()
    wait_for(daemon, expected)
    for faulty in ("[chains", CHAINS.replace("equals", "equal")):
        daemon.configure(faulty)
        daemon.reload()
        expected += send(journald, sum(expected.values()), sum(expected.values()) + 5)
        wait_for(daemon, expected)
    told = [text for text in daemon.told if text.startswith("STATUS=")]
    assert len(told) == 2
    assert "The reload was refused" in told[1]
    assert '"equal"' in told[1]
    daemon.configure(CHAINS.replace("{MESSAGE}", "{n}: {MESSAGE}"))
    daemon.reload()
    assert [text for text in daemon.told if text.startswith("STATUS=")][2:] == ["STATUS="]
    send(journald, 50, 51)
    expected["16: entry 50"] += 1  # the counter goes on where it was
    wait_for(daemon, expected)
    assert daemon.stop() == 0


def test_a_reload_for_which_descriptors_are_short_leaves_the_configuration_as_it_was(
    journald: Journald, daemon: Daemon
) -> None:
    expected = send(journald, 0, 5)
    daemon.start()
    wait_for(daemon, expected)
    pid = daemon.process.pid
    _, hard = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = max(int(number) for number in os.listdir(f"/proc/{pid}/fd")) + 1
    daemon.configure(CHAINS.replace("{MESSAGE}", "{n}: {MESSAGE}"))
    for spare in range(6):  # each time, something else is short
        limit = (used + spare, hard)
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limit)
        told = daemon.log.count("the configuration")
        daemon.process.send_signal(signal.SIGHUP)
        daemon.wait_until(lambda: daemon.log.count("the configuration"), lambda now: now > told)  # noqa: B023
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (min(1024, hard), hard))
    assert "the configuration stays as it was: " in daemon.log
    assert "Traceback" not in daemon.log
    daemon.configure(CHAINS.replace("{MESSAGE}", "{n}: {MESSAGE}"))
    daemon.reload()
    send(journald, 50, 51)
    expected["6: entry 50"] += 1
    wait_for(daemon, expected)
    assert daemon.stop() == 0


def test_what_no_chain_wanted_is_not_looked_at_by_the_chains_of_later(
    journald: Journald, daemon: Daemon
) -> None:
    """libsystemd leaves out what comes from others, until all that was pending is read."""

    def wait_for_entries(number: int) -> None:
        """Wait until it was given so many since its start, and there is no other left."""
        daemon.wait_until(
            lambda: daemon.ask("status"),
            lambda status: (
                (status["daemon"]["entries"], status["journal"]["behind"]) == (number, 0)
            ),
        )

    def others(*messages: str) -> None:
        journald.send_all(
            [{"SYSLOG_IDENTIFIER": "other", "MESSAGE": message} for message in messages]
        )
        journald.sync()

    both = CHAINS.replace('equals", field', 'in", field').replace(
        'value = "test"', 'values = ["test", "other"]'
    )
    others(*["before the start"] * 20)
    expected = send(journald, 0, 5)
    daemon.start()
    wait_for(daemon, expected)
    wait_for_entries(5)
    others("before the reload")
    wait_for_entries(6)
    daemon.configure(both)
    daemon.reload()
    expected += Counter(["after the reload"])
    others("after the reload")
    wait_for(daemon, expected)
    daemon.configure(CHAINS)
    daemon.reload()
    others("before the stop")
    wait_for_entries(8)
    assert daemon.stop() == 0
    daemon.configure(both)
    others("after the stop")
    expected += Counter(["after the stop"])
    assert daemon.command("run", "--once").returncode == 0
    assert reported(daemon) == expected


def test_a_second_daemon_on_the_same_state_says_who_holds_it(
    journald: Journald, daemon: Daemon
) -> None:
    expected = send(journald, 0, 5)
    daemon.start()
    wait_for(daemon, expected)
    second = daemon.command("run")
    assert second.returncode == 1
    assert second.stderr.endswith(
        f"pyruse: {daemon.state}: in use by another Pyruse, process {daemon.process.pid} "
        "(expected one daemon a state)\n"
    )
    assert daemon.stop() == 0


def test_an_interrupt_ends_it_while_it_waits(journald: Journald, daemon: Daemon) -> None:
    expected = send(journald, 0, 5)
    daemon.start()
    wait_for(daemon, expected)
    assert daemon.stop(signal.SIGINT) == 0
