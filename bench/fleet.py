"""What one PostgreSQL carries: a thousand hosts, by the plugin's own client code.

    python bench/fleet.py                 # all of it, some minutes
    python bench/fleet.py --hosts 50      # less of it: does it work?

The hosts are simulated: each has the plugin with its connection and its thread, in a few processes,
and no journal and no firewall. The database writes to the disk as it would at work (fsync). Hosts
and database share this machine, so the figures are lower bounds; `docs/fleet.md` goes on from them.
"""

from __future__ import annotations

import argparse
import multiprocessing as mp
import os
import random
import resource
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from typing import Any

from pyruse_fleet import hosts as fleet_hosts
from pyruse_fleet import schema
from pyruse_fleet.audit import tell
from pyruse_fleet.clock import now_us
from pyruse_fleet.feed import NEXT
from pyruse_fleet.link import connect
from pyruse_fleet.plugin import Fleet, handed_over
from pyruse_fleet.server import Server
from pyruse_fleet.simulation import Main, SimulatedHost
from pyruse_fleet.wire import Key, row

from pyruse import BanLabel

_SETTINGS = {
    "fsync": "on",
    "max_connections": "1200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
}
_CLIENTS = 4
_LAST = "SELECT seq, pg_current_snapshot()::text FROM fleet.feed ORDER BY seq DESC LIMIT 1"


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hosts", type=int, default=1_000)
    parser.add_argument("--listeners", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    listeners = min(options.listeners, options.hosts)
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    print("| what | figure |\n|---|---|")
    with Server(settings=_SETTINGS) as server:
        with server.connection() as connection:
            schema.migrate(connection)
        _add(server, range(listeners))
        seconds = options.seconds
        for what, work in {
            "bans told, one a transaction": _bans(1),
            "bans told, 50 a transaction": _bans(50),
            "raises counted, 1,000 keys a transaction": _counts(1_000),
            "raises counted, 10 keys a transaction": _counts(10),
            "looks at the feed that find nothing": _looks(),
            "rows of the feed read, 500 at a time": _reads(),
        }.items():
            rate, cost = _rate(server, seconds, work)
            _tell(
                what, f"{rate:,.0f} a second; {cost * 1e6:,.0f} µs of the server's processor each"
            )
        _empty(server)
        _travel(server, listeners, 3 * seconds, "listening")
        if options.hosts > listeners:
            _add(server, range(listeners, options.hosts))
            _empty(server)
            _travel(server, options.hosts, 3 * seconds, "asking")


def _add(server: Server, numbers: range) -> None:
    """Let hosts take part: by their number, they know whether to listen."""
    with server.connection() as connection:
        for number in numbers:
            # A bench tells more than a host may a day.
            fleet_hosts.add(connection, f"h{number}", quota=10_000_000)


def _tell(what: str, figure: float | str, unit: str = "") -> None:
    shown = figure if isinstance(figure, str) else f"{figure:,.0f}"
    print(f"| {what} | {shown} {unit} |".replace("  ", " "), flush=True)


# --- How much the database takes: a few clients that do nothing else.

Work = Callable[[Any, random.Random], int]
"""Does something over a connection once; gives how much it was."""


def _bans(many: int) -> Work:
    def work(connection: Any, chance: random.Random) -> int:
        rows = [
            row("ban", Key(_address(chance, 5_000), "ssh"), 3600.0) for _ in range(many)
        ]  # fmt: skip
        tell(connection, os.urandom(16).hex(), rows)
        return many

    return work


def _counts(many: int) -> Work:
    def work(connection: Any, chance: random.Random) -> int:
        until = now_us() + 600_000_000
        rows = sorted(["ssh", _address(chance, 100_000), until, 3] for _ in range(many))
        handed_over(connection, {"id": os.urandom(16).hex(), "counts": rows})
        return 3 * many

    return work


def _looks() -> Work:
    last: list[Any] = []

    def work(connection: Any, chance: random.Random) -> int:
        if not last:
            last.extend(connection.execute(_LAST).fetchone())
        connection.execute(NEXT, (last[1], last[0], 500)).fetchall()
        return 1

    return work


def _reads() -> Work:
    def work(connection: Any, chance: random.Random) -> int:
        first = chance.randrange(1, 1_000)
        (taken,) = connection.execute(
            "SELECT xid || ':' || xid || ':' FROM fleet.feed WHERE seq >= %s ORDER BY seq LIMIT 1",
            [first],
        ).fetchone()
        return len(connection.execute(NEXT, (taken, first, 500)).fetchall())

    return work


def _address(chance: random.Random, many: int) -> str:
    number = chance.randrange(many)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def _rate(server: Server, seconds: float, work: Work) -> tuple[float, float]:
    """How much a second several clients get done together, and the seconds of each there."""
    before = _processor(server)
    urls = [server.url(f"h{number}") for number in range(_CLIENTS)]
    context = mp.get_context("fork")
    results: Any = context.Queue()

    def run(url: str, seed: int) -> None:
        chance, done = random.Random(seed), 0
        with connect(url, None) as connection:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                done += work(connection, chance)
        results.put(done)

    processes = [
        context.Process(target=run, args=[url, n], daemon=True) for n, url in enumerate(urls)
    ]
    for one in processes:
        one.start()
    total: int = sum(results.get() for _ in processes)
    for one in processes:
        one.join()
    time.sleep(1)  # until the server has seen that they are gone
    return total / seconds, (_processor(server) - before) / max(1, total)


# --- How long a ban travels: hosts at work.


def _travel(server: Server, many: int, seconds: float, how: str) -> None:
    context = mp.get_context("fork")
    results: Any = context.Queue()
    ready: Any = context.Queue()
    go, stop = context.Event(), context.Event()
    parts = 4
    processes = [
        context.Process(
            daemon=True,
            target=_be_hosts,
            args=[server, range(part, many, parts), how == "listening", ready, results, go, stop],
        )
        for part in range(parts)
    ]
    for one in processes:
        one.start()
    for _ in processes:
        ready.get()
    # Until all have connected, and know how many they are.
    _wait_for_connections(server, many)
    time.sleep(5)
    idle = _processor(server)
    time.sleep(10)
    idle = (_processor(server) - idle) / 10
    memory = _memory(server)
    go.set()
    busy = _processor(server)
    told = _tell_bans(server, seconds)
    busy = (_processor(server) - busy) / seconds
    time.sleep(20 if how == "asking" else 5)
    stop.set()
    delays: list[float] = []
    missing = 0
    for _ in processes:
        for banned_at in results.get():
            missing += len(told.keys() - banned_at.keys())
            delays += [at - told[one] for one, at in banned_at.items() if one in told]
    for one in processes:
        one.join()
    delays.sort()
    title = f"{many:,} hosts, {how}"
    p50, p99 = (delays[int(len(delays) * part)] for part in (0.5, 0.99))
    _tell(f"{title}: from a ban to the others' ban, p50 / p99 / longest",
          f"{p50:.2f} / {p99:.2f} / {delays[-1]:.2f}", "s")  # fmt: skip
    _tell(f"{title}: bans that did not arrive, of {len(told) * many:,}", missing)
    _tell(f"{title}: memory of the database, with {many:,} connections",
          f"{memory >> 20:,} MiB, {memory / many / 2**20:.2f} MiB a host")  # fmt: skip
    _tell(f"{title}: the server's processor, idle / with a ban a second",
          f"{idle:.0%} / {busy:.0%} of one")  # fmt: skip


def _tell_bans(server: Server, seconds: float) -> dict[str, float]:
    """A ban each second, by a host that is nothing else."""
    told = {}
    with connect(server.url("h0"), None) as connection:
        end = time.monotonic() + seconds
        number = 0
        while time.monotonic() < end:
            number += 1
            network = f"192.0.{number >> 8}.{number & 255}"
            told[network] = time.monotonic()
            rows = [row("ban", Key(network, "ssh"), 3600.0)]
            tell(connection, os.urandom(16).hex(), rows)
            time.sleep(1.0)
    return told


def _be_hosts(  # noqa: PLR0913 -- what one process is told
    server: Server, numbers: range, listen: bool, ready: Any, results: Any, go: Any, stop: Any
) -> None:
    loop = Main()
    with ExitStack() as end:
        end.callback(loop.close)
        made = []
        for number in numbers:
            url = server.url(f"h{number}")
            labels = [BanLabel("ssh")]
            plugin = Fleet(url, share=labels, accept=labels, listen=listen)
            made.append(SimulatedHost(loop, plugin))
        ready.put(len(made))
        go.wait()
        stop.wait()
        results.put([one.banned_at for one in made if one.plugin.url != server.url("h0")])
        closing = [Thread(target=one.close) for one in made]
        for one in closing:
            one.start()
        for one in closing:
            one.join()


def _wait_for_connections(server: Server, many: int) -> None:
    with server.connection() as connection:
        while True:
            found = connection.execute(
                "SELECT count(*) FROM fleet.hosts WHERE seen > now() - interval '5 min'"
            )
            (seen,) = found.fetchone() or (0,)
            if seen >= many:
                return
            time.sleep(0.5)


def _empty(server: Server) -> None:
    with server.connection() as connection:
        connection.execute("DELETE FROM fleet.feed WHERE seq < (SELECT max(seq) FROM fleet.feed)")
        for table in ("bans", "counts", "parcels"):
            connection.execute(f"TRUNCATE fleet.{table}")
        # Who comes next under these names has another state: to the database, another machine.
        connection.execute("UPDATE fleet.hosts SET seen = NULL, run = NULL, identity = NULL")
        connection.execute("VACUUM ANALYZE")


def _memory(server: Server) -> int:
    """Bytes: what the server's processes share counts once."""
    total = 0
    for pid in server.processes():
        with suppress(OSError):  # it has ended
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith("Pss:"):
                    total += int(line.split()[1]) << 10
    return total


def _processor(server: Server) -> float:
    """Seconds of the processor that the server's processes have used, those that ended included."""
    ticks = 0
    for pid in server.processes():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        ticks += int(fields[11]) + int(fields[12])
        if pid == server.pid:
            ticks += int(fields[13]) + int(fields[14])
    return ticks / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
