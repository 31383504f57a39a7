"""Commands and the daemon, over a real Unix socket."""

from __future__ import annotations

import json
import os
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import pytest

from pyruse.daemon import control as control_module
from pyruse.daemon.control import Control, ask
from pyruse.errors import UserError
from pyruse.testing.waiting import TIME_LIMIT, wait_until


@pytest.fixture
def state(tmp_path: Path) -> str:
    return str(tmp_path / "state.sqlite")


@pytest.fixture
def listening(state: str) -> Iterator[Callable[..., Control]]:
    """``listening(wake)``: a daemon's side, whose main loop is what ``wake`` does."""
    made: list[Control] = []

    def listen(wake: Callable[[], None] = lambda: None) -> Control:
        made.append(Control(state, lambda: {"entries": 7}, wake))
        return made[-1]

    yield listen
    for control in made:
        control.close()


def test_a_request_is_answered_by_the_main_loop(
    state: str, listening: Callable[..., Control]
) -> None:
    woken = threading.Event()
    control = listening(woken.set)
    answers: list[Any] = []
    asking = threading.Thread(
        target=lambda: answers.append(ask(state, {"request": "order", "text": "é\n{}"}))
    )
    asking.start()
    assert woken.wait(TIME_LIMIT)
    (request,) = control.requests()
    assert request.content == {"request": "order", "text": "é\n{}"}
    request.answer({"ok": True})
    asking.join(TIME_LIMIT)
    assert answers == [{"ok": True}]


def test_the_status_is_answered_while_the_main_loop_is_busy(
    state: str, listening: Callable[..., Control]
) -> None:
    listening()
    assert ask(state, {"request": "status"}) == {"entries": 7}


def test_a_large_request_arrives_whole(state: str, listening: Callable[..., Control]) -> None:
    def main_loop() -> None:
        for request in control.requests():
            request.answer({"number": len(request.content["networks"])})

    control = listening(main_loop)
    networks = [f"10.{number >> 8}.{number & 255}.1" for number in range(60_000)]
    assert ask(state, {"request": "order", "networks": networks}) == {"number": 60_000}


def test_without_a_daemon_there_is_no_answer(state: str) -> None:
    assert ask(state, {"request": "status"}) is None


def test_what_a_killed_daemon_left_is_no_daemon(
    state: str, listening: Callable[..., Control]
) -> None:
    left = socket.socket(socket.AF_UNIX)
    left.bind(f"{state}.socket")
    left.close()  # the file stays
    assert ask(state, {"request": "status"}) is None
    listening()
    assert ask(state, {"request": "status"}) == {"entries": 7}


@pytest.mark.parametrize(
    "sent",
    [b"", b"\n", b"\xff\x00\n", b"[1]\n", b"{", b'{"request": "status"', b"[" * 100_000 + b"\n"],
)
def test_nonsense_is_answered_with_a_fault(
    state: str, listening: Callable[..., Control], sent: bytes
) -> None:
    control = listening()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{state}.socket")
        client.sendall(sent)
        client.shutdown(socket.SHUT_WR)
        answer = json.loads(client.makefile("rb").readline())
    assert not answer["ok"]
    assert "the request is not understood" in answer["fault"]
    assert list(control.requests()) == []


def test_a_request_may_not_be_of_any_length(state: str, listening: Callable[..., Control]) -> None:
    listening()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{state}.socket")
        with suppress(ConnectionError):  # it is not read to its end
            client.sendall(b'{"request": "' + b"x" * (9 << 20))
        answer = json.loads(client.makefile("rb").readline())
    assert "it is longer than 8,388,608 bytes" in answer["fault"]


def test_who_says_nothing_is_sent_away(
    state: str, listening: Callable[..., Control], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "_LINE_S", 0.2)
    listening()
    silent = [socket.socket(socket.AF_UNIX) for _ in range(40)]  # more than are served at once
    for client in silent:
        client.connect(f"{state}.socket")
        client.send(b"{")
    assert ask(state, {"request": "status"}) == {"entries": 7}
    for client in silent:
        assert b"no request came within" in client.makefile("rb").readline()
        client.close()


