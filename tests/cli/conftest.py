"""The commands as people run them: each in a process of its own."""

from __future__ import annotations

import fcntl
import io
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pyruse.testing.journal import FIRST_TIME, make_journal, unavailable
from pyruse.testing.plugin import need
from pyruse.testing.waiting import TIME_LIMIT
from tests.rights import close, powerless

__all__ = ["close", "powerless"]

CONFIG = r"""
[report]
timezone = "UTC"
[email]
to = ["hostmaster@example.org"]
[chains]
"ssh" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" },
  { filter = "regex", pattern = '^Failed password for (?P<user>.*) from (?P<ip>\S+) port' },
  { action = "count", counter = "ssh", key = "ip", within = "10m", into = "failures" },
  { filter = "at_least", field = "failures", value = 3 },
  { action = "report", section = "important", message = "{ip} failed" },
  { action = "email", subject = "SSH: {ip}", message = "{MESSAGE}" },
  { action = "log", message = "banned {ip}", level = "NOTICE" },
  { action = "run", command = ["/bin/false", "{ip}", "{user}"] },
  { action = "ban", ip = "ip", duration = "1d", label = "ssh" },
]
"sudo" = [
  { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sudo", name = "root" },
  { action = "report", section = "interesting", message = "{MESSAGE}", details = "FIRSTLAST" },
]
"everything else" = [
  { action = "report", section = "other", message = "[{PRIORITY}/{SYSLOG_IDENTIFIER}] {MESSAGE}" },
]
"""

HOSTILE = (
    "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b31m \x7f\x08 \u202eevil\u2066 [bold]x[/bold] \r\n"
    "Bans: 1"
)
"""What a log line may try with those who read it."""


def sample() -> list[dict[str, Any]]:
    """Three failed logins, one sudo, and something else, a second apart in two boots."""
    ssh = {"SYSLOG_IDENTIFIER": "sshd", "PRIORITY": 6, "_BOOT_ID": "a" * 32}
    entries: list[dict[str, Any]] = [
        {**ssh, "MESSAGE": f"Failed password for {user} from 203.0.113.7 port 22 ssh2"}
        for user in ("root", "admin", "a b")
    ]
    entries += [
        {"SYSLOG_IDENTIFIER": "sudo", "PRIORITY": 5, "MESSAGE": "alice : COMMAND=/bin/sh"},
        {"SYSLOG_IDENTIFIER": HOSTILE, "PRIORITY": 3, "MESSAGE": HOSTILE},
        {"PRIORITY": 3},
    ]
    for number, entry in enumerate(entries):
        entry.setdefault("_BOOT_ID", "b" * 32)
        entry["__REALTIME_TIMESTAMP"] = FIRST_TIME + number * 1_000_000
    return entries


@pytest.fixture(scope="session")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal file with `sample`."""
    need(unavailable())
    return make_journal(tmp_path_factory.mktemp("cli") / "sample.journal", sample())


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A configuration for `sample`."""
    file = tmp_path / "pyruse.toml"
    file.write_text(f'[state]\nurl = "sqlite://{tmp_path}/state.sqlite"\n{CONFIG}')
    return file


@dataclass
class Done:
    """What a command has done."""

    code: int
    out: str
    err: str = ""


@pytest.fixture
def process(tmp_path: Path) -> Callable[..., Done]:
    """``process("replay", …)``: a command in a process of its own, its output in pipes."""

    def run(*arguments: object, stdin: bytes = b"") -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "pyruse", *map(str, arguments)], input=stdin,
            capture_output=True, cwd=tmp_path, timeout=TIME_LIMIT, check=False,
        )  # fmt: skip
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run


@pytest.fixture
def pyruse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    """``pyruse("replay", …)``: the same in this process, which takes no time to start.

    What would be a traceback fails the test.
    """
    from pyruse.cli import main

    def run(*arguments: object, stdin: bytes = b"") -> Done:
        capfd.readouterr()
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["pyruse", *map(str, arguments)])
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        with pytest.raises(SystemExit) as end:
            main()
        code = end.value.code
        assert code is None or isinstance(code, int)
        out, err = capfd.readouterr()
        return Done(code or 0, out, err)

    return run


@pytest.fixture
def on_terminal(tmp_path: Path) -> Callable[..., Done]:
    """``on_terminal("replay", …)``: a command on a terminal, output and errors together.

    ``columns=`` is how wide it is, ``environment=`` what is different for the command.
    """

    def run(
        *arguments: object, columns: int = 100, environment: dict[str, str] | None = None
    ) -> Done:
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
        kept = {name: os.environ[name] for name in os.environ if name not in ("COLUMNS", "LINES")}
        pieces: list[bytes] = []

        def read() -> None:
            while True:
                try:
                    piece = os.read(ours, 65536)
                except OSError:  # EIO: the other end is closed
                    return
                if not piece:
                    return
                pieces.append(piece)

        reader = threading.Thread(target=read)
        reader.start()
        process = subprocess.Popen(
            [sys.executable, "-m", "pyruse", *map(str, arguments)],
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path,
            env={**kept, "TERM": "xterm", **(environment or {})},
        )  # fmt: skip
        os.close(theirs)
        code = process.wait(TIME_LIMIT)
        reader.join(TIME_LIMIT)
        os.close(ours)
        return Done(code, b"".join(pieces).decode().replace("\r\n", "\n"))

    return run
