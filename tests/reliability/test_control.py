"""Commands are answered, whatever clients do, and when descriptors have run out."""

from __future__ import annotations

import os
import resource
import socket

import pytest

from pyruse.testing import Daemon, Journald, MakeDaemon

pytestmark = pytest.mark.realparts

CHAINS = """
[chains]
"all" = [ { filter = "exists", field = "N" }, { action = "discard" } ]
"""


def descriptors(daemon: Daemon) -> int:
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def test_clients_that_wait_use_up_no_descriptors(daemon: MakeDaemon, journald: Journald) -> None:
    one = daemon(CHAINS, journald)
    one.prefix = ["sh", "-c", 'ulimit -n 64; exec "$0" "$@"']
    one.start()
    before = descriptors(one)
    clients = [socket.socket(socket.AF_UNIX) for _ in range(100)]
    for client in clients:
        client.connect(f"{one.state}.socket")
    one.wait_until(lambda: descriptors(one), lambda now: now > before)
    assert descriptors(one) <= before + 20
    for client in clients:
        client.close()
    assert one.ask("status")["daemon"]["pid"] == one.process.pid


def test_when_descriptors_run_out_commands_wait_and_the_log_says_so(
    daemon: MakeDaemon, journald: Journald
) -> None:
    one = daemon(CHAINS, journald).start()
    pid = one.process.pid
    assert one.ask("status")["well"]
    usual = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (descriptors(one), usual[1]))
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{one.state}.socket")
        client.sendall(b'{"request": "status"}\n')
        one.wait_for_line("commands cannot be listened to: Too many open files")
        resource.prlimit(pid, resource.RLIMIT_NOFILE, usual)
        assert b'"pid"' in client.makefile("rb").readline()
    assert "Traceback" not in one.log
    assert one.ask("status")["well"]
