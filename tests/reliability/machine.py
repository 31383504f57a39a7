"""A daemon with a disk of its own, which can run full."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from pyruse.testing import Daemon

_SET_UP = """
mkdir -p {disk} && mount -t tmpfs -o size={size} none {disk} || exit 1
echo ready
exec cat  # until the test ends, or is killed
"""

_QUERY = """
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30)
print(json.dumps(db.execute(sys.argv[2]).fetchall()))
db.close()
"""

_READER = """
import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN")
db.execute("SELECT count(*) FROM events").fetchone()
print("reading", flush=True)
time.sleep(1000)
"""


def unavailable() -> str | None:
    """Why no disk can be had here, or None where it can."""
    if os.geteuid() != 0:
        return "only root can mount a disk"
    for program in ("unshare", "nsenter", "mount"):
        if shutil.which(program) is None:
            return f"{program} is not there (Debian: util-linux)"
    tried = subprocess.run(
        ["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/mnt"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return tried.stderr.strip() or None


class Machine(Daemon):
    """A daemon in a mount namespace with a small disk, for the time of a ``with`` block."""

    def __init__(self, folder: Path, size: str = "2m") -> None:
        """:param size: of the disk, as tmpfs(5) has it."""
        super().__init__(folder)
        self._size = size
        self._disk = folder / "disk"
        self.state = self._disk / "state.sqlite"
        """As it is seen from inside. (SQLite would follow `disk` to the outside.)"""

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", _SET_UP.format(disk=self._disk, size=self._size)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        self.prefix = ["nsenter", f"--target={self._holder.pid}", "--mount", "--root", "--wd"]
        return super().__enter__()

    def close(self) -> None:
        super().close()
        self._holder.kill()
        self._holder.communicate()

    @property
    def disk(self) -> Path:
        """The disk, as it is seen from outside."""
        return Path(f"/proc/{self._holder.pid}/root{self._disk}")

    def configure(self, toml: str) -> None:
        """:param toml: may have ``{disk}`` and ``{folder}``."""
        places = {"{disk}": self._disk, "{folder}": self.folder}
        for mark, place in places.items():
            toml = toml.replace(mark, str(place))
        super().configure(toml)

    def mount(self, *options: str) -> None:
        """Mount the disk anew with these options, such as ``ro``."""
        subprocess.run(
            [*self.prefix, "mount", "-o", ",".join(["remount", *options]), str(self._disk)],
            check=True,
        )

    def reading(self) -> subprocess.Popen[bytes]:
        """Start somebody who reads the state for as long as it is let live."""
        process = subprocess.Popen(
            [*self.prefix, sys.executable, "-IS", "-c", _READER, str(self.state)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        process.stdout.close()
        return process

    def fill(self) -> None:
        """Leave no room on the disk."""
        with (self.disk / "ballast").open("ab", buffering=0) as file, suppress(OSError):
            for size in (4096, 1):
                with suppress(OSError):
                    while file.write(b"\0" * size):
                        pass

    def make_room(self) -> None:
        (self.disk / "ballast").unlink()

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """What the state holds."""
        done = subprocess.run(
            [*self.prefix, sys.executable, "-IS", "-c", _QUERY, str(self.state), query],
            stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        return [tuple(row) for row in json.loads(done.stdout)]

    def wait_for_rows(self, query: str, expected: list[tuple[Any, ...]]) -> None:
        """Wait until a query gives these rows."""
        self.wait_until(lambda: self.rows(query), lambda found: found == expected)
