"""Nothing missed: journals that move, are cut, are many, or of which the kernel tells nothing."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon
from pyruse.testing.journal import FIRST_TIME, make_journal, unavailable
from pyruse.testing.plugin import need
from tests.reliability.moving_journal import CHAINS, handled

pytestmark = pytest.mark.realparts

ROOT = Path(__file__).parents[2]
SECOND = 1_000_000


def send(journald: Journald, first: int, last: int, size: int = 0) -> None:
    """Log entries with these numbers, and make sure that they are in the journal's files."""
    messages = [f"{number}{'y' * size}" for number in range(first, last)]
    journald.send_all([{"SYSLOG_IDENTIFIER": "test", "MESSAGE": text} for text in messages])
    journald.sync()


def wait_for(daemon: Daemon, number: int) -> Counter[str]:
    return daemon.wait_until(lambda: handled(daemon), lambda found: len(found) >= number)


def test_a_journal_that_moves_from_memory_to_disk(tmp_path: Path) -> None:
    need("only root can mount" if os.geteuid() != 0 else None)
    done = subprocess.run(
        ["unshare", "--mount", sys.executable, "-m", "tests.reliability.moving_journal", tmp_path],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": f"{ROOT}:{os.environ.get('PYTHONPATH', '')}"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found["moved"], "journald has begun files on the disk"
    assert found["handled"] == {str(number): 1 for number in range(50)}


_AS_USERS = """
import os, socket, sys
address, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])

def send(text):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto(f"MESSAGE={text}\\nSYSLOG_IDENTIFIER=test\\n".encode(), address)

for uid in range(first, last):
    child = os.fork()
    if not child:
        os.setuid(uid)
        send(f"user {uid}")
        os._exit(0)
    os.waitpid(child, 0)
    for number in range(5):
        send(f"root {uid}.{number}")
"""


def test_the_first_entries_of_users_whose_files_begin_while_others_are_read(
    daemon: MakeDaemon, journald: Journald
) -> None:
    """journald begins a file for each user: with entries that are older than what was read."""
    one = daemon(CHAINS, journald).start()
    command = [sys.executable, "-c", _AS_USERS, str(journald.socket), "3000", "3040"]
    subprocess.run(command, check=True)
    expected = {f"user {uid}" for uid in range(3000, 3040)}
    expected |= {f"root {uid}.{number}" for uid in range(3000, 3040) for number in range(5)}
    found = one.wait_until(lambda: handled(one), lambda found: expected <= found.keys())
    assert found == Counter(dict.fromkeys(expected, 1))
    assert one.stop() == 0
    assert handled(one) == found
    assert "cannot be read" not in one.log


_ONE_BATCH = """
import os, signal
from pyruse.daemon.daemon import Daemon

batch = Daemon.batch

def one_batch(daemon):
    open({fifo!r}).read()  # until the test has logged what it logs
    batch(daemon)
    os.kill(os.getpid(), signal.SIGKILL)

Daemon.batch = one_batch
"""


def test_a_kill_right_after_a_batch_that_has_passed_over_a_users_entries(
    daemon: MakeDaemon, journald: Journald, tmp_path: Path
) -> None:
    send(journald, 0, 3)
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    one = daemon(CHAINS, journald)
    one.prelude = _ONE_BATCH.format(fifo=str(fifo))
    one.start()
    with fifo.open("w"):
        command = [sys.executable, "-c", _AS_USERS, str(journald.socket), "3000", "3003"]
        subprocess.run(command, check=True)
        journald.sync()
    assert one.process.wait() == -signal.SIGKILL
    one.prelude = ""
    one.start()
    send(journald, 3, 4)
    expected = {str(number) for number in range(4)}
    expected |= {f"user {uid}" for uid in range(3000, 3003)}
    expected |= {f"root {uid}.{number}" for uid in range(3000, 3003) for number in range(5)}
    one.wait_until(lambda: "3" in handled(one))
    assert one.stop() == 0
    assert handled(one) == Counter(dict.fromkeys(expected, 1))
    assert "cannot be read" not in one.log


def test_files_that_are_cut_while_they_are_read(daemon: MakeDaemon, journald: Journald) -> None:
    send(journald, 0, 3000, size=500)
    journald.rotate()
    send(journald, 3000, 3010)
    one = daemon(CHAINS, journald).start()
    wait_for(one, 3010)
    files = list(journald.directory.glob("*.journal"))
    assert len(files) == 2
    for file in files:  # a page beyond the end of a file is as one on a bad sector: SIGBUS
        os.truncate(file, 65_536)
    send(journald, 3010, 3020)  # journald begins a new file
    wait_for(one, 3020)
    assert one.stop() == 0
    assert set(handled(one).values()) == {1}


@pytest.mark.parametrize("limit", ["max_inotify_watches", "max_inotify_instances"])
def test_a_kernel_that_gives_no_notice(daemon: MakeDaemon, journald: Journald, limit: str) -> None:
    one = daemon(CHAINS, journald)
    # The limits of a user namespace of its own: nobody else is disturbed.
    command = f'echo 0 > /proc/sys/user/{limit}; exec "$0" "$@"'
    one.prefix = ["unshare", "--user", "--map-root-user", "sh", "-c", command]
    one.start()
    one.wait_for_line("the kernel gives no notice of new entries, which are looked for every 2 s")
    send(journald, 0, 20)
    wait_for(one, 20)
    journald.rotate()
    send(journald, 20, 40)
    wait_for(one, 40)
    assert one.stop() == 0
    assert [number for number, times in handled(one).items() if times != 1] == []


def test_machines_in_one_folder_each_with_a_clock_of_its_own(
    daemon: MakeDaemon, tmp_path: Path
) -> None:
    need(unavailable())
    journals = tmp_path / "journals"
    journals.mkdir()

    def upload(host: int, first: int, last: int) -> None:
        """As systemd-journal-remote does it: the clocks of hosts are up to a minute late."""
        make_journal(
            journals / f"remote-host{host}.journal",
            [
                {
                    "MESSAGE": f"{host}/{number}",
                    "SYSLOG_IDENTIFIER": "test",
                    "__REALTIME_TIMESTAMP": FIRST_TIME + (number - 20 * host) * SECOND,
                }
                for number in range(first, last)
            ],
            append=True,
        )

    one = daemon(CHAINS, journals)
    for host in range(3):
        upload(host, 0, 10)
    one.start()
    wait_for(one, 30)
    for round_ in range(1, 4):
        for host in range(4):  # the last one comes when the daemon runs already
            upload(host, round_ * 10, round_ * 10 + 10)
    wait_for(one, 30 + 4 * 30)
    assert one.stop() == 0
    upload(4, 0, 10)  # and this one while it is stopped
    one.start()
    wait_for(one, 160)
    assert one.stop() == 0
    assert set(handled(one).values()) == {1}


def test_a_kill_between_the_parts_of_a_line(daemon: MakeDaemon, journald: Journald) -> None:
    whole: dict[str, str | bytes | int] = {
        "SYSLOG_IDENTIFIER": "test", "CONTAINER_ID_FULL": "c1", "CONTAINER_PARTIAL_ID": "l1",
    }  # fmt: skip
    part = {**whole, "CONTAINER_PARTIAL_MESSAGE": "true"}
    one = daemon(CHAINS, journald).start()
    journald.send(MESSAGE="one ", **part)
    send(journald, 0, 1)
    wait_for(one, 1)
    one.stop(signal.SIGKILL)
    journald.rotate()
    journald.send(MESSAGE="two ", **part)
    journald.send(MESSAGE="three", CONTAINER_PARTIAL_LAST="true", **whole)
    one.start()
    wait_for(one, 2)
    assert one.stop() == 0
    assert handled(one) == {"0": 1, "one two three": 1}


def test_descriptors_that_run_out_and_come_back(daemon: MakeDaemon, tmp_path: Path) -> None:
    need(unavailable())
    folder = tmp_path / "journal"
    folder.mkdir()
    for number in range(60):
        entries = [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": str(number)}]
        make_journal(folder / f"remote-{number}.journal", entries)
    one = daemon(CHAINS, folder)
    one.prefix = ["sh", "-c", 'ulimit -n 60; exec "$0" "$@"']
    done = one.command("run", "--once")
    assert done.returncode == 1, "it cannot wait for descriptors"
    assert "not all of the journal was read: there are too few file descriptors" in done.stderr
    for command in (["replay"], ["stats"], ["try", "0"], ["explain"]):
        done = one.command(*command)
        assert done.returncode == 1, command
        assert done.stdout, "what was read is shown"
        assert "not all of the journal was read: there are too few file desc" in done.stderr
    one.start()
    one.wait_for_line("too few file descriptors: not all of the journal's files are open")
    first = wait_for(one, 1)
    assert len(first) < 60
    for name in first:  # these machines are gone for good
        (folder / f"remote-{name}.journal").unlink()
    wait_for(one, 60)
    assert one.stop() == 0
    assert set(handled(one).values()) == {1}
    assert one.log.count("too few file descriptors") == 1
    assert "Traceback" not in one.log


def in_order(daemon: Daemon) -> list[str]:
    with closing(sqlite3.connect(daemon.state)) as db:
        return [message for (message,) in db.execute("SELECT message FROM events ORDER BY time")]


def test_more_files_of_one_machine_than_descriptors(daemon: MakeDaemon, journald: Journald) -> None:
    run = '"x" = [\n  { action = "run", command = ["touch", "FOLDER/ran-{MESSAGE}"] },'
    one = daemon(CHAINS, journald)
    one.configure(CHAINS.replace('"x" = [', run.replace("FOLDER", str(one.folder))))
    for number in range(40):
        send(journald, 3 * number, 3 * number + 3)
        journald.rotate()
    one.prefix = ["sh", "-c", 'ulimit -n 48; exec "$0" "$@"']
    one.start()
    wait_for(one, 20)
    one.stop(signal.SIGKILL)
    one.start()
    wait_for(one, 120)
    assert in_order(one) == [str(number) for number in range(120)]
    send(journald, 120, 123)
    wait_for(one, 123)
    assert one.stop() == 0
    for number in range(41, 45):
        send(journald, 3 * number, 3 * number + 3)
        journald.rotate()
    one.prefix = ["sh", "-c", 'ulimit -n 40; exec "$0" "$@"']
    one.start()  # it needs no more files than have something unread
    wait_for(one, 135)
    for number in range(0, 135, 40):
        one.wait_until((one.folder / f"ran-{number}").exists)
    assert one.stop() == 0
    assert in_order(one) == [str(number) for number in range(135)]
    assert "descriptors" not in one.log
    assert "Too many open files" not in one.log


@pytest.mark.parametrize(
    ("arguments", "taken"),
    [
        (["replay"], lambda data: data["entries"]),
        (["replay", "--since", "@1773489602"], lambda data: data["entries"] + 2),
        (["stats"], lambda data: data[0]["total"]),
        (["stats", "_TRANSPORT=journal"], lambda data: data[0]["total"]),
        (["try", "^1"], lambda data: data["entries"]),
    ],
    ids=lambda one: " ".join(one) if isinstance(one, list) else "",
)
def test_commands_read_more_files_than_descriptors(
    daemon: MakeDaemon, tmp_path: Path, arguments: list[str], taken: Callable[[Any], int]
) -> None:
    need(unavailable())
    folder = tmp_path / "journal"
    folder.mkdir()
    for file in range(40):
        entries: list[dict[str, str | int]] = [
            {
                "SYSLOG_IDENTIFIER": "test",
                "_TRANSPORT": "journal",
                "MESSAGE": f"{3 * file + number}",
                "__REALTIME_TIMESTAMP": FIRST_TIME + (3 * file + number) * SECOND,
                "_BOOT_ID": f"{1:032x}",
                "__MONOTONIC_TIMESTAMP": (3 * file + number + 1) * SECOND,
            }
            for number in range(3)
        ]
        made = make_journal(folder / "new.journal", entries)
        made.rename(folder / f"system@{file + 1:032x}-{1:016x}-{FIRST_TIME + file:016x}.journal")
    one = daemon(CHAINS, folder)
    one.prefix = ["sh", "-c", 'ulimit -n 48; exec "$0" "$@"']
    done = one.command(*arguments, "--format", "json")
    assert (done.returncode, done.stderr) == (0, "")
    assert taken(json.loads(done.stdout)) == 120
    done = one.command(*arguments, "-n", "5", "--format", "json")  # from the end: all are open
    assert done.returncode != 0
    assert "too few file descriptors" in done.stderr


def test_more_files_than_descriptors_with_entries_of_the_same_time(
    daemon: MakeDaemon, tmp_path: Path
) -> None:
    need(unavailable())
    folder = tmp_path / "journal"
    folder.mkdir()
    for number in range(30):  # as of users, each of whom logs all day
        entries: list[dict[str, str | int]] = [
            {
                "SYSLOG_IDENTIFIER": "test",
                "MESSAGE": f"{number}/{minute}",
                "__REALTIME_TIMESTAMP": FIRST_TIME + (60 * minute + number) * SECOND,
            }
            for minute in range(3)
        ]
        make_journal(folder / f"user-{1000 + number}.journal", entries)
    one = daemon(CHAINS, folder)
    one.prefix = ["sh", "-c", 'ulimit -n 48; exec "$0" "$@"']
    done = one.command("replay")
    assert done.returncode == 1
    assert f"{folder}: too few file descriptors (expected a higher limit" in done.stderr
    one.start()
    one.wait_for_line("too few file descriptors: not all of the journal's files are open")
    assert one.stop() == 0
    assert not handled(one), "none of them is read behind another one's entries"
    one.prefix = []
    one.start()
    wait_for(one, 90)
    assert one.stop() == 0
    assert in_order(one) == [f"{number}/{minute}" for minute in range(3) for number in range(30)]


def test_few_descriptors_are_enough_for_programs(daemon: MakeDaemon, tmp_path: Path) -> None:
    need(unavailable())
    folder = tmp_path / "journal"
    folder.mkdir()
    for number in range(13):
        entries = [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": str(number)}]
        make_journal(folder / f"remote-{number}.journal", entries)
    run = '"x" = [\n  { action = "run", command = ["touch", "FOLDER/ran-{MESSAGE}"] },'
    one = daemon(CHAINS.replace('"x" = [', run.replace("FOLDER", str(tmp_path))), folder)
    one.prefix = ["sh", "-c", 'ulimit -n 32; exec "$0" "$@"']
    one.start()
    one.wait_for_line("too few file descriptors: not all of the journal's files are open")
    for name in wait_for(one, 1):
        one.wait_until((tmp_path / f"ran-{name}").exists)
    one.reload()
    while len(found := handled(one)) < 13:
        for name in found:  # these machines are gone: there is room for others
            (folder / f"remote-{name}.journal").unlink(missing_ok=True)
        wait_for(one, len(found) + 1)
    for number in range(13):
        one.wait_until((tmp_path / f"ran-{number}").exists)
    assert one.log.count("too few file descriptors") == 1
    assert "Too many open files" not in one.log
    assert one.stop() == 0


def test_permissions_that_are_taken_away_and_given_back(daemon: MakeDaemon, tmp_path: Path) -> None:
    need("only root can be without rights" if os.geteuid() != 0 else unavailable())
    folder = tmp_path / "journal"
    folder.mkdir()
    entries = [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": f"a{number}"} for number in range(2)]
    more = [{"SYSLOG_IDENTIFIER": "test", "MESSAGE": f"b{number}"} for number in range(2)]
    make_journal(folder / "remote-a.journal", entries[:1])
    one = daemon(CHAINS, folder)
    rights = "-dac_override,-dac_read_search"
    one.prefix = ["setpriv", f"--bounding-set={rights}", "--inh-caps=-all", *one.prefix]
    one.start()
    wait_for(one, 1)
    folder.chmod(0)
    one.wait_for_line(f"{folder}: this user may not read it")
    make_journal(folder / "remote-a.journal", entries[1:], append=True)
    new = make_journal(tmp_path / "new.journal", more)
    new.chmod(0)
    new.rename(folder / "remote-b.journal")
    folder.chmod(0o755)
    wait_for(one, 2)
    one.wait_for_line("the journal of remote-b: no file of it can be read: Permission denied")
    (folder / "remote-b.journal").chmod(0o644)
    wait_for(one, 4)
    assert one.stop() == 0
    assert set(handled(one).values()) == {1}
    assert "Traceback" not in one.log
