"""The daemon ends the day by the clock, on a quiet day too, and has its report delivered."""

from __future__ import annotations

import email
import email.policy
import json
import sqlite3
import struct
import time
from contextlib import closing
from pathlib import Path

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon

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


def zone_with_midnight_in(seconds: int, folder: Path) -> None:
    """Make a time zone ``Test/Midnight`` in which the day ends in so many seconds (RFC 9636)."""
    offset = (-seconds - int(time.time())) % 86400
    if offset > 12 * 3600:
        offset -= 86400
    header = struct.pack(">4sc15x6l", b"TZif", b"\0", 0, 0, 0, 0, 1, 4)
    data = struct.pack(">lbB", offset, 0, 0) + b"TST\0"
    file = folder / "zones" / "Test" / "Midnight"
    file.parent.mkdir(parents=True)
    file.write_bytes(header + data)


@pytest.fixture
def daemon(
    daemon: MakeDaemon, journald: Journald, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Daemon:
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(SENDMAIL.format(folder=tmp_path))
    sendmail.chmod(0o755)
    monkeypatch.setenv("PYTHONTZPATH", str(tmp_path / "zones"))
    return daemon(CONFIG.replace("{folder}", str(tmp_path)), journald)


def mails(daemon: Daemon, folder: Path) -> list[email.message.EmailMessage]:
    """The mails, once there are any."""
    found = daemon.wait_until(lambda: sorted(folder.glob("mail.[0-9]*")))
    return [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in found
    ]


def days(daemon: Daemon) -> list[tuple[str, int, bool]]:
    with closing(sqlite3.connect(daemon.state)) as db, db:
        return [
            (day, entries, reported is not None)
            for day, entries, reported in db.execute("SELECT day, entries, reported FROM days")
        ]


def test_a_day_with_an_event(daemon: Daemon, journald: Journald, tmp_path: Path) -> None:
    zone_with_midnight_in(4, tmp_path)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="disk <b>sdb</b> is failing")
    daemon.start()
    (mail,) = mails(daemon, tmp_path)
    ended, begun = sorted(days(daemon))
    assert mail["Subject"] == f"Pyruse daily report for {ended[0]}"
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
    assert daemon.stop() == 0
    # Nothing is reported twice, and the new day's report waits for its end.
    daemon.start()
    time.sleep(2)
    assert daemon.stop() == 0
    assert len(mails(daemon, tmp_path)) == 1


def test_a_quiet_day(daemon: Daemon, journald: Journald, tmp_path: Path) -> None:
    zone_with_midnight_in(4, tmp_path)
    daemon.start()
    (mail,) = mails(daemon, tmp_path)
    assert mail["Subject"].startswith("Pyruse daily report for ")
    assert sum(reported for _, _, reported in days(daemon)) == 1


def test_a_day_that_ended_while_nobody_looked(
    daemon: Daemon, journald: Journald, tmp_path: Path
) -> None:
    zone_with_midnight_in(3, tmp_path)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="before midnight")
    journald.sync()
    time.sleep(4)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="after midnight")
    journald.sync()
    daemon.start()
    (mail,) = mails(daemon, tmp_path)
    text = mail.get_body(("plain",))
    assert text is not None
    assert "before midnight" in text.get_content()
    assert "after midnight" not in text.get_content()


def test_a_mail_that_was_refused_is_told_of_in_the_report(
    daemon: Daemon, journald: Journald, tmp_path: Path
) -> None:
    zone_with_midnight_in(5, tmp_path)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="mail for a stranger")
    daemon.start()
    (report,) = mails(daemon, tmp_path)
    body = report.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert 'a mail could not be sent: the mail "mail for a stranger" (' in text
    assert "user unknown" in text
    assert daemon.stop() == 0
