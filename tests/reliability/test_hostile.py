"""Hostile lines through the real parts: journal files, journald, sendmail, a terminal."""

from __future__ import annotations

import email.policy
import ipaddress
import json
import os
import pty
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from email.parser import BytesParser
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.replay.replay import outcome_of
from pyruse.state.database import State
from pyruse.testing import Daemon, Journald
from pyruse.testing.waiting import TIME_LIMIT
from tests.reliability.hostile import VALUES

pytestmark = pytest.mark.realparts

CHAINS = r"""
[state]
url = "sqlite://{folder}/state.sqlite"
[report]
timezone = "UTC"
[email]
from = "pyruse@example.org"
to = ["root@example.org"]
sendmail = ["{folder}/sendmail", "-t", "-i"]
[bans]
never = ["203.0.113.0/24"]
[chains]
"ssh" = [
  {{ filter = "regex", pattern = '(?s)^Failed password for (?P<user>.*) from (?P<ip>.*) port' }},
  {{ action = "email", subject = "{{user}} {{MESSAGE}}", message = "{{MESSAGE}}\n{{user}}" }},
  {{ action = "ban", ip = "ip", duration = "1d" }},
]
"numbers" = [
  {{ filter = "at_least", field = "PRIORITY", value = 5 }},
  {{ action = "report", section = "important", message = "{{MESSAGE}}" }},
]
"everything else" = [{{ action = "report", section = "other", message = "{{MESSAGE}}" }}]
"""

SENDMAIL = """#!/bin/sh
cat > {folder}/mail.$$.new && mv {folder}/mail.$$.new {folder}/mail.$$
"""

