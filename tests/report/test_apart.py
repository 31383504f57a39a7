"""Reports by machine: `[report] hosts = "apart"`."""

from __future__ import annotations

import json
import os
from datetime import UTC
from pathlib import Path

import pytest

from pyruse.api.report import Report
from pyruse.testing import Daemon, MakeDaemon
from pyruse.testing.journal import FIRST_TIME, FieldValue, make_journal, unavailable
from pyruse.testing.plugin import need
from pyruse.times import datetime_of

CHAINS = """
[report]
timezone = "UTC"
archive = "{archive}"
hosts = "{hosts}"
subject = "{{host}}: {{other}} on {{day}}"
[email]
sendmail = ["{sendmail}"]
[chains]
"x" = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""
HOSTS = ("web1", "../../etc/x")


def ran(daemon: MakeDaemon, folder: Path, hosts: str) -> tuple[Daemon, list[str]]:
    """A daemon that has handled two machines' entries of an old day; and the subjects of mails."""
    need(unavailable())
    sendmail = folder / "sendmail"
    sendmail.write_text(f"#!/bin/sh\ngrep -i '^subject:' >> {folder}/subjects\n")
    sendmail.chmod(0o755)
    (folder / "journal").mkdir()
    for number, host in enumerate(HOSTS):
        entries: list[dict[str, FieldValue]] = [
            {"MESSAGE": f"{host} {index}", "_HOSTNAME": host,
             "__REALTIME_TIMESTAMP": FIRST_TIME + index * 2 + number}
            for index in range(3)
        ]  # fmt: skip
        make_journal(folder / "journal" / f"remote-{number}.journal", entries)
    text = CHAINS.format(archive=folder / "reports", hosts=hosts, sendmail=sendmail)
    one = daemon(text, folder / "journal")
    assert one.command("run", "--once").returncode == 0
    return one, sorted((folder / "subjects").read_text().splitlines())


def messages(file: Path) -> list[str]:
    return [line["message"] for line in json.loads(file.read_text())["report"]["other"]]


@pytest.mark.realparts
def test_each_machine_has_a_mail_and_files_of_its_own(daemon: MakeDaemon, tmp_path: Path) -> None:
    one, subjects = ran(daemon, tmp_path, "apart")
    assert subjects[:2] == [
        "Subject: ../../etc/x: 3 on 2026-03-14",
        f"Subject: {os.uname().nodename}: 0 on 2026-03-14",
    ]
    assert "Subject: web1: 3 on 2026-03-14" in subjects
    reports = tmp_path / "reports"
    (other,) = reports.glob("2026-03-14..._.._etc_x-*.json")
    assert messages(reports / "2026-03-14.web1.json") == ["web1 0", "web1 1", "web1 2"]
    assert len(messages(other)) == 3
    assert messages(reports / "2026-03-14.json") == []
    assert len(list(reports.glob("2026-03-14*"))) == 9
    shown = one.command("report", "2026-03-14", "--host", "web1").stdout
    assert "web1 0" in shown
    assert "etc/x" not in shown
    assert one.command("report", "2026-03-14", "--send").returncode == 0
    again = (tmp_path / "subjects").read_text().splitlines()
    assert again.count("Subject: web1: 3 on 2026-03-14") == 2
    assert len(list(reports.glob("2026-03-14*"))) == 9


@pytest.mark.realparts
def test_together_they_are_one(daemon: MakeDaemon, tmp_path: Path) -> None:
    _, subjects = ran(daemon, tmp_path, "together")
    assert "Subject: ../../etc/x, web1: 6 on 2026-03-14" in subjects
    assert len(messages(tmp_path / "reports" / "2026-03-14.json")) == 6
    assert len(list((tmp_path / "reports").glob("2026-03-14*"))) == 3


@pytest.mark.parametrize(
    ("machine", "name"),
    [
        (None, "2026-03-14"),
        ("web1.example.org", "2026-03-14.web1.example.org"),
        ("a/b", "2026-03-14.a_b-c14cddc0"),
    ],
)
def test_the_names_of_files(machine: str | None, name: str) -> None:
    now = datetime_of(FIRST_TIME, UTC)
    assert Report("2026-03-14", [], now, now, machine=machine).name == name
