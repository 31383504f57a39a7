"""A real systemd-journald of a test's own: its socket to log to, its files to read."""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import uuid
from pathlib import Path
from types import TracebackType
from typing import Self

from pyruse.testing.keeper import Keeper
from pyruse.testing.waiting import TIME_LIMIT, wait_until

_PROGRAM = Path("/lib/systemd/systemd-journald")
_MACHINE_ID = Path("/etc/machine-id")
_LONGEST_END = 10.0  # seconds; then it is killed
_CLEAN_UP = """
kill "$1" 2>/dev/null
for _ in $(seq 200); do kill -0 "$1" 2>/dev/null || break; sleep 0.05; done
rm -rf "$2" "$3"
"""
"""A process that nobody has waited for yet is there still: so no more than 10 s."""


def unavailable() -> str | None:
    """Why no journald can be run here, or None where it can."""
    if os.geteuid() != 0:
        return "only root can run a journald"
    if not _PROGRAM.exists():
        return f"{_PROGRAM} is not there (Debian: the package systemd)"
    if not _MACHINE_ID.exists():
        return f"{_MACHINE_ID} is not there (systemd-machine-id-setup makes it)"
    return None


class Journald:
    """A journald in a namespace of a random name (``systemd-journald NAME``), as context manager.

    :raises RuntimeError: it did not start.
    """

    def __init__(self) -> None:
        self.namespace = f"pyruse{uuid.uuid4().hex[:8]}"
        self._run = Path("/run/systemd") / f"journal.{self.namespace}"
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: socket.socket | None = None
        machine = _MACHINE_ID.read_text().strip()
        self.directory = Path("/var/log/journal") / f"{machine}.{self.namespace}"
        """Where its files are."""

    @property
    def socket(self) -> Path:
        """The socket of the native protocol."""
        return self._run / "socket"

    def __enter__(self) -> Self:
        self.directory.parent.mkdir(parents=True, exist_ok=True)
        self._start()
        return self

    def _start(self) -> None:
        self._process = subprocess.Popen(
            [_PROGRAM, self.namespace], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
        )
        self._keeper = Keeper(_CLEAN_UP, self._process.pid, self._run, self.directory)
        try:
            wait_until(self._is_ready, hopeless=self._end)
        except AssertionError as fault:
            said = self._stop()
            raise RuntimeError(
                f"{_PROGRAM} {self.namespace} did not start: {said or fault}"
            ) from None
        # The journald of a namespace ends by itself where it has had nothing to do for 30 s, unless
        # somebody is connected.
        self._connection = socket.socket(socket.AF_UNIX)
        self._connection.connect(str(self._run / "stdout"))

    def _is_ready(self) -> bool:
        return self.socket.exists() and bool(list(self.directory.glob("*.journal")))

    def _end(self) -> str:
        assert self._process is not None
        return "" if self._process.poll() is None else "it has ended"

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> str:
        """End journald, and remove what it has made.

        :return: what it said on standard error.
        """
        said = self._terminate()
        self._keeper.close()
        return said

    def _terminate(self) -> str:
        """End journald.

        :return: what it said on standard error; little, so that no pipe runs full.
        """
        assert self._process is not None
        if self._connection is not None:
            self._connection.close()
        self._process.terminate()
        try:
            _, said = self._process.communicate(timeout=_LONGEST_END)
        except subprocess.TimeoutExpired:
            self._process.kill()
            _, said = self._process.communicate()
        return said.decode(errors="replace").strip()

    def send(self, **fields: str | bytes | int) -> None:
        """Log an entry, by the native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL)."""
        self.send_all([fields])

    def send_all(self, entries: list[dict[str, str | bytes | int]]) -> None:
        """Log several entries over one socket."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
            sender.connect(str(self.socket))
            for fields in entries:
                sender.send(b"".join(_field(name, value) for name, value in fields.items()))

    def restart(self) -> None:
        """End it, and start it again on the same files, as an update of systemd does.

        :raises RuntimeError: it did not start again.
        """
        self._terminate()
        self._keeper.dismiss()
        self.socket.unlink(missing_ok=True)  # so that it is there once it is ready
        self._start()

    def rotate(self) -> None:
        """Have it begin a new file."""
        self._journalctl("--rotate")

    def vacuum(self) -> None:
        """Remove the files that it no longer writes to."""
        self._journalctl("--vacuum-files=1")

    def sync(self) -> None:
        """Wait until all that was sent is in its files."""
        self._journalctl("--sync")

    def _journalctl(self, *options: str) -> None:
        subprocess.run(
            ["journalctl", f"--namespace={self.namespace}", *options],
            check=True,
            capture_output=True,
            timeout=TIME_LIMIT,
        )


def _field(name: str, value: str | bytes | int) -> bytes:
    data = value if isinstance(value, bytes) else str(value).encode()
    return b"%s\n%s%s\n" % (name.encode(), struct.pack("<Q", len(data)), data)
