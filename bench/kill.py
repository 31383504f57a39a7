"""Kill the daemon again and again, and compare with one that is left alone, to the row.

    python bench/kill.py [--entries 200000] [--machines 3] [--whole] [--seed 1] [--folder DIR]

Kills come before a random function call of the main thread; in the middle of commits, before a
random SQL statement; in the middle of writing to the disk, at a random byte of the file (SIGXFSZ,
setrlimit(2)); from sendmail, before and after it has taken a mail; and where none of this comes
soon, at a random instant. The entries are of several machines, and some lines are split.
With ``--whole --machines 1`` none are, and with pyruse-native the reader leads the entries as far
as it can, ahead of the engine. Exit code 1: something differs.
"""

from __future__ import annotations

import argparse
import email
import email.policy
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from pyruse.testing.processes import Mark

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
[report]
timezone = "UTC"
limit = 100
[bans]
backend = "nftables"
[bans.nftables]
command = ["/bin/true"]
[chains]
"ssh" = [
  {{ filter = "regex", pattern = '^Failed password for (?P<user>\\S+) from (?P<ip>\\S+)' }},
  {{ action = "event", name = "login failed", service = "ssh" }},
  {{ action = "recall", key = "{{user}} {{ip}}", into = "before" }},
  {{ action = "remember", key = "{{user}} {{ip}}", keep = "1h" }},
  {{ filter = "exists", field = "before", else = "new" }},
  {{ action = "count", counter = "ssh", key = "ip", within = "10m", into = "n" }},
  {{ action = "count", counter = "who", key = "ip", distinct = "user", within = "1h", into = "u" }},
  {{ filter = "at_least", field = "n", value = 5, else = "counted" }},
  {{ action = "report", section = "interesting", message = "{{ip}}: {{n}}, {{u}} users" }},
  {{ action = "ban", ip = "ip", escalate = ["1h", "100w", "200w"] }},
  {{ action = "reset", counter = "ssh", key = "ip", grace = "1m" }},
]
"new" = [
  {{ action = "report", section = "interesting", message = "{{user}} from {{ip}}" }},
]
"counted" = [
  {{ action = "report", section = "important", message = "{{user}}", details = "NONE" }},
]
"rare" = [
  {{ filter = "contains", text = "rare" }},
  {{ action = "expect", name = "rare", key = "MESSAGE", every = "1h" }},
  {{ action = "email", subject = "rare", message = "{{MESSAGE}} at {{__REALTIME_TIMESTAMP}}" }},
]
"other" = [
  {{ action = "count", counter = "said", key = "MESSAGE", within = "1h" }},
  {{ action = "report", section = "other", message = "{{MESSAGE}}" }},
  {{ action = "event", name = "said", fields = ["__REALTIME_TIMESTAMP"] }},
  {{ filter = "contains", text = ", 7" }},
  {{ action = "reset", counter = "said", key = "MESSAGE", grace = "10m" }},
]
"""

SENDMAIL = """#!/bin/sh
cd {folder}
if rm mail-before 2>/dev/null; then kill -KILL $PPID; exit 75; fi
file=$(mktemp new.XXXXXX) && cat > "$file" || exit 75
rm mail-after 2>/dev/null && kill -KILL $PPID
mv "$file" mails
"""

DYING = """
import os, resource, signal, sys
from pyruse.cli import main
from msgspec.structs import replace
from pyruse.engine import modes
from pyruse.state import database
place, number = sys.argv.pop(1), int(sys.argv.pop(1))
assert modes.LIVE.batch > 500
modes.LIVE = replace(modes.LIVE, batch=500)
def countdown():
    global number
    number -= 1
    if not number:
        os.kill(os.getpid(), signal.SIGKILL)
connect = database.connect
def connect_to_die(*arguments, **options):
    db = connect(*arguments, **options)
    if place == "write":  # to a log that is empty: so the size of the file tells the byte
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)").close()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (number, number))
        signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    elif place in ("statement", "BEGIN", "COMMIT"):
        word = "" if place == "statement" else place
        db.set_trace_callback(lambda sql: countdown() if sql.startswith(word) else None)
    return db
database.connect = connect_to_die
if place == "call":
    sys.setprofile(lambda _, event, __: countdown() if event.endswith("call") else None)
