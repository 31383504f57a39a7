"""What the service manager is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from pyruse.system import service_manager


@pytest.fixture
def notified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "notify"
    monkeypatch.setenv("NOTIFY_SOCKET", str(path))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(path))
        listening.settimeout(5)
        yield listening
    path.unlink(missing_ok=True)


def test_it_hears_of_a_start_a_reload_and_a_stop(notified: socket.socket) -> None:
    service_manager.ready()
    assert notified.recv(999) == b"READY=1"
    service_manager.reloading()
    assert notified.recv(999).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
    service_manager.status("two\nlines \x1b[31m")
    assert notified.recv(999) == b"STATUS=two lines \\x1b[31m"
    service_manager.status("")
    assert notified.recv(999) == b"STATUS="
    service_manager.stopping()
    assert notified.recv(999) == b"STOPPING=1"


def test_the_watchdog_is_told_twice_in_its_time(
    notified: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.delenv("WATCHDOG_PID", raising=False)
    watchdog = service_manager.Watchdog()
    watchdog.tell()
    watchdog.tell()
    assert notified.recv(999) == b"WATCHDOG=1"
    notified.setblocking(False)
    with pytest.raises(BlockingIOError):
        notified.recv(999)
    assert 29_000 < (watchdog.wait_ms() or 0) <= 30_001


@pytest.mark.parametrize("there", [False, True])
def test_whoever_does_not_listen_is_no_reason_to_stop(
    there: bool, notified: socket.socket, tmp_path: Path
) -> None:
    notified.close()
    if not there:
        (tmp_path / "notify").unlink()
    service_manager.ready()
    service_manager.stopping()
