"""A stop and a reload, whichever of its threads the kernel tells."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.control import ask
from pyruse.testing.journal import make_journal, unavailable
from pyruse.testing.plugin import need

pytestmark = pytest.mark.realparts

CONFIG = """
[journal]
files = ["{folder}/day.journal"]
[state]
url = "sqlite://{folder}/state.sqlite"
[chains]
"all" = [ {{ action = "discard" }} ]
"""


@pytest.fixture
def asleep(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A daemon that has nothing more to read."""
    need(unavailable())
    make_journal(tmp_path / "day.journal", [{"MESSAGE": "hello"}])
    config = tmp_path / "pyruse.toml"
    config.write_text(CONFIG.format(folder=tmp_path))
    with subprocess.Popen(
        [sys.executable, "-m", "pyruse", "run", "-c", str(config)],
        stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            while ask(str(tmp_path / "state.sqlite"), {"request": "status"}) is None:
                assert process.poll() is None
                time.sleep(0.05)
            time.sleep(0.5)
            yield process
        finally:
            process.kill()


def tell_another_thread(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Have a signal come to a thread that is not the main one, as the kernel may at any time."""
    threads = {int(name) for name in os.listdir(f"/proc/{process.pid}/task")} - {process.pid}
    assert ctypes.CDLL(None).tgkill(process.pid, min(threads), number) == 0


def test_a_stop_that_another_thread_is_told_of_wakes_the_daemon(
    asleep: subprocess.Popen[str],
) -> None:
    tell_another_thread(asleep, signal.SIGTERM)
    assert asleep.wait(20) == 0


def test_a_reload_that_another_thread_is_told_of_wakes_the_daemon(
    asleep: subprocess.Popen[str],
) -> None:
    assert asleep.stderr is not None
    tell_another_thread(asleep, signal.SIGHUP)
    while "the configuration was read again" not in asleep.stderr.readline():
        assert asleep.poll() is None
