"""The bans of fail2ban, out of a database that fail2ban itself has made."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from pyruse.bans.fail2ban import read
from pyruse.bans.orders import Item
from pyruse.errors import UserError
from pyruse.testing.journal import make_journal, unavailable
from pyruse.testing.plugin import need
from pyruse.testing.waiting import TIME_LIMIT

NOW_S = 1_773_489_600
NOW = NOW_S * 1_000_000
PYTHON = "/usr/bin/python3"  # the one that Debian's package is for

_MAKE = r"""
import sys
from fail2ban.server.banmanager import BanManager
from fail2ban.server.database import Fail2BanDb
from fail2ban.server.jail import Jail
from fail2ban.server.mytime import MyTime
from fail2ban.server.observer import ObserverThread
from fail2ban.server.ticket import BanTicket

class RunningJail(Jail):
    def isAlive(self):
        return True

db = Fail2BanDb(sys.argv[1])
now = int(sys.argv[2])
jails = {}
observer = ObserverThread()
for name, ip, begin, length in (
    ("sshd", "203.0.113.9", -864000, 600),
    ("sshd", "203.0.113.8", -70000, 600),
    ("sshd", "203.0.113.8", -50000, 600),
    ("sshd", "203.0.113.7", -10000, 600),
    ("sshd", "203.0.113.7", -5000, 600),
    ("sshd", "203.0.113.7", -60, 600),
    ("postfix", "203.0.113.7", -60, 3600),
    ("sshd", "2001:db8::7", -60, -1),
    ("users", "toor", -1000, 600),
    ("users", "\x1b[31mroot", -1, 600),
):
    if name not in jails:
        jails[name] = RunningJail(name, backend="polling", db=db)
        jails[name].setBanTimeExtra("increment", "true")
        db.addJail(jails[name])
    MyTime.setTime(now + begin)
    ticket = BanTicket(ip, now + begin, ["Failed password"])
    manager = BanManager()
    manager.setBanTime(length)
    assert manager.addBanTicket(ticket)
    ticket.setBanTime(observer.incrBanTime(jails[name], length, ticket))
    db.addBan(jails[name], ticket)
