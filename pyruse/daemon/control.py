"""Commands talk to the daemon over a Unix socket beside the state: a line of JSON each way.

Whoever may write the state may connect (unix(7): that takes the right to write to the socket).
"""

from __future__ import annotations

import os
import select
import socket
import threading
import time
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
"""So long the daemon waits for a request, and for its answer to be taken."""
_LONGEST = 8 << 20
"""Bytes of a request. An import of a million addresses is many requests (`pyruse.cli.ordering`)."""
_LONGEST_ANSWER = 256 << 20
_CLIENTS = 16
"""So many are served at the same time; the kernel has the others wait."""
_LOOK_S = 0.2
"""So often a client that waits for the main loop is looked at: it may have given up."""
_RETRY_S = 0.2
"""So long after a client could not be accepted the next attempt is made."""
_SHORT_S = 1.0
"""A shortage that lasts so long is told of …"""
_TELL_S = 60.0
"""… and again after so long."""


class UnansweredError(UserError):
    """The daemon ended while a command waited for its answer: what is done, only the state says."""


class Request:
    """Something that the main loop is asked for, and answers."""

    def __init__(self, content: Message, is_gone: Callable[[], bool]) -> None:
        self.content = content
        self.is_withdrawn = is_gone
        """Whether the command has given up: nobody waits for an answer."""
        self._answers: SimpleQueue[Message] = SimpleQueue()

    def answer(self, answer: Message) -> None:
        """Send the answer; the command waits for it."""
        self._answers.put(answer)

    def wait(self) -> Message | None:
        """The answer, once there is one; None: nobody waits for it any more.

        For the thread of the connection.
        """
        while True:
            try:
                return self._answers.get(timeout=_LOOK_S)
            except Empty:
                if self.is_withdrawn():
                    return None


class Control:
    """The daemon's side: a thread takes connections, the main loop answers requests.

    So nobody waits for a command that stalls, or for a main loop that waits for room on a disk.
    """

    def __init__(self, state: str, status: Callable[[], Message], wake: Callable[[], None]) -> None:
        """Listen. To be called by the holder of the state's lock, and by no one else.

        :param state: the path of the state.
        :param status: answers the request ``status``, at once and in another thread.
        :param wake: called, in another thread, when there is something in `requests` or `faults`.
        :raises UserError: the socket cannot be made.
        """
        self._path = _path(state)
        self._status = status
        self._wake = wake
        self._requests: SimpleQueue[Request] = SimpleQueue()
        self._faults: SimpleQueue[str] = SimpleQueue()
        self._served = threading.BoundedSemaphore(_CLIENTS)
        self._closed = threading.Event()
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
                request = self._requests.get_nowait()
            except Empty:
                return
            if not request.is_withdrawn():
                yield request

    def faults(self) -> Iterator[str]:
        """What kept commands from being listened to, to be told."""
        while not self._faults.empty():
            yield self._faults.get_nowait()

    def close(self) -> None:
        """Listen no more."""
        self._closed.set()
        with suppress(OSError):
            self._path.unlink()
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # ends the wait in accept(2)
        self._socket.close()

    def _listen(self) -> None:
        tell_at = 0.0
        while not self._closed.is_set():
            self._served.acquire()  # given back when the client is served
            try:
                connection, _ = self._socket.accept()
            except OSError as fault:
                self._served.release()
                if self._closed.is_set():
                    return
                # No descriptors, or no memory: whoever connects waits until there are some.
                now = time.monotonic()
                tell_at = tell_at or now + _SHORT_S
                if now >= tell_at:
                    self._tell(fault.strerror or str(fault))
                    tell_at = now + _TELL_S
                self._closed.wait(_RETRY_S)
                continue
            tell_at = 0.0
            name = "pyruse control connection"
            try:
                threading.Thread(
                    target=self._serve, args=(connection,), name=name, daemon=True
                ).start()
            except RuntimeError:  # no room for a thread: the command sees the end of file
                connection.close()
                self._served.release()

    def _tell(self, why: str) -> None:
        self._faults.put(
            f"commands cannot be listened to: {why} (expected more descriptors: LimitNOFILE=)"
        )
        self._wake()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with connection, suppress(OSError):
                answer = self._answer(connection)
                if answer is not None:
                    connection.settimeout(_LINE_S)
                    connection.sendall(msgspec.json.encode(answer) + b"\n")
        finally:
            self._served.release()

    def _answer(self, connection: socket.socket) -> Message | None:
        """The answer to a client, or None where there is nobody to be answered."""
        try:
            line = _line(connection, _LONGEST, time.monotonic() + _LINE_S)
            content = msgspec.json.decode(line, type=Message)
        except TimeoutError:
            return _refused(f"no request came within {_LINE_S:g} s")
        except (msgspec.DecodeError, ValueError) as fault:
            return _refused(f"the request is not understood: {fault}")
        if content.get("request") == "status":
            return self._status()
        request = Request(content, lambda: _is_gone(connection))
        self._requests.put(request)
        self._wake()
        return request.wait()


