"""Counters with many keys: what an entry costs, and what they take in memory.

A daemon comes up with that many keys alive, each counted once, and then counts entries with keys
among those, at random: the second day of an attack.
"""

from __future__ import annotations

import random
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.daemon import QUIET, Daemon
from bench.journals import made
from bench.measure import Figure, Row, Target, ratio
from pyruse.state.database import State
from pyruse.testing.journal import FIRST_TIME, EntryFields

_MOST = 1_000_000
_WEEK_US = 7 * 86_400_000_000
_STEP_US = 1_000
"""Between two entries."""

_CHAINS = """
[chains]
"bench" = [
  { filter = "regex", pattern = '^Failed for (?P<ip>\\S+)' },
  { action = "count", counter = "bench", key = "ip", within = "1w", into = "failures" },
  { filter = "at_least", field = "failures", value = 1000000 },
  { action = "discard" },
]
"""


def rows(quick: bool) -> Iterator[Row]:
    """What an entry costs with ever more keys, and the memory that they take."""
    entries, rounds, numbers = 200_000, 3, [1_000, 10_000, 100_000, _MOST]
    if quick:
        entries, rounds, numbers = 20_000, 1, [1_000, 10_000, 100_000]
    costs: dict[int, list[float]] = {number: [] for number in numbers}
    memory: dict[int, list[float]] = {number: [] for number in numbers}
    with tempfile.TemporaryDirectory(prefix="pyruse-keys-") as name:
        for number in numbers:
            _fill(Path(name) / str(number), number)
        for _ in range(rounds):
            for number in numbers:
                seconds, megabytes = _measured(Path(name) / str(number), number, entries)
                costs[number].append(seconds)
                memory[number].append(megabytes)
    for number in numbers[1:]:
        yield Row(
            f"An entry with {number:,} live keys of a counter, to one with {numbers[0]:,}",
            ratio(costs[number], costs[numbers[0]]),
            Target(1.1) if number == _MOST else None,
        )
    yield Row(
        f"Memory with {numbers[-1]:,} live keys",
        Figure.of(memory[numbers[-1]]),
        Target(300) if numbers[-1] == _MOST else None,
        "MB",
        "memory of keys",
    )


def _fill(state: Path, keys: int) -> None:
    with State(str(state)) as filled:
        for number in range(keys):
            filled.counters.count("bench", _key(number), at=FIRST_TIME, within=_WEEK_US)
        filled.commit()


def _measured(state: Path, keys: int, entries: int) -> tuple[float, float]:
    """:return: CPU seconds for that many entries, and megabytes after them."""
    journal = made(f"live-keys-{keys}-{entries}", _counted(keys, entries))
    with tempfile.TemporaryDirectory(prefix="pyruse-keys-") as name:
        folder = Path(name)
        shutil.copy(state, folder / "state.sqlite")
        (folder / "pyruse.toml").write_text(QUIET.format(journal=journal, folder=folder) + _CHAINS)
        with Daemon(folder) as daemon:
            began = daemon.cpu_s()
            daemon.wait_for(entries)
            return daemon.cpu_s() - began, daemon.memory_mb()


def _counted(keys: int, entries: int) -> Iterator[EntryFields]:
    dice = random.Random(keys)
    for number in range(1, entries + 1):
        at = FIRST_TIME + number * _STEP_US
        yield {
            "__REALTIME_TIMESTAMP": at,
            "MESSAGE": f"Failed for {_key(dice.randrange(keys))} {number}",
        }


def _key(number: int) -> str:
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"
