"""Mail of whole daemons: does it arrive, and what is said where it does not?"""

from __future__ import annotations

import os
import pty
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest

from pyruse.testing import Daemon, MakeDaemon, MakeJournal
from pyruse.testing.journal import FIRST_TIME
from pyruse.testing.smtp import SmtpServer
from pyruse.testing.waiting import TIME_LIMIT

CONFIG = """
[email]
from = "pyruse@example.org"
to = {to}
smtp = "{url}"
timeout = "{timeout}"
[report]
timezone = "UTC"
[chains]
"warn" = [ {{ action = "email", subject = "{{MESSAGE}}", message = "{{MESSAGE}}" }} ]
"""


@pytest.fixture
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as server:
        yield server


Make = Callable[..., Daemon]


@pytest.fixture
def mailing(server: SmtpServer, daemon: MakeDaemon, journal_file: MakeJournal) -> Make:
    """A daemon that mails each message of its journal, and a report of its day."""

    def make(*messages: str, url: str = "", to: str = '["root"]', timeout: str = "1m") -> Daemon:
        toml = CONFIG.format(url=url or server.url, to=to, timeout=timeout)
        return daemon(toml, journal_file([{"MESSAGE": message} for message in messages]))

    return make


def test_a_trial_goes_the_daemons_own_way(mailing: Make, server: SmtpServer) -> None:
    pyruse = mailing()
    pyruse.start()
    done = pyruse.command("test-mail")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        "The mail to root was taken: 250 2.0.0 OK\n"
        "Where it goes from there, the log of the mail server tells.\n"
    )
    assert pyruse.ask("test-mail", "--to", "you@example.org") == {
        "ok": True, "to": ["you@example.org"], "end": "sent", "fault": "",
        "answer": "250 2.0.0 OK", "refusals": [], "through_daemon": True,
    }  # fmt: skip
    trials = [one.recipients for one in server.messages if "test" in one.message["Subject"]]
    assert trials == [["root"], ["you@example.org"]]


@pytest.mark.parametrize(
    ("command", "reply"),
    [
        ("MAIL", "553 5.7.1 not from you"),
        ("RCPT", "550 5.1.1 no such user"),
        ("RCPT", "450 4.2.0 greylisted"),
        ("DATA", "554 5.7.1 not today"),
    ],
)
def test_a_trial_tells_what_the_server_answers(
    mailing: Make, server: SmtpServer, command: str, reply: str
) -> None:
    pyruse = mailing()
    pyruse.start()
    server.replies[command] = reply
    done = pyruse.command("test-mail")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"pyruse: [email] smtp: localhost:{server.port} refuses ")
    assert reply in done.stderr
    assert not [one for one in pyruse.ask("outbox") if "test" in one["subject"]], "none waits"


