"""A day on which much happened, as a report holds it; made by hand."""

from __future__ import annotations

from datetime import timedelta

from pyruse.api.findings import Column, KindRow, Unusual
from pyruse.api.report import Report, Section
from tests.report.sample import at, empty, full


def kind(
    section: Section,
    template: str,
    messages: list[tuple[str, int]],
    *,
    different: int | None = None,
    program: str = "",
    level: int | None = None,
    is_new: bool = False,
    hours: tuple[int, int] = (1, 22),
) -> KindRow:
    """A kind of events."""
    first, last = at(hours[0], 4), at(hours[1], 30)
    count = sum(count for _, count in messages)
    return KindRow(
        id=f"{program}-{template}"[:20],
        section=section,
        program=program,
        template=template,
        level=level,
        count=count,
        first=first,
        last=first if count == 1 else last,
        messages=messages,
        different=len(messages) if different is None else different,
        is_new=is_new,
    )


def eventful() -> Report:
    """A day with something in each part of its report."""
    report = full()
    report.hosts = ["mercury"]
    report.entries = 34_498
    report.notes = [
        "120 entries from 2026-03-14 01:00:00 until 2026-03-14 02:00:00 were removed unread "
        "(expected a journal that keeps more: SystemMaxUse= in journald.conf)",
        "fault: chains.\"backup\"[1]: KeyError: 'size' (3 times, last at 02:00:01)",
    ]
    report.attend(
        "root logged in from 203.0.113.66 by password, after 140 failed logins from there",
        90, time=at(3, 14), mark="new address", cause="login",
    )  # fmt: skip
    report.attend(
        "The disk /dev/sdb is failing: 8 unreadable sectors, 12 I/O errors", 90,
        time=at(3, 44), quote="blk_update_request: I/O error, dev sdb, sector 1953513472",
        count=20,
    )  # fmt: skip
    report.attend("The array md0 runs without /dev/sdb", 80, time=at(3, 45))
    report.attend(
        "backup.service failed; it had succeeded on each of the 6 days before", 60, time=at(2),
        quote="Fatal: unable to open repository at sftp:backup@198.51.100.9:/srv/restic: "
        "ssh: connect to host 198.51.100.9 port 22: No route to host",
    )  # fmt: skip
    report.attend("php-fpm was killed, for memory ran out", 55, time=at(16, 2))
    report.attend("bob may not become root: 3 wrong passwords", 50, time=at(15, 31))
    report.attend("The certificate www.example.org was not renewed", 40, time=at(2, 49))
    report.unusual = [
        Unusual("new", "k1", "kernel", "ata2.00: failed command: READ FPDMA QUEUED", 12, 0),
        Unusual("new", "k2", "certbot", "Failed to renew certificate * with error: *", 1, 0),
        Unusual("gone", "k3", "anacron", "Job `cron.daily' terminated", 0, 4),
        Unusual("rate", "k4", "sshd", "Failed password for * from * port * ssh2", 162, 22),
    ]
    report.compare("Failed logins", 162, 22)
    report.compare("Mail sent / deferred / bounced", [1_431, 9, 3], [1_402, 11, 2])
    report.compare("Mail received", 48_211_903, 51_003_221, "bytes")
    report.compare("Bans", 9, 4)
    report.hours = [
        812, 790, 820, 2_140, 800, 811, 1_380, 1_022, 1_490, 2_630, 2_204, 2_810,
        2_330, 2_241, 2_290, 2_350, 2_412, 2_207, 1_600, 1_130, 870, 850, 0, 829,
    ]  # fmt: skip
    report.kinds = [
        kind("important", "{device}: {reason}", [("Disk sdb: I/O error", 12)], hours=(3, 5)),
        kind("important", "{unit} was killed", [("php-fpm was killed by the kernel", 1)]),
        kind(
            "interesting", "{user} logged in from {ip}",
            [("alice logged in from 192.0.2.4", 41), ("bob logged in from 2001:db8::4", 7),
             ("carol logged in from 192.0.2.9", 3)],
            different=11,
        ),
        kind("interesting", "Mail to {to} refused: {reason}",
             [("Mail to x@example.org refused: no such user", 1_200)]),
        kind("other", "ata2.00: failed command: READ FPDMA QUEUED",
             [("ata2.00: failed command: READ FPDMA QUEUED", 12)],
             program="kernel", level=3, is_new=True, hours=(3, 5)),
        kind("other", "error: maximum authentication attempts exceeded for * from * port * ssh2",
             [("error: maximum authentication attempts exceeded for root from 203.0.113.66 port "
               "4711 ssh2", 3)],
             different=31, program="sshd", level=3, hours=(2, 3)),
        kind("other", "Reloaded *", [("Reloaded nginx.service", 2)], program="systemd", level=6),
    ]  # fmt: skip
    report.summaries.clear()
    report.add_summary(
        "logins", "Logins",
        [Column("Who"), Column("From"), Column("Times", "bar"), Column("Last", "time")],
        [["root", "203.0.113.66", 1, at(3, 14)], ["alice", "192.0.2.4", 41, at(21, 2)],
         ["bob", "2001:db8::4", 7, at(9)]],
        facts=["142 failed logins of root from 2 addresses, 20 of others from 17."],
        emphasis=[0],
    )  # fmt: skip
    report.add_summary(
        "disks", "Disk space",
        [Column("Where"), Column("Size", "bytes"), Column("Used", "share"),
         Column("Change", "bytes"), Column("Full in", "duration")],
        [["/", 42_000_000_000, 0.61, 12_000_000, None],
         ["/srv", 2_000_000_000_000, 0.934, 21_000_000_000, timedelta(days=6).total_seconds()]],
        emphasis=[1],
    )  # fmt: skip
    report.add_summary(
        "bans", "Bans",
        [Column("Address"), Column("Tries", "number"), Column("Why"), Column("Until", "time")],
        [["203.0.113.66", 140, "sshd guessing", at(23, 55)],
         ["198.51.100.77", 1_204, "nginx scanning", None]],
        facts=["9 addresses: ssh 5, mail 3, web 1"],
        left_out=7,
    )  # fmt: skip
    return report


def quiet() -> Report:
    """A day on which nothing happened."""
    report = empty()
    report.entries = 1_204
    report.first, report.last = at(0, 0, 3), at(23, 59, 58)
    report.hours = [50] * 24
    report.compare("Failed logins", 3, 4)
    return report