def test_a_command_that_gives_up_leaves_nothing_behind(
    state: str, listening: Callable[..., Control]
) -> None:
    woken = threading.Event()
    control = listening(woken.set)
    threads, handles = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for number in range(40):
        woken.clear()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(f"{state}.socket")
            client.sendall(b'{"request": "order", "number": %d}\n' % number)
            assert woken.wait(TIME_LIMIT)
    wait_until(threading.active_count, lambda now: now == threads)
    assert len(os.listdir("/proc/self/fd")) == handles
    assert list(control.requests()) == []
    assert ask(state, {"request": "status"}) == {"entries": 7}


def test_a_command_waits_for_its_turn(state: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """connect(2) does not: it fails at once where too many wait already."""
    refused, sleep = threading.Event(), time.sleep

    def note(seconds: float) -> None:
        refused.set()
        sleep(seconds)

    monkeypatch.setattr(time, "sleep", note)
    others: list[socket.socket] = []
    answers: list[Any] = []
    with socket.socket(socket.AF_UNIX) as listener, ExitStack() as stack:
        listener.bind(f"{state}.socket")
        listener.listen(1)
        with suppress(BlockingIOError):
            while True:
                other = stack.enter_context(socket.socket(socket.AF_UNIX))
                other.setblocking(False)
                other.connect(f"{state}.socket")
                others.append(other)
        asking = threading.Thread(target=lambda: answers.append(ask(state, {"request": "status"})))
        asking.start()
        assert refused.wait(TIME_LIMIT)
        for _ in others:
            listener.accept()[0].close()
        with listener.accept()[0] as connection:
            assert json.loads(connection.recv(1000)) == {"request": "status"}
            connection.sendall(b'{"ok": true}\n')
        asking.join(TIME_LIMIT)
    assert answers == [{"ok": True}]


def test_a_command_does_not_wait_for_its_turn_for_ever(
    state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(control_module, "_ANSWER_S", 0.05)
    monkeypatch.setattr(control_module, "_RETRY_S", 0.01)
    with socket.socket(socket.AF_UNIX) as listener, ExitStack() as stack:
        listener.bind(f"{state}.socket")
        listener.listen(1)
        with suppress(BlockingIOError):
            while True:
                other = stack.enter_context(socket.socket(socket.AF_UNIX))
                other.setblocking(False)
                other.connect(f"{state}.socket")
        with pytest.raises(UserError, match="too many others wait for it"):
            ask(state, {"request": "status"})


def test_who_has_said_all_may_close_his_half(state: str, listening: Callable[..., Control]) -> None:
    woken = threading.Event()
    control = listening(woken.set)
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{state}.socket")
        client.sendall(b'{"request": "order"}\n')
        client.shutdown(socket.SHUT_WR)
        assert woken.wait(TIME_LIMIT)
        time.sleep(3 * control_module._LOOK_S)  # it is looked at meanwhile
        (request,) = control.requests()
        request.answer({"ok": True})
        assert client.makefile("rb").readline() == b'{"ok":true}\n'


def test_a_daemon_that_ends_meanwhile_is_told_of(state: str, tmp_path: Path) -> None:
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{state}.socket")
    server.listen()

    def end() -> None:
        connection, _ = server.accept()
        connection.recv(100)
        connection.close()

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(UserError, match=r"has ended meanwhile, or had no room"):
        ask(state, {"request": "order"})
    thread.join()
    server.close()


def test_a_long_path_is_no_obstacle(tmp_path: Path) -> None:
    folder = tmp_path / ("d" * 120)
    folder.mkdir()
    state = str(folder / "state.sqlite")
    control = Control(state, dict, lambda: None)
    assert ask(state, {"request": "status"}) == {}
    control.close()


def test_others_have_no_access(state: str, listening: Callable[..., Control]) -> None:
    listening()
    assert stat.S_IMODE(Path(f"{state}.socket").stat().st_mode) == 0o660


def test_the_socket_is_gone_afterwards(state: str, listening: Callable[..., Control]) -> None:
    before = len(os.listdir("/proc/self/fd"))
    control = listening()
    control.close()
    assert not Path(f"{state}.socket").exists()
    assert ask(state, {"request": "status"}) is None
    assert len(os.listdir("/proc/self/fd")) == before


def test_a_folder_that_cannot_be_written_to_is_told_of(tmp_path: Path) -> None:
    with pytest.raises(UserError) as refused:
        Control(f"{tmp_path}/missing/state.sqlite", dict, lambda: None)
    assert str(refused.value) == (
        f"{tmp_path}/missing/state.sqlite.socket: cannot be made: No such file or directory "
        "(expected a folder that this user may write to; another one is chosen by [state] url)"
    )