def test_a_trial_of_a_server_that_hangs(mailing: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        pyruse = mailing(url=f"smtp://127.0.0.1:{port}", timeout="1s")
        pyruse.start()
        done = pyruse.command("test-mail")
    assert done.returncode == 1
    assert done.stderr == (
        f"pyruse: [email] smtp: 127.0.0.1:{port} does not answer within 1 s (expected a mail "
        "server)\n"
    )


def test_a_trial_while_no_daemon_runs(mailing: Make, server: SmtpServer) -> None:
    done = mailing().command("test-mail")
    assert done.returncode == 0
    assert "Pyruse does not run: this command itself sends the mail, in no sandbox" in done.stderr
    assert len(server.messages) == 1


def test_a_trial_to_nobody(mailing: Make) -> None:
    done = mailing(to="[]").command("test-mail")
    assert done.returncode == 1
    assert "[email] to: nobody gets the mails" in done.stderr
    wrong = mailing().command("test-mail", "--to", "you@@example.org")
    assert wrong.returncode == 2
    assert '"you@@example.org" is no mail address' in wrong.stderr


def test_what_was_set_aside_is_listed_tried_again_and_dropped(
    mailing: Make, server: SmtpServer
) -> None:
    server.replies["DATA"] = "554 5.7.1 not today"
    pyruse = mailing("disk full", "disk gone")
    pyruse.start()

    def mails(state: str) -> list[str]:
        return [
            one["subject"]
            for one in pyruse.ask("outbox")
            if one["state"] == state and one["report"] is None
        ]

    pyruse.wait_until(lambda: mails("set aside"), lambda found: len(found) == 2)
    unwell = pyruse.command("status")
    assert unwell.returncode == 1
    assert re.search(
        r"^Mail +to root by smtp://localhost:\d+; .*2 mails set aside", unwell.stdout, re.M
    )
    one = next(each for each in pyruse.ask("outbox") if each["subject"] == "disk full")
    shown = pyruse.command("outbox", one["id"][:8])
    assert "554 5.7.1 not today" in shown.stdout
    assert "\ndisk full" in shown.stdout, "its text"
    server.replies.clear()
    again = pyruse.command("outbox", "--retry", one["id"][:8])
    assert (again.returncode, again.stdout) == (
        0, "1 item tried again now: `pyruse outbox` shows what is left\n"
    )  # fmt: skip
    pyruse.wait_until(lambda: mails("set aside"), lambda found: found == ["disk gone"])
    assert "disk full" in [one.message["Subject"] for one in server.messages]
    other = next(each for each in pyruse.ask("outbox") if each["subject"] == "disk gone")
    dropped = pyruse.command("outbox", "--drop", other["id"])
    assert (dropped.returncode, dropped.stdout) == (0, "1 item dropped\n")
    assert mails("set aside") == []
    assert pyruse.ask("status")["mail"]["set_aside"] == 0


def test_the_outbox_while_no_daemon_runs(mailing: Make, server: SmtpServer) -> None:
    server.replies["DATA"] = "554 5.7.1 not today"
    pyruse = mailing("disk full", "disk gone")
    pyruse.command("run", "--once")
    first = next(one for one in pyruse.ask("outbox") if one["subject"] == "disk full")
    assert pyruse.command("outbox", "--drop", first["id"]).returncode == 0
    said = pyruse.command("outbox", "--retry")
    assert "will be tried again when the daemon starts" in said.stdout
    server.replies.clear()
    pyruse.start()
    pyruse.wait_until(lambda: pyruse.ask("outbox") == [])
    subjects = [one.message["Subject"] for one in server.messages]
    assert "disk gone" in subjects
    assert "disk full" not in subjects


def test_mistakes(mailing: Make) -> None:
    pyruse = mailing()
    assert "there is no state yet" in pyruse.command("outbox").stderr
    pyruse.command("run", "--once")
    unknown = pyruse.command("outbox", "--retry", "0000")
    assert (unknown.returncode, unknown.stderr) == (
        1,
        "pyruse: 0000: is no item of the outbox (expected an ID that `pyruse outbox` lists)\n",
    )
    assert pyruse.command("outbox", "--drop").returncode == 2
    assert pyruse.command("outbox", "--drop", "--retry", "1").returncode == 2


def test_a_report_is_sent_again_by_the_daemon(mailing: Make, server: SmtpServer) -> None:
    day = "2026-03-14"
    assert FIRST_TIME // 86_400_000_000 == 20526, "the day of the entries"
    pyruse = mailing("disk full")
    pyruse.start()
    sent = lambda: [each for each in pyruse.ask("report", "--list") if each["report"] == "sent"]  # noqa: E731
    (row,) = pyruse.wait_until(sent)
    assert (row["day"], row["mail"].partition(", ")[0]) == (day, "root")
    assert row["mail"].endswith(": 250 2.0.0 OK")
    before = len(server.messages)
    done = pyruse.command("report", day, "--send")
    assert (done.returncode, done.stderr) == (0, "sent to root: 250 2.0.0 OK\n")
    assert len(server.messages) == before + 1
    server.replies["RCPT"] = "550 5.1.1 no such user"
    refused = pyruse.command("report", day, "--send")
    assert refused.returncode == 1
    assert "550 5.1.1 no such user" in refused.stderr


def test_what_became_of_a_report_that_is_refused(mailing: Make, server: SmtpServer) -> None:
    server.replies["DATA"] = "554 5.7.1 not today"
    pyruse = mailing("disk full")
    pyruse.start()
    waits = lambda: [each for each in pyruse.ask("report", "--list") if each["report"] == "waits"]  # noqa: E731
    (row,) = pyruse.wait_until(waits, lambda rows: rows and "554" in rows[0]["mail"])
    assert "554 5.7.1 not today" in row["mail"]
    (item,) = [each for each in pyruse.ask("outbox") if each["report"]]
    assert (item["state"], item["tries"], item["to"]) == ("waiting", 1, ["root"])
    assert item["next"] > item["created"]


@pytest.mark.parametrize("width", [60, 80, 120])
def test_no_address_and_no_word_is_broken_on_a_terminal(
    mailing: Make, server: SmtpServer, width: int
) -> None:
    server.replies["DATA"] = "554 5.7.1 your mail was rejected by a policy that nobody remembers"
    address = "a.very.long.name.of.somebody@mail.of.a.company.example.org"
    pyruse = mailing("the disk of the machine in the cellar is full", to=f'["{address}"]')
    pyruse.command("run", "--once")
    shown = on_terminal(pyruse, width, "outbox")
    assert max(map(len, shown.splitlines())) <= max(width, 14 + len(address))
    assert address in shown
    words = shown.split()
    for word in ("remembers", "rejected", "cellar", address):
        assert any(one.startswith(word) for one in words), shown
    assert re.search(r"since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d, 1 try", shown)


def on_terminal(pyruse: Daemon, width: int, *arguments: str) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pyruse", *arguments, "-c", str(pyruse.folder)],
        stdin=theirs, stdout=theirs, stderr=theirs,
        env={**os.environ, "COLUMNS": str(width), "LINES": "40", "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    pieces = []
    while True:
        try:
            piece = os.read(ours, 65536)
        except OSError:
            break
        if not piece:
            break
        pieces.append(piece)
    process.wait(TIME_LIMIT)
    os.close(ours)
    return b"".join(pieces).decode().replace("\r\n", "\n")


@pytest.mark.parametrize("runs", [True, False])
def test_a_report_that_waits_leaves_no_more_once_it_was_sent_by_hand(
    mailing: Make, server: SmtpServer, runs: bool
) -> None:
    server.replies["DATA"] = "554 5.7.1 not today"
    pyruse = mailing("disk full")
    reports = lambda: [each for each in pyruse.ask("outbox") if each["report"]]  # noqa: E731
    if runs:
        pyruse.start()
        pyruse.wait_until(reports, lambda found: found and found[0]["tries"] == 1)
    else:
        pyruse.command("run", "--once")
        assert len(reports()) == 1
    server.replies.clear()
    done = pyruse.command("report", "2026-03-14", "--send")
    assert (done.returncode, done.stderr) == (0, "sent to root: 250 2.0.0 OK\n")
    assert reports() == []
    (row,) = [each for each in pyruse.ask("report", "--list") if each["day"] == "2026-03-14"]
    assert row["report"] == "sent"
    assert row["mail"].endswith(": 250 2.0.0 OK")
