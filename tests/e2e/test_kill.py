"""Killed at any instant, and started again: nothing is lost, and nothing is done twice."""

from __future__ import annotations

import email
import random
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

CONFIG = """
[journal]
directory = "{journal}"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
keep = "5000w"
[email]
to = ["hostmaster@example.org"]
sendmail = ["{folder}/sendmail", "-t", "-i"]
[bans]
backend = "nftables"
[bans.nftables]
command = ["/bin/true"]
[chains]
"ssh" = [
  {{ filter = "regex", pattern = '^Failed password for (?P<user>\\S+) from (?P<ip>\\S+)' }},
  {{ action = "count", counter = "ssh", key = "ip", within = "10m", into = "n" }},
  {{ action = "count", counter = "who", key = "ip", distinct = "user", within = "1h", into = "u" }},
  {{ filter = "at_least", field = "n", value = 5, else = "counted" }},
  {{ action = "report", section = "interesting", message = "{{ip}}: {{n}}, {{u}} users" }},
  {{ action = "ban", ip = "ip", escalate = ["1h", "5h", "10w"] }},
  {{ action = "reset", counter = "ssh", key = "ip", grace = "1m" }},
]
"counted" = [
  {{ action = "report", section = "important", message = "{{user}}", details = "NONE" }},
]
"rare" = [
  {{ filter = "contains", text = "rare" }},
  {{ action = "email", subject = "rare", message = "{{MESSAGE}} at {{__REALTIME_TIMESTAMP}}" }},
]
"other" = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""

SENDMAIL = """#!/bin/sh
file=$(mktemp {folder}/new.XXXXXX) && cat > "$file" && mv "$file" {folder}/mails
"""

#: What must be the same, however often the daemon was killed.
TABLES = {
    "counts": "SELECT counter, key, expires, amount, value FROM counts ORDER BY 1, 2, 3, 4, 5",
    "graces": "SELECT * FROM graces ORDER BY 1, 2",
    "events": "SELECT day, section, message, details, time FROM events ORDER BY 1, 2, 3, 5",
    "days": "SELECT day, entries, first, last FROM days WHERE entries > 0 ORDER BY 1",
    "bans": "SELECT network, since, until, level FROM bans ORDER BY 1",
    "history": "SELECT time, network, until, level FROM ban_history ORDER BY 1, 2",
    "cursor": "SELECT * FROM cursor",
}

ENTRIES = 20_000
START = 1_773_489_600_000_000  # µs: 2026-03-14 12:00 UTC


def entries() -> list[dict[str, Any]]:
    dice = random.Random(11)
    made = []
    for number in range(ENTRIES):
        kind = dice.random()
        message = f"nothing special, {dice.randrange(50)}"
        if kind < 0.4:
            user, ip = dice.choice("abcdef"), f"203.0.113.{dice.randrange(60)}"
            message = f"Failed password for {user} from {ip} port 22 ssh2"
        elif kind < 0.401:
            message = f"rare {dice.randrange(3)}"
        made.append({"MESSAGE": message, "__REALTIME_TIMESTAMP": START + number * 1_500_000})
    return made


@pytest.fixture(scope="module")
def journal(tmp_path_factory) -> Path:
    from pyruse.testing.journal import make_journal, unavailable
    from pyruse.testing.plugin import need

    need(unavailable())
    folder: Path = tmp_path_factory.mktemp("journal")
    make_journal(folder / "system.journal", entries())
    return folder


def prepare(folder: Path, journal: Path) -> list[str]:
    """:return: the command that handles all that is pending."""
    (folder / "mails").mkdir(parents=True)
    sendmail = folder / "sendmail"
    sendmail.write_text(SENDMAIL.format(folder=folder))
    sendmail.chmod(0o755)
    config = folder / "pyruse.toml"
    config.write_text(CONFIG.format(folder=folder, journal=journal))
    return [sys.executable, "-m", "pyruse", "run", "--once", "-c", str(config)]


def content(folder: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(folder / "state.sqlite")) as db, db:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return {name: db.execute(query).fetchall() for name, query in TABLES.items()}


def mails(folder: Path) -> set[tuple[str, str]]:
    """The mails that left: Message-ID and text."""
    read = [email.message_from_bytes(file.read_bytes()) for file in (folder / "mails").iterdir()]
    rare = [mail for mail in read if mail["Subject"] == "rare"]
    return {(mail["Message-ID"], str(mail.get_payload()).strip()) for mail in rare}


def test_a_daemon_that_is_killed_again_and_again_does_what_one_does_that_is_not(
    journal: Path, tmp_path: Path
) -> None:
    subprocess.run(prepare(tmp_path / "undisturbed", journal), check=True)
    expected = content(tmp_path / "undisturbed")
    assert all(expected.values()), "every table has something to compare"
    assert sum(entries for _, entries, _, _ in expected["days"]) == ENTRIES

    command = prepare(tmp_path / "killed", journal)
    dice = random.Random(5)
    killed = 0
    for _ in range(15):
        process = subprocess.Popen(command)
        try:
            process.wait(dice.uniform(0.2, 0.9))
            break
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            killed += 1
    assert killed > 2
    subprocess.run(command, check=True)
    assert content(tmp_path / "killed") == expected
    sent = mails(tmp_path / "killed")
    assert {text for _, text in sent} == {text for _, text in mails(tmp_path / "undisturbed")}
    # One that left twice did so under the same Message-ID.
    assert len(sent) == len({text for _, text in sent})
