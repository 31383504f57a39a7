"""A stop and a reload, whichever of its threads the kernel tells."""

from __future__ import annotations

import ctypes
import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.testing import Daemon, MakeDaemon
from pyruse.testing.waiting import TIME_LIMIT

pytestmark = pytest.mark.realparts

CHAINS = '[chains]\n"all" = [ { action = "discard" } ]\n'


@pytest.fixture
def asleep(daemon: MakeDaemon, journal_file: Callable[..., Path]) -> Daemon:
    """A daemon that has nothing more to read, and waits."""
    running = daemon(CHAINS, journal_file([{"MESSAGE": "hello"}])).start()
    running.wait_until(lambda: running.ask("status")["daemon"]["entries"] == 1)
    running.wait_until(lambda: sleeps(running.process.pid))
    return running


def sleeps(pid: int) -> bool:
    """Whether its main thread waits for something (proc(5))."""
    stat = Path(f"/proc/{pid}/task/{pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0] == "S"


def tell_another_thread(daemon: Daemon, number: signal.Signals) -> None:
    """Have a signal come to a thread that is not the main one, as the kernel may at any time."""
    pid = daemon.process.pid
    threads = {int(name) for name in os.listdir(f"/proc/{pid}/task")} - {pid}
    assert ctypes.CDLL(None).tgkill(pid, min(threads), number) == 0


def test_a_stop_that_another_thread_is_told_of_wakes_the_daemon(asleep: Daemon) -> None:
    tell_another_thread(asleep, signal.SIGTERM)
    assert asleep.process.wait(TIME_LIMIT) == 0


def test_a_reload_that_another_thread_is_told_of_wakes_the_daemon(asleep: Daemon) -> None:
    tell_another_thread(asleep, signal.SIGHUP)
    asleep.wait_for_line("the configuration was read again")
