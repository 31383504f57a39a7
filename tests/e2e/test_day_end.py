"""The daemon ends the day by the clock, on a quiet day too, and has its report delivered."""

from __future__ import annotations

import email
import email.policy
import json
import os
import signal
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from pyruse.testing.journald import Journald

CONFIG = """
[journal]
namespace = "{namespace}"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[email]
from = "pyruse@example.org"
to = ["hostmaster@example.org"]
sendmail = ["{folder}/sendmail", "-t", "-i"]
[report]
timezone = "Test/Midnight"
archive = "{folder}/reports"
[chains]
"test" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" }},
  {{ filter = "contains", text = "mail", then = "mail" }},
  {{ action = "report", section = "important", message = "{{MESSAGE}}" }},
]
"mail" = [ {{ action = "email", subject = "{{MESSAGE}}", message = "nobody wants it" }} ]
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
def folder(tmp_path: Path, journald: Journald) -> Path:
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(SENDMAIL.format(folder=tmp_path))
    sendmail.chmod(0o755)
    config = tmp_path / "pyruse.toml"
    config.write_text(CONFIG.format(namespace=journald.namespace, folder=tmp_path))
    return tmp_path


@pytest.fixture
def daemons() -> Iterator[list[subprocess.Popen[bytes]]]:
    started: list[subprocess.Popen[bytes]] = []
    yield started
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def start(folder: Path, daemons: list[subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "pyruse", "run", "-c", str(folder / "pyruse.toml")],
        env={**os.environ, "PYTHONTZPATH": str(folder / "zones")},
    )
    daemons.append(process)
    return process


def mails(folder: Path, number: int) -> list[email.message.EmailMessage]:
    """Wait for so many mails."""
    deadline = time.monotonic() + 30
    while len(found := sorted(folder.glob("mail.[0-9]*"))) < number:
        assert time.monotonic() < deadline, "no mail came"
        time.sleep(0.05)
    return [
        email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in found
    ]


def days(folder: Path) -> list[tuple[str, int, bool]]:
    with closing(sqlite3.connect(folder / "state.sqlite")) as db, db:
        return [
            (day, entries, reported is not None)
            for day, entries, reported in db.execute("SELECT day, entries, reported FROM days")
        ]


def test_a_day_with_an_event(
    folder: Path, journald: Journald, daemons: list[subprocess.Popen[bytes]]
) -> None:
    zone_with_midnight_in(4, folder)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="disk <b>sdb</b> is failing")
    process = start(folder, daemons)
    (mail,) = mails(folder, 1)
    ended, begun = sorted(days(folder))
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
    archived = json.loads((folder / "reports" / f"{ended[0]}.json").read_text())
    assert [row["message"] for row in archived["report"]["important"]] == [
        "disk <b>sdb</b> is failing"
    ]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    # Nothing is reported twice, and the new day's report waits for its end.
    process = start(folder, daemons)
    time.sleep(2)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert len(mails(folder, 1)) == 1


def test_a_quiet_day(
    folder: Path, journald: Journald, daemons: list[subprocess.Popen[bytes]]
) -> None:
    zone_with_midnight_in(4, folder)
    start(folder, daemons)
    (mail,) = mails(folder, 1)
    assert mail["Subject"].startswith("Pyruse daily report for ")
    assert sum(reported for _, _, reported in days(folder)) == 1


def test_a_day_that_ended_while_nobody_looked(
    folder: Path, journald: Journald, daemons: list[subprocess.Popen[bytes]]
) -> None:
    zone_with_midnight_in(3, folder)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="before midnight")
    journald.sync()
    time.sleep(4)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="after midnight")
    journald.sync()
    start(folder, daemons)
    (mail,) = mails(folder, 1)
    text = mail.get_body(("plain",))
    assert text is not None
    assert "before midnight" in text.get_content()
    assert "after midnight" not in text.get_content()


def test_a_mail_that_was_refused_is_told_of_in_the_report(
    folder: Path, journald: Journald, daemons: list[subprocess.Popen[bytes]]
) -> None:
    zone_with_midnight_in(5, folder)
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="mail for a stranger")
    process = start(folder, daemons)
    (report,) = mails(folder, 1)
    body = report.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert 'a mail could not be sent: the mail "mail for a stranger" (' in text
    assert "user unknown" in text
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
