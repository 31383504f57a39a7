"""A machine for a daemon: a disk of its own, which can run full, and its log lines at hand."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

_TIME_LIMIT = 30.0  # seconds, of anything that is waited for

#: Ends with the disk mounted. Where the machine has a journald, what Pyruse says goes to standard
#: error all the same: in here, there is none.
_SET_UP = """
mkdir -p {disk} && mount -t tmpfs -o size={size} none {disk} || exit 1
[ ! -d /run/systemd/journal ] || mount -t tmpfs none /run/systemd/journal || exit 1
echo ready
exec sleep 1000
"""

_QUERY = """
import json, sqlite3, sys
db = sqlite3.connect(sys.argv[1], timeout=30)
made = db.execute("PRAGMA user_version").fetchone()[0]
print(json.dumps(db.execute(sys.argv[2]).fetchall() if made else []))
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


def wait_until(condition: Callable[[], object], what: str) -> None:
    """:raises AssertionError: it did not come true."""
    deadline = time.monotonic() + _TIME_LIMIT
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


class Machine:
    """A mount namespace with a small disk, for the time of a ``with`` block, and its daemons."""

    def __init__(self, folder: Path, size: str = "2m") -> None:
        """:param size: of the disk, as tmpfs(5) has it."""
        self.folder = folder
        self._size = size
        self._disk = folder / "disk"
        self.config = folder / "pyruse.toml"
        self.log = folder / "log"
        """What the daemons said."""
        self.process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(
            ["unshare", "--mount", "sh", "-c", _SET_UP.format(disk=self._disk, size=self._size)],
            stdout=subprocess.PIPE,
        )
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"ready\n"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (self.process, self._holder):
            if process is not None and process.poll() is None:
                process.kill()
                process.wait()
        assert self._holder.stdout is not None
        self._holder.stdout.close()

    @property
    def disk(self) -> Path:
        """The disk, as it is seen from outside."""
        return Path(f"/proc/{self._holder.pid}/root{self._disk}")

    @property
    def state(self) -> Path:
        """As it is seen from inside. (SQLite would follow `disk` to the outside.)"""
        return self._disk / "state.sqlite"

    @property
    def _inside(self) -> list[str]:
        return ["nsenter", f"--target={self._holder.pid}", "--mount", "--root", "--wd"]

    def configure(self, toml: str) -> None:
        """:param toml: may have ``{disk}`` and ``{folder}``."""
        places = {"{disk}": self._disk, "{folder}": self.folder}
        for mark, place in places.items():
            toml = toml.replace(mark, str(place))
        self.config.write_text(toml)

    def pyruse(self, *arguments: str) -> list[str]:
        """A command line that runs inside."""
        return [*self._inside, sys.executable, "-m", "pyruse", *arguments, "-c", str(self.config)]

    def mount(self, *options: str) -> None:
        """Mount the disk anew with these options, such as ``ro``."""
        subprocess.run(
            [*self._inside, "mount", "-o", ",".join(["remount", *options]), str(self._disk)],
            check=True,
        )

    def reading(self) -> subprocess.Popen[bytes]:
        """Start somebody who reads the state for as long as it is let live."""
        process = subprocess.Popen(
            [*self._inside, sys.executable, "-IS", "-c", _READER, str(self.state)],
            stdout=subprocess.PIPE,
        )
        assert process.stdout is not None
        assert process.stdout.readline() == b"reading\n"
        process.stdout.close()
        return process

    def start(self, *options: str) -> subprocess.Popen[bytes]:
        """Start a daemon; what it says is added to the log."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.pyruse("run", *options), stderr=log)
        return self.process

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        """:return: the exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(_TIME_LIMIT)

    def said(self) -> list[str]:
        """The lines of the log."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def wait_for_line(self, text: str, times: int = 1) -> None:
        """Wait until so many lines have a text in them."""
        wait_until(
            lambda: sum(text in line for line in self.said()) >= times,
            f"{text} is not in: {self.said()[-3:]}",
        )

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
        """What the state holds; nothing while it is not there yet."""
        if not (self.disk / "state.sqlite").exists():
            return []
        done = subprocess.run(
            [*self._inside, sys.executable, "-IS", "-c", _QUERY, str(self.state), query],
            stdout=subprocess.PIPE, check=True,
        )  # fmt: skip
        return [tuple(row) for row in json.loads(done.stdout)]

    def wait_for_rows(self, query: str, expected: list[tuple[Any, ...]]) -> None:
        """Wait until a query gives these rows."""
        found: list[tuple[Any, ...]] = []

        def come() -> bool:
            found[:] = self.rows(query)
            return found == expected

        try:
            wait_until(come, f"{query}: {expected}")
        except AssertionError as fault:
            raise AssertionError(f"{fault}, but {found}; {self.said()[-3:]}") from None
