"""Postfix 3.7: mail that comes and goes, mail that does not, and guesses at passwords (SASL)."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import NamedTuple

from . import people
from .mailboxes import saved
from .model import (
    INFO,
    MAIL,
    WARNING,
    Day,
    Line,
    Program,
    busy_times,
    clock,
    identity,
    steady_times,
)

UID = 106
_HERE = "aubergine.example.org"


def _postfix(service: str, program: str = "") -> Program:
    return Program(
        f"postfix/{service}",
        "postfix@-.service",
        f"/usr/lib/postfix/sbin/{program or service}",
        MAIL,
        uid=UID,
        slice="system.slice/system-postfix.slice",
    )


SMTPD = _postfix("smtpd")
SUBMISSION = _postfix("submission/smtpd", "smtpd")
CLEANUP, QMGR, SMTP, LMTP = (_postfix(name) for name in ("cleanup", "qmgr", "smtp", "lmtp"))
BOUNCE, ANVIL = _postfix("bounce"), _postfix("anvil")
_QMGR_PID = 2311


class Peer(NamedTuple):
    """Another mail server."""

    host: str
    address: str
    senders: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.host}[{self.address}]"


PEERS = (
    Peer("mail.example.net", "203.0.113.25", ("newsletter@example.net", "shop@example.net")),
    Peer("mx.example.com", "198.51.100.25", ("list-bounces@example.com", "info@example.com")),
    Peer("mx6.example.com", "2001:db8:c0:25::25", ("billing@example.com", "hello@example.com")),
)

_REFUSED = (
    (
        "09:41",
        "nobody@example.com",
        "bounced",
        "5.1.1",
        "host mx.example.com[198.51.100.25] said: 550 5.1.1 <nobody@example.com>: Recipient "
        "address rejected: User unknown in virtual mailbox table (in reply to RCPT TO command)",
    ),
    (
        "14:55",
        "sales@example.net",
        "bounced",
        "5.2.2",
        "host mail.example.net[203.0.113.25] said: 552 5.2.2 <sales@example.net>: Mailbox full "
        "(in reply to end of DATA command)",
    ),
    (
        "16:02",
        "office@slow.example.net",
        "deferred",
        "4.4.1",
        "connect to slow.example.net[203.0.113.26]:25: Connection timed out",
    ),
)
"""Outgoing mail that goes wrong: when, to whom, and what the other side says."""

_REJECTED = (
    "NOQUEUE: reject: RCPT from {who}: 554 5.7.1 Service unavailable; Client host [{ip}] blocked "
    "using dnsbl.example.net; from=<{sender}> to=<info@example.org> proto=ESMTP helo=<{helo}>",
    "NOQUEUE: reject: RCPT from {who}: 454 4.7.1 <relay-test@example.com>: Relay access denied; "
    "from=<{sender}> to=<relay-test@example.com> proto=SMTP helo=<{helo}>",
    "NOQUEUE: reject: RCPT from {who}: 550 5.1.1 <webmaster@example.org>: Recipient address "
    "rejected: User unknown in local recipient table; from=<{sender}> "
    "to=<webmaster@example.org> proto=ESMTP helo=<{helo}>",
)
"""What unwelcome mail servers try, and what postfix says to it."""
_GONE = ("CONNECT", "EHLO", "STARTTLS", "UNKNOWN")


class Guesses(NamedTuple):
    """Somebody who guesses passwords: from where, since when, every so many seconds."""

    address: str
    start: str
    every: float
    attempts: int
    program: Program


ATTACKS = (
    Guesses(people.SASL_FAST, "03:52", 14, 44, SUBMISSION),
    Guesses(people.SASL_SLOW, "10:04", 560, 34, SMTPD),
)
_PASSWORD = "UGFzc3dvcmQ6"  # "Password:" in Base64: postfix logs the last challenge


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """All that postfix logs in a day."""
    for at in busy_times(rng, 118):
        yield from _comes(day, rng, at)
    for at in busy_times(rng, 46):
        yield from _goes(day, rng, at, rng.choice(("alice", "bob", "carol")))
    for start, to, status, dsn, why in _REFUSED:
        yield from _refused(day, rng, clock(start), to, status, dsn, why)
    for at in busy_times(rng, 110):
        yield from _unwelcome(day, rng, at)
    for attack in ATTACKS:
        for at in steady_times(rng, attack.start, attack.every, attack.attempts):
            yield from _guess(day, at, attack.address, attack.program)
    yield from _guess(day, clock("12:18:20"), people.PHONES["carol"], SUBMISSION)
    for at in steady_times(rng, "00:15", 1750, 48):
        yield from _statistics(day, rng, at)


def _comes(day: Day, rng: Random, at: float) -> Iterator[Line]:
    """A mail from elsewhere to one of the users, delivered by LMTP to dovecot."""
    peer, user, queue_id = rng.choice(PEERS), rng.choice(("alice", "bob", "carol")), _queue_id(rng)
    smtpd, other, sender = day.pid(at), day.pid(at) + 2, rng.choice(peer.senders)
    message_id = f"{identity(queue_id)[:20]}@{peer.host}"
    yield SMTPD.says(at, f"connect from {peer}", smtpd)
    yield SMTPD.says(at + 0.2, f"{queue_id}: client={peer}", smtpd)
    yield CLEANUP.says(at + 0.25, f"{queue_id}: message-id=<{message_id}>", other)
    size = rng.randrange(2_000, 90_000)
    active = f"{queue_id}: from=<{sender}>, size={size}, nrcpt=1 (queue active)"
    yield QMGR.says(at + 0.4, active, _QMGR_PID)
    goodbye = "ehlo=2 starttls=1 mail=1 rcpt=1 bdat=1 quit=1 commands=7"
    yield SMTPD.says(at + 0.5, f"disconnect from {peer} {goodbye}", smtpd)
    yield saved(day, rng, at + 0.55, user, message_id)
    yield LMTP.says(
        at + 0.6,
        f"{queue_id}: to=<{user}@example.org>, relay={_HERE}[private/dovecot-lmtp], delay=0.42,"
        f" delays=0.35/0.01/0.01/0.05, dsn=2.0.0, status=sent (250 2.0.0 <{user}@example.org>"
        f" {identity(message_id)[:22]} Saved)",
        other + 3,
    )
    yield QMGR.says(at + 0.61, f"{queue_id}: removed", _QMGR_PID)


def _submitted(
    day: Day, rng: Random, at: float, user: str, queue_id: str, size: int
) -> Iterator[Line]:
    """A user's own mail, up to its place in the queue."""
    pid, client = day.pid(at), f"unknown[{people.PHONES[user]}]"
    yield SUBMISSION.says(at, f"connect from {client}", pid)
    sasl = f"sasl_method=PLAIN, sasl_username={user}@example.org"
    yield SUBMISSION.says(at + 0.4, f"{queue_id}: client={client}, {sasl}", pid)
    message_id = f"{identity(queue_id)[:8]}-{rng.randrange(10**6)}@example.org"
    yield CLEANUP.says(at + 0.5, f"{queue_id}: message-id=<{message_id}>", pid + 1)
    active = f"{queue_id}: from=<{user}@example.org>, size={size}, nrcpt=1 (queue active)"
    yield QMGR.says(at + 0.7, active, _QMGR_PID)
    goodbye = "ehlo=2 starttls=1 auth=1 mail=1 rcpt=1 data=1 quit=1 commands=8"
    yield SUBMISSION.says(at + 0.8, f"disconnect from {client} {goodbye}", pid)


