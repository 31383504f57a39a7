"""Units without a systemd: control groups, by whose names journald tells ``_SYSTEMD_UNIT``."""

from __future__ import annotations

import contextlib
import os
import signal
import uuid
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pyruse.testing.keeper import Keeper

_HIERARCHIES = [
    folder
    for folder in map(Path, ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"))
    if (folder / "cgroup.procs").exists()
]
"""Those that journald may look at, whichever version of control groups there is."""
_ENTER = """
for group; do
    shift
    [ "$group" = -- ] && break
    echo $$ >"$group/cgroup.procs"
done
exec "$@"
"""
_CLEAN_UP = """
for slice; do
    for _ in $(seq 100); do
        rmdir "$slice"/* "$slice" 2>/dev/null
        [ -d "$slice" ] || break
        sleep 0.05
    done
done
"""
"""A group cannot be removed as long as there are processes in it."""


def unavailable() -> str | None:
    """Why processes cannot be put into units here; None: they can."""
    if not _HIERARCHIES:
        return "there are no control groups (/sys/fs/cgroup)"
    try:
        with Units() as units:
            units.command("test.service", ["true"])
    except OSError as fault:
        return f"a control group cannot be made: {fault}"
    return None


class Units:
    """Units in a slice of their own, as context manager."""

    def __enter__(self) -> Self:
        """Make the slice.

        :raises OSError: it cannot be made.
        """
        name = f"pyruse{uuid.uuid4().hex[:8]}.slice"
        self._slices = [folder / name for folder in _HIERARCHIES]
        self._keeper = Keeper(_CLEAN_UP, *self._slices)
        for folder in self._slices:
            folder.mkdir()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for group in self._slices[0].glob("*.service"):
            self.kill(group.name)
        self._keeper.close()

    def command(self, unit: str, command: Sequence[str]) -> list[str]:
        """A command that runs another one in a unit.

        :param unit: its name, such as ``exim4.service``.
        :raises OSError: there cannot be such a unit.
        """
        groups = [folder / unit for folder in self._slices]
        for group in groups:
            group.mkdir(exist_ok=True)
        return ["sh", "-c", _ENTER, "sh", *map(str, groups), "--", *command]

    def kill(self, unit: str) -> None:
        """Kill all the processes of a unit."""
        for process in (self._slices[0] / unit / "cgroup.procs").read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(process), signal.SIGKILL)
