"""Pyruse reads its own log lines: what it says of a fault may not keep it busy with itself."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from systemd import journal

from pyruse.testing.journald import Journald
from pyruse.testing.plugin import need
from tests.reliability.machine import unavailable

pytestmark = pytest.mark.realparts

#: The journald of the test's own takes the place of the machine's, for this program alone.
AS_SYSTEM = """
mount --make-rprivate / && mkdir -p "$2" && mount --bind "$1" "$2" &&
mount -t tmpfs none /run/systemd && mkdir /run/systemd/journal &&
mount --bind "$2" /run/systemd/journal && shift 2 && exec "$@"
"""

CONFIG = """
[journal]
namespace = "{namespace}"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[email]
to = ["root@example.org"]
sendmail = ["/bin/false"]
[chains]
"own lines" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "pyruse" }},
  {{ action = "set", field = "own", value = "yes" }},
  {steps}
]
"test" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" }},
  {steps}
]
"""

#: Each of them logs something when it fails, or by itself: an entry that comes to it again.
STEPS = {
    "an action that fails": '{ action = "ban", ip = "MESSAGE", duration = "1h" },',
    "a line of its own": '{ action = "log", message = "again: {MESSAGE}" },',
    "a program that fails": '{ action = "run", command = ["/bin/ls", "/nowhere/{MESSAGE}"] },',
    "a program that is not there": '{ action = "run", command = ["/nowhere/program"] },',
    "a mail that fails": '{ action = "email", message = "{MESSAGE}" },',
    "all of them": """
  { action = "log", message = "{MESSAGE}", level = "ERR" },
  { action = "run", command = ["/bin/false", "{MESSAGE}"] },
  { action = "email", message = "{MESSAGE}", every = "1s" },
  { action = "ban", ip = "MESSAGE" },""",
}

TRIGGERS = 3
LINES = 200
"""Far more than there are: a line may cause a line of each step, five times (PYRUSE_HOPS)."""
QUIET_S = 1.5
LONGEST_S = 60.0
WATCHED_S = 3.0


class Daemon:
    """A `pyruse run` that logs to a journald of its own, and reads what that has."""

    def __init__(self, name: str, folder: Path) -> None:
        self.name = name
        self.journald = Journald()
        self._folder = folder
        folder.mkdir()

    def start(self) -> None:
        self.journald.__enter__()
        config = self._folder / "pyruse.toml"
        config.write_text(
            CONFIG.format(
                namespace=self.journald.namespace, folder=self._folder, steps=STEPS[self.name]
            )
        )
        sockets = self.journald.socket.parent
        with (self._folder / "stderr").open("wb") as errors:
            self.process = subprocess.Popen(
                ["unshare", "--mount", "sh", "-c", AS_SYSTEM, "sh", sockets, self._folder / "at",
                 sys.executable, "-m", "pyruse", "run", "-c", config], stderr=errors,
            )  # fmt: skip

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while not (self._folder / "state.sqlite-wal").exists():
            assert self.process.poll() is None, (self._folder / "stderr").read_text()
            assert time.monotonic() < deadline, "it did not start"
            time.sleep(0.05)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.journald.__exit__(None, None, None)

    def cpu_seconds(self) -> float:
        """The time of the processor that it and its children have used (proc(5), stat)."""
        stat = Path(f"/proc/{self.process.pid}/stat").read_text()
        ticks = map(int, stat.rpartition(")")[2].split()[11:15])
        return sum(ticks) / os.sysconf("SC_CLK_TCK")

    def lines(self) -> Counter[str]:
        """The messages that it has logged, each with its number."""
        self.journald.sync()
        with journal.Reader(namespace=self.journald.namespace) as reader:
            reader.add_match(SYSLOG_IDENTIFIER="pyruse")
            return Counter(entry["MESSAGE"] for entry in reader)


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[list[Daemon]]:
    from pyruse.testing import journald

    need(journald.unavailable() or unavailable())
    daemons = [Daemon(name, tmp_path / str(number)) for number, name in enumerate(STEPS)]
    started = []
    try:
        for daemon in daemons:
            daemon.start()
            started.append(daemon)
        yield daemons
    finally:
        codes = {daemon.name: daemon.stop() for daemon in started}
    assert set(codes.values()) == {0}, codes


def settle(daemons: list[Daemon]) -> None:
    """Wait until everybody has logged something, and nobody anything for a while."""
    deadline = time.monotonic() + LONGEST_S
    seen: list[Counter[str]] = []
    while not seen or not all(seen) or [daemon.lines() for daemon in daemons] != seen:
        assert time.monotonic() < deadline, "they do not come to rest"
        seen = [daemon.lines() for daemon in daemons]
        time.sleep(QUIET_S)


def test_pyruse_does_not_feed_on_what_it_logs(daemons: list[Daemon]) -> None:
    """All the configurations at once, each on a journald of its own."""
    for daemon in daemons:
        daemon.wait_until_ready()
    for daemon in daemons:
        for number in range(TRIGGERS):
            daemon.journald.send(SYSLOG_IDENTIFIER="test", MESSAGE=f"trigger {number}")
    settle(daemons)
    before = [(daemon.cpu_seconds(), daemon.lines()) for daemon in daemons]
    time.sleep(WATCHED_S)
    for daemon, (cpu, lines) in zip(daemons, before, strict=True):
        used = daemon.cpu_seconds() - cpu
        assert used < 0.05 * WATCHED_S, f"{daemon.name}: {used} s of {WATCHED_S} s"
        assert daemon.lines() == lines, f"{daemon.name}: still logging"
        assert lines.total() <= LINES, (daemon.name, lines)


DEAD_SOCKET = """
mount --make-rprivate / && mount -t tmpfs none /run/systemd && mkdir /run/systemd/journal &&
"$1" -c "import socket
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
    one.bind('/run/systemd/journal/socket')" && shift && exec "$@"
"""


def test_a_fault_while_journald_is_away_is_told_on_standard_error(
    tmp_path: Path, journal_file: Callable[..., Path]
) -> None:
    need(unavailable())
    file = journal_file([{"MESSAGE": "no address"}, {"MESSAGE": "192.0.2.7"}])
    config = tmp_path / "pyruse.toml"
    config.write_text(f"""
        [journal]
        files = ["{file}"]
        start = "head"
        [state]
        url = "sqlite://{tmp_path}/state.sqlite"
        [chains]
        "a" = [
          {{ action = "log", message = "kept until it is back" }},
          {{ action = "unban", ip = "MESSAGE" }},
          {{ action = "report", section = "other", message = "{{MESSAGE}}" }},
        ]""")
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", DEAD_SOCKET, "sh", sys.executable, sys.executable,
         "-m", "pyruse", "run", "--once", "-c", config],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (
        '<3>pyruse: chains."a"[1]: action unban: MESSAGE = "no address" cannot be unbanned '
        "(expected an address)\n"
    ) in done.stderr
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as db, db:
        assert list(db.execute("SELECT message FROM events")) == [("192.0.2.7",)]
        assert list(db.execute("SELECT count(*) FROM outbox WHERE kind = 'log'")) == [(2,)]
