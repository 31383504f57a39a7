"""The bans of fail2ban, out of a database that fail2ban itself has made."""

from __future__ import annotations

import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from pyruse.bans.fail2ban import read
from pyruse.errors import UserError
from pyruse.testing.plugin import need

NOW_S = 1_773_489_600
NOW = NOW_S * 1_000_000
PYTHON = "/usr/bin/python3"  # the one that Debian's package is for

_MAKE = f"""
import sys
from fail2ban.server.database import Fail2BanDb
from fail2ban.server.ticket import BanTicket

class Jail:
    def __init__(self, name):
        self.name, self.actions = name, self

    def getBanTime(self):
        return 600

db = Fail2BanDb(sys.argv[1])
jails = {{}}
for name, ip, begin, length in (
    ("sshd", "203.0.113.7", -60, 600),
    ("postfix", "203.0.113.7", -60, 3600),
    ("sshd", "2001:db8::7", -60, -1),
    ("sshd", "203.0.113.8", -700, 600),
    ("users", "\\x1b[31mroot", -1, 600),
):
    if name not in jails:
        jails[name] = Jail(name)
        db.addJail(jails[name])
    ticket = BanTicket(ip, {NOW_S} + begin, ["Failed password"])
    ticket.setBanTime(length)
    db.addBan(jails[name], ticket)
"""


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("fail2ban") / "fail2ban.sqlite3"
    try:
        done = subprocess.run(
            [PYTHON, "-c", _MAKE, file], capture_output=True, text=True, check=False, timeout=60
        )
    except OSError as fault:
        need(f"{PYTHON}: {fault.strerror}")
        raise
    if "No module named 'fail2ban'" in done.stderr:
        need("fail2ban is not installed")
    assert done.returncode == 0, done.stderr
    return file


@pytest.mark.realparts
@pytest.mark.parametrize("of_content", [False, True])
def test_bans_in_force_with_the_time_that_is_left_and_their_jail(database, of_content):
    before = database.read_bytes()
    items, others = read(before if of_content else database, "f", NOW)
    assert {item.reason for item in items} == {"from fail2ban"}
    assert {(item.network, item.label): item.until for item in items} == {
        ("203.0.113.7", "postfix"): NOW + 3540_000_000,
        ("203.0.113.7", "sshd"): NOW + 540_000_000,
        ("2001:db8::7", "sshd"): None,
    }
    assert others == [r"\x1b[31mroot"]
    assert database.read_bytes() == before


@pytest.mark.realparts
def test_while_fail2ban_writes(database):
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert len(read(database, "f", NOW)[0]) == 3
        writer.execute("ROLLBACK")


def test_another_database_is_refused(tmp_path):
    file = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE bans (ip)")
    with pytest.raises(UserError, match=r"no such table: bips \(expected the database of fail2ban"):
        read(file, "f", NOW)
    with pytest.raises(UserError, match="f: no bans can be read from it"):
        read(b"SQLite format 3\0" + b"x" * 5000, "f", NOW)
