"""Locks a state for one daemon: a second daemon would handle, and send, everything again."""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from pyruse.errors import UserError

_TRIES = 100
_BETWEEN_S = 0.02


def _runs(process: str) -> bool:
    """Whether a process runs (proc(5)); of a number that nobody has told, nothing is known."""
    return not process.isdecimal() or Path(f"/proc/{process}").exists()


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
            # A link might lead to anybody's file, which root would write to.
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._file = os.open(path, flags, 0o640)
        except OSError as fault:
            raise UserError(
                f"{path}: cannot be made: {fault.strerror} (expected a folder that this user may "
                "write to; another one is chosen by [state] url)"
            ) from None
        if not self._is_taken():
            holder = self._holder() or "unknown"
            os.close(self._file)
            raise UserError(
                f"{state}: in use by another Pyruse, process {holder} (expected one daemon a state)"
            )
        with suppress(OSError):  # a full disk: then nobody is told who holds it
            os.ftruncate(self._file, 0)
            os.write(self._file, f"{os.getpid()}\n".encode())

    def _is_taken(self) -> bool:
        """Take the lock; where its holder has just ended, wait for what holds it for a moment.

        A program that the holder was starting when it was killed has the lock until it runs.
        """
        for _ in range(_TRIES):
            try:
                fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if _runs(self._holder()):
                    return False
                time.sleep(_BETWEEN_S)
            else:
                return True
        return False

    def _holder(self) -> str:
        """The number of the process that holds it, as it said itself; empty where it did not."""
        return os.pread(self._file, 20, 0).decode(errors="replace").strip()

    def release(self) -> None:
        """Let another process have it."""
        os.close(self._file)
