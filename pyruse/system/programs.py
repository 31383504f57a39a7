"""Runs other programs so that none can harm Pyruse: no shell, a time limit, bounded output."""

from __future__ import annotations

import fcntl
import os
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import IO

from msgspec import Struct

from pyruse.system.descriptors import limit_program
from pyruse.system.interruption import Interruption
from pyruse.text import one_line, shortened

_KEPT = 16_384  # bytes of each of its two outputs; the rest is read and dropped
_CHUNK = 65_536  # what a pipe holds at most (pipe(7))
_TICK = 0.1  # seconds between two looks at a program, where Linux cannot tell when it ends
_SHOWN_LINES = 3
_SHOWN_CHARACTERS = 300


class Finished(Struct, frozen=True):
    """How a program ended."""

    status: int | None
    """The exit code, or minus the number of the signal that ended the program; None: its time was
    over."""
    output: str
    errors: str
    timeout: float
    """Its time limit, in seconds."""
    pid: int
    """The number that its process had."""

    @property
    def fault(self) -> str | None:
        """What went wrong, with the first lines that it said about it; None for exit code 0."""
        if self.status == 0:
            return None
        said = [line for line in (self.errors or self.output).splitlines() if line.strip()]
        first = " | ".join(one_line(line) for line in said[:_SHOWN_LINES])
        return self._end() + (f": {shortened(first, _SHOWN_CHARACTERS)}" if first else "")

    def _end(self) -> str:
        if self.status is None:
            return f"was killed after {self.timeout:g} s, its time limit"
        if self.status >= 0:
            return f"failed with exit code {self.status}"
        with suppress(ValueError):
            return f"was killed by {signal.Signals(-self.status).name}"
        return f"was killed by signal {-self.status}"


def run_program(  # noqa: PLR0913 -- what a program gets, and its limits
    argv: Sequence[str],
    *,
    timeout: float,
    stdin: bytes | None = None,
    environment: Mapping[str, str] | None = None,
    kept: int = _KEPT,
    interruption: Interruption | None = None,
) -> Finished:
    """Run a program in a session of its own and wait for its end.

    Background processes that it leaves behind are neither waited for nor killed. When the time is
    over, the program is killed with its whole process group.

    :param argv: the program and its arguments.
    :param timeout: the time limit in seconds.
    :param stdin: its standard input; None: /dev/null.
    :param environment: its environment; None: Pyruse's.
    :param kept: how many bytes of each of its two outputs are kept; the rest is dropped.
    :param interruption: ends the program before its time.
    :raises OSError: it cannot be started.
    :raises ValueError: no program is named, or an argument has a NUL character.
    """
    # Not a pipe: were Pyruse killed while it writes, the program would take half a text for the
    # whole, and send half a mail. A file in memory: the disk may be full.
    with open(os.memfd_create("stdin"), "w+b") as whole:
        whole.write(stdin or b"")
        whole.seek(0)
        process = _start(argv, subprocess.DEVNULL if stdin is None else whole, environment)
    return _attend(process, timeout, kept, interruption)


class Standby:
    """A program that is started ahead of its work, since a start takes time.

    The program must do nothing before it has read all of its standard input, and nothing if the
    input is empty: so it ends when Pyruse is killed.
    """

    def __init__(self, argv: Sequence[str], environment: Mapping[str, str] | None = None) -> None:
        """Start it, as `run_program` does.

        :raises OSError: it cannot be started.
        :raises ValueError: no program is named, or an argument has a NUL character.
        """
        self.argv = list(argv)
        self._process = _start(argv, subprocess.PIPE, environment)

    def waits(self) -> bool:
        """Whether it still waits for its standard input."""
        return self._process.poll() is None

    def run(
        self,
        stdin: bytes,
        *,
        timeout: float,
        kept: int = _KEPT,
        interruption: Interruption | None = None,
    ) -> Finished | None:
        """Give it its standard input and wait for its end, as `run_program` does. Once only.

        :return: None: the program got nothing and has ended. It had ended before, or the text is
            longer than a pipe holds: were Pyruse killed between two parts, the program would take
            the first part for the whole.
        """
        pipe = self._process.stdin
        assert pipe is not None
        if len(stdin) > fcntl.fcntl(pipe, fcntl.F_GETPIPE_SZ):
            self.close()
            return None
        try:
            pipe.write(stdin)
        except BrokenPipeError:
            self.close()
            return None
        pipe.close()
        return _attend(self._process, timeout, kept, interruption)

    def close(self) -> None:
        """End it: it is not needed."""
        self._process.kill()
        self._process.communicate()


