"""sudo, su and cron: who acts as somebody else, or would like to, or pretends to be it."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any

from . import people
from .model import ALERT, AUTH, AUTHPRIV, CRON, NOTICE, Day, Line, Program, clock
from .sessions import FIRST_SESSION, in_session

SUDO = Program("sudo", "session.scope", "/usr/bin/sudo", AUTHPRIV)
SU = Program("su", "session.scope", "/usr/bin/su", AUTHPRIV)
FORGER = Program("sshd", "session.scope", "/usr/bin/logger", uid=people.UIDS["carol"])
CROND = Program("CRON", "cron.service", "/usr/sbin/cron", CRON, comm="cron")

_COMMANDS = (
    ("08:40", "alice", "/usr/bin/apt update"),
    ("08:44", "alice", "/usr/bin/systemctl reload nginx"),
    ("08:52", "alice", "/usr/bin/journalctl -u nginx"),
    ("09:21", "bob", "/usr/sbin/postqueue -p"),
    ("11:49", "alice", "/usr/sbin/nft list ruleset"),
    ("17:30", "alice", "/usr/sbin/smartctl --all /dev/sdb"),
)
"""Who runs what with sudo: the time, the user, the command."""

_JOBS = (
    (10, 0, "www-data", "php /srv/www/cron.php"),
    (60, 17, "root", "   cd / && run-parts --report /etc/cron.hourly"),
    (720, 25, "root", "cd / && run-parts --report /etc/cron.daily"),
    (240, 3, "alice", "/home/alice/bin/photos --sync"),
)
"""What cron does: every so many minutes (from that minute on), as whom, which command."""


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """All that sudo, su and cron log in a day."""
    for time, user, command in _COMMANDS:
        yield from _sudo(day, clock(time) + 50 * rng.random(), user, command)
    yield from _sudo_failures(day)
    yield from _su(day)
    yield from _forged(day)
    for every, first, user, command in _JOBS:
        for minute in range(first, 1440, every):
            yield from _cron(day, 60 * minute + 1 + rng.random(), user, command)


def _sudo(day: Day, at: float, user: str, command: str) -> Iterator[Line]:
    pid, inside, uid = day.pid(at), _inside(user, at), people.UIDS[user]
    yield SUDO.says(at, _command(user, command), pid, NOTICE, **inside)
    opened = f"session opened for user root(uid=0) by {user}(uid={uid})"
    yield SUDO.says(at + 0.01, f"pam_unix(sudo:session): {opened}", pid, **inside)
    closed = "pam_unix(sudo:session): session closed for user root"
    yield SUDO.says(at + 3, closed, pid, **inside)


def _sudo_failures(day: Day) -> Iterator[Line]:
    """Bob forgets his password; Carol is no administrator."""
    at = clock("15:31:07")
    pid, inside = day.pid(at), _inside("bob", at)
    yield SUDO.says(at, _pam_failure("sudo", "bob", "bob"), pid, NOTICE, **inside)
    wrong = "3 incorrect password attempts"
    text = _command("bob", "/usr/bin/cat /etc/shadow", wrong)
    yield SUDO.says(at + 14, text, pid, ALERT, **inside)
    at = clock("16:37:40")
    text = _command("carol", "/usr/bin/apt install solitaire", "user NOT in sudoers")
    yield SUDO.says(at, text, day.pid(at), ALERT, **_inside("carol", at))


def _su(day: Day) -> Iterator[Line]:
    at = clock("11:52:30")
    pid, inside = day.pid(at), _inside("alice", at)
    yield SU.says(at, "(to root) alice on pts/0", pid, NOTICE, SYSLOG_FACILITY=AUTH, **inside)
    opened = "session opened for user root(uid=0) by alice(uid=1000)"
    yield SU.says(at + 0.1, f"pam_unix(su-l:session): {opened}", pid, **inside)
    closed = "pam_unix(su-l:session): session closed for user root"
    yield SU.says(at + 300, closed, pid, **inside)
    at = clock("15:33:18")
    pid, inside = day.pid(at), _inside("bob", at)
    yield SU.says(at, _pam_failure("su-l", "bob", "root"), pid, NOTICE, **inside)
    failed = "FAILED SU (to root) bob on pts/1"
    yield SU.says(at + 2, failed, pid, NOTICE, SYSLOG_FACILITY=AUTH, **inside)


def _forged(day: Day) -> Iterator[Line]:
    """Carol would have Bob banned: anybody may log under any name, but not as root."""
    at = clock("14:40")
    for number in range(6):
        client = f"{people.HOMES['bob']} port {40_000 + number}"
        text = f"Failed password for root from {client} ssh2"
        yield FORGER.says(at + number, text, day.pid(at) + number, NOTICE, **_inside("carol", at))


def _cron(day: Day, at: float, user: str, command: str) -> Iterator[Line]:
    pid, uid = day.pid(at), {"www-data": 33, **people.UIDS}[user]
    pam = {"SYSLOG_FACILITY": AUTHPRIV}
    opened = f"pam_unix(cron:session): session opened for user {user}(uid={uid}) by (uid=0)"
    yield CROND.says(at, opened, pid, **pam)
    yield CROND.says(at + 0.01, f"({user}) CMD ({command})", pid + 1)
    closed = f"pam_unix(cron:session): session closed for user {user}"
    yield CROND.says(at + 0.4, closed, pid, **pam)


def _command(user: str, command: str, fault: str = "") -> str:
    """What sudo says of a command; it writes names right-aligned."""
    where = f"TTY=pts/0 ; PWD=/home/{user} ; USER=root ; COMMAND={command}"
    return f"{user:>8} : " + (f"{fault} ; " if fault else "") + where


def _pam_failure(service: str, user: str, whom: str) -> str:
    uid = people.UIDS[user]
    who = f"logname={user} uid={uid} euid=0 tty=/dev/pts/1 ruser={user} rhost=  user={whom}"
    return f"pam_unix({service}:auth): authentication failure; {who}"


def _inside(user: str, at: float) -> dict[str, Any]:
    """The fields of the session that the user has at that time."""
    for number, login in enumerate(people.LOGINS, FIRST_SESSION):
        begins = clock(login.at)
        if login.user == user and begins <= at <= begins + 60 * login.minutes:
            return in_session(user, number)
    raise ValueError(f"{user} is not logged in at {at / 3600:.2f} h")
