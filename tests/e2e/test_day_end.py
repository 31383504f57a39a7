"""The daemon ends the day by the clock, on a quiet day too, and has its report delivered."""

from __future__ import annotations

import email
import email.policy
import json
import signal
import sqlite3
import struct
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon, MakeJournal

CONFIG = """
[email]
from = "pyruse@example.org"
to = ["hostmaster@example.org"]
sendmail = ["{folder}/sendmail", "-t", "-i"]
[report]
timezone = "Test/Midnight"
archive = "{folder}/reports"
[chains]
"test" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
  { filter = "contains", text = "mail", then = "mail" },
  { action = "report", section = "important", message = "{MESSAGE}" },
]
"mail" = [ { action = "email", subject = "{MESSAGE}", message = "nobody wants it" } ]
"""

SENDMAIL = """#!/bin/sh
cat > {folder}/mail.new
if grep -q "nobody wants it" {folder}/mail.new; then echo "user unknown" >&2; exit 67; fi
mv {folder}/mail.new {folder}/mail.$$
"""


HOUR = 3600

STANDING_CLOCK = """
import os, time
time.time_ns = lambda: ({midnight} + (3 if os.path.exists("{file}") else -2)) * 10**9
"""
"""The clock of a daemon stands still two seconds before midnight, until there is a file."""


def make_zone(midnight: int, folder: Path) -> None:
    """Make a time zone ``Test/Midnight`` in which a day ends at an instant (RFC 9636).

    :param midnight: in seconds since the epoch.
    """
    offset = -midnight % 86400
    if offset > 12 * 3600:
        offset -= 86400
    header = struct.pack(">4sc15x6l", b"TZif", b"\0", 0, 0, 0, 0, 1, 4)
    data = struct.pack(">lbB", offset, 0, 0) + b"TST\0"
    file = folder / "zones" / "Test" / "Midnight"
    file.parent.mkdir(parents=True)
    file.write_bytes(header + data)


@pytest.fixture
def pyruse(
    daemon: MakeDaemon, journald: Journald, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Daemon:
    return configured(daemon, journald, tmp_path, monkeypatch)


@pytest.fixture
def let_the_day_end(pyruse: Daemon, tmp_path: Path) -> Callable[[], None]:
    """Call it, and midnight is over; so long as not, it is two seconds before it."""
    midnight = int(time.time()) + HOUR
    make_zone(midnight, tmp_path)
    file = tmp_path / "midnight is over"
    pyruse.prelude = STANDING_CLOCK.format(midnight=midnight, file=file)
    return file.touch


def configured(
    daemon: MakeDaemon, journal: Journald | Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Daemon:
    sendmail = folder / "sendmail"
    sendmail.write_text(SENDMAIL.format(folder=folder))
    sendmail.chmod(0o755)
    monkeypatch.setenv("PYTHONTZPATH", str(folder / "zones"))
    return daemon(CONFIG.replace("{folder}", str(folder)), journal)


def mails(pyruse: Daemon, folder: Path) -> list[email.message.EmailMessage]:
    """The mails, once there are any."""
    found = pyruse.wait_until(lambda: sorted(folder.glob("mail.[0-9]*")))
    return [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in found
    ]


def days(pyruse: Daemon) -> list[tuple[str, int, bool]]:
    with closing(sqlite3.connect(pyruse.state)) as db, db:
        return [
            (day, entries, reported is not None)
            for day, entries, reported in db.execute("SELECT day, entries, reported FROM days")
        ]


def wait_for_event(pyruse: Daemon) -> None:
    def events() -> list[object]:
        with closing(sqlite3.connect(pyruse.state)) as db, db:
            return list(db.execute("SELECT message FROM events"))

    pyruse.wait_until(events)


def test_a_day_with_an_event(
    pyruse: Daemon, journald: Journald, tmp_path: Path, let_the_day_end: Callable[[], None]
) -> None:
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="disk <b>sdb</b> is failing")
    pyruse.start()
    wait_for_event(pyruse)
    let_the_day_end()
    (mail,) = mails(pyruse, tmp_path)
    ended, begun = sorted(days(pyruse))
    assert mail["Subject"].endswith(": 1 needs attention: disk <b>sdb</b> is failing")
    assert mail["To"] == "hostmaster@example.org"
    text = mail.get_body(("plain",))
    html = mail.get_body(("html",))
    assert text is not None
    assert html is not None
    assert "disk <b>sdb</b> is failing" in text.get_content()
    assert "disk &lt;b&gt;sdb&lt;/b&gt; is failing" in html.get_content()
    assert ended[2]
    assert not begun[2]
    archived = json.loads((tmp_path / "reports" / f"{ended[0]}.json").read_text())
    assert [row["message"] for row in archived["report"]["important"]] == [
        "disk <b>sdb</b> is failing"
    ]
    assert pyruse.stop() == 0
    # Nothing is reported twice, and the new day's report waits for its end.
    assert pyruse.command("run", "--once").returncode == 0
    assert len(mails(pyruse, tmp_path)) == 1


def test_a_quiet_day(pyruse: Daemon, tmp_path: Path, let_the_day_end: Callable[[], None]) -> None:
    pyruse.start()
    pyruse.wait_until(lambda: pyruse.ask("status")["journal"]["behind"] == 0)
    let_the_day_end()
    (mail,) = mails(pyruse, tmp_path)
    assert ": nothing unusual on " in mail["Subject"]
    assert sum(reported for _, _, reported in days(pyruse)) == 1


def test_a_day_that_ended_while_nobody_looked(
    daemon: MakeDaemon,
    journal_file: MakeJournal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    midnight = int(time.time()) - HOUR
    make_zone(midnight, tmp_path)
    logged = {"before midnight": midnight - 1, "after midnight": midnight + 1}
    entries: list[Mapping[str, Any]] = [
        {"SYSLOG_IDENTIFIER": "test", "MESSAGE": text, "__REALTIME_TIMESTAMP": time_s * 1_000_000}
        for text, time_s in logged.items()
    ]
    pyruse = configured(daemon, journal_file(entries), tmp_path, monkeypatch)
    pyruse.start()
    (mail,) = mails(pyruse, tmp_path)
    text = mail.get_body(("plain",))
    assert text is not None
    assert "before midnight" in text.get_content()
    assert "after midnight" not in text.get_content()


def test_a_mail_that_was_refused_is_told_of_in_the_report(
    pyruse: Daemon, journald: Journald, tmp_path: Path, let_the_day_end: Callable[[], None]
) -> None:
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="mail for a stranger")
    pyruse.start()
    pyruse.wait_until(lambda: pyruse.ask("status")["outbox"]["set_aside"])
    let_the_day_end()
    (report,) = mails(pyruse, tmp_path)
    body = report.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert 'a mail could not be sent: the mail "mail for a stranger" (' in text
    assert "user unknown" in text
    assert "is set aside" not in text, "it is told once"
    assert pyruse.stop() == 0


SLOW_PUBLISHER = """
import os, time
from pyruse import hookimpl

class Slow:
    @hookimpl(tryfirst=True)
    def publish_report(self, report, context):
        open("{folder}/publishing", "w").close()
        while not os.path.exists("{folder}/go on"):
            time.sleep(0.05)
        context.log(None, "published", 6)

EXTENSIONS = {{"slow": Slow}}
"""
BANS = """
[bans]
backend = "command"
[bans.command]
ban = ["true", "{ip}"]
unban = ["true", "{ip}"]
"""


@pytest.fixture
def slow(pyruse: Daemon, tmp_path: Path) -> Daemon:
    """A daemon whose reports take until there is a file `go on`."""
    plugins = pyruse.folder / "plugins"
    plugins.mkdir()
    (plugins / "slow.py").write_text(SLOW_PUBLISHER.format(folder=tmp_path))
    config = CONFIG.replace("{folder}", str(tmp_path)).replace(
        "[chains]",
        BANS
        + """[chains]
"ban" = [
  { filter = "regex", pattern = '^ban (?P<ip>[0-9.]+)$' },
  { action = "ban", ip = "ip" },
]
""",
    )
    pyruse.configure(config)
    return pyruse


def test_while_a_report_is_made_bans_are_in_force_at_once_and_late_entries_are_of_the_next_day(
    slow: Daemon, journald: Journald, tmp_path: Path, let_the_day_end: Callable[[], None]
) -> None:
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="in time")
    slow.start()
    wait_for_event(slow)
    let_the_day_end()
    slow.wait_until((tmp_path / "publishing").exists)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="too late")
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="ban 203.0.113.7")
    slow.wait_until(lambda: slow.ask("bans"))
    assert not list(tmp_path.glob("mail.[0-9]*"))
    assert [reported for _, _, reported in days(slow)].count(True) == 0
    (tmp_path / "go on").touch()
    (mail,) = mails(slow, tmp_path)
    text = mail.get_body(("plain",))
    assert text is not None
    assert "in time" in text.get_content()
    assert "too late" not in text.get_content()
    slow.wait_until(lambda: [reported for _, _, reported in days(slow)].count(True) == 1)
    assert slow.stop() == 0