def _start(
    argv: Sequence[str], stdin: int | IO[bytes], environment: Mapping[str, str] | None
) -> subprocess.Popen[bytes]:
    if not argv:
        raise ValueError("no program is named")
    process = subprocess.Popen(
        list(argv),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd="/",
        env=environment,
        start_new_session=True,
    )
    limit_program(process.pid)
    return process


def _attend(
    process: subprocess.Popen[bytes],
    timeout: float,
    kept: int,
    interruption: Interruption | None,
) -> Finished:
    attendant = _Attendant(process, kept)
    try:
        if interruption is None:
            in_time = attendant.wait(time.monotonic() + timeout)
        else:
            with interruption.listening() as bell:
                in_time = attendant.wait(time.monotonic() + timeout, bell)
    finally:
        attendant.close()
    return Finished(
        process.returncode if in_time else None,
        attendant.output.decode(errors="replace"),
        attendant.errors.decode(errors="replace"),
        timeout,
        process.pid,
    )


class _Attendant:
    """Listens to a program until it ends."""

    def __init__(self, process: subprocess.Popen[bytes], kept: int) -> None:
        self._process = process
        self._kept = kept
        self._selector = selectors.DefaultSelector()
        self.output = bytearray()
        self.errors = bytearray()
        for stream, said in ((process.stdout, self.output), (process.stderr, self.errors)):
            assert stream is not None
            self._selector.register(stream, selectors.EVENT_READ, said)
            os.set_blocking(stream.fileno(), False)
        self._pidfd: int | None = None
        with suppress(OSError):  # before Linux 5.3
            self._pidfd = os.pidfd_open(process.pid)
            self._selector.register(self._pidfd, selectors.EVENT_READ, "end")

    def wait(self, deadline: float, bell: int | None = None) -> bool:
        """Attend to it until it ends, or until an instant of `time.monotonic`: then False.

        Its time is over at once when the descriptor ``bell`` is readable.
        """
        in_time = True
        if bell is not None:
            self._selector.register(bell, selectors.EVENT_READ, "bell")
        while self._process.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                in_time = False
                break
            for key, _ in self._selector.select(left if self._pidfd else min(left, _TICK)):
                if key.data == "bell":
                    deadline = time.monotonic()
                elif key.data != "end":
                    self._listen(key.fileobj, key.data)  # type: ignore[arg-type]  # a pipe
        # Read what it wrote last, but do not wait: a child that it left behind may hold the pipes
        # open for ever.
        for key in list(self._selector.get_map().values()):
            if isinstance(key.data, bytearray):
                self._listen(key.fileobj, key.data)  # type: ignore[arg-type]  # a pipe
        return in_time

    def _listen(self, stream: IO[bytes], said: bytearray) -> None:
        """Read what there is."""
        with suppress(BlockingIOError):
            data = os.read(stream.fileno(), _CHUNK)
            said += data[: self._kept - len(said)]
            if not data:
                self._selector.unregister(stream)
                stream.close()

    def close(self) -> None:
        """Let everything go; a program that still runs is killed with its process group."""
        process = self._process
        if process.poll() is None:
            # Nobody has waited for it yet, so the group's number still belongs to it. A set-user-ID
            # program may be out of reach: leave it alone then.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=1)
        self._selector.close()
        if self._pidfd is not None:
            os.close(self._pidfd)
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()
