"""sshd (OpenSSH 9.2 with PAM) and sslh: people who log in, and programs that guess passwords."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any, NamedTuple

from . import people
from .model import (
    AUTH,
    AUTHPRIV,
    ERROR,
    INFO,
    NOTICE,
    WARNING,
    Day,
    Line,
    Program,
    clock,
    identity,
    port,
    steady_times,
)
from .sessions import FIRST_SESSION, in_session, session

SSHD = Program(
    "sshd",
    "ssh.service",
    "/usr/sbin/sshd",
    AUTH,
    cmdline="sshd: /usr/sbin/sshd -D [listener] 1 of 10-100 startups",
)
SSLH = Program("sslh", "sslh.service", "/usr/sbin/sslh", uid=114)

_NOBODY = ("admin", "test", "ubuntu", "oracle", "postgres", "git", "ftpuser", "pi", "support")
_NAMES = (*_NOBODY, "user", "guest", "deploy", "www", "mysql", "tomcat", "nagios", "jenkins")


class Attack(NamedTuple):
    """Somebody who guesses passwords: from where, since when, every so many seconds, for whom."""

    address: str
    start: str
    every: float
    attempts: int
    users: tuple[str, ...]


ATTACKS = (
    Attack(people.SSH_FAST, "02:13", 11, 64, ("root",)),
    Attack(people.SSH_DICTIONARY, "04:41", 17, 52, _NAMES),
    # A name that would have somebody else banned, if patterns did not look at the whole line.
    Attack(people.SSH_DICTIONARY, "04:58", 9, 6, (f"x from {people.HOMES['bob']} port 22 ssh2",)),
    Attack(people.SSH_IPV6, "14:03", 8, 28, ("root", "admin", "backup")),
    Attack(people.SSH_SLOW, "00:20", 2100, 40, _NAMES),
)
PROXIED = Attack(people.SSH_PROXIED, "22:16", 20, 9, ("root", "admin", "test"))

_SCANNED = (
    ("banner exchange: Connection from {ip} port {port}: invalid format", ERROR),
    ("error: kex_exchange_identification: Connection closed by remote host", ERROR),
    ("Connection closed by {ip} port {port} [preauth]", INFO),
    (
        "Unable to negotiate with {ip} port {port}: no matching key exchange method found. Their "
        "offer: diffie-hellman-group14-sha1,diffie-hellman-group1-sha1 [preauth]",
        INFO,
    ),
)
"""What scanners leave behind before they try to log in: the fault, and its priority."""


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """All that sshd and sslh log in a day."""
    for number, login in enumerate(people.LOGINS, FIRST_SESSION):
        yield from _logs_in(day, rng, login, number)
    for attack in ATTACKS:
        for at in steady_times(rng, attack.start, attack.every, attack.attempts):
            yield from _guesses(day, rng, at, rng.choice(attack.users), attack.address, port(rng))
    yield from _proxied(day, rng, PROXIED)
    for at in steady_times(rng, "00:40", 5400, 15):
        message, priority = rng.choice(_SCANNED)
        address = f"192.0.2.{rng.randrange(160, 250)}"
        text = message.format(ip=address, port=port(rng))
        yield SSHD.says(at, text, day.pid(at), priority)


def _logs_in(day: Day, rng: Random, login: people.Login, number: int) -> Iterator[Line]:
    at, user, address = clock(login.at) + 60 * rng.random(), login.user, login.address
    pid, client = day.pid(at), port(rng)
    sshd = _connection(at, pid)
    if login.errors:
        yield sshd(0, _pam_failure(address, user), NOTICE, SYSLOG_FACILITY=AUTHPRIV)
    for error in range(login.errors):
        yield sshd(2 + 5 * error, f"Failed password for {user} from {address} port {client} ssh2")
    after = 6.0 * (login.errors + 1)
    key = f": ED25519 SHA256:{identity(user)}" if login.method == "publickey" else ""
    yield sshd(after, f"Accepted {login.method} for {user} from {address} port {client} ssh2{key}")
    yield from session(day, at + after + 0.05, login, number, SSHD, pid)
    end = after + 60 * login.minutes - 0.5
    # By now the process has been moved from ssh.service into the scope of its session.
    scope = in_session(user, number)
    goodbye = f"Received disconnect from {address} port {client}:11: disconnected by user"
    yield sshd(end, goodbye, **scope)
    yield sshd(end + 0.01, f"Disconnected from user {user} {address} port {client}", **scope)


def _guesses(
    day: Day, rng: Random, at: float, user: str, address: str, client: int
) -> Iterator[Line]:
    """One connection of a program that guesses: a password or, at times, several."""
    sshd = _connection(at, day.pid(at))
    come_from = f"{address} port {client}"
    exists = user in people.UIDS
    if not exists:
        yield sshd(0, f"Invalid user {user} from {come_from}")
        yield sshd(0.2, "pam_unix(sshd:auth): check pass; user unknown", NOTICE, **_PAM)
    yield sshd(0.3, _pam_failure(address, user if exists else ""), NOTICE, **_PAM)
    whom = user if exists else f"invalid user {user}"
    whose = f"authenticating user {user}" if exists else f"invalid user {user}"
    failed = f"Failed password for {whom} from {come_from} ssh2"
    yield sshd(2, failed)
    how = rng.random()
    if how < 0.1:
        for again in range(1, 6):
            yield sshd(2 + 0.7 * again, failed)
        too_many = f"maximum authentication attempts exceeded for {whom} from {come_from} ssh2"
        yield sshd(6.1, f"error: {too_many} [preauth]", ERROR)
        text = f"Disconnecting {whose} {come_from}: Too many authentication failures [preauth]"
        yield sshd(6.2, text)
        others = _pam_failure(address, user if exists else "")
        others = others.replace("pam_unix(sshd:auth): authentication failure", "")
        yield sshd(6.3, f"PAM 5 more authentication failures{others}", NOTICE, **_PAM)
        yield sshd(6.4, "PAM service(sshd) ignoring max retries; 6 > 3", WARNING, **_PAM)
    elif how < 0.5:
        yield sshd(2.3, f"Connection closed by {whose} {come_from} [preauth]")
    else:
        yield sshd(2.3, f"Received disconnect from {come_from}:11: Bye Bye [preauth]")
        yield sshd(2.4, f"Disconnected from {whose} {come_from} [preauth]")


def _proxied(day: Day, rng: Random, attack: Attack) -> Iterator[Line]:
    """sshd sees only sslh's own address, whose log has the real one."""
    for at in steady_times(rng, attack.start, attack.every, attack.attempts):
        inner = port(rng)
        yield SSLH.says(
            at - 0.5,
            f"ssh:connection from {attack.address}:{port(rng)} to {people.SERVER}:443"
            f" forwarded from 127.0.0.1:{inner} to 127.0.0.1:22",
            1187,
        )
        yield from _guesses(day, rng, at, rng.choice(attack.users), "127.0.0.1", inner)


_PAM = {"SYSLOG_FACILITY": AUTHPRIV}


def _pam_failure(address: str, user: str) -> str:
    text = "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser="
    return f"{text} rhost={address}" + (f"  user={user}" if user else "")


def _connection(start: float, pid: int) -> Callable[..., Line]:
    """What makes the lines of one connection, which has a process of its own."""

    def says(after: float, message: str, priority: int = INFO, **more: Any) -> Line:
        return SSHD.says(start + after, message, pid, priority, **more)

    return says
