"""A stop and a reload, whichever of its threads the kernel tells."""

from __future__ import annotations

import ctypes
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.testing import Daemon, MakeDaemon

pytestmark = pytest.mark.realparts

CHAINS = '[chains]\n"all" = [ { action = "discard" } ]\n'


@pytest.fixture
def asleep(daemon: MakeDaemon, journal_file: Callable[..., Path]) -> Daemon:
    """A daemon that has nothing more to read."""
    running = daemon(CHAINS, journal_file([{"MESSAGE": "hello"}])).start()
    time.sleep(0.5)
    return running


def tell_another_thread(daemon: Daemon, number: signal.Signals) -> None:
    """Have a signal come to a thread that is not the main one, as the kernel may at any time."""
    pid = daemon.process.pid
    threads = {int(name) for name in os.listdir(f"/proc/{pid}/task")} - {pid}
    assert ctypes.CDLL(None).tgkill(pid, min(threads), number) == 0


def test_a_stop_that_another_thread_is_told_of_wakes_the_daemon(asleep: Daemon) -> None:
    tell_another_thread(asleep, signal.SIGTERM)
    assert asleep.process.wait(20) == 0


def test_a_reload_that_another_thread_is_told_of_wakes_the_daemon(asleep: Daemon) -> None:
    tell_another_thread(asleep, signal.SIGHUP)
    asleep.wait_for_line("the configuration was read again")
