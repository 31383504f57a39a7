"""A journal that leads entries through every chain of ``pyruse1_full.json``, the same each time.

The mix has what real journals have and simple tests forget: text in an 8-bit encoding, entries
without a message, priority or program, IPv6, IPv4 written in IPv6, and "addresses" that are none,
one of them an attempt to run commands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

Fields = dict[str, str | bytes | int | list[str]]
Event = tuple[float, Fields]
"""What happens after how many seconds."""

COUNT = 30_000
START = 1_709_600_400_000_000
"""2024-03-05 01:00 UTC, in µs: the entries end on the same day, here and in most of Europe."""

ATTACKERS = [
    *(f"203.0.113.{n}" for n in range(1, 16)),
    *(f"2001:db8:bad::{n:x}" for n in range(9, 14)),
    *(f"::ffff:203.0.113.{n}" for n in range(14, 20)),
]
NO_ADDRESSES = [
    "attacker.example",
    "203.0.113.300",
    "1.2.3.4};delete",
    "::ffff:",
    "localhost",
    "2001:db8::/32",
]
OWN = ["192.0.2.44", "198.51.100.77", "2001:db8:cafe::5", "::ffff:192.0.2.9"]
USERS = ["root", "daemon", "bin"]
NO_USERS = ["oracle-db", "admin7", "Ünknown", ""]


def entries(count: int = COUNT, seed: int = 1) -> Iterator[Mapping[str, Any]]:
    """Journal entries, in order of time."""
    rng = Random(seed)
    stories = list(STORIES)
    weights = list(STORIES.values())
    time = START
    while True:
        [story] = rng.choices(stories, weights)
        for delay, fields in story(rng):
            # Never a whole number of seconds: no entry stands at the very end of a span of time.
            time += int(delay * 1_000_000) + rng.randrange(1, 1_000_000)
            common: Fields = {"__REALTIME_TIMESTAMP": time, "_HOSTNAME": "mail", "PRIORITY": 6}
            yield {name: value for name, value in {**common, **fields}.items() if value != ABSENT}
            count -= 1
            if count == 0:
                return


ABSENT = "<absent>"
"""The value of a field that the entry does not have."""


def line(program: str, message: str | bytes, **fields: str | bytes | int | list[str]) -> Fields:
    return {"SYSLOG_IDENTIFIER": program, "MESSAGE": message, **fields}


def background(rng: Random) -> Iterator[Event]:
    for _ in range(rng.randrange(1, 40)):
        program = rng.choice(["systemd", "systemd", "dbus-daemon", "CRON", "qmgr"])
        unit = f"unit-{rng.randrange(40)}.service"
        yield rng.random() / 4, line(program, f"{unit}: Succeeded.", _PID=rng.randrange(1, 4000))


def chatter(rng: Random) -> Iterator[Event]:
    program = rng.choice(["systemd", "postfix", "named", "oldapp"])
    priority = rng.choice([3, 4, 5, 6, 7])
    yield rng.random(), line(program, f"state {rng.randrange(9)}", PRIORITY=priority)


def oddities(rng: Random) -> Iterator[Event]:
    odd: list[Fields] = [
        {"SYSLOG_IDENTIFIER": "silent"},
        {"SYSLOG_IDENTIFIER": "silent", "PRIORITY": ABSENT},
        {"MESSAGE": "nobody said this"},
        line("empty", ""),
        line("templates", "{ip} {0} {} {{MESSAGE}} %s %d"),
        line("lines", "one\ntwo\n\tthree"),
        line("several", "documented", DOCUMENTATION=["man:one(1)", "man:two(2)"]),
        line("utf8", "naïve — 漢字 🚆"),
        line("latin", "d\u00e9j\u00e0 vu".encode("iso-8859-15"), PRIORITY=3),
    ]
    yield rng.random(), rng.choice(odd)


def emergency(rng: Random) -> Iterator[Event]:
    yield 1, line("mdadm", "RAID is degraded", PRIORITY=rng.randrange(2), _PID=rng.randrange(99))


def kernel(rng: Random) -> Iterator[Event]:
    for _ in range(rng.randrange(1, 4)):
        message = rng.choice(
            [
                f"sd{rng.choice('abc')}: I/O error, dev sda",
                f"device eth{rng.randrange(3)} link is {rng.choice(['up', 'down'])}",
                f"Killed process {rng.randrange(500, 40000)} ({rng.choice(['java', 'clamd'])})",
                "something else",
            ]
        )
        yield rng.random() * 2, line("kernel", message, _TRANSPORT="kernel", PRIORITY=4)


def web(rng: Random) -> Iterator[Event]:
    ip = rng.choice(ATTACKERS + NO_ADDRESSES[:3])
    for _ in range(rng.choice([1, 1, 2, 2, 3, 5, 8])):
        path = rng.choice(["/wp-login.php", "/.env", "/index.html?a=1&b=2", "/ "])
        status = rng.choice([200, 404, 404, 404])
        yield rng.random() * 10, line("nginx", f'{ip} - - "GET {path} HTTP/1.1" {status} 153')


def proxied(rng: Random) -> Iterator[Event]:
    """Failed logins through the proxy, in another order than the connections.

    The proxy's ports are used again before long, and for two servers at the same time.
    """
    clients = rng.choices(ATTACKERS, k=rng.choice([1, 2]))
    connections = []
    for _ in range(rng.choice([1, 2, 4, 7])):
        via, port = rng.choice(["192.0.2.10", "192.0.2.11"]), str(rng.randrange(50000, 50006))
        server = rng.choice(["192.0.2.20", "192.0.2.21"])
        connections.append((via, port, server))
        source = f"{rng.choice(clients)} {rng.randrange(1024, 65536)}"
        message = f"connect {source} via {via} {port} to {server} 993"
        yield rng.random() * 5, line("haproxy", message)
    rng.shuffle(connections)
    for via, port, server in connections:
        delay = rng.choice([1, 1, 1, 10, 20, 148, 149, 150])
        yield delay, dovecot(rng, via, port, server, rng.choice(["993", "993", "143"]))


def forwarded(rng: Random) -> Iterator[Event]:
    client = rng.choice(ATTACKERS)
    for _ in range(rng.choice([1, 2, 3])):
        port = str(rng.randrange(40000, 40004))
        server = rng.choice(["", "192.0.2.25", "192.0.2.26"])
        destination = f" DST={server}" if server else ""
        yield 1, line("haproxy", f"forward SRC={client} PORT={port}{destination}")
        delay = rng.choice([1, 1, 20, 61, 62, 63])
        yield delay, dovecot(rng, "192.0.2.1", port, server or "192.0.2.25", "993")
    yield 1, line("haproxy", "backend is up")


def dovecot(rng: Random, rip: str, rport: str, lip: str, lport: str) -> Fields:
    return line(
        "dovecot",
        f"imap-login: auth failed: user=<{rng.choice(USERS + NO_USERS)}>, method=PLAIN, "
        f"rip={rip}, rport={rport}, lip={lip}, lport={lport}, TLS",
    )


def ssh_attack(rng: Random) -> Iterator[Event]:
    ip = rng.choice(ATTACKERS + OWN + NO_ADDRESSES)
    for _ in range(rng.choice([1, 2, 5, 9])):
        user = rng.choice(USERS * 2 + NO_USERS)
        invalid = "invalid user " if user not in USERS else ""
        message = f"Failed password for {invalid}{user} from {ip} port {rng.randrange(1024, 65536)}"
        yield rng.random() * 20, line("sshd", message, _UID=0)
        if not rng.randrange(4):
            yield 0, line("sshd", f"Connection closed by {ip}")


def ssh_login(rng: Random) -> Iterator[Event]:
    ip = rng.choice(ATTACKERS + OWN)
    yield 1, line("sshd", f"Accepted publickey for {rng.choice(USERS)} from {ip} port 1 ssh2")


def pam(rng: Random) -> Iterator[Event]:
    rhost = rng.choice([*ATTACKERS, *NO_ADDRESSES, ""])
    program = rng.choice(["su", "sshd", "vsftpd"])
    user = rng.choice(["", " user=root", "  user=alice"])
    start = f"pam_unix({program}:auth): authentication failure; logname= uid=0 euid=0"
    for _ in range(rng.choice([1, 1, 2])):
        yield 2, line(program, f"{start} tty=x ruser= rhost={rhost}{user}", PRIORITY=5)


def session(rng: Random) -> Iterator[Event]:
    user, ip = rng.choice(["alice", "bob", "mallory"]), rng.choice(ATTACKERS)
    yield 1, line("vsftpd", f"session opened for user {user} from {ip}")


def legacy(rng: Random) -> Iterator[Event]:
    price = f"{rng.randrange(2, 5)},{rng.choice(['00', '50'])} €"
    message = f"Café {rng.choice('ABC')}{rng.randrange(3)}: {price}"
    yield 1, line("oldapp", message.encode(rng.choice(["iso-8859-15", "utf-8"])))


def impostor(rng: Random) -> Iterator[Event]:
    """A program that repeats what others would say: it is none of them."""
    story = rng.choice([kernel, web, proxied, forwarded, ssh_attack, ssh_login, legacy])
    for delay, fields in story(rng):
        yield delay / 10, {**fields, "SYSLOG_IDENTIFIER": "echo", "_TRANSPORT": "stdout"}


STORIES: dict[Callable[[Random], Iterator[Event]], int] = {
    background: 140,
    chatter: 300,
    oddities: 80,
    emergency: 4,
    kernel: 20,
    web: 60,
    proxied: 10,
    forwarded: 10,
    ssh_attack: 30,
    ssh_login: 40,
    pam: 40,
    session: 15,
    legacy: 30,
    impostor: 20,
}
"""What happens, and how often."""
