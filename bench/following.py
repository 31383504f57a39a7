"""The daemon at work: asleep, on its way up, under load, and after a million entries."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bench.daemon import Daemon
from bench.journals import DEMO, sample
from bench.measure import Figure, Row, Target, Unavailable
from pyruse.testing import journald as journald_part
from pyruse.testing.journald import Journald
from pyruse.testing.namespace import NetworkNamespace, unavailable
from tools.sample_journal import sample_day

_WATCHDOG_S = 4
"""A message is due in half of it. (``WatchdogSec=`` of the unit in `deploy`: five minutes.)"""
_SETTLE_S = 3.0
_LOOK_S = 0.02
_LONGEST_BURST_S = 300.0

_PLACE = """
[journal]
{journal}
start = "{start}"
[state]
url = "sqlite://{folder}/state.sqlite"
keep = "520w"
[email]
sendmail = ["/bin/true"]
"""


def rows(quick: bool) -> Iterator[Row]:
    """What the daemon takes.

    :raises Unavailable: there is no journald, or no namespace for the firewall.
    """
    if reason := unavailable("nft") or journald_part.unavailable():
        raise Unavailable(reason)
    yield from _starts(5 if quick else 20)
    yield from _idle(5 if quick else 20, 3 if quick else 6)
    yield from _memory(100_000 if quick else 1_000_000)
    yield from _burst(20_000 if quick else 100_000, 1 if quick else 3)


def _configured(folder: Path, journal: str, start: str = "tail") -> Path:
    """The demonstration's configuration, with a journal and a state of its own."""
    (folder / "conf.d").mkdir(parents=True)
    (folder / "pyruse.toml").write_text(DEMO.read_text())
    text = _PLACE.format(journal=journal, start=start, folder=folder)
    (folder / "conf.d" / "place.toml").write_text(text)
    return folder


def _starts(number: int) -> Iterator[Row]:
    took = []
    with tempfile.TemporaryDirectory() as name, NetworkNamespace() as network:
        journal = f'directory = "{sample(1)}"'
        for index in range(number):
            folder = _configured(Path(name) / str(index), journal)
            with Daemon(folder, network.prefix) as daemon:
                took.append(1000 * daemon.start_s)
    yield Row(
        f"From start to ready, the demo's configuration with nftables ({number} starts)",
        Figure.of(took), Target(200), "ms", "start",
    )  # fmt: skip


def _idle(seconds: int, rounds: int) -> Iterator[Row]:
    """A daemon with a watchdog and one without, on the same journald, while nothing is logged."""
    watched = {"WATCHDOG_USEC": str(_WATCHDOG_S * 1_000_000)}
    with (
        tempfile.TemporaryDirectory() as name, Journald() as journald,
        NetworkNamespace() as one, NetworkNamespace() as other,
    ):  # fmt: skip
        journal = f'namespace = "{journald.namespace}"'
        alone, guarded = (_configured(Path(name) / kind, journal) for kind in ("alone", "guarded"))
        with (
            Daemon(alone, one.prefix) as daemon,
            Daemon(guarded, other.prefix, watched) as with_watchdog,
        ):
            journald.send(MESSAGE="the last one for now")
            daemon.wait_for(1)
            with_watchdog.wait_for(1)
            time.sleep(_SETTLE_S)
            a_minute, each = [], []
            for _ in range(rounds):
                before = daemon.wakeups(), with_watchdog.wakeups(), with_watchdog.told_watchdog
                time.sleep(seconds)
                told = with_watchdog.told_watchdog - before[2]
                a_minute.append(60 * (daemon.wakeups() - before[0]) / seconds)
                each.append((with_watchdog.wakeups() - before[1]) / told)
    yield Row(
        "Wake-ups a minute while nothing is logged",
        Figure.of(a_minute), Target(0), name="wakeups",
    )  # fmt: skip
    yield Row(
        "Wake-ups for each message to the watchdog (the unit's: one in 150 s)", Figure.of(each)
    )


def _memory(count: int) -> Iterator[Row]:
    journal = sample(count)
    with tempfile.TemporaryDirectory() as name, NetworkNamespace() as network:
        folder = _configured(Path(name) / "new", f'directory = "{sample(1)}"')
        with Daemon(folder, network.prefix) as daemon:
            time.sleep(1)
            start = daemon.memory_mb()
        folder = _configured(Path(name) / "full", f'directory = "{journal}"', "head")
        with Daemon(folder, network.prefix) as daemon:
            seen = []
            for tenth in range(1, 11):
                daemon.wait_for(count * tenth // 10)
                seen.append(daemon.memory_mb())
            time.sleep(_SETTLE_S)
            end = daemon.memory_mb()
    limit = Target(40)
    yield Row("Resident memory after the start", Figure.of([start]), limit, "MB", "memory at start")
    yield Row(f"The same while it handles {count:,} entries", Figure.of(seen), limit, "MB")
    yield Row("The same after them", Figure.of([end]), limit, "MB", "memory after a million")


def _burst(count: int, rounds: int) -> Iterator[Row]:
    """Entries as fast as journald takes them, to a daemon that follows."""
    day = [
        {field: value for field, value in one.items() if not field.startswith("_")}
        for one in sample_day()
    ]
    entries = list(islice(cycle(day), count))
    written, behind, caught_up = zip(*(_one_burst(entries) for _ in range(rounds)), strict=True)
    burst = f"A burst of {count:,} entries"
    yield Row(f"{burst}: journald takes it in", Figure.of(written), unit="s")
    yield Row("Most that the daemon is behind meanwhile", Figure.of(behind), unit="s")
    yield Row("After its end, until all is handled", Figure.of(caught_up), unit="s", name="burst")


def _one_burst(entries: list[dict[str, Any]]) -> tuple[float, float, float]:
    """:return: seconds that it lasts, the most the daemon is behind, and until all is handled."""
    with (
        tempfile.TemporaryDirectory() as name, _unlimited_journald() as journald,
        NetworkNamespace() as network,
    ):  # fmt: skip
        folder = _configured(Path(name) / "pyruse", f'namespace = "{journald.namespace}"')
        with Daemon(folder, network.prefix) as daemon, ThreadPoolExecutor(1) as sender:
            began = time.monotonic()
            sending = sender.submit(journald.send_all, entries)
            ended = sender.submit(time.monotonic)
            behind = 0.0
            while (handled := daemon.handled()) < len(entries):
                if handled:
                    behind = max(behind, time.time() - daemon.reached() / 1e6)
                if sending.done():
                    sending.result()
                if time.monotonic() > began + _LONGEST_BURST_S:
                    raise RuntimeError(f"{handled} entries of {len(entries)} came")
                time.sleep(_LOOK_S)
            done = time.monotonic()
            sent = ended.result()
    return sent - began, behind, max(0.0, done - sent)


@contextmanager
def _unlimited_journald() -> Iterator[Journald]:
    """A journald that drops nothing of a burst (``RateLimitBurst=``, journald.conf(5))."""
    journald = Journald()
    folder = Path(f"/run/systemd/journald@{journald.namespace}.conf.d")
    folder.mkdir(parents=True)
    try:
        (folder / "burst.conf").write_text("[Journal]\nRateLimitBurst=0\n")
        with journald:
            yield journald
    finally:
        shutil.rmtree(folder)
