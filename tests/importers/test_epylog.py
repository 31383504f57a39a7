"""The local files of epylog as a configuration, and that configuration at work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pyruse.errors import ConfigError
from pyruse.importers.epylog import convert
from pyruse.importers.outcome_text import to_toml
from pyruse.testing.pipeline import Pipeline

CONF = """\
[main]
cfgdir = /etc/epylog
[report]
title = @@HOSTNAME@@ events {x}: @@LOCALTIME@@
include_unparsed = no
publishers = file, mail
[mail]
method = mail
smtpserv = /usr/sbin/sendmail -t
mailto = root, ops@example.org, <bad>
[file]
method = file
path = /var/www/epylog
"""
MODULE = "[module]\ndesc = x\nexec = /usr/share/epylog/{}_mod.py\nenabled = {}\n[conf]\n{}\n"
WEED = """\
[ADD]
# of our own
backupd\\[\\d+\\]: nothing to do
broken (
[REMOVE]
gconfd.*
"""
NOTICES = """\
<?xml version="1.0"?>
<notices>
  <notice id="door" critical="yes">
    <regex>doord\\[\\d+\\]: (\\S+) opened by (\\S+)</regex>
    <regex>doord\\[\\d+\\]: (\\S+) broken</regex>
    <report>Door %s by %s: 100%%, {sic}</report>
  </notice>
  <notice><regex>lamp on</regex><report>Lamps</report></notice>
</notices>
"""
EXPECTED = Path(__file__).parent / "texts" / "epylog.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "modules.d").mkdir()
    (tmp_path / "epylog.conf").write_text(CONF)
    for name, enabled, conf in (
        ("logins", "yes", ""), ("mail", "no", ""), ("notices", "yes", ""), ("spamd", "yes", ""),
        ("weeder", "yes", "enable = gdm, nfs"),
    ):  # fmt: skip
        (tmp_path / "modules.d" / f"{name}.conf").write_text(MODULE.format(name, enabled, conf))
    (tmp_path / "weed_local.cf").write_text(WEED)
    (tmp_path / "notice_local.xml").write_text(NOTICES)
    return tmp_path


def test_the_whole_text(folder: Path) -> None:
    assert (
        to_toml(convert(folder, ["sshd", "sudo", "postfix"]), "/etc/epylog") == EXPECTED.read_text()
    )


def test_what_is_weeded_out_and_what_is_noted(folder: Path) -> None:
    pipeline = Pipeline(to_toml(convert(folder, ["sshd"]), "epylog"))
    entry: dict[str, Any] = {"SYSLOG_IDENTIFIER": "doord", "_PID": 7}
    pipeline.feed(MESSAGE="front opened by bob", **entry)
    pipeline.feed(MESSAGE="front opened by bob", **entry)
    pipeline.feed(MESSAGE="lamp on", **entry)
    pipeline.feed(MESSAGE="nothing to do", SYSLOG_IDENTIFIER="backupd", _PID="8")
    report = pipeline.report
    assert [(row.message, row.count) for row in report.important] == [
        ("Door front by bob: 100%, {sic}", 2)
    ]
    assert [row.message for row in report.interesting] == ["Lamps"]
    assert report.other == []


def test_notices_that_are_no_xml_or_bring_entities(folder: Path) -> None:
    for text, note in (
        ("<notices>", "notice_local.xml: no element found: line 1, column 9; left out"),
        ('<!DOCTYPE x [<!ENTITY a "b">]><a/>', "notice_local.xml: has a document type; left out"),
    ):  # fmt: skip
        (folder / "notice_local.xml").write_text(text)
        assert note in convert(folder, []).notes


def test_a_mail_server(folder: Path) -> None:
    (folder / "epylog.conf").write_text("[mail]\nmethod = mail\nsmtpserv = mail.example.org\n")
    assert convert(folder, []).settings["email"] == {
        "to": ["root"], "smtp": "smtp://mail.example.org",
    }  # fmt: skip


def test_what_is_no_folder_of_epylog(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        convert(tmp_path, [])
    assert error.value.faults == [
        f"{tmp_path}: epylog.conf: there is no such file (expected the folder of epylog)"
    ]