def _goes(day: Day, rng: Random, at: float, user: str) -> Iterator[Line]:
    queue_id, peer = _queue_id(rng), rng.choice(PEERS)
    yield from _submitted(day, rng, at, user, queue_id, rng.randrange(900, 40_000))
    to = rng.choice(("shop", "info", "hello")) + "@" + peer.host.partition(".")[2]
    yield SMTP.says(
        at + 1.9,
        f"{queue_id}: to=<{to}>, relay={peer}:25, delay=1.5, delays=0.3/0.02/0.5/0.68,"
        f" dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as {_queue_id(rng)})",
        day.pid(at) + 4,
    )
    yield QMGR.says(at + 1.91, f"{queue_id}: removed", _QMGR_PID)


def _refused(
    day: Day, rng: Random, at: float, to: str, status: str, dsn: str, why: str
) -> Iterator[Line]:
    """A user's mail that does not arrive: it comes back, or waits."""
    queue_id, user, pid = _queue_id(rng), "alice", day.pid(at)
    yield from _submitted(day, rng, at, user, queue_id, rng.randrange(900, 9_000))
    relay = "none" if status == "deferred" else why.split()[1] + ":25"
    yield SMTP.says(
        at + 2,
        f"{queue_id}: to=<{to}>, relay={relay}, delay=1.8, delays=0.3/0.02/0.9/0.6, dsn={dsn},"
        f" status={status} ({why})",
        pid + 4,
    )
    if status == "bounced":
        notice = _queue_id(rng)
        text = f"{queue_id}: sender non-delivery notification: {notice}"
        yield BOUNCE.says(at + 2.1, text, pid + 6)
        active = f"{notice}: from=<>, size=3411, nrcpt=1 (queue active)"
        yield QMGR.says(at + 2.2, active, _QMGR_PID)
        yield QMGR.says(at + 2.3, f"{queue_id}: removed", _QMGR_PID)


