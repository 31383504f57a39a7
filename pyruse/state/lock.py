"""Locks a state for one daemon: a second daemon would handle, and send, everything again."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress
from pathlib import Path

from pyruse.errors import UserError


class StateLock:
    """Held from the start of a daemon to its end, however it ends: the kernel lets it go."""

    def __init__(self, state: str) -> None:
        """Take the lock of a state.

        Lock a file beside the database, not the database itself: closing a second descriptor of
        the database would take SQLite's own locks away (sqlite.org/howtocorrupt.html, 2.2).

        :raises UserError: another process holds it, or the file cannot be made.
        """
        path = Path(f"{state}.lock")
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o750)
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o640)
        except OSError as fault:
            raise UserError(
                f"{path}: cannot be made: {fault.strerror} (expected a folder that this user may "
                "write to; another one is chosen by [state] url)"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._file, 20).decode(errors="replace").strip() or "unknown"
            os.close(self._file)
            raise UserError(
                f"{state}: in use by another Pyruse, process {holder} (expected one daemon a state)"
            ) from None
        with suppress(OSError):  # a full disk: then nobody is told who holds it
            os.ftruncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._file)
