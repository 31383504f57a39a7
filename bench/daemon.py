"""A daemon under observation: what the kernel and its state tell of it, without asking it."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from types import TracebackType
from typing import Self

from bench.measure import Command

_PATIENCE = 600.0  # seconds, for anything
_LONGEST_START = 60.0
_TICKS = os.sysconf("SC_CLK_TCK")

QUIET = """
[journal]
directory = "{journal}"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
keep = "520w"
[email]
to = ["root"]
sendmail = ["/bin/false"]
[bans.nftables]
command = ["/bin/true"]
"""
"""The beginning of a configuration that reads the files of a journal, and changes no firewall."""


class Daemon:
    """``pyruse run`` on the configuration of a folder, as context manager.

    The state is to be ``state.sqlite`` in that folder.
    """

    def __init__(
        self, folder: Path, prefix: Command = (), environment: Mapping[str, str] | None = None
    ) -> None:
        """:param prefix: what stands before the command, such as that of a network namespace."""
        self._state = folder / "state.sqlite"
        self._notified = folder / "notify"
        self._command = [*prefix, sys.executable, "-m", "pyruse", "run", "-c", str(folder)]
        self._environment = {
            **os.environ, **(environment or {}), "NOTIFY_SOCKET": str(self._notified),
        }  # fmt: skip
        self._listener = threading.Thread(target=self._listen)
        self._ready = threading.Event()
        self.start_s = 0.0
        """From the start of the process until it told the service manager that it is ready."""
        self.told_watchdog = 0
        """How often it told the watchdog that it is alive."""

    def __enter__(self) -> Self:
        """Start it, and wait until it is ready."""
        self._told = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._told.bind(str(self._notified))
        self._listener.start()
        began = time.monotonic()
        self._process = subprocess.Popen(
            self._command, env=self._environment,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        if not self._ready.wait(_LONGEST_START):
            self._stop()
            raise RuntimeError(f"not ready: {' '.join(self._command)}")
        self.start_s = time.monotonic() - began
        return self

    def _listen(self) -> None:
        while text := self._told.recv(4096):
            if b"READY=1" in text:
                self._ready.set()
            self.told_watchdog += b"WATCHDOG=1" in text

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
            end.sendto(b"", str(self._notified))
        self._listener.join()
        self._told.close()
        self._notified.unlink()

    def cpu_s(self) -> float:
        """User and system time so far, in hundredths of a second (proc_pid_stat(5))."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """What it has in memory, but for the journal's files, whose pages are the kernel's cache.

        In 10⁶ bytes (proc_pid_smaps(5)).
        """
        total, counts = 0, True
        for line in self._proc("smaps").splitlines():
            first, *rest = line.split()
            if not first.endswith(":"):
                counts = not line.endswith(".journal")
            elif first == "Rss:" and counts:
                total += int(rest[0]) * 1024
        return total / 1e6

    def wakeups(self) -> int:
        """How often its threads went to sleep so far: as often as they were woken."""
        return sum(
            int(line.split()[1])
            for status in Path(f"/proc/{self._process.pid}/task").glob("*/status")
            for line in status.read_text().splitlines()
            if line.startswith("voluntary_ctxt_switches")
        )

    def handled(self) -> int:
        """How many entries are committed."""
        return self._asked("SELECT total(entries) FROM days")

    def reached(self) -> int:
        """The instant of the last entry that is committed, in microseconds since the epoch."""
        return self._asked("SELECT max(time) FROM cursor")

    def wait_for(self, entries: int) -> None:
        """Wait until so many entries are committed."""
        end = time.monotonic() + _PATIENCE
        while self.handled() < entries:
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError(f"{self.handled()} entries are handled (expected {entries})")
            time.sleep(0.1)

    def _asked(self, query: str) -> int:
        with closing(sqlite3.connect(f"file:{self._state}?mode=ro", uri=True)) as db:
            return int(db.execute(query).fetchone()[0] or 0)

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self._process.pid}/{name}").read_text()