def _refused(why: str) -> Message:
    return {"ok": False, "fault": f"{why} (expected a line of JSON from a command of Pyruse)"}


def _is_gone(connection: socket.socket) -> bool:
    """Whether the other end is closed (poll(2)), or this one."""
    poll = select.poll()
    try:
        poll.register(connection, 0)
    except ValueError:
        return True
    return any(event & (select.POLLHUP | select.POLLERR) for _, event in poll.poll(0))


def ask(state: str, content: Message, *, patience_s: float = _ANSWER_S) -> Message | None:
    """Ask the daemon that holds a state.

    :param state: the path of the state.
    :param content: the question.
    :param patience_s: so long the answer may take.
    :return: the answer; None: no daemon listens there.
    :raises UnansweredError: the daemon ended before it answered.
    :raises UserError: this user must not ask, or the daemon does not answer.
    """
    path = _path(state)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_ANSWER_S)
        try:
            _connect(connection, path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None
        except TimeoutError:
            raise UserError(
                f"{path}: the daemon cannot be asked: too many others wait for it (expected fewer "
                "at the same time)"
            ) from None
        except OSError as fault:
            raise UserError(
                f"{path}: the daemon cannot be asked: {fault.strerror} (expected a user who may "
                "change the state: root, or the one that Pyruse runs as)"
            ) from None
        try:
            connection.sendall(msgspec.json.encode(content) + b"\n")
            line = _line(connection, _LONGEST_ANSWER, time.monotonic() + patience_s)
            if line.endswith(b"\n"):
                answer: Message = msgspec.json.decode(line, type=Message)
                return answer
        except (BrokenPipeError, ConnectionResetError):
            pass
        except (OSError, ValueError):  # msgspec.DecodeError is one, too
            raise UserError(
                f"{path}: the daemon does not answer (expected an answer in {patience_s:.0f} s: "
                "see what `pyruse status` and its log say)"
            ) from None
    raise UnansweredError(
        f"{path}: the daemon has ended meanwhile, or had no room for one more command (expected "
        "the same again)"
    )


def _connect(connection: socket.socket, path: Path) -> None:
    """Connect, as soon as not too many others wait for that.

    :raises TimeoutError: too many do, for a minute.
    :raises OSError: it is not possible.
    """
    deadline = time.monotonic() + _ANSWER_S
    with _address(path) as address:
        while True:
            try:
                connection.connect(address)
            except BlockingIOError:  # unix(7) does not wait for room in the queue of listen(2)
                if time.monotonic() >= deadline:
                    raise TimeoutError from None
                time.sleep(_RETRY_S)
            else:
                return


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


def _line(connection: socket.socket, longest: int, deadline: float) -> bytes:
    """All until the end of the line, or of what is sent.

    :param longest: so many bytes at most.
    :param deadline: until an instant of `time.monotonic`.
    :raises TimeoutError: it did not come until then.
    :raises ValueError: it is longer.
    """
    line = bytearray()
    while not line.endswith(b"\n"):
        left = deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        connection.settimeout(left)
        more = connection.recv(1 << 16)
        if not more:
            break
        line += more
        if len(line) > longest:
            raise ValueError(f"it is longer than {longest:,} bytes")
    return bytes(line)
