"""What strangers make large takes a bounded part of the memory, and the rest is said to be cut."""

from __future__ import annotations

import array
import fcntl
import json
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon

pytestmark = pytest.mark.realparts

MB = 1 << 20
CHAINS = """
[email]
to = ["root"]
sendmail = ["true"]
[chains]
"all" = [
  { filter = "exists", field = "N" },
  { action = "count", counter = "all", key = "MESSAGE", into = "seen" },
  { action = "set", field = "twice", value = "{MESSAGE}{MESSAGE}" },
  { action = "report", section = "other", message = "{N} {twice}" },
]
"""


def bomb(journald: Journald, number: int, megabytes: int) -> None:
    """Log a message as any local user can: in a file in memory (native protocol)."""
    file = os.memfd_create("bomb", os.MFD_ALLOW_SEALING | os.MFD_CLOEXEC)
    os.write(file, f"N={number}\nMESSAGE=".encode())
    for _ in range(megabytes):
        os.write(file, b"A" * MB)
    os.write(file, b"\n")
    seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, seals)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.connect(str(journald.socket))
        handles = array.array("i", [file])
        sender.sendmsg([b""], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, handles)])
    os.close(file)


def peak(daemon: Daemon) -> int:
    """The most memory that the daemon had, in MB."""
    status = Path(f"/proc/{daemon.process.pid}/status").read_text()
    (line,) = [line for line in status.splitlines() if line.startswith("VmHWM:")]
    return int(line.split()[1]) // 1024


@pytest.fixture
def little_memory() -> Iterator[Path]:
    """A control group with 128 MB of memory; what is in it is ended with the test."""
    for top, name in ((Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"),
                      (Path("/sys/fs/cgroup"), "memory.max")):  # fmt: skip
        group = top / f"pyruse-test-{os.getpid()}"
        try:
            group.mkdir()
            (group / name).write_text(str(128 * MB))
        except OSError:
            with suppress(OSError):
                group.rmdir()
            continue
        yield group
        with suppress(OSError):
            group.rmdir()
        return
    pytest.skip("no control group can be made here (expected root, and cgroups of memory)")


def reported(daemon: Daemon) -> list[Any]:
    return list(daemon.ask("report", "today")["report"]["other"])


def test_an_entry_of_40_megabytes_is_handled_in_little_memory_and_said_to_be_cut(
    daemon: MakeDaemon, journald: Journald
) -> None:
    one = daemon(CHAINS, journald).start()
    before = peak(one)
    for number in range(3):
        bomb(journald, number, 40)
    journald.send(N=3, MESSAGE="behind")
    rows = one.wait_until(lambda: reported(one), lambda rows: len(rows) == 4)
    assert peak(one) - before < 110, "libsystemd has a copy of the field, Python another one"
    assert one.wait_for_line("a field MESSAGE is longer than 1 MiB, and was cut")
    status = one.ask("status")
    (fault,) = [one for one in status["faults"] if "is longer than" in one["text"]]
    assert fault["count"] == 3
    (report,) = [note for note in one.ask("report", "today")["notes"] if "is longer than" in note]
    assert "(3 times, last at" in report
    assert [row["message"][:3] for row in rows] == ["0 A", "1 A", "2 A", "3 b"]
    assert [len(row["message"]) < 70_000 for row in rows] == [True] * 4
    assert "more characters)" in rows[0]["message"]
    size = sum(file.stat().st_size for file in one.state.parent.glob("state.sqlite*"))
    assert size < 4 * MB, json.dumps(status)


@pytest.mark.parametrize("megabytes", [40, 120])
def test_where_memory_is_scarce_a_long_field_kills_nobody(
    daemon: MakeDaemon, journald: Journald, little_memory: Path, megabytes: int
) -> None:
    one = daemon(CHAINS, journald)
    one.prefix = ["sh", "-c", f'echo $$ > {little_memory}/cgroup.procs; exec "$0" "$@"']
    one.start()
    for number in range(2):
        bomb(journald, number, megabytes)
    journald.send(N=2, MESSAGE="behind")
    rows = one.wait_until(lambda: reported(one), lambda rows: len(rows) == 3)
    assert [row["message"][:1] for row in rows] == ["0", "1", "2"]
    assert all("…" in row["message"] for row in rows[:2])
    assert one.wait_for_line("a field MESSAGE is longer than 1 MiB, and was cut")
    assert one.process.poll() is None
    assert one.stop() == 0
