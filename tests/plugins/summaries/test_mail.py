"""The tables of mails."""

from __future__ import annotations

from tests.plugins.summaries.conftest import glances, table


def postfix(here, daemon: str, line: str) -> None:
    here.says(
        f"postfix/{daemon}", line, _COMM=daemon, _UID=105,
        _EXE=f"/usr/lib/postfix/sbin/{daemon}", _SYSTEMD_UNIT="postfix@-.service",
    )  # fmt: skip


def comes_in(here, queue_id: str, sender: str, size: int, ip: str = "192.0.2.7") -> None:
    postfix(here, "smtpd", f"{queue_id}: client=client.example.net[{ip}]")
    postfix(here, "qmgr", f"{queue_id}: from=<{sender}>, size={size}, nrcpt=1 (queue active)")


def leaves(here, to: str, status: str, relay: str = "mx.example.net[192.0.2.9]:25") -> None:
    delays = "delay=3, delays=0/0/3/0, dsn=4.4.1"
    postfix(here, "smtp", f"561974C0: to=<{to}>, relay={relay}, {delays}, status={status}")


def is_refused(here, why: str, ip: str = "203.0.113.9") -> None:
    ends = "from=<a@example.net> to=<x@example.org> proto=ESMTP helo=<x>"
    postfix(here, "smtpd", f"NOQUEUE: reject: RCPT from unknown[{ip}]: 554 5.7.1 {why}; {ends}")


def test_a_day_of_mails(machine):
    here = machine(["postfix"])
    comes_in(here, "AA1", "bob@example.org", 1_000)
    comes_in(here, "AA2", "bob@example.org", 2_000)
    comes_in(here, "AA3", "news@example.net", 500, "203.0.113.5")
    for to in ("alice@example.net", "alice@example.net", "carol@example.net"):
        leaves(here, to, "sent (250 2.0.0 Ok: queued as 4A37D4D4)")
    leaves(here, "x@example.net", "deferred (connect to mx.example.net[192.0.2.250]:25: "
           "Connection timed out)", "none")  # fmt: skip
    leaves(here, "y@example.net", 'bounced (unknown user: "y")', "local")
    is_refused(here, "<x@example.org>: Relay access denied")
    report = here.ends_day()
    assert (
        "".join(table(report, one.id) for one in report.summaries if "mail" in one.id)
        == """\
# Mail
What | Mails | Size
accepted | 3 | 3.4 KiB
sent | 3 |
deferred | 1 |
bounced | 1 |
refused | 1 |
# Mail that was not delivered
What | Why | Mails | To | Last
* bounced | unknown user | 1 | y@example.net | 12:00:00
deferred | Connection timed out | 1 | x@example.net | 12:00:00
refused | Relay access denied | 1 | x@example.org | 12:00:00
# Mail: the most active
As | Who | Mails | Size
sender | bob@example.org | 2 | 2.9 KiB
sender | news@example.net | 1 | 500 B
recipient | alice@example.net | 2 |
recipient | carol@example.net | 1 |
client | 192.0.2.7 | 2 | 2.9 KiB
client | 203.0.113.5 | 1 | 500 B
refused client | 203.0.113.9 | 1 |
"""
    )
    assert glances(report)["Mail sent / deferred / bounced"] == ([3, 1, 1], None)


def test_a_day_without_mails_beside_one_with_some(machine):
    here = machine(["postfix"])
    leaves(here, "x@example.net", "sent (250 2.0.0 Ok: queued as 4A37D4D4)")
    here.ends_day()
    report = here.ends_day()
    assert report.summaries == []
    assert glances(report)["Mail sent / deferred / bounced"] == ([0, 0, 0], [1, 0, 0])


def test_how_many_are_listed(machine):
    here = machine(["postfix"], "[plugins.mail_summary]\ntop = 1\nactive = 1\n")
    for number in range(3):
        leaves(here, f"x{number}@example.net", "sent (250 2.0.0 Ok: queued as 4A37D4D4)")
    is_refused(here, "<x@example.org>: Relay access denied")
    is_refused(here, "<x@example.org>: Recipient address rejected: Access denied")
    report = here.ends_day()
    assert table(report, "mail-failures").endswith("+ 1\n")
    assert len(table(report, "mail-active").splitlines()) == 4
