"""Memory that runs out becomes an error, where the kernel would kill the process.

libsystemd unpacks a field as a whole, whatever limit it is given (systemd 252), and nobody can ask
before how long it is: a few bytes of a stranger become 700 MB. While entries are handled, no
allocation may therefore take more than half of the memory that is left; one that would fails, and
that field is not read (docs/decisions/0052-a-field-may-take-half-of-the-memory.md).
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType

_LEAST = 64 << 20
"""Bytes: so much may be taken in any case."""
_PAGE = os.sysconf("SC_PAGE_SIZE")
_LOOK_S = 1.0
"""So long what is left is taken for what it was."""
_NO_LIMIT = 1 << 60
"""Bytes: the first version of cgroups writes a number such as this for none."""


class MemoryLimit:
    """A limit on what the process may allocate (RLIMIT_DATA), for the time of a ``with`` block."""

    def __init__(self) -> None:
        self._soft, self._hard = resource.getrlimit(resource.RLIMIT_DATA)
        self._groups = _groups()
        self._looked = -_LOOK_S
        self._limit = self._soft

    def __enter__(self) -> None:
        now = time.monotonic()
        if now - self._looked >= _LOOK_S:
            self._looked = now
            with suppress(OSError):  # no descriptor is left: what was found before holds
                self._limit = self._found()
        with suppress(ValueError, OSError):  # a hard limit below it: that one holds
            resource.setrlimit(resource.RLIMIT_DATA, (self._limit, self._hard))

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_DATA, (self._soft, self._hard))

    def _found(self) -> int:
        pages = Path("/proc/self/statm").read_text().split()  # proc(5)
        resident, data = int(pages[1]) * _PAGE, int(pages[5]) * _PAGE
        limits = [limit - resident for limit in self._limits()]
        allowed = data + max(_LEAST, min(limits, default=_NO_LIMIT) // 2)
        for limit in (self._soft, self._hard):
            if limit != resource.RLIM_INFINITY:
                allowed = min(allowed, limit)
        return allowed

    def _limits(self) -> Iterator[int]:
        """Bytes that this process may have, as each of those who limit it says."""
        with suppress(OSError, ValueError, IndexError):
            lines = Path("/proc/meminfo").read_text().splitlines()
            (line,) = [line for line in lines if line.startswith("MemAvailable:")]
            resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
            yield int(line.split()[1]) * 1024 + resident
        for file in self._groups:
            with suppress(OSError, ValueError):  # "max"; or it is gone
                limit = int(file.read_text())
                if limit < _NO_LIMIT:
                    yield limit


def _groups() -> list[Path]:
    """The files with the limits of the control groups that this process is in (cgroups(7))."""
    found: list[Path] = []
    with suppress(OSError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, path = line.split(":", 2)
            if controllers == "":
                top, name = Path("/sys/fs/cgroup"), "memory.max"
            elif "memory" in controllers.split(","):
                top, name = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
            else:
                continue
            folder = top / path.lstrip("/")
            found += [
                one / name
                for one in (folder, *folder.parents)
                if one.is_relative_to(top) and (one / name).is_file()
            ]
    return found
