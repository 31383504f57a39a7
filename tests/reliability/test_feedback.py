"""Pyruse reads its own log lines: what it says of a fault may not keep it busy with itself."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import pytest
from systemd import journal

from pyruse.engine.ban_lines import MESSAGE_IDS
from pyruse.testing import Daemon
from pyruse.testing.journald import Journald
from pyruse.testing.plugin import need
from pyruse.testing.waiting import TIME_LIMIT
from tests.reliability.machine import unavailable

pytestmark = pytest.mark.realparts

AS_SYSTEM = """
mount --make-rprivate / && mkdir -p "$2" && mount --bind "$1" "$2" &&
mount -t tmpfs none /run/systemd && mkdir /run/systemd/journal &&
mount --bind "$2" /run/systemd/journal && shift 2 && exec "$@"
"""
"""The journald of the test's own takes the place of the machine's, for this program alone."""

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
"""Each of them logs something when it fails, or by itself: an entry that comes to it again."""

TRIGGERS = 3
LINES = 200
"""Far more than there are: a line may cause a line of each step, five times (PYRUSE_HOPS)."""


class Listening(Daemon):
    """A `pyruse run` that logs to a journald of its own, and reads what that has."""

    _program = "from pyruse import cli; cli.main()"

    def __init__(self, name: str, folder: Path, journald: Journald) -> None:
        at = folder / "at"
        prefix = ["unshare", "--mount", "sh", "-c", AS_SYSTEM, "sh", journald.socket.parent, at]
        super().__init__(folder, list(map(str, prefix)))
        self.name = name
        self.journald = journald
        text = CONFIG.format(namespace=journald.namespace, folder=folder, steps=STEPS[name])
        (folder / "pyruse.toml").write_text(text)

    def lines(self) -> Counter[str]:
        """The messages that it has logged, each with its number."""
        self.journald.sync()
        with journal.Reader(namespace=self.journald.namespace) as reader:
            reader.add_match(SYSLOG_IDENTIFIER="pyruse")
            return Counter(entry["MESSAGE"] for entry in reader)

    def lines_at_rest(self) -> Counter[str]:
        """What it has logged, once there is nothing left that could have it log more.

        That is: it has read all that it has logged, and nothing waits to leave but a mail.
        """
        before = self.lines()
        status = self.ask("status")
        at_rest = status["journal"]["behind"] == 0 and set(status["outbox"]["waiting"]) <= {"mail"}
        return before if at_rest and self.lines() == before else Counter()


@pytest.fixture
def daemons(tmp_path: Path) -> Iterator[list[Listening]]:
    from pyruse.testing import journald

    need(journald.unavailable() or unavailable())
    with ExitStack() as end:
        daemons = []
        for number, name in enumerate(STEPS):
            folder = tmp_path / str(number)
            folder.mkdir()
            one = Listening(name, folder, end.enter_context(Journald()))
            daemons.append(end.enter_context(one))
        yield daemons


def test_pyruse_does_not_feed_on_what_it_logs(daemons: list[Listening]) -> None:
    """All the configurations at once, each on a journald of its own."""
    for daemon in daemons:
        daemon.start()
        for number in range(TRIGGERS):
            daemon.journald.send(SYSLOG_IDENTIFIER="test", MESSAGE=f"trigger {number}")
    for daemon in daemons:
        lines = daemon.wait_until(daemon.lines_at_rest)
        assert lines.total() <= LINES, (daemon.name, lines)
        assert daemon.stop() == 0


BANS = """
[bans]
backend = "command"
[bans.command]
ban = ["/bin/true", "{ip}"]
unban = ["/bin/true", "{ip}"]
[chains]
"own lines" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "pyruse" },
  { filter = "exists", field = "PYRUSE_ADDRESS" },
  { action = "ban", ip = "PYRUSE_ADDRESS", duration = "1h" },
]
"test" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { filter = "regex", pattern = '^attack of (?P<ip>\\S+)$' },
  { action = "ban", ip = "ip", duration = "1h", label = "attack" },
]
"rest" = [{ action = "report", section = "other", message = "{MESSAGE}" }]
"""


def test_each_ban_and_each_start_has_a_line_that_is_not_in_the_report(tmp_path: Path) -> None:
    """A chain makes each ban longer that a line tells of, which would go on for ever."""
    from pyruse.testing import journald

    need(journald.unavailable() or unavailable())
    with Journald() as own, Listening("a line of its own", tmp_path, own) as daemon:
        text = (tmp_path / "pyruse.toml").read_text()
        (tmp_path / "pyruse.toml").write_text(text[: text.index("[chains]")] + BANS)
        daemon.start()
        own.send(SYSLOG_IDENTIFIER="test", MESSAGE="attack of 203.0.113.7")
        own.send(SYSLOG_IDENTIFIER="test", MESSAGE="something else")
        lines = daemon.wait_until(lambda: daemon.lines_at_rest() if banned(own) else Counter())
        started, *bans = told(own)
        assert (started["PYRUSE_EVENT"], started["PYRUSE_BACKEND"]) == ("start", "command")
        assert started["MESSAGE"].endswith(": 3 chains, bans by command, 0 bans restored")
        assert len(bans) == lines.total() - 1 == 5, "its own lines lead to five more at most"
        assert {(ban["PYRUSE_EVENT"], ban["PYRUSE_ADDRESS"]) for ban in bans} == {
            ("ban", "203.0.113.7")
        }
        assert bans[0]["PYRUSE_LABEL"] == "attack"
        assert bans[0]["PYRUSE_COUNT"] == "1"
        assert str(bans[0]["MESSAGE_ID"]).replace("-", "") == MESSAGE_IDS["ban"]
        rest = [row["message"] for row in daemon.ask("report", "today")["report"]["other"]]
        assert "something else" in rest
        assert not set(rest) & set(lines)
        assert daemon.command("unban", "203.0.113.7").returncode == 0
        daemon.wait_until(lambda: [one for one in told(own) if one["PYRUSE_EVENT"] == "unban"])
        assert daemon.stop() == 0


def told(own: Journald) -> list[dict[str, Any]]:
    """The lines of starts, bans and unbans, in order."""
    own.sync()
    with journal.Reader(namespace=own.namespace) as reader:
        return [dict(entry) for entry in reader if "PYRUSE_EVENT" in entry]


def banned(own: Journald) -> bool:
    """Whether there is a line that tells of a ban."""
    return any(one["PYRUSE_EVENT"] == "ban" for one in told(own))


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
        capture_output=True, text=True, timeout=TIME_LIMIT, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert (
        '<3>pyruse: chains."a"[1]: action unban: MESSAGE = "no address" cannot be unbanned '
        "(expected an address)\n"
    ) in done.stderr
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as db, db:
        assert list(db.execute("SELECT message FROM events")) == [("192.0.2.7",)]
        assert list(db.execute("SELECT count(*) FROM outbox WHERE kind = 'log'")) == [(3,)]