_ENDLESS = """
import os, time
from pyruse.state import days

delete = days.delete

def slices(*arguments):
    open({folder!r} + "/removing", "w").close()
    while not os.path.exists({folder!r} + "/removed"):
        time.sleep(0.01)
        yield
    yield from delete(*arguments)

days.delete = slices
"""


def test_while_what_is_old_is_removed_bans_are_in_force_at_once(
    slow: Daemon, journald: Journald, tmp_path: Path, let_the_day_end: Callable[[], None]
) -> None:
    """The day of a flood, which is forgotten now, is removed in slices (`tests/state`)."""
    (tmp_path / "go on").touch()
    slow.prelude += _ENDLESS.format(folder=str(tmp_path))
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="in time")
    slow.start()
    wait_for_event(slow)
    let_the_day_end()
    slow.wait_until((tmp_path / "removing").exists)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="ban 203.0.113.7")
    slow.wait_until(lambda: [ban["state"] for ban in slow.ask("bans")] == ["in force"])
    (tmp_path / "removed").touch()
    assert slow.stop() == 0


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_a_daemon_that_ends_while_a_report_is_made_makes_it_anew_and_sends_it_once(
    slow: Daemon,
    journald: Journald,
    tmp_path: Path,
    let_the_day_end: Callable[[], None],
    end: signal.Signals,
) -> None:
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="in time")
    slow.start()
    wait_for_event(slow)
    let_the_day_end()
    slow.wait_until((tmp_path / "publishing").exists)
    slow.stop(end)
    (tmp_path / "publishing").unlink()
    assert [reported for _, _, reported in days(slow)].count(True) == 0
    (tmp_path / "go on").touch()
    slow.start()
    assert len(mails(slow, tmp_path)) == 1
    slow.wait_until(lambda: [reported for _, _, reported in days(slow)].count(True) == 1)
    assert slow.stop() == 0
    assert slow.command("run", "--once").returncode == 0
    assert len(mails(slow, tmp_path)) == 1
