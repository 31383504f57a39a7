"""Held up, deaf, or without a journal: what is not read is told, while Pyruse runs as well."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
from pathlib import Path

import pytest

from pyruse.testing import Journald, MakeDaemon
from pyruse.testing.journal import make_journal, unavailable
from pyruse.testing.plugin import need
from tests.reliability.moving_journal import CHAINS, handled

pytestmark = pytest.mark.realparts


def send(journald: Journald, first: int, last: int) -> None:
    """Log entries with these numbers, and make sure that they are in the journal's files."""
    journald.send_all(
        [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": str(number)} for number in range(first, last)]
    )
    journald.sync()


def test_a_vacuum_overtakes_a_daemon_that_is_held_up(
    daemon: MakeDaemon, journald: Journald
) -> None:
    one = daemon(CHAINS, journald).start()
    send(journald, 0, 10)
    one.wait_until(lambda: len(handled(one)) == 10)
    one.process.send_signal(signal.SIGSTOP)  # as a virtual machine that is suspended
    send(journald, 10, 30)
    journald.rotate()
    send(journald, 30, 40)
    journald.rotate()
    journald.vacuum()
    one.process.send_signal(signal.SIGCONT)
    send(journald, 40, 50)
    line = one.wait_for_line("were removed unread")
    told = re.search(r"(\d+) entries from (\S+ \S+) until (\S+ \S+) were removed unread", line)
    assert told is not None, line
    one.wait_until(lambda: "49" in handled(one))
    read = handled(one)
    assert set(read.values()) == {1}
    assert int(told[1]) >= 50 - len(read) > 0
    (fault,) = [one_ for one_ in one.ask("status")["faults"] if "removed unread" in one_["text"]]
    assert told[2] in fault["text"]
    assert any("removed unread" in note for note in one.ask("report", "today")["notes"])
    assert one.stop() == 0


def test_several_namespaces_of_which_one_comes_later(
    daemon: MakeDaemon, journald: Journald
) -> None:
    later = Journald()
    one = daemon(CHAINS, journald)
    text = (one.folder / "pyruse.toml").read_text()
    both = f'namespaces = ["{journald.namespace}", "{later.namespace}"]'
    one.folder.joinpath("pyruse.toml").write_text(
        text.replace(f'namespace = "{journald.namespace}"', both)
    )
    missing = f"journal namespace {later.namespace}: nothing was logged in it"
    assert missing in one.command("check").stderr
    one.start()
    one.wait_for_line(missing)
    send(journald, 0, 10)
    one.wait_until(lambda: len(handled(one)) == 10)
    with later:
        send(later, 10, 20)
        one.wait_until(lambda: len(handled(one)) == 20)
        later.rotate()
        send(later, 20, 30)
        send(journald, 30, 40)
        one.wait_until(lambda: len(handled(one)) == 40)
        assert one.stop() == 0
    assert set(handled(one).values()) == {1}


def test_all_namespaces_and_one_that_comes_later(daemon: MakeDaemon, journald: Journald) -> None:
    one = daemon(CHAINS, journald)
    text = (one.folder / "pyruse.toml").read_text()
    # Only what this test logs itself: the namespaces of other tests come and go meanwhile.
    chains = CHAINS.replace('value = "test"', f'value = "{journald.namespace}"')
    one.configure(chains)
    everything = text.replace(f'namespace = "{journald.namespace}"', 'namespaces = ["*"]')
    one.folder.joinpath("pyruse.toml").write_text(everything)

    def say(journal: Journald, number: int) -> None:
        journal.send(SYSLOG_IDENTIFIER=journald.namespace, MESSAGE=str(number))

    say(journald, 0)
    one.start()
    one.wait_until(lambda: len(handled(one)) == 1)
    with Journald() as later:
        say(later, 1)
        say(journald, 2)
        one.wait_until(lambda: len(handled(one)) == 3)
        assert one.stop() == 0
    assert handled(one) == {"0": 1, "1": 1, "2": 1}


def test_a_journald_that_is_started_again(daemon: MakeDaemon, journald: Journald) -> None:
    one = daemon(CHAINS, journald).start()
    send(journald, 0, 10)
    one.wait_until(lambda: len(handled(one)) == 10)
    journald.restart()
    send(journald, 10, 20)
    one.wait_until(lambda: len(handled(one)) == 20)
    assert one.stop() == 0
    assert set(handled(one).values()) == {1}


def test_a_daemon_that_reads_nothing_is_deaf_and_its_lag_grows(
    daemon: MakeDaemon, tmp_path: Path
) -> None:
    need("only root can be without rights" if os.geteuid() != 0 else unavailable())
    folder = tmp_path / "journal"
    folder.mkdir()
    entries = [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": f"{number}"} for number in range(9)]
    make_journal(folder / "remote-a.journal", entries[:1])
    one = daemon(CHAINS, folder)
    # A minute is a second here: so long nothing has to be handled for the daemon to be deaf.
    one.prelude = "from pyruse.daemon.status import overview; overview._DEAF_US = 1_000_000"
    rights = "-dac_override,-dac_read_search"
    one.prefix = ["setpriv", f"--bounding-set={rights}", "--inh-caps=-all"]
    one.start()
    one.wait_until(lambda: len(handled(one)) == 1)
    assert one.stop() == 0
    one.start()
    new = make_journal(tmp_path / "new.journal", entries[1:])
    new.chmod(0)
    file = new.rename(folder / "remote-b.journal")
    one.wait_for_line("the journal of remote-b: no file of it can be read: Permission denied")
    one.prefix = []  # whoever asks may read the journal
    lags: list[int] = []
    for _ in range(2):
        status = one.command("status", "--format", "json")
        assert status.returncode == 1 or not lags
        lags.append(json.loads(status.stdout)["journal"]["lag_us"])
        one.wait_until(lambda: one.command("status").returncode == 1)
    assert 0 < lags[0] < lags[1]
    shown = one.command("status")
    assert "8 entries behind" in shown.stdout
    assert "nothing was handled for a minute (restart Pyruse)" in shown.stdout
    file.chmod(0o644)
    one.wait_until(lambda: len(handled(one)) == 9)
    assert one.ask("status")["journal"]["lag_us"] == 0
    assert one.stop() == 0


def test_a_daemon_that_does_not_answer(daemon: MakeDaemon, journald: Journald) -> None:
    one = daemon(CHAINS, journald).start()
    send(journald, 0, 1)
    one.wait_until(lambda: len(handled(one)) == 1)
    one.prelude = "from pyruse.daemon import control; control._ANSWER_S = 0.5"
    one.process.send_signal(signal.SIGSTOP)
    status = one.command("status")
    assert status.returncode == 1
    assert "running, but it cannot be asked: " in status.stdout
    one.process.send_signal(signal.SIGCONT)
    one.stop(signal.SIGKILL)
    status = one.command("status")
    assert status.returncode == 1
    assert "not running" in status.stdout


def test_what_is_first_needed_when_no_descriptor_is_left_is_done_later(
    daemon: MakeDaemon, journald: Journald, tmp_path: Path
) -> None:
    """The modules for mails and reports are imported when the first one is made."""
    mails, first = tmp_path / "mails", '"x" = [\n  '
    mail = '{ action = "email", subject = "hi", message = "{MESSAGE}" },\n  '
    settings = f'[email]\nto = ["root"]\nsendmail = ["sh", "-c", "cat >> {mails}"]\n'
    one = daemon(settings + CHAINS.replace(first, first + mail), journald).start()
    pid = one.process.pid
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = max(int(number) for number in os.listdir(f"/proc/{pid}/fd")) + 1
    for spare in range(6):  # each time, something else is short
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (used + spare, usual[1]))
        send(journald, spare, spare + 1)
        one.wait_until(lambda: str(spare) in handled(one))  # noqa: B023
    one.wait_for_line("Too many open files")
    resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
    one.reload()  # so that nothing waits for the next attempt

    def arrived() -> list[str]:
        text = mails.read_text() if mails.exists() else ""
        return [line for line in text.splitlines() if line.isdecimal()]

    assert one.wait_until(arrived, lambda found: len(found) >= 6) == [str(one) for one in range(6)]
    assert one.stop() == 0
    assert "Traceback" not in one.log
    assert one.ask("status")["outbox"] == {"waiting": {}, "set_aside": []}
