"""``pyruse report``: the report of a day again."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from pyruse.testing import Daemon
from pyruse.testing.journal import make_journal, unavailable
from pyruse.testing.plugin import need
from pyruse.testing.smtp import SmtpServer
from pyruse.testing.zones import zone_where_it_is_noon

CONFIG = r"""
[journal]
files = ["{folder}/journal.journal"]
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[email]
from = "pyruse@example.org"
to = ["hostmaster@example.org"]
sendmail = ["{folder}/sendmail", "-t", "-i"]
[report]
timezone = "{zone}"
[chains]
"root" = [
  {{ filter = "contains", text = "root" }},
  {{ action = "report", section = "important", message = "{{MESSAGE}}" }},
]
"everything else" = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""
SENDMAIL = "#!/bin/sh\ncat >> {folder}/mails\n"


@dataclass
class Place:
    """A daemon's folder, after it has run."""

    folder: Path
    today: date

    @property
    def config(self) -> Path:
        return self.folder / "pyruse.toml"

    def day(self, ago: int) -> str:
        return (self.today - timedelta(days=ago)).isoformat()


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """Where a daemon has handled entries of today, of yesterday and of the day before."""
    need(unavailable())
    folder = tmp_path_factory.mktemp("report")
    now = datetime.now(UTC)
    make_journal(
        folder / "journal.journal",
        [
            {
                "MESSAGE": f"{what} {ago}",
                "_HOSTNAME": "mail",
                "__REALTIME_TIMESTAMP": round((now - timedelta(days=ago)).timestamp() * 1e6),
            }
            for ago in (2, 1, 0)
            for what in ("root", "\x07other", "other")
        ],
    )
    zone = zone_where_it_is_noon(now)
    (folder / "pyruse.toml").write_text(CONFIG.format(folder=folder, zone=zone))
    (folder / "sendmail").write_text(SENDMAIL.format(folder=folder))
    (folder / "sendmail").chmod(0o755)
    done = Daemon(folder).command("run", "--once")
    assert done.returncode == 0, done.stderr
    (folder / "mails").unlink()
    return Place(folder, (now + timedelta(hours=12 - now.hour)).date())


def test_the_days_that_are_kept(process, place):
    done = process("report", "-c", place.config, "--list")
    assert (done.code, done.err) == (0, "")
    taken = f"hostmaster@example.org, TIME: {place.folder}/sendmail took it (exit code 0)"
    rows = [re.sub(r"[0-9-]{10} [0-9:]{8}", "TIME", line) for line in done.out.splitlines()]
    assert rows == [
        f"{place.day(2)}\t3\tsent\t{taken}",
        f"{place.day(1)}\t3\tsent\t{taken}",
        f"{place.day(0)}\t3\topen\t",
    ]


@pytest.mark.parametrize(
    ("words", "ago"),
    [([], 1), (["yesterday"], 1), (["today"], 0), (["--", "-2"], 2), (["--", "-0"], 0)],
)
def test_a_day(pyruse, place, words, ago):
    done = pyruse("report", "-c", place.config, *words)
    assert (done.code, done.err) == (0, "")
    assert place.day(ago) in done.out.splitlines()[0]
    assert f"root {ago}" in done.out
    assert f"root {ago + 1}" not in done.out
    assert f"\\x07other {ago}" in done.out
    assert "\x1b" not in done.out


def test_a_day_by_its_date_as_json(pyruse, place):
    done = pyruse("report", "-c", place.config, place.day(2), "--format", "json")
    assert (done.code, done.err) == (0, "")
    data = json.loads(done.out)
    assert data["day"] == place.day(2)
    report = data["report"]
    assert report.keys() == {"important", "interesting", "other"}
    assert [(row["message"], row["count"], len(row["times"])) for row in report["important"]] == [
        ("root 2", 1, 1)
    ]
    assert [line["message"] for line in report["other"]] == ["\x07other 2", "other 2"]
    assert "\x1b" not in done.out


def test_in_full_each_event_is_there(pyruse, place):
    done = pyruse("report", "-c", place.config, place.day(2), "--full")
    assert (done.code, done.err) == (0, "")
    assert place.day(2) in done.out.splitlines()[0]
    assert done.out.count("\\x07other 2\n") == 1
    assert "OTHER: 2 events\n" in done.out
    assert "--full" not in done.out
    done = pyruse("report", "-c", place.config, "--full", "--format", "json")
    assert done.code == 2
    assert "--full: not with --format json (expected text)" in done.err


def test_html(pyruse, place):
    done = pyruse("report", "-c", place.config, "--format", "html")
    assert done.code == 0
    assert done.out.lstrip().lower().startswith("<!doctype html>")
    assert "root 1" in done.out
    assert "\x1b" not in done.out


def test_on_a_terminal_it_is_drawn(on_terminal, place):
    done = on_terminal("report", "-c", place.config)
    assert done.code == 0
    assert "root 1" in done.out
    assert "=====" not in done.out
    assert "\x07other" not in done.out


def test_sent_again(pyruse, place):
    done = pyruse("report", "-c", place.config, "--send")
    assert done.code == 0
    assert done.err == (
        f"sent to hostmaster@example.org: {place.folder}/sendmail took it (exit code 0)\n"
    )
    mail = (place.folder / "mails").read_text()
    assert "Subject: mail: 1 needs attention: root 1\n" in mail
    assert "To: hostmaster@example.org\n" in mail


