"""A daemon under observation: what the kernel and its state tell of it, without asking it."""

from __future__ import annotations

import os
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Self

from pyruse import testing

_PATIENCE = 600.0  # seconds, for anything
_TICKS = os.sysconf("SC_CLK_TCK")

SILENT = """
[journal]
directory = "{journal}"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
keep = "520w"
[bans.nftables]
command = ["/bin/true"]
"""
"""The beginning of a configuration that reads the files of a journal, and changes no firewall."""
QUIET = f"""{SILENT}
[email]
to = ["root"]
sendmail = ["/bin/false"]
"""
"""The same; it makes a report each day, which nobody gets."""


class Daemon(testing.Daemon):
    """``pyruse run`` on the configuration of a folder, as context manager: ready in its block."""

    start_s = 0.0
    """From the start of the process until it told the service manager that it is ready."""

    def __enter__(self) -> Self:
        """Start it, and wait until it is ready."""
        began = time.monotonic()
        try:
            self.start()
        except BaseException:
            self.close()
            raise
        self.start_s = time.monotonic() - began
        return self

    @property
    def told_watchdog(self) -> int:
        """How often it told the watchdog that it is alive."""
        return self.told.count("WATCHDOG=1")

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
            for status in Path(f"/proc/{self.process.pid}/task").glob("*/status")
            for line in status.read_text().splitlines()
            if line.startswith("voluntary_ctxt_switches")
        )

    def handled(self) -> int:
        """How many entries are committed."""
        return self._asked("SELECT total(entries) FROM days")

    def reached(self) -> int:
        """The instant of the last entry that is committed, in microseconds since the epoch."""
        return self._asked("SELECT max(time) FROM positions")

    def wait_for(self, entries: int) -> None:
        """Wait until so many entries are committed."""
        end = time.monotonic() + _PATIENCE
        while self.handled() < entries:
            if time.monotonic() > end or self.process.poll() is not None:
                raise RuntimeError(f"{self.handled()} entries are handled (expected {entries})")
            time.sleep(0.1)

    def _asked(self, query: str) -> int:
        with closing(sqlite3.connect(f"file:{self.state}?mode=ro", uri=True)) as db:
            return int(db.execute(query).fetchone()[0] or 0)

    def _proc(self, name: str) -> str:
        return Path(f"/proc/{self.process.pid}/{name}").read_text()
