"""Dovecot 2.3: people (and their phones) who read their mail, and guesses at their passwords."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from . import people
from .model import ERROR, MAIL, Day, Line, Program, clock, identity, port, steady_times

DOVECOT = Program("dovecot", "dovecot.service", "/usr/lib/dovecot/log", MAIL, comm="log")
"""Dovecot's processes hand what they log to one of its own, so that is whom journald sees."""
_PID = 1406

_BOXES = ("info", "contact", "sales", "office", "webmaster", "postmaster", "accounts", "hr")
_LOGGED_OUT = (
    "deleted={d} expunged={d} trashed=0 hdr_count={n} hdr_bytes={b} body_count=0 body_bytes=0"
)


class Guesses(NamedTuple):
    """Somebody who guesses passwords: from where, since when, every so many seconds."""

    address: str
    protocol: str
    start: str
    every: float
    attempts: int


ATTACKS = (
    Guesses(people.IMAP_FAST, "imap", "06:44", 19, 26),
    Guesses(people.POP3_SLOW, "pop3", "17:20", 420, 18),
)


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """All that dovecot logs in a day, but for deliveries."""
    for user, every in (("alice", 900), ("bob", 1500), ("carol", 1080)):
        for at in steady_times(rng, "00:03", every, int(86_000 / every)):
            yield from _reads(day, rng, at, user)
    for at in steady_times(rng, "00:20", 3600, 23):
        yield from _fetches(day, rng, at)
    for attack in ATTACKS:
        for at in steady_times(rng, attack.start, attack.every, attack.attempts):
            box = f"{rng.choice(_BOXES)}@example.org"
            yield _failed(rng, at, attack.protocol, box, attack.address)
    yield _failed(rng, clock("08:37:02"), "imap", "bob@example.org", people.HOMES["bob"])
    yield _failed(rng, clock("08:37:51"), "imap", "bob@example.org", people.HOMES["bob"])
    for at in steady_times(rng, "01:10", 7800, 11):
        yield from _looks(rng, at)
    broken = "Error: Mailbox INBOX: Corrupted index cache file /srv/mail/carol/dovecot.index.cache"
    text = f"imap(carol@example.org)<{day.pid(clock('11:20'))}><{_session(rng)}>: {broken}"
    yield DOVECOT.says(clock("11:20:44"), f"{text}: invalid record size", _PID, ERROR)


def saved(day: Day, rng: Random, at: float, user: str, message_id: str) -> Line:
    """A mail that postfix has delivered."""
    who = f"lmtp({user}@example.org)<{day.pid(at)}><{_session(rng)}>"
    return DOVECOT.says(at, f"{who}: msgid=<{message_id}>: saved mail to INBOX", _PID)


def _reads(day: Day, rng: Random, at: float, user: str) -> Iterator[Line]:
    session, pid, address = _session(rng), day.pid(at), people.PHONES[user]
    yield _login(at, "imap", f"{user}@example.org", address, f"mpid={pid}, TLS", session)
    count = rng.randrange(4)
    counts = _LOGGED_OUT.format(d=rng.randrange(2), n=count, b=count * rng.randrange(300, 900))
    amount = f"in={rng.randrange(90, 900)} out={rng.randrange(600, 9000)}"
    how = rng.choice(("Logged out", "Connection closed (IDLE finished 0.1 secs ago)"))
    who = f"imap({user}@example.org)<{pid}><{session}>"
    text = f"{who}: Disconnected: {how} {amount} {counts}"
    yield DOVECOT.says(at + 2 + 60 * rng.random(), text, _PID)


def _fetches(day: Day, rng: Random, at: float) -> Iterator[Line]:
    """Carol's old program in the office, which still uses POP3."""
    session, pid, box = _session(rng), day.pid(at), "carol@example.org"
    yield _login(at, "pop3", box, people.HOMES["carol"], f"mpid={pid}, TLS", session)
    count = rng.randrange(3)
    text = f"top=0/0, retr={count}/{count * 4211}, del={count}/{count}, size={count * 4195}"
    yield DOVECOT.says(
        at + 1.5, f"pop3({box})<{pid}><{session}>: Disconnected: Logged out {text}", _PID
    )


def _login(at: float, protocol: str, box: str, address: str, how: str, session: str) -> Line:
    lip = people.SERVER6 if ":" in address else people.SERVER
    text = f"user=<{box}>, method=PLAIN, rip={address}, lip={lip}, {how}, session=<{session}>"
    return DOVECOT.says(at, f"{protocol}-login: Login: {text}", _PID)


def _failed(rng: Random, at: float, protocol: str, box: str, address: str) -> Line:
    attempts = rng.randrange(1, 4)
    why = f"Connection closed (auth failed, {attempts} attempts in {attempts * 2 + 2} secs)"
    text = f"user=<{box}>, method=PLAIN, rip={address}, lip={people.SERVER}, TLS"
    return DOVECOT.says(
        at, f"{protocol}-login: Disconnected: {why}: {text}, session=<{_session(rng)}>", _PID
    )


def _looks(rng: Random, at: float) -> Iterator[Line]:
    """A scanner that does not even try a password."""
    address = f"192.0.2.{rng.randrange(160, 250)}"
    fault = "error:0A000102:SSL routines::unsupported protocol"
    why = rng.choice((
        "Connection closed (no auth attempts in 0 secs)",
        f"Connection closed: SSL_accept() failed: {fault} (no auth attempts in 1 secs)",
        "Inactivity (no auth attempts in 180 secs)",
    ))  # fmt: skip
    text = f"user=<>, rip={address}, lip={people.SERVER}, TLS handshaking"
    yield DOVECOT.says(
        at, f"imap-login: Disconnected: {why}: {text}, session=<{_session(rng)}>", _PID
    )


def _session(rng: Random) -> str:
    name = identity(f"{rng.random()}{port(rng)}")
    return base64.b64encode(bytes.fromhex(name)[:12]).decode()
