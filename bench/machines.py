"""Two hundred machines in one folder: every entry of every machine once, and how many a second.

    python -m bench.machines [--machines N] [--entries N] [--rounds N] [--seed N] [--kill]

A real systemd-journal-remote takes the uploads of so many machines, by HTTP, and writes a file
for each. Their clocks lag, each by its own 0 to 60 s. One upload of four breaks off in the midst of
an entry, and is made again from there; the receiver is killed in between. The first half of the
entries is there when the daemon starts, the rest comes in rounds, while it follows. With --kill,
the daemon is killed at any instant of each round, and started again.

Exits with 1 when an entry is missing, or was handled more than once.
"""

from __future__ import annotations

import argparse
import http.client
import os
import random
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.daemon import QUIET, Daemon
from pyruse.testing.journal import journal_remote
from pyruse.testing.waiting import wait_until

CHAINS = """
[chains]
"all" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]
"""
_UPLOADS = 8
"""At the same time."""
_BOOT_US = 86_400_000_000


@dataclass
class Receiver:
    """systemd-journal-remote, which writes a file for each address that uploads."""

    folder: Path
    port: int = 0
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with closing(socket.socket()) as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._process = subprocess.Popen(
            [journal_remote(), f"--listen-http=127.0.0.1:{self.port}", "--split-mode=host",
             f"--output={self.folder}/"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        wait_until(self._listens)

    def _listens(self) -> bool:
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", self.port), 1)):
            return True
        return False

    def kill(self) -> None:
        """End it at once: its files are left as they are."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()


@dataclass
class Host:
    """A machine: an address of its own, and a clock that lags."""

    number: int
    lag_us: int
    sent: int = 0

    @property
    def address(self) -> str:
        """The address that it uploads from."""
        return f"127.0.{1 + self.number // 250}.{1 + self.number % 250}"

    def upload(self, port: int, number: int, breaks_off: bool) -> None:
        """Log so many entries, and send them."""
        entries = [self._entry(self.sent + index) for index in range(number)]
        if breaks_off:
            whole = number // 2
            self._post(port, [*entries[:whole], entries[whole][:-20]])
            entries = entries[whole:]
        self._post(port, entries)
        self.sent += number

    def _entry(self, number: int) -> bytes:
        now = time.time_ns() // 1000 - self.lag_us
        return (
            f"__REALTIME_TIMESTAMP={now}\n__MONOTONIC_TIMESTAMP={_BOOT_US + number * 1000}\n"
            f"_BOOT_ID={self.number + 1:032x}\n_HOSTNAME=host{self.number}\nPRIORITY=6\n"
            f"SYSLOG_IDENTIFIER=bench\nMESSAGE={self.number} {number}\n\n"
        ).encode()

    def _post(self, port: int, parts: list[bytes]) -> None:
        connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=120, source_address=(self.address, 0)
        )
        with closing(connection):
            connection.request(
                "POST", "/upload", body=iter(parts), encode_chunked=True,
                headers={
                    "Content-Type": "application/vnd.fdo.journal",
                    "Transfer-Encoding": "chunked",
                },
            )  # fmt: skip
            connection.getresponse().read()


@dataclass
class Bench:
    """The machines, where they log to, and the daemon that reads it."""

    folder: Path
    hosts: list[Host]
    dice: random.Random

    def __post_init__(self) -> None:
        (self.folder / "journal").mkdir()
        self.receiver = Receiver(self.folder / "journal")
        text = QUIET.format(journal=self.folder / "journal", folder=self.folder)
        (self.folder / "pyruse.toml").write_text(text + CHAINS)
        self.receiver.start()

    def upload(self, number: int) -> None:
        """Have each host send so many entries, in any order."""
        with ThreadPoolExecutor(_UPLOADS) as pool:
            uploads = [
                pool.submit(host.upload, self.receiver.port, number, self.dice.random() < 0.25)
                for host in self.dice.sample(self.hosts, len(self.hosts))
            ]
            for upload in uploads:
                upload.result()

    @property
    def sent(self) -> int:
        """How many entries there are."""
        return sum(host.sent for host in self.hosts)

    def handled(self) -> int:
        """How many entries are committed."""
        with suppress(sqlite3.OperationalError), closing(self._state()) as db:
            return int(db.execute("SELECT count(*) FROM events").fetchone()[0])
        return 0

    def wrong(self) -> list[str]:
        """Which entries are missing, garbled, or were handled more than once."""
        query = "SELECT message, count(*) FROM events GROUP BY message"
        with closing(self._state()) as db:
            found = dict(db.execute(query).fetchall())
        sent = {f"{host.number} {number}" for host in self.hosts for number in range(host.sent)}
        return [
            *(f"missing: {message}" for message in sorted(sent - found.keys())),
            *(f"nobody sent: {message!r}" for message in sorted(found.keys() - sent)),
            *(f"{number} times: {message}" for message, number in found.items() if number > 1),
        ]

    def _state(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.folder}/state.sqlite?mode=ro", uri=True)


def rows(bench: Bench, entries: int, rounds: int, kill: bool) -> Iterator[tuple[str, str]]:
    """What is measured, in words, as it is found."""
    number = len(bench.hosts)
    bench.upload(entries // 2)
    began = time.monotonic()
    daemon = Daemon(bench.folder)
    with daemon:
        daemon.wait_until(bench.handled, lambda found: found == bench.sent)
        took = time.monotonic() - began
        yield f"{number} machines: entries a second, caught up", f"{bench.sent / took:,.0f}"
        yield "CPU time for an entry of them", f"{daemon.cpu_s() / bench.sent * 1e6:,.0f} µs"
        waits = []
        before, cpu = bench.sent, daemon.cpu_s()
        for turn in range(rounds):
            if turn == rounds // 2:
                bench.receiver.kill()
                bench.receiver.start()
            with ThreadPoolExecutor(1) as pool:
                uploading = pool.submit(bench.upload, max(1, entries // 2 // rounds))
                while kill and not uploading.done():
                    time.sleep(bench.dice.random() * 3)
                    daemon.stop(signal.SIGKILL)
                    daemon.start()
                    cpu = 0.0
                uploading.result()
            sent = time.monotonic()
            daemon.wait_until(bench.handled, lambda found: found >= bench.sent)
            waits.append(time.monotonic() - sent)
        yield "From the last upload of a round until all is handled", f"{max(waits):.2f} s at most"
        if not kill:
            per_entry = (daemon.cpu_s() - cpu) / (bench.sent - before)
            yield "CPU time for an entry as it comes", f"{per_entry * 1e6:,.0f} µs"
        yield "Resident memory", f"{daemon.memory_mb():.1f} MB"
        used = len(os.listdir(f"/proc/{daemon.process.pid}/fd"))
        yield "Descriptors", f"{used}"
        daemon.stop()
        told = [line for line in daemon.log.splitlines() if "journal: " in line]
        yield (
            "Faults of the journal that it told of",
            f"{len(told)}" + "".join(f"; {x}" for x in told),
        )


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--machines", type=int, default=200)
    parser.add_argument("--entries", type=int, default=500, help="of each machine")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kill", action="store_true", help="kill the daemon, too")
    options = parser.parse_args()
    dice = random.Random(options.seed)
    folder = Path(tempfile.mkdtemp(prefix="pyruse-machines-", dir="/var/tmp"))
    hosts = [Host(number, dice.randrange(60_000_000)) for number in range(options.machines)]
    bench = Bench(folder, hosts, dice)
    try:
        for what, found in rows(bench, options.entries, options.rounds, options.kill):
            print(f"| {what} | {found} |", flush=True)
        wrong = bench.wrong()
        for line in wrong[:20]:
            print(line)
        print(f"{bench.sent} entries: {'wrong' if wrong else 'each one once'}")
    finally:
        bench.receiver.kill()
    if wrong:
        print(f"see {folder}")
    else:
        shutil.rmtree(folder)
    return bool(wrong)


if __name__ == "__main__":
    sys.exit(main())