MyTime.setTime(now)
db.purge()
"""


def make(file: Path, now_s: int) -> Path:
    """A database as fail2ban has made it by then."""
    try:
        done = subprocess.run(
            [PYTHON, "-c", _MAKE, file, str(now_s)],
            capture_output=True, text=True, check=False, timeout=TIME_LIMIT,
        )  # fmt: skip
    except OSError as fault:
        need(f"{PYTHON}: {fault.strerror}")
        raise
    if "No module named 'fail2ban'" in done.stderr:
        need("fail2ban is not installed")
    assert done.returncode == 0, done.stderr
    return file


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make(tmp_path_factory.mktemp("fail2ban") / "fail2ban.sqlite3", NOW_S)


@pytest.mark.realparts
@pytest.mark.parametrize("of_content", [False, True])
def test_the_bans_that_fail2ban_remembers_with_how_many_came_before(database, of_content):
    before = database.read_bytes()
    items, others = read(before if of_content else database, "f", NOW)
    assert {item.reason for item in items} == {"from fail2ban"}
    assert {(item.network, item.label): (item.until, item.before) for item in items} == {
        # bantime.increment doubles each time.
        ("203.0.113.7", "sshd"): (NOW + 2340_000_000, 2),
        ("203.0.113.7", "postfix"): (NOW + 3540_000_000, 0),
        ("2001:db8::7", "sshd"): (None, 0),
        ("203.0.113.8", "sshd"): (NOW - 48_800_000_000, 1),
    }
    assert others == [r"\x1b[31mroot"]
    assert database.read_bytes() == before


@pytest.mark.realparts
def test_while_fail2ban_writes(database):
    with closing(sqlite3.connect(database, isolation_level=None)) as writer:
        writer.execute("BEGIN IMMEDIATE")
        assert len(read(database, "f", NOW)[0]) == 4
        writer.execute("ROLLBACK")


@pytest.mark.realparts
@pytest.mark.parametrize(
    ("length", "count", "left", "before"),
    [
        (600.75, 2, 600, 1),  # bantime.rndtime
        (-2, 1, 0, 0),  # of a version that did not know the length
        (600, 0, 600, 0),
        (600, 10**9, 600, 1000),
        (604_800 << 20, 21, None, 20),  # a week that was doubled 20 times: beyond the year 9999
    ],
)
def test_odd_numbers(database, tmp_path, length, count, left, before):
    file = tmp_path / "fail2ban.sqlite3"
    file.write_bytes(database.read_bytes())
    with closing(sqlite3.connect(file)) as db, db:
        db.execute("DELETE FROM bips")
        row = ("203.0.113.7", "sshd", NOW_S, length, count, "{}")
        db.execute("INSERT INTO bips VALUES (?, ?, ?, ?, ?, ?)", row)
    until = None if left is None else NOW + left * 1_000_000
    assert read(file, "f", NOW) == (
        [Item("203.0.113.7", "sshd", "from fail2ban", until, before=before)],
        [],
    )


CONFIG = r"""
[journal]
files = ["{folder}/now.journal"]
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[bans]
backend = "command"
[bans.command]
ban = ["/bin/true", "{{network}}"]
unban = ["/bin/true", "{{network}}"]
[chains]
"ssh" = [
  {{ filter = "regex", pattern = 'from (?P<ip>\S+) port' }},
  {{ action = "ban", ip = "ip", escalate = ["10m", "1h", "1d", "1w", "4w"] }},
]
"""


@pytest.mark.realparts
def test_a_step_that_escalates_goes_on_where_fail2ban_was(tmp_path):
    need(unavailable())
    now_s = int(time.time())
    file = make(tmp_path / "fail2ban.sqlite3", now_s)
    config = tmp_path / "pyruse.toml"
    config.write_text(CONFIG.format(folder=tmp_path))

    def pyruse(command: str, *arguments: object) -> str:
        words = [command, "-c", str(config), *map(str, arguments)]
        done = subprocess.run(
            [sys.executable, "-m", "pyruse", *words],
            capture_output=True, text=True, check=False, timeout=TIME_LIMIT,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert pyruse("bans", "--import", file) == (
        "2 banned, 1 banned already for at least as long, 0 spared, 1 over by now, but remembered\n"
    )
    # Banned three times, so the fourth ban is next; twice; never.
    pyruse("unban", "203.0.113.7")
    addresses = ("203.0.113.7", "203.0.113.8", "203.0.113.6")
    entries = [
        {"MESSAGE": f"Failed password for root from {address} port 22 ssh2"}
        for address in addresses
    ]
    make_journal(
        tmp_path / "now.journal",
        [{**entry, "__REALTIME_TIMESTAMP": time.time_ns() // 1000} for entry in entries],
    )
    pyruse("run", "--once")
    listed = json.loads(pyruse("bans", "--label", "ssh", "--format", "json"))
    lengths = {
        ban["ip"]: (
            ban["before"],
            datetime.fromisoformat(ban["until"]) - datetime.fromisoformat(ban["since"]),
        )
        for ban in listed
    }
    assert lengths == {
        "203.0.113.7": (3, timedelta(weeks=1)),
        "203.0.113.8": (2, timedelta(days=1)),
        "203.0.113.6": (0, timedelta(minutes=10)),
    }


def test_another_database_is_refused(tmp_path):
    file = tmp_path / "other.sqlite3"
    with closing(sqlite3.connect(file)) as db:
        db.execute("CREATE TABLE bans (ip)")
    with pytest.raises(UserError, match=r"no such table: bips \(expected the database of fail2ban"):
        read(file, "f", NOW)
    with pytest.raises(UserError, match="f: no bans can be read from it"):
        read(b"SQLite format 3\0" + b"x" * 5000, "f", NOW)
