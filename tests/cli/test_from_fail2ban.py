"""What the page for those who come from fail2ban says that they type now works, and its codes."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from pyruse.testing.journal import make_journal, unavailable
from pyruse.testing.plugin import need

ROOT = Path(__file__).parent.parent.parent
PAGE = (ROOT / "docs" / "from-fail2ban.md").read_text()
TYPED = PAGE.partition("## You typed, you type\n")[2].partition("\n## ")[0]
ROWS = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in TYPED.splitlines()
    if line.startswith("| `")
]
OURS = sorted(
    {call for row in ROWS for call in re.findall(r"`(pyruse [^`]+)`", row[1])}, key=str.split
)
CONFIG = """
use = ["sshd"]
[journal]
files = ["{folder}/day.journal"]
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[bans]
backend = "command"
command = {{ ban = ["/bin/true", "{{ip}}"], unban = ["/bin/true", "{{ip}}"] }}
"""
FOUND_NOTHING = ["pyruse status", "pyruse try '^denied {address}' --since yesterday"]
"""Their exit code is 1 here: no daemon runs, and nobody was denied."""


@pytest.fixture
def config(tmp_path, pyruse, monkeypatch):
    need(unavailable())
    monkeypatch.setattr("pyruse.cli.doubts.addresses_of_session", set)
    line = "Failed password for root from 203.0.113.77 port 4711 ssh2"
    known = {"SYSLOG_IDENTIFIER": "sshd", "_UID": 0, "_COMM": "sshd", "MESSAGE": line}
    make_journal(tmp_path / "day.journal", [known])  # type: ignore[list-item]
    file = tmp_path / "pyruse.toml"
    file.write_text(CONFIG.format(folder=tmp_path))
    monkeypatch.setenv("PYRUSE_CONFIG", str(file))
    assert pyruse("run", "--once").code == 0
    return file


def test_each_row_names_a_command():
    assert len(ROWS) >= 12
    assert len(OURS) >= 12


@pytest.mark.parametrize("call", OURS)
@pytest.mark.realparts
def test_what_you_type(call, pyruse, config):
    words = shlex.split(call.replace("'LINE'", "'a line'"))[1:]
    if words[0] in ("try", "bans") and "--since" in words:
        words[words.index("--since") + 1] = "2026-03-01"  # of the test's journal
    if words[:2] == ["bans", "203.0.113.9"] or words[0] == "unban":
        pyruse("ban", "203.0.113.9", "--label", "sshd")
    done = pyruse(*words)
    assert done.code == (1 if call in FOUND_NOTHING else 0), done
    assert "Error" not in done.err


@pytest.mark.realparts
def test_the_exit_codes_of_the_table(pyruse, config):
    codes = dict(re.findall(r"^\| `([^`]+)` \| (\d)", CODES, re.MULTILINE))
    assert len(codes) == len(CODES.strip().splitlines()) - 2
    for call, code in codes.items():
        words = shlex.split(call)[1:]
        assert pyruse(*words).code == int(code), call


CODES = PAGE.partition("<!-- exit codes -->\n")[2].partition("\n\n")[0]
