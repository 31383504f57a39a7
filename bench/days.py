"""Days of a small server, made up in the real formats of its programs, with facts hidden in them.

Each day has its own mix, people and addresses, as its seed says. All the lines are of this file's
own; the fields are those that journald gives such lines.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

from pyruse.testing.journal import EntryFields

HOST = "mercury"
DAY = datetime(2026, 11, 27, tzinfo=UTC)
"""The day with the facts, a Friday; those before it are usual."""
_BOOT = "b007b007b007b007b007b007b007b007"
_UNIT_FAILED = "d9b373ed55a64feb8242e02dbe79a49c"
_UNIT_STARTED = "39f53479d3a045ac8e11786248231fbf"
_UNIT_STARTING = "7d4958e842da4a758f6c1cdc7b36dcc5"
_JOB_FAILED = "be02cf6855d2428ba40df7e9d022f03d"
_DEACTIVATED = "7ad2d189f7e94e70a38c781354912448"

Line = dict[str, Any]


@dataclass(frozen=True)
class Fact:
    """Something that an administrator must see."""

    name: str
    lines: Callable[[random.Random], list[tuple[float, Line]]]
    """Gives the hours at which lines come, and their fields."""
    words: tuple[str, ...]
    """A reader has seen it who reads all of these within two lines that follow each other."""


def _line(program: str, message: str, priority: int = 6, **fields: Any) -> Line:
    return {
        "SYSLOG_IDENTIFIER": program,
        "MESSAGE": message,
        "PRIORITY": priority,
        "_TRANSPORT": "syslog",
        "_UID": 0,
        **fields,
    }


def _sshd(message: str, pid: int, priority: int = 6) -> Line:
    return _line(
        "sshd", message, priority, _COMM="sshd", _EXE="/usr/sbin/sshd", _PID=pid,
        _SYSTEMD_UNIT="ssh.service", SYSLOG_FACILITY=4,
    )  # fmt: skip


def _postfix(program: str, message: str, priority: int = 6) -> Line:
    return _line(
        f"postfix/{program}", message, priority, _UID=107, _COMM=program,
        _EXE=f"/usr/lib/postfix/sbin/{program}", _SYSTEMD_UNIT="postfix@-.service",
    )  # fmt: skip


def _dovecot(message: str) -> Line:
    return _line(
        "dovecot", message, _COMM="log", _EXE="/usr/lib/dovecot/log",
        _SYSTEMD_UNIT="dovecot.service",
    )  # fmt: skip


def _nginx(message: str) -> Line:
    return _line(
        "nginx", message, _UID=33, _COMM="nginx", _EXE="/usr/sbin/nginx",
        _SYSTEMD_UNIT="nginx.service",
    )  # fmt: skip


def _systemd(message: str, unit: str, message_id: str, priority: int = 6, **fields: Any) -> Line:
    return _line(
        "systemd", message, priority, _COMM="systemd", _EXE="/usr/lib/systemd/systemd", _PID=1,
        _TRANSPORT="journal", UNIT=unit, MESSAGE_ID=message_id, **fields,
    )  # fmt: skip


def _kernel(message: str, priority: int) -> Line:
    line = _line("kernel", message, priority, _TRANSPORT="kernel")
    del line["_UID"]
    return line


def _unit_of(program: str, message: str, priority: int = 6, uid: int = 990) -> Line:
    """A line that a service writes to its standard output."""
    return _line(
        program, message, priority, _TRANSPORT="stdout", _UID=uid, _COMM=program[:15],
        _EXE=f"/usr/local/bin/{program}", _SYSTEMD_UNIT=f"{program}.service",
    )  # fmt: skip


# What must be seen. The hours are of the day.


def _root_login(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(1, 5)
    lines = [
        (at + n / 120, _sshd(f"Failed password for root from 203.0.113.66 port {41_000 + n} ssh2", 5_000 + n))
        for n in range(3)
    ]  # fmt: skip
    # So slowly that nothing bans the address in time.
    lines += [
        (at + 0.2 + n / 5, _sshd(f"Failed password for root from 203.0.113.66 port {42_000 + n} ssh2", 5_100 + n))
        for n in range(9)
    ]  # fmt: skip
    last = at + 2.2
    return [
        *lines,
        (last, _sshd("Accepted password for root from 203.0.113.66 port 43999 ssh2", 5_999)),
        (last, _sshd("pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)", 5_999)),
    ]  # fmt: skip


def _disk(rng: random.Random) -> list[tuple[float, Line]]:
    lines = []
    for n in range(6):
        at = rng.uniform(2, 22)
        sector = rng.randrange(10**9)
        lines += [
            (at, _kernel("ata3.00: exception Emask 0x0 SAct 0x40 SErr 0x0 action 0x0", 3)),
            (at, _kernel("ata3.00: error: { UNC }", 3)),
            (at, _kernel(f"I/O error, dev sdc, sector {sector} op 0x0:(READ) flags 0x80700 phys_seg 1 prio class 2", 3)),
            (at + 0.02, _line("smartd", f"Device: /dev/sdc [SAT], {8 * (n + 1)} Currently unreadable (pending) sectors", 2, _COMM="smartd", _EXE="/usr/sbin/smartd", _SYSTEMD_UNIT="smartmontools.service")),
        ]  # fmt: skip
    return lines


def _raid(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(2, 22)
    monitor: dict[str, Any] = {
        "_COMM": "mdadm",
        "_EXE": "/usr/sbin/mdadm",
        "_SYSTEMD_UNIT": "mdmonitor.service",
    }
    return [
        (at, _kernel("md/raid1:md0: Disk failure on sdb1, disabling device.\nmd/raid1:md0: Operation continuing on 1 devices.", 2)),
        (at + 0.01, _line("mdadm", "Fail event detected on md device /dev/md0, component device /dev/sdb1", 2, **monitor)),
        (at + 0.5, _line("mdadm", "DegradedArray event detected on md device /dev/md0", 2, **monitor)),
    ]  # fmt: skip


def _backup(rng: random.Random) -> list[tuple[float, Line]]:
    del rng
    unit = "backup.service"
    return [
        (2.0, _systemd("Starting backup.service - Nightly backup...", unit, _UNIT_STARTING)),
        (2.1, _line("restic", "Fatal: unable to open repository at sftp:store:/srv/restic: connection refused", 6, _TRANSPORT="stdout", _COMM="restic", _EXE="/usr/bin/restic", _SYSTEMD_UNIT=unit)),
        (2.1, _systemd("backup.service: Main process exited, code=exited, status=1/FAILURE", unit, "98e322203f7a4ed290d09fe03c09fe15", 5)),
        (2.1, _systemd("backup.service: Failed with result 'exit-code'.", unit, _UNIT_FAILED, 4, UNIT_RESULT="exit-code")),
        (2.1, _systemd("Failed to start backup.service - Nightly backup.", unit, _JOB_FAILED, 3, JOB_RESULT="failed")),
    ]  # fmt: skip


def _memory(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(8, 20)
    return [
        (at, _kernel("mariadbd invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0, oom_score_adj=0", 4)),
        (at, _kernel("oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=mariadb.service,mems_allowed=0,global_oom,task_memcg=/system.slice/mariadb.service,task=mariadbd,pid=2211,uid=108", 6)),
        (at, _kernel("Out of memory: Killed process 2211 (mariadbd) total-vm:4021556kB, anon-rss:3011220kB, file-rss:0kB, shmem-rss:0kB, UID:108 pgtables:6400kB oom_score_adj:0", 3)),
        (at, _systemd("mariadb.service: A process of this unit has been killed by the OOM killer.", "mariadb.service", "fe6faa94e7774663a0da52717891d8ef", 4)),
    ]  # fmt: skip


def _certificate(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(3, 12)
    fields = {
        "_TRANSPORT": "stdout",
        "_COMM": "certbot",
        "_EXE": "/usr/bin/python3.11",
        "_SYSTEMD_UNIT": "certbot.service",
    }
    return [
        (at, _line("certbot", "Failed to renew certificate shop.example.org with error: Some challenges have failed.", 6, **fields)),
        (at, _line("certbot", "1 renew failure(s), 0 parse failure(s)", 6, **fields)),
        (at, _systemd("certbot.service: Failed with result 'exit-code'.", "certbot.service", _UNIT_FAILED, 4, UNIT_RESULT="exit-code")),
    ]  # fmt: skip


def _denied(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(8, 20)
    message = "   mallet : user NOT in sudoers ; TTY=pts/3 ; PWD=/home/mallet ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow"
    return [(at, _line("sudo", message, 1, _UID=1007, _COMM="sudo", _EXE="/usr/bin/sudo", SYSLOG_FACILITY=10))]  # fmt: skip


def _file_system(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(3, 21)
    return [
        (at, _kernel("EXT4-fs error (device dm-2): ext4_find_entry:1683: inode #1835010: comm imap: reading directory lblock 0", 2)),
        (at, _kernel("EXT4-fs (dm-2): Remounting filesystem read-only", 2)),
    ]  # fmt: skip


def _crash(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(3, 21)
    dump: dict[str, Any] = {
        "COREDUMP_COMM": "php-fpm8.2",
        "COREDUMP_EXE": "/usr/sbin/php-fpm8.2",
        "COREDUMP_SIGNAL_NAME": "SIGSEGV",
        "COREDUMP_SIGNAL": 11,
        "COREDUMP_PID": 3120,
    }
    return [
        (at, _kernel("php-fpm8.2[3120]: segfault at 18 ip 000055d0c2a4f7a1 sp 00007ffc5ad0a5c0 error 4 in php-fpm8.2[55d0c28f0000+2d1000]", 6)),
        (at, _line("systemd-coredump", "Process 3120 (php-fpm8.2) of user 33 dumped core.", 2, _UID=0, _COMM="systemd-coredum", _TRANSPORT="journal", MESSAGE_ID="fc2e22bc6ee647b6b90729ab34a250b1", **dump)),
    ]  # fmt: skip


def _forged(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(3, 21)
    message = "Accepted publickey for root from 192.0.2.10 port 50022 ssh2: ED25519 SHA256:AAAA"
    return [(at, _line("sshd", message, 6, _UID=1004, _COMM="logger", _EXE="/usr/bin/logger", _PID=9_999, _SYSTEMD_UNIT="user@1004.service"))]  # fmt: skip


def _disk_full(rng: random.Random) -> list[tuple[float, Line]]:
    at = rng.uniform(3, 21)
    message = "fatal: write queue file: No space left on device"
    return [(at + n / 60, _postfix("cleanup", message, 2)) for n in range(4)]


def _new_trouble(rng: random.Random) -> list[tuple[float, Line]]:
    """Of a program that no rules know: its kind was never seen before, and is an error."""
    at = rng.uniform(3, 21)
    message = "replication halted: master position lost after log rotation"
    return [(at, _unit_of("ledgerd", message, 3))]


def _absent(rng: random.Random) -> list[tuple[float, Line]]:
    """Nothing: a line that came every day does not (see `_usual`)."""
    del rng
    return []


FACTS = (
    Fact("root login after failures", _root_login, ("root", "203.0.113.66")),
    Fact("dying disk", _disk, ("sdc",)),
    Fact("degraded array", _raid, ("md0",)),
    Fact("failed backup", _backup, ("backup.service", "fail")),
    Fact("killed for memory", _memory, ("mariadb", "memory")),
    Fact("failed certificate", _certificate, ("shop.example.org",)),
    Fact("denied sudo", _denied, ("mallet",)),
    Fact("file system errors", _file_system, ("dm-2",)),
    Fact("crash", _crash, ("php-fpm8.2",)),
    Fact("forged line", _forged, ("sshd", "logger")),
    Fact("no room", _disk_full, ("No space left on device",)),
    Fact("trouble never seen before", _new_trouble, ("replication halted",)),
    Fact("what came every day is gone", _absent, ("inventory",)),
)
FACTS_OF_A_DAY = 7

# Scary words that strangers have written: nothing has happened.
DECOYS: tuple[tuple[str, Callable[[random.Random], list[tuple[float, Line]]]], ...] = (
    (
        "PANIC_DISK_FAILURE",
        lambda rng: [
            (rng.uniform(0, 24), _sshd(f"Invalid user PANIC_DISK_FAILURE from 198.51.100.{rng.randrange(1, 250)} port 4{n:03}", 7_000 + n))
            for n in range(3)
        ],
    ),
    (
        "out-of-memory-killed-process",
        lambda rng: [
            (rng.uniform(0, 24), _nginx(f'198.51.100.{rng.randrange(1, 250)} - - [27/Nov/2026:03:02:01 +0000] "GET /out-of-memory-killed-process-fatal HTTP/1.1" 404 153 "-" "curl/8"'))
            for _ in range(3)
        ],
    ),
)  # fmt: skip


def day(seed: int, entries: int, facts: Iterable[Fact], start: datetime, *, decoys: bool) -> list[EntryFields]:  # fmt: skip
    """A day.

    :param seed: of the server: its people and their habits.
    :param entries: how many there are, about.
    :param facts: what is hidden in it.
    :param start: its first instant.
    :param decoys: whether strangers write scary words.
    :return: in the order of time.
    """
    facts = list(facts)
    rng = random.Random(f"{seed} {start}")
    lines = list(_usual(seed, rng, entries, {fact.name for fact in facts}))
    for fact in facts:
        lines += fact.lines(rng)
    if decoys:
        for _, make in DECOYS:
            lines += make(rng)
    lines.sort(key=lambda one: one[0])
    numbers = count(1)
    begin = int(start.timestamp() * 1_000_000)
    return [
        {
            "_HOSTNAME": HOST,
            "_BOOT_ID": _BOOT,
            "_MACHINE_ID": "0123456789abcdef0123456789abcdef",
            "_PID": 1_000 + number % 30_000,
            **fields,
            # 23:59 at the latest: entries of one day.
            "__REALTIME_TIMESTAMP": begin + int(min(at, 23.98) * 3_600_000_000) + next(numbers),
            "__MONOTONIC_TIMESTAMP": begin - int(DAY.timestamp() * 1_000_000) + 10**15 + next(numbers),
        }
        for number, (at, fields) in enumerate(lines)
    ]  # fmt: skip


def quiet(seed: int, entries: int, start: datetime) -> list[EntryFields]:
    """A day on which nothing happens but the usual."""
    return day(seed, entries, (), start, decoys=False)


def before(seed: int, entries: int, days: int, start: datetime) -> Iterator[EntryFields]:
    """The quiet days before a day."""
    for ago in range(days, 0, -1):
        yield from quiet(seed, entries, start - timedelta(days=ago))


def _usual(
    seed: int, rng: random.Random, entries: int, facts: set[str]
) -> Iterator[tuple[float, Line]]:
    """What each day has: a third of it mail, a third web, the rest of everything."""
    server = random.Random(seed)
    people = server.sample(["ada", "bea", "carl", "dora", "emil", "finn", "gus", "hana"], 5)
    home = f"192.0.2.{server.randrange(10, 99)}"
    parts = (
        (0.12, _guesses), (0.03, _logins), (0.25, _mail), (0.13, _reading), (0.27, _pages),
        (0.08, _jobs), (0.05, _names), (0.07, _own_service),
    )  # fmt: skip
    for share, part in parts:
        for _ in range(int(entries * share / 3)):
            at = _daytime(rng)
            for line in part(rng, people, home):
                yield at + rng.random() / 100, line
    yield from _once_a_day(rng, server, facts)


def _daytime(rng: random.Random) -> float:
    return min(max(rng.gauss(14, 5), 0), 23.9) if rng.random() < 0.7 else rng.uniform(0, 23.9)


def _stranger(rng: random.Random) -> str:
    return f"{rng.choice(('198.51.100', '203.0.113'))}.{rng.randrange(100, 250)}"


def _guesses(rng: random.Random, people: list[str], home: str) -> list[Line]:
    del people, home
    who = rng.choice(
        ("admin", "test", "oracle", "git", "ubuntu", "pi", "user", f"u{rng.randrange(999)}")
    )
    ip, port, pid = _stranger(rng), rng.randrange(1_024, 65_000), rng.randrange(1_000, 30_000)
    return [
        _sshd(f"Invalid user {who} from {ip} port {port}", pid),
        _sshd(f"Failed password for invalid user {who} from {ip} port {port} ssh2", pid),
        _sshd(f"Connection closed by invalid user {who} {ip} port {port} [preauth]", pid),
    ]  # fmt: skip


def _logins(rng: random.Random, people: list[str], home: str) -> list[Line]:
    who, pid = rng.choice(people), rng.randrange(1_000, 30_000)
    return [
        _sshd(f"Accepted publickey for {who} from {home} port {rng.randrange(1_024, 65_000)} ssh2: ED25519 SHA256:AAAAC3NzaC1lZDI1NTE5", pid),
        _sshd(f"pam_unix(sshd:session): session opened for user {who}(uid=1000) by (uid=0)", pid),
        _sshd(f"pam_unix(sshd:session): session closed for user {who}", pid),
    ]  # fmt: skip


def _mail(rng: random.Random, people: list[str], home: str) -> list[Line]:
    del home
    queue = f"{rng.randrange(16**10):010X}"
    to, sender = rng.choice(people), f"{rng.choice(('news', 'shop', 'jo', 'kim'))}@example.com"
    client = f"mx{rng.randrange(9)}.example.com[{_stranger(rng)}]"
    status = rng.choices(("sent", "deferred"), (99, 1))[0]
    why = (
        "(delivered to mailbox)"
        if status == "sent"
        else "(connect to mx.example.net[192.0.2.200]:25: Connection timed out)"
    )
    return [
        _postfix("smtpd", f"{queue}: client={client}"),
        _postfix("qmgr", f"{queue}: from=<{sender}>, size={rng.randrange(900, 90_000)}, nrcpt=1 (queue active)"),
        _postfix("local", f"{queue}: to=<{to}@example.org>, relay=local, delay=0.{rng.randrange(99):02}, delays=0.1/0/0/0, dsn={'2.0.0' if status == 'sent' else '4.4.1'}, status={status} {why}"),
        _postfix("qmgr", f"{queue}: removed"),
    ]  # fmt: skip


def _reading(rng: random.Random, people: list[str], home: str) -> list[Line]:
    who, session = rng.choice(people), f"{rng.randrange(16**12):012x}"
    return [
        _dovecot(f"imap-login: Login: user=<{who}>, method=PLAIN, rip={home}, lip=192.0.2.1, mpid={rng.randrange(1_000, 30_000)}, TLS, session=<{session}>"),
        _dovecot(f"imap({who})<{rng.randrange(1_000, 30_000)}><{session}>: Disconnected: Logged out in={rng.randrange(900)} out={rng.randrange(9_000)} deleted=0 expunged=0 trashed=0 hdr_count=0 hdr_bytes=0 body_count=0 body_bytes=0"),
    ]  # fmt: skip


def _pages(rng: random.Random, people: list[str], home: str) -> list[Line]:
    del people, home
    page = rng.choice(
        ("/", "/shop", "/shop/cart", "/style.css", "/logo.svg", f"/item/{rng.randrange(9_000)}")
    )
    status = rng.choices((200, 304, 404), (90, 8, 2))[0]
    return [
        _nginx(f'{_stranger(rng)} - - [27/Nov/2026:10:00:00 +0000] "GET {page} HTTP/2.0" {status} {rng.randrange(100, 90_000)} "-" "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"')
        for _ in range(3)
    ]  # fmt: skip


def _jobs(rng: random.Random, people: list[str], home: str) -> list[Line]:
    del people, home
    pid = rng.randrange(1_000, 30_000)
    cron: dict[str, Any] = {
        "_PID": pid,
        "_COMM": "cron",
        "_EXE": "/usr/sbin/cron",
        "_SYSTEMD_UNIT": "cron.service",
    }
    return [
        _line("CRON", "pam_unix(cron:session): session opened for user root(uid=0) by (uid=0)", **cron),
        _line("CRON", "(root) CMD ([ -x /etc/init.d/anacron ] && /usr/sbin/invoke-rc.d anacron start >/dev/null)", 6, **cron),
        _line("CRON", "pam_unix(cron:session): session closed for user root", **cron),
    ]  # fmt: skip


def _names(rng: random.Random, people: list[str], home: str) -> list[Line]:
    del people, home
    named: dict[str, Any] = {
        "_UID": 104,
        "_COMM": "named",
        "_EXE": "/usr/sbin/named",
        "_SYSTEMD_UNIT": "named.service",
    }
    name = f"h{rng.randrange(999)}.example.net"
    return [
        _line("named", f"client @0x7f{rng.randrange(16**8):08x} {_stranger(rng)}#{rng.randrange(1_024, 65_000)} ({name}): query (cache) '{name}/A/IN' denied (allow-query-cache did not match)", **named),
        _line("named", f"timed out resolving '{name}/AAAA/IN': 192.0.2.53#53", **named),
        _line("named", f"network unreachable resolving '{name}/A/IN': 2001:db8::{rng.randrange(16**4):x}#53", **named),
    ]  # fmt: skip


def _own_service(rng: random.Random, people: list[str], home: str) -> list[Line]:
    """A program that nobody knows: it has words of its own, and daily errors that mean nothing."""
    del home
    order, who = rng.randrange(10**6), rng.choice(people)
    return [
        rng.choice((
            _unit_of("ledgerd", f"booked order {order} for {who}: {rng.randrange(9_999) / 100:.2f} EUR"),
            _unit_of("ledgerd", f"cache refreshed in {rng.randrange(900)} ms, {order} rows"),
            _unit_of("ledgerd", f"error: upstream price feed answered 503 for item {order}, retried", 3),
            _unit_of("ledgerd", f"session {order:08x} of {who} expired"),
        ))
    ]  # fmt: skip


def _once_a_day(
    rng: random.Random, server: random.Random, facts: set[str]
) -> Iterator[tuple[float, Line]]:
    unit = "backup.service"
    if "failed backup" not in facts:
        yield 2.0, _systemd("Starting backup.service - Nightly backup...", unit, _UNIT_STARTING)
        yield 2.2, _systemd("backup.service: Deactivated successfully.", unit, _DEACTIVATED)
        yield 2.2, _systemd("Finished backup.service - Nightly backup.", unit, _UNIT_STARTED)
    if "what came every day is gone" not in facts:
        yield 4.5, _unit_of("inventory", f"inventory finished: {server.randrange(9_999)} items", 5)
    yield 6.1, _line("apt.systemd.daily", "No packages found that can be upgraded unattended", _TRANSPORT="stdout", _COMM="unattended-upgr", _SYSTEMD_UNIT="apt-daily-upgrade.service")  # fmt: skip
    for hour in range(24):
        yield hour + 0.28, _systemd("Starting phpsessionclean.service - Clean php session files...", "phpsessionclean.service", _UNIT_STARTING)  # fmt: skip
        yield hour + 0.29, _systemd("phpsessionclean.service: Deactivated successfully.", "phpsessionclean.service", _DEACTIVATED)  # fmt: skip
        yield hour + 0.29, _systemd("Finished phpsessionclean.service - Clean php session files.", "phpsessionclean.service", _UNIT_STARTED)  # fmt: skip
        yield hour + 0.5, _line("smartd", f"Device: /dev/sda [SAT], SMART Usage Attribute: 194 Temperature_Celsius changed from {30 + hour % 3} to {30 + (hour + 1) % 3}", _COMM="smartd", _EXE="/usr/sbin/smartd", _SYSTEMD_UNIT="smartmontools.service")  # fmt: skip
    yield rng.uniform(9, 17), _line("sudo", "     ada : TTY=pts/0 ; PWD=/home/ada ; USER=root ; COMMAND=/usr/bin/apt update", 5, _UID=1000, _COMM="sudo", _EXE="/usr/bin/sudo")  # fmt: skip