def _unwelcome(day: Day, rng: Random, at: float) -> Iterator[Line]:
    """Somebody who only looks, or has nothing that we want."""
    address, pid = f"192.0.2.{rng.randrange(60, 140)}", day.pid(at)
    who = f"unknown[{address}]"
    if rng.random() < 0.2:
        name = f"host-{address.rpartition('.')[2]}.example.com"
        warning = f"warning: hostname {name} does not resolve to address {address}"
        yield SMTPD.says(at, f"{warning}: Name or service not known", pid, WARNING)
    yield SMTPD.says(at + 0.1, f"connect from {who}", pid)
    how = rng.random()
    if how < 0.3:
        text = rng.choice(_REJECTED).format(
            who=who, ip=address, sender="offer@example.com", helo=f"[{address}]"
        )
        yield SMTPD.says(at + 1, text, pid)
        goodbye = "helo=1 mail=1 rcpt=0/1 commands=2/3"
        yield SMTPD.says(at + 1.3, f"disconnect from {who} {goodbye}", pid)
    elif how < 0.4:
        yield SMTPD.says(at + 0.5, f"SSL_accept error from {who}: -1", pid)
        fault = "error:0A0000C1:SSL routines::no shared cipher:../ssl/statem/statem_srvr.c:2220:"
        yield SMTPD.says(at + 0.51, f"warning: TLS library problem: {fault}", pid, WARNING)
        yield SMTPD.says(at + 0.6, f"lost connection after STARTTLS from {who}", pid)
        yield SMTPD.says(at + 0.7, f"disconnect from {who} ehlo=1 starttls=0/1 commands=1/2", pid)
    else:
        yield SMTPD.says(at + 2, f"lost connection after {rng.choice(_GONE)} from {who}", pid)
        yield SMTPD.says(at + 2.1, f"disconnect from {who} commands=0/0", pid)


def _guess(day: Day, at: float, address: str, program: Program) -> Iterator[Line]:
    pid, who = day.pid(at), f"unknown[{address}]"
    yield program.says(at, f"connect from {who}", pid)
    warning = f"warning: {who}: SASL LOGIN authentication failed: {_PASSWORD}"
    yield program.says(at + 2, warning, pid, WARNING)
    yield program.says(at + 2.4, f"lost connection after AUTH from {who}", pid)
    yield program.says(at + 2.5, f"disconnect from {who} ehlo=1 auth=0/1 commands=1/2", pid)


def _statistics(day: Day, rng: Random, at: float) -> Iterator[Line]:
    pid, when = day.pid(at), f"{day.time(at - 200):%b %e %H:%M:%S}"
    client = f"(smtp:192.0.2.{rng.randrange(60, 140)}) at {when}"
    yield ANVIL.says(at, f"statistics: max connection rate 1/60s for {client}", pid, INFO)
    yield ANVIL.says(at + 0.01, f"statistics: max connection count 1 for {client}", pid, INFO)
    yield ANVIL.says(at + 0.02, f"statistics: max cache size {rng.randrange(1, 5)} at {when}", pid)


def _queue_id(rng: Random) -> str:
    return f"{rng.randrange(0x1000000000, 0xFFFFFFFFFF):010X}"
