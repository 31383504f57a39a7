"""The same verdicts as fail2ban's, on the same journal: what do they cost?

Both read a whole journal and ban who fails five times: at ssh, at dovecot, and by asking nginx for
what is not there. fail2ban has its own filters for the first two; its filters for nginx know the
lines of log files only, so the one here is written for this journal. Neither touches a firewall,
as that has a measurement of its own (`bench/bans.py`), and neither makes a report; start and end
count on both sides.
"""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench import fail2ban
from bench.daemon import SILENT
from bench.journals import joined, last_time, made, sample
from bench.measure import Row, Target, Unavailable, cpu_seconds, ended, ratio
from bench.reading import ways
from pyruse.testing.journal import EntryFields
from pyruse.testing.namespace import NetworkNamespace, unavailable

_PATIENCE = 300.0  # seconds
_LAST = {"sshd": "203.0.113.251", "dovecot": "203.0.113.252", "nginx": "203.0.113.253"}
"""Who fails at the very end, so that it can be seen when a jail is through."""

CHAINS = Path(__file__).with_suffix(".toml")

_JAILS = """
[DEFAULT]
enabled = true
backend = systemd[journalpath="{journal}"]
maxretry = 5
findtime = 520w
bantime = -1
usedns = no
ignoreself = false
ignoreip = 127.0.0.0/8 ::1
action =
[sshd]
filter = sshd
[dovecot]
filter = dovecot
[nginx]
filter = misses
"""

_MISSES = r"""
[Definition]
failregex = ^\S+ nginx\[\d+\]: <ADDR> \S+ \S+ \[[^\]]*\] "[^"]*" 40[034]\s
journalmatch = _SYSTEMD_UNIT=nginx.service
"""


def rows(quick: bool) -> Iterator[Row]:
    """What fail2ban takes, to what Pyruse takes.

    :raises Unavailable: there is no fail2ban, or no namespace to keep it in.
    """
    if reason := fail2ban.unavailable() or unavailable():
        raise Unavailable(reason)
    count, rounds = (20_000, 1) if quick else (200_000, 3)
    ours: dict[str, list[float]] = {way: [] for way in ways()}
    theirs = []
    with tempfile.TemporaryDirectory(prefix="pyruse-jails-") as name:
        for number in range(rounds):
            seconds, seconds_of_fail2ban, banned = verdicts(Path(name) / str(number), sample(count))
            theirs.append(seconds_of_fail2ban)
            for way, all_seconds in ours.items():
                all_seconds.append(seconds[way])
    for way, taken in ours.items():
        yield Row(
            f"fail2ban {fail2ban.version()} to `pyruse run` {way}, which ban the same"
            f" {len(banned)} addresses of {count:,} entries",
            ratio(theirs, taken),
            Target(8, at_least=True),
            name=f"fail2ban {way}",
        )


def verdicts(folder: Path, journal: Path) -> tuple[dict[str, float], float, set[str]]:
    """Have both read a journal.

    :return: CPU seconds of Pyruse, in each way, and of fail2ban, and whom both have banned.
    :raises RuntimeError: they do not agree.
    """
    end = last_time(journal)
    whole = joined(folder / "journal", journal, made(f"failures-{end}", _failures(end)))
    theirs, banned_by_fail2ban = _fail2ban(folder / "fail2ban", whole)
    ours = {}
    for way, setting in ways().items():
        ours[way], banned = _pyruse(folder / setting, whole, setting)
        if banned != banned_by_fail2ban:
            raise RuntimeError(f"not the same bans: {sorted(banned ^ banned_by_fail2ban)}")
    return ours, theirs, banned_by_fail2ban


def _failures(after: int) -> Iterator[EntryFields]:
    """Five of each jail, after an instant (µs since the epoch)."""
    lines = {
        "sshd": "Failed password for root from {} port 4711 ssh2",
        "dovecot": "imap-login: Disconnected: Connection closed (auth failed, 1 attempts in 2 "
        "secs): user=<root>, method=PLAIN, rip={}, lip=192.0.2.10, session=<abc>",
        "nginx": '{} - - [14/Mar/2026:00:00:00 +0000] "GET /nothing HTTP/1.1" 404 153 "-" "-"',
    }
    for number, (jail, line) in enumerate(list(lines.items()) * 5, 1):
        yield {
            "__REALTIME_TIMESTAMP": after + number,
            "_HOSTNAME": "aubergine",
            "SYSLOG_IDENTIFIER": jail,
            "_COMM": jail,
            "_SYSTEMD_UNIT": f"{jail}.service",
            "_PID": 4711,
            "MESSAGE": line.format(_LAST[jail]),
        }


def _pyruse(folder: Path, journal: Path, setting: str) -> tuple[float, set[str]]:
    """:return: CPU seconds, and who is banned."""
    folder.mkdir(parents=True)
    config = folder / "pyruse.toml"
    config.write_text(SILENT.format(journal=journal, folder=folder) + CHAINS.read_text())
    program = [sys.executable, "-m", "pyruse"]
    with NetworkNamespace() as namespace:
        run = [*program, "run", "--once", "-c", str(config)]
        seconds = cpu_seconds([*namespace.prefix, "env", setting, *run])
    listed = subprocess.run(
        [*program, "bans", "-c", str(config), "--format", "json"],
        capture_output=True, check=True,
    )  # fmt: skip
    return seconds, {ban["ip"] for ban in json.loads(listed.stdout)}


def _fail2ban(folder: Path, journal: Path) -> tuple[float, set[str]]:
    """:return: CPU seconds, and who is banned."""
    files = {"jail.conf": _JAILS.format(journal=journal), "filter.d/misses.conf": _MISSES}
    command = fail2ban.server(folder, files)
    log = folder / "log"
    with NetworkNamespace() as namespace:
        process = subprocess.Popen(
            [*namespace.prefix, *command], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        end = time.monotonic() + _PATIENCE
        while not set(_LAST.values()) <= (banned := _banned(log)):
            if time.monotonic() > end or process.poll() is not None:
                process.kill()
                process.wait()
                raise RuntimeError(f"fail2ban did not ban {_LAST}: {log}")
            time.sleep(0.2)
        process.send_signal(signal.SIGTERM)
        return ended(process), banned


def _banned(log: Path) -> set[str]:
    text = log.read_text() if log.exists() else ""
    return set(re.findall(r"\] Ban (\S+)", text))
