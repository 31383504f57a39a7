"""Commands talk to the daemon over a Unix socket beside the state: a line of JSON each way.

Whoever may write the state may connect (unix(7): that takes the right to write to the socket).
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import msgspec

from pyruse.errors import UserError

Message = dict[str, Any]
"""JSON types only."""

_ANSWER_S = 60.0
"""So long a command waits for its answer: the daemon may be about to change a firewall."""
_LINE_S = 10.0
"""So long the daemon waits for the rest of a line."""
_LONGEST = 256 << 20
"""Bytes of a line: an import of some million addresses."""


class Request:
    """Something that the main loop is asked for, and answers."""

    def __init__(self, content: Message) -> None:
        self.content = content
        self._answers: SimpleQueue[Message] = SimpleQueue()

    def answer(self, answer: Message) -> None:
        """Send the answer; the command waits for it."""
        self._answers.put(answer)

    def wait(self) -> Message:
        """The answer, once there is one. For the thread of the connection."""
        return self._answers.get()


class Control:
    """The daemon's side: a thread takes connections, the main loop answers requests.

    So nobody waits for a command that stalls, or for a main loop that waits for room on a disk.
    """

    def __init__(self, state: str, status: Callable[[], Message], wake: Callable[[], None]) -> None:
        """Listen. To be called by the holder of the state's lock, and by no one else.

        :param state: the path of the state.
        :param status: answers the request ``status``, at once and in another thread.
        :param wake: called, in another thread, when there is something in `requests`.
        :raises UserError: the socket cannot be made.
        """
        self._path = _path(state)
        self._status = status
        self._wake = wake
        self._requests: SimpleQueue[Request] = SimpleQueue()
        self._socket = socket.socket(socket.AF_UNIX)
        try:
            self._path.unlink(missing_ok=True)  # of a daemon that was killed
            with _address(self._path) as address:
                self._socket.bind(address)
            self._path.chmod(0o660)
            self._socket.listen()
        except OSError as fault:
            self._socket.close()
            raise UserError(
                f"{self._path}: cannot be made: {fault.strerror} (expected a folder that this user "
                "may write to; another one is chosen by [state] url)"
            ) from None
        threading.Thread(target=self._listen, name="pyruse control", daemon=True).start()

    def requests(self) -> Iterator[Request]:
        """What waits to be answered by the main loop."""
        while True:
            try:
                yield self._requests.get_nowait()
            except Empty:
                return

    def close(self) -> None:
        """Listen no more."""
        with suppress(OSError):
            self._path.unlink()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # ends the wait in accept(2)
        self._socket.close()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return  # closed
            name = "pyruse control connection"
            with suppress(RuntimeError):  # no room for a thread: the command sees the end of file
                threading.Thread(
                    target=self._serve, args=(connection,), name=name, daemon=True
                ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, suppress(OSError):
            connection.settimeout(_LINE_S)
            try:
                content = msgspec.json.decode(_line(connection), type=Message)
            except msgspec.DecodeError:
                return
            if content.get("request") == "status":
                answer = self._status()
            else:
                request = Request(content)
                self._requests.put(request)
                self._wake()
                answer = request.wait()
            connection.sendall(msgspec.json.encode(answer) + b"\n")


def ask(state: str, content: Message) -> Message | None:
    """Ask the daemon that holds a state.

    :param state: the path of the state.
    :param content: the question.
    :return: the answer; None: no daemon listens there.
    :raises UserError: this user must not ask, or the daemon does not answer.
    """
    path = _path(state)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_S)
        try:
            with _address(path) as address:
                connection.connect(address)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except OSError as fault:
            raise UserError(
                f"{path}: the daemon cannot be asked: {fault.strerror} (expected a user who may "
                "change the state: root, or the one that Pyruse runs as)"
            ) from None
        try:
            connection.sendall(msgspec.json.encode(content) + b"\n")
            answer: Message = msgspec.json.decode(_line(connection), type=Message)
        except (OSError, msgspec.DecodeError):
            raise UserError(
                f"{path}: the daemon does not answer (expected an answer in {_ANSWER_S:.0f} s: see "
                "what `pyruse status` and its log say)"
            ) from None
        return answer


def _path(state: str) -> Path:
    return Path(f"{state}.socket")


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """The path of a socket, within the 108 bytes that unix(7) has for it."""
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def _line(connection: socket.socket) -> bytes:
    """All until the end of the line, or of what is sent."""
    line = bytearray()
    while not line.endswith(b"\n") and len(line) < _LONGEST:
        more = connection.recv(1 << 16)
        if not more:
            break
        line += more
    return bytes(line)