ACTING = ("\x1b]", "\x1b[31m", "\x07", "\x08", "\0", "\x9b", "\u202e", "\u2066", "\u200b", "\x7f")
"""What no terminal may get from a log line: the beginnings of sequences that act on it, controls,
and what turns text around. Pyruse's own colours end with an "m", and are not among these."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    sendmail = tmp_path / "sendmail"
    sendmail.write_text(SENDMAIL.format(folder=tmp_path))
    sendmail.chmod(0o755)
    file = tmp_path / "pyruse.toml"
    file.write_text(CHAINS.format(folder=tmp_path))
    return file


def failed(user: str | bytes, address: str | bytes) -> bytes:
    user, address = (
        text.encode(errors="replace") if isinstance(text, str) else text for text in (user, address)
    )
    return b"Failed password for %s from %s port 22 ssh2" % (user, address)


ADDRESSES = {
    "192.0.2.7": "192.0.2.7",
    " 192.0.2.8 ": "192.0.2.8",
    "::ffff:192.0.2.9": "192.0.2.9",
    "[2001:db8::1]": "2001:db8::1",
    "2001:DB8:0:0::2": "2001:db8::2",
    "fe80::1%eth0": "fe80::1",
    "1.2.3.4; flush ruleset": None,
    "1.2.3.4\nflush ruleset": None,
    "1.2.3.4 }; add element ip x y { 5.6.7.8": None,
    "1.2.3.4/0": None,
    "010.1.1.1": None,
    "0x7f.1": None,
    "16909060": None,
    "1.2.3.4\0": None,
    "\u0661.\u0662.\u0663.\u0664": None,
    "0.0.0.0": None,
    "::": None,
    "127.0.0.1": None,
    "::1": None,
    "::ffff:127.0.0.1": None,
    "224.0.0.1": None,
    "ff02::1": None,
    "203.0.113.9": None,  # [bans] never
    "::ffff:203.0.113.9": None,
    "198.51.100.1": None,  # this machine
    "::ffff:198.51.100.1": None,
    "localhost": None,
    "": None,
}


def test_exactly_the_addresses_are_banned(journal_file: Callable[..., Path], config: Path) -> None:
    journal = journal_file([{"MESSAGE": failed("root", address)} for address in ADDRESSES])
    configuration = configure(from_text(config.read_text()), Registry())
    own: set[Any] = {ipaddress.ip_address("198.51.100.1")}
    faults = Faults(lambda *_: None)
    with State() as state:
        engine = assemble(configuration, state, faults, replace(DRY, own=lambda: own))
        reader = Selection(files=[journal]).open(engine.decoder)
        engine.handle(reader.entries(1000))
        reader.close()
        state.commit()
        bans = [ban.ip for ban in outcome_of(engine, 1, 0, engine.report()).bans]
    assert bans == [banned for banned in ADDRESSES.values() if banned is not None]
    assert {fault.place for fault in faults.kinds.values()} == {'chains."ssh"[2]'}


def hostile_entries() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for value in VALUES:
        text = value.encode(errors="replace") if isinstance(value, str) else value
        entries += [
            {"MESSAGE": failed(text, "192.0.2.7"), "SYSLOG_IDENTIFIER": text, "PRIORITY": text},
            {"MESSAGE": text, "SYSLOG_IDENTIFIER": [text, b"again"], "PRIORITY": b"6"},
            {"MESSAGE": [text, text], "_HOSTNAME": text, "X" * 64: text},
        ]
    return [*entries, {"MESSAGE": b"m\x1b]0;x\x07" * 150_000, "PRIORITY": b"6"}]


def on_terminal(*arguments: object) -> str:
    """What a terminal gets from a command."""
    ours, theirs = pty.openpty()
    pieces: list[bytes] = []

    def read() -> None:
        try:
            while piece := os.read(ours, 65536):
                pieces.append(piece)
        except OSError:  # EIO: the other end is closed
            pass

    reader = threading.Thread(target=read)
    reader.start()
    subprocess.run(
        [sys.executable, "-m", "pyruse", *map(str, arguments)],
        stdin=theirs, stdout=theirs, stderr=theirs, check=True, timeout=TIME_LIMIT,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    os.close(theirs)
    reader.join()
    os.close(ours)
    return b"".join(pieces).decode()


def acting(text: str) -> list[str]:
    return [sequence for sequence in ACTING if sequence in text]


def test_a_terminal_gets_nothing_that_acts_on_it(
    journal_file: Callable[..., Path], config: Path, tmp_path: Path
) -> None:
    journal = journal_file(hostile_entries())
    shown = on_terminal("replay", "-c", config, "--file", journal)
    assert acting(shown) == []
    assert "\\x1b[31mred" in shown.replace("\r\n", "")
    assert acting(on_terminal("stats", "--file", journal)) == []
    assert acting(on_terminal("stats", "--file", journal, "--by", "_HOSTNAME")) == []
    assert acting(on_terminal("explain", "-c", config, "--file", journal)) == []
    assert acting(on_terminal("explain", "-c", config, "MESSAGE=\x1b]0;x\x07\u202e")) == []
    text = config.read_text().replace(
        "[state]", f'[journal]\nfiles = ["{journal}"]\nstart = "head"\n[state]'
    )
    config.write_text(text)
    assert acting(on_terminal("run", "--once", "-c", config)) == []
    for day in _days(config):
        assert acting(on_terminal("report", day, "-c", config)) == []
    mails = [file.read_bytes() for file in tmp_path.glob("mail.*")]
    assert sum(b"X-Pyruse-Attention" not in mail for mail in mails) == len(VALUES)


def _days(config: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pyruse", "report", "--list", "-c", str(config)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.split("\t")[0] for line in done.stdout.splitlines()]


def test_through_journald_and_sendmail_no_line_makes_a_header(
    journald: Journald, config: Path, tmp_path: Path
) -> None:
    config.write_text(
        config.read_text().replace(
            "[state]", f'[journal]\nnamespace = "{journald.namespace}"\nstart = "head"\n[state]'
        )
    )
    users = [
        "a\r\nBcc: everybody@example.org\r\n\r\nbody",
        "=?utf-8?q?=0ABcc:x@example.org?=",
        "\x85Bcc: x",
        "\u2028Bcc: x",
        "\n.\nQUIT",
        "x" * 100_000,
        "\0",
        "{MESSAGE}",
        "{}",
    ]
    journald.send_all([{"MESSAGE": failed(user, "192.0.2.7")} for user in users])
    journald.sync()
    done = Daemon(tmp_path).command("run", "--once")
    assert (done.returncode, acting(done.stderr)) == (0, [])
    mails = [
        BytesParser(policy=email.policy.default).parsebytes(file.read_bytes())
        for file in tmp_path.glob("mail.*")
    ]
    assert len(mails) == len(users)
    for mail in mails:
        assert sorted(mail.keys()) == [
            "Auto-Submitted", "Content-Transfer-Encoding", "Content-Type", "Date", "From",
            "MIME-Version", "Message-ID", "Subject", "To",
        ]  # fmt: skip
        assert mail["To"] == "root@example.org"
    quoted = [
        mail["Subject"] for mail in mails if mail["Subject"].startswith(("{MESSAGE} ", "{} "))
    ]
    assert sorted(quoted) == [
        "{MESSAGE} Failed password for {MESSAGE} from 192.0.2.7 port 22 ssh2",
        "{} Failed password for {} from 192.0.2.7 port 22 ssh2",
    ]


def test_a_megabyte_is_cut_and_says_so(journal_file: Callable[..., Path], config: Path) -> None:
    message = "<b>x" * 250_000
    journal = journal_file([{"MESSAGE": message}])
    pages = {
        form: subprocess.run(
            [sys.executable, "-m", "pyruse", "replay", "-c", str(config), "--file", str(journal),
             "--format", form], capture_output=True, check=True, text=True, timeout=TIME_LIMIT,
        ).stdout
        for form in ("text", "html", "json")
    }  # fmt: skip
    (line,) = json.loads(pages["json"])["report"]["other"]
    assert line["message"] == f"{message[:65_536]}… ({1_000_000 - 65_536} more characters)"
    for form in ("text", "html"):
        assert len(pages[form]) < 50_000
        assert "… (65362 more characters)" in re.sub(r"\s+", " ", pages[form])