main()
"""
"""The daemon, which dies at a place that is counted. Batches are small, so that there are many
commits; the daemon that is left alone has its own."""

TABLES = {
    "counts": "SELECT counter, key, expires, amount, value FROM counts ORDER BY 1, 2, 3, 4, 5",
    "graces": "SELECT * FROM graces ORDER BY 1, 2",
    "remembered": "SELECT name, key, value, until FROM remembered ORDER BY number",
    "expected": "SELECT * FROM expected ORDER BY 1, 2",
    "absences": "SELECT * FROM absences ORDER BY 1, 2, 6",
    "events": "SELECT day, section, message, details, time, kind, program, level, event, cause, "
    "weight, quote FROM events ORDER BY 1, 2, 3, 5",
    "kinds": "SELECT * FROM kinds ORDER BY id",
    "hours": "SELECT * FROM hours ORDER BY 1, 2",
    "kind_counts": "SELECT * FROM kind_counts ORDER BY 1, 2, 3",
    "tallies": "SELECT * FROM tallies ORDER BY 1, 2, 3, 4",
    "tally_totals": "SELECT * FROM tally_totals ORDER BY 1, 2, 3",
    "days": "SELECT day, entries, first, last FROM days WHERE entries > 0 ORDER BY 1",
    "notes": "SELECT day, note FROM notes ORDER BY 1, 2",
    "bans": "SELECT network, since, until, level FROM bans ORDER BY 1",
    "history": "SELECT time, network, until, level FROM ban_history ORDER BY 1, 2",
    "outbox": "SELECT kind, payload, created, refused FROM outbox ORDER BY number",
    "positions": "SELECT * FROM positions",
    "held": "SELECT * FROM held_entries",
}
"""What must be the same, however often the daemon was killed."""

START = 1_773_489_600_000_000  # µs: 2026-03-14 12:00 UTC
STEP = 1_500_000
_STARTING = 0.25  # seconds: a daemon does not read before


PLACES = ("call", "statement", "BEGIN", "COMMIT", "write", "mail-before", "mail-after")
"""Where a daemon is killed: before a function call of its main thread; before an SQL statement, or
one that begins with this word; at a byte that it writes to the log of its database, or to the
database itself; by sendmail, before and after it has taken a mail."""


@dataclass(frozen=True)
class Death:
    """When a daemon is killed: at a place that is counted, so it does not depend on its speed."""

    place: str
    """One of `PLACES`."""
    number: int = 0
    """Before which call or statement of this life, or at which byte of the file."""

    @classmethod
    def any(cls, dice: random.Random) -> Death:
        """One that comes while there are thousands of entries to be handled."""
        numbers = {
            "call": dice.randrange(1, 200_000),
            "statement": dice.randrange(1, 3_000),
            "BEGIN": dice.randrange(1, 8),
            "COMMIT": dice.randrange(1, 8),
            "write": dice.randrange(1 << 18, 6 << 20),
        }
        place = dice.choice(PLACES)
        return cls(place, numbers.get(place, 0))


def entries(number: int, *, whole: bool = False) -> Iterator[dict[str, Any]]:
    """What is logged.

    :param whole: no line is split: else, pyruse-native leaves reading to Python.
    """
    dice = random.Random(11)
    for index in range(number):
        kind = dice.random()
        message = f"nothing special, {dice.randrange(50)}"
        if kind < 0.4:
            user, ip = dice.choice("abcdef"), f"203.0.113.{dice.randrange(60)}"
            message = f"Failed password for {user} from {ip} port 22 ssh2"
        elif kind < 0.401:
            message = f"rare {dice.randrange(3)}"
        entry: dict[str, Any] = {
            "__REALTIME_TIMESTAMP": START + index * STEP,
            "CONTAINER_ID_FULL": "c1",
            "SYSLOG_IDENTIFIER": "test",  # what has no name is not filed in C
        }
        if kind > 0.99 and not whole:
            # The first part of a line; the last one comes after other entries.
            entry["CONTAINER_PARTIAL_MESSAGE"] = "true"
        yield {"MESSAGE": message, **entry}


@dataclass
class Run:
    """A folder with a configuration, its state and the mails that left."""

    folder: Path
    journal: Path
    kills: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        (self.folder / "mails").mkdir(parents=True)
        sendmail = self.folder / "sendmail"
        sendmail.write_text(SENDMAIL.format(folder=self.folder))
        sendmail.chmod(0o755)
        self._config = self.folder / "pyruse.toml"
        self._config.write_text(CONFIG.format(folder=self.folder, journal=self.journal))

    def _command(self, *program: str) -> list[str]:
        return [sys.executable, *program, "run", "--once", "-c", str(self._config)]

    def undisturbed(self, **variables: str) -> None:
        """Handle all that is pending.

        :param variables: of the daemon's environment, beside this program's.
        """
        subprocess.run(self._command("-m", "pyruse"), env={**os.environ, **variables}, check=True)

    def killed(self, death: Death, at_latest: float | None = None) -> bool:
        """Begin to handle what is pending.

        :param at_latest: seconds after which the daemon is killed wherever it is.
        :return: whether a kill came before the end of it.
        """
        place = death.place
        if place.startswith("mail"):
            (self.folder / place).touch()
        with Mark() as mark:
            process = subprocess.Popen(
                self._command("-c", DYING, place, str(death.number)),
                env={**os.environ, **mark.environment},
            )
            try:
                process.wait(at_latest)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
                place = "instant"
            # A sendmail that outlives it has got the whole mail, and lets it leave.
            mark.wait()
        for order in self.folder.glob("mail-*"):
            order.unlink()
        if process.returncode == 0:
            return False
        if process.returncode not in (-signal.SIGKILL, -signal.SIGXFSZ):
            raise SystemExit(f"the daemon failed with exit code {process.returncode}")
        self.kills[place] += 1
        return True

    def content(self) -> dict[str, list[Any]]:
        """What the state holds."""
        with closing(sqlite3.connect(self.folder / "state.sqlite")) as db:
            assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return {name: db.execute(query).fetchall() for name, query in TABLES.items()}

    def mails(self) -> set[tuple[str, str, str]]:
        """The mails that left: Message-ID, subject and text. A copy is no other mail."""
        found = set()
        for file in (self.folder / "mails").iterdir():
            mail = email.message_from_bytes(file.read_bytes(), policy=email.policy.default)
            text = mail.get_body(("plain",))
            assert text is not None
            found.add((mail["Message-ID"], mail["Subject"], text.get_content()))
        return found


def differences(expected: Run, found: Run) -> list[str]:
    """In what two runs differ, after they have handled the same entries."""
    wrong = [
        f"{name}: {len(rows)} rows, expected {len(expected.content()[name])}"
        for name, rows in found.content().items()
        if rows != expected.content()[name]
    ]
    wanted, sent = ([mail[1:] for mail in run.mails()] for run in (expected, found))
    wrong += [f"mail missing: {mail}" for mail in (Counter(wanted) - Counter(sent)).elements()]
    wrong += [f"mail too many: {mail}" for mail in (Counter(sent) - Counter(wanted)).elements()]
    return wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--entries", type=int, default=200_000)
    parser.add_argument("--machines", type=int, default=3, help="each has a file of its own")
    parser.add_argument("--whole", action="store_true", help="no lines are split")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    from pyruse.testing.journal import make_journal

    folder = options.folder or Path(tempfile.mkdtemp(prefix="pyruse-kill-"))
    journal = folder / "journal"
    journal.mkdir(parents=True)
    for machine in range(options.machines):
        own = islice(entries(options.entries, whole=options.whole), machine, None, options.machines)
        make_journal(journal / f"remote-{machine}.journal", own)
    alone = Run(folder / "alone", journal)
    began = time.monotonic()
    alone.undisturbed()
    print(f"undisturbed: {time.monotonic() - began:.1f} s")
    run = Run(folder / "killed", journal)
    dice = random.Random(options.seed)
    # A life that no place ends early is short, too.
    while run.killed(Death.any(dice), at_latest=_STARTING + dice.random() * 2.0):
        pass
    print(f"{run.kills.total()} kills: {dict(run.kills)}")
    rows = {name: len(found) for name, found in alone.content().items()}
    print(f"compared: {rows}, {len(alone.mails())} mails; in {folder}")
    wrong = differences(alone, run)
    for line in wrong:
        print(line[:300])
    print("different" if wrong else "equal to the row")
    if not wrong and options.folder is None:
        shutil.rmtree(folder)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
