"""The local files of logwatch as a configuration, and that configuration at work."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyruse.errors import ConfigError
from pyruse.importers.logwatch import convert
from pyruse.importers.outcome_text import to_toml
from pyruse.testing.pipeline import Pipeline

EXPECTED = Path(__file__).parent / "texts" / "logwatch.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    conf = tmp_path / "conf"
    (conf / "services").mkdir(parents=True)
    (tmp_path / "scripts" / "services").mkdir(parents=True)
    (conf / "logwatch.conf").write_text(
        'MailTo = root ops@example.org\nMailFrom = "logwatch@example.org"\nRange = today\n'
        'Detail = High\nmailer = "/usr/sbin/sendmail -t"   # the usual one\nFormat = html\n'
        'Service = sshd\nService = postfix\nService = "zz-disk_space"\nService = named\n'
        'Service = "-named"\n'
    )
    (conf / "ignore.conf").write_text("# ours\nbackupd\\[\\d+\\]: nothing\nbroken (\n^Jan\n")
    (conf / "services" / "shop.conf").write_text("Title = Shop\n")
    (tmp_path / "scripts" / "services" / "shop").write_text("#!/bin/sh\n")
    return tmp_path


def test_the_whole_text(folder: Path) -> None:
    installed = ["sshd", "postfix", "named", "sudo"]
    assert to_toml(convert(folder, installed), "/etc/logwatch") == EXPECTED.read_text()


def test_what_is_ignored(folder: Path) -> None:
    pipeline = Pipeline(to_toml(convert(folder, ["sshd"]), "logwatch"))
    pipeline.feed(SYSLOG_IDENTIFIER="backupd", _PID="7", _HOSTNAME="host", MESSAGE="nothing new")
    pipeline.feed(SYSLOG_IDENTIFIER="backupd", _PID="7", _HOSTNAME="host", MESSAGE="something new")
    assert [event.message for event in pipeline.report.other] == ["[/backupd] something new"]


def test_all_services_but_some(folder: Path) -> None:
    (folder / "conf" / "logwatch.conf").write_text('Service = All\nService = "-sshd"\n')
    outcome = convert(folder, ["sshd", "postfix", "cron"])
    assert outcome.use == ["cron", "postfix"]
    assert outcome.settings["email"] == {"to": ["root"]}


def test_what_is_no_folder_of_logwatch(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        convert(tmp_path, [])
    assert error.value.faults == [
        f"{tmp_path}: has no conf/logwatch.conf (expected the folder of logwatch)"
    ]