def test_a_mail_that_was_cut_is_sent(pyruse, place, tmp_path):
    file = tmp_path / "other.toml"
    text = place.config.read_text()
    old = f'sendmail = ["{place.folder}/sendmail", "-t", "-i"]'
    assert old in text
    with SmtpServer(largest=3_000) as server:
        file.write_text(text.replace(old, f'smtp = "{server.url}"'))
        done = pyruse("report", "-c", file, "--send")
        server.wait_for(1)
    assert done.err.startswith("sent to hostmaster@example.org; it was cut to 3,000 bytes: ")
    assert done.code == 0


def test_sent_again_in_vain(pyruse, place, tmp_path):
    file = tmp_path / "other.toml"
    text = place.config.read_text()
    file.write_text(text.replace(f"{place.folder}/sendmail", "/bin/false"))
    done = pyruse("report", "-c", file, "--send")
    assert done.code == 1
    assert done.err.startswith("pyruse: ")
    assert "/bin/false" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_leaves_nothing_that_the_daemon_may_not_write(process, place, tmp_path):
    daemon = 12345
    state = tmp_path / "state"
    state.mkdir()
    os.chown(state, daemon, daemon)
    file = tmp_path / "pyruse.toml"
    file.write_text(
        place.config.read_text()
        .replace(f"{place.folder}/state.sqlite", f"{state}/state.sqlite")
        .replace("[report]", f'[report]\narchive = "{state}/reports"')
    )
    assert process("run", "-c", file, "--once").code == 0
    assert process("report", "-c", file, place.day(2), "--send").code == 0
    assert len(list((state / "reports").iterdir())) >= 3
    assert {one.stat().st_uid for one in state.rglob("*")} == {daemon}


def test_a_day_that_is_not_kept(pyruse, place):
    done = pyruse("report", "-c", place.config, "2001-02-03")
    assert (done.code, done.out) == (1, "")
    span = f"{place.day(2)} to {place.day(0)}"
    assert done.err == f"pyruse: no report of 2001-02-03 is kept (expected one of: {span})\n"


def test_before_the_first_day_has_ended_there_is_today(pyruse, tmp_path):
    need(unavailable())
    now = datetime.now(UTC)
    at = round(now.timestamp() * 1e6)
    make_journal(
        tmp_path / "journal.journal", [{"MESSAGE": "the first", "__REALTIME_TIMESTAMP": at}]
    )
    config = tmp_path / "pyruse.toml"
    config.write_text(CONFIG.format(folder=tmp_path, zone=zone_where_it_is_noon(now)))
    assert Daemon(tmp_path).command("run", "--once").returncode == 0
    yesterday = (now + timedelta(hours=12 - now.hour, days=-1)).date()
    done = pyruse("report", "-c", config)
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        f"pyruse: no report of {yesterday} is kept: there is none before the first day has ended "
        "(expected: `pyruse report today`, which shows what there is so far)\n"
    )
    assert "the first" in pyruse("report", "today", "-c", config).out


@pytest.mark.parametrize("word", ["someday", "2026-02-30", "-1x", "", "9" * 30, "--3"])
def test_what_is_no_day(pyruse, place, word):
    done = pyruse("report", "-c", place.config, "--", word)
    assert (done.code, done.out) == (2, "")
    expected = '(expected "2026-03-14", "today", "yesterday" or "-3")'
    assert done.err.endswith(f'Error: "{word}" is no day {expected}\n')


@pytest.mark.parametrize(
    ("word", "fault"),
    [
        ("2026-W99", '"2026-W99" is no week of that year (expected "2026-W01" to "2026-W53")'),
        ("2025-W53", '"2025-W53" is no week of that year (expected "2025-W01" to "2025-W52")'),
        ("2026-13", '"2026-13" is no month of that year (expected "2026-01" to "2026-12")'),
        ("0000-01", '"0000-01" is no day (expected "2026-03-14", "today", "yesterday" or "-3")'),
    ],
)
def test_what_is_no_week_and_no_month(pyruse, place, word, fault):
    done = pyruse("report", "-c", place.config, word)
    assert (done.code, done.out) == (2, "")
    assert done.err.endswith(f"Error: {fault}\n")


def test_long_ago(pyruse, place):
    done = pyruse("report", "-c", place.config, "--", "-" + "9" * 30)
    assert (done.code, done.out) == (2, "")
    assert "is no day" in done.err


def test_there_is_no_state_yet(pyruse, config, tmp_path):
    done = pyruse("report", "-c", config)
    assert (done.code, done.out) == (1, "")
    told = f"{tmp_path}/state.sqlite: there is no state yet (expected that `pyruse run` has run)"
    assert done.err == f"pyruse: {told}\n"
    assert not (tmp_path / "state.sqlite").exists()


def test_a_state_that_is_none(pyruse, config, tmp_path):
    (tmp_path / "state.sqlite").write_bytes(b"hello, I am a text\n" * 100)
    done = pyruse("report", "-c", config)
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith(f"pyruse: {tmp_path}/state.sqlite: the state cannot be used: ")


def test_a_machine_without_events_is_told(pyruse, place):
    done = pyruse("report", "-c", place.config, place.day(2), "--host", "mial")
    assert done.code == 0
    assert done.err == (
        f'pyruse: no event of "mial" is kept of {place.day(2)} (machines with events: "mail"; '
        'did you mean "mail"?)\n'
    )
    known = pyruse("report", "-c", place.config, place.day(2), "--host", "mail")
    assert (known.code, known.err) == (0, "")
