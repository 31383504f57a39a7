"""`remember` with a key of its own for each entry: what it costs beside `count`, and its memory.

Each daemon reads a journal from its head to its end. One only reads and looks for the address, one
counts it, one remembers it, one recalls it, too. In the last round, more keys come than are kept.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from bench.daemon import QUIET, Daemon
from bench.journals import made
from bench.measure import Figure, Row, Target, ratio
from pyruse.state.tables import KEPT
from pyruse.testing.journal import FIRST_TIME, EntryFields

_STEP_US = 1_000
"""Between two entries."""

_CHAINS = """
[chains]
"bench" = [
  {{ filter = "regex", pattern = '^Failed for (?P<ip>\\S+)' }},
  {steps}
  {{ action = "discard" }},
]
"""
_COUNT = '{ action = "count", counter = "bench", key = "ip", within = "1w" },'
_REMEMBER = '{ action = "remember", key = "ip", field = "MESSAGE", keep = "1w" },'
_RECALL = '{ action = "recall", key = "ip", into = "before" },'
_STEPS = {
    "nothing": "",
    "count": _COUNT,
    "remember": _REMEMBER,
    "recall and remember": _RECALL + _REMEMBER,
}


def rows(quick: bool) -> Iterator[Row]:
    """What a new key costs to be remembered, and what many of them take in memory."""
    entries, rounds = (20_000, 1) if quick else (KEPT, 3)
    costs: dict[str, list[float]] = {name: [] for name in _STEPS}
    memory: dict[str, list[float]] = {name: [] for name in _STEPS}
    for _ in range(rounds):
        for name in _STEPS:
            seconds, megabytes = _measured(name, entries)
            costs[name].append(seconds)
            memory[name].append(megabytes)
    for name in ("remember", "recall and remember"):
        yield Row(
            f"An entry with a new key, {name}, to one that is counted",
            ratio(costs[name], costs["count"]),
            Target(1.2) if name == "remember" else None,
        )
    for name in ("count", "remember"):
        taken = [more - less for more, less in zip(memory[name], memory["nothing"], strict=True)]
        yield Row(f"Memory of {entries:,} keys, {name}", Figure.of(taken), None, "MB")
    flood = 3 * entries
    _, megabytes = _measured("remember", flood)
    yield Row(
        f"Memory after {flood:,} keys, remember",
        Figure.of([megabytes - Figure.of(memory["nothing"]).median]),
        Target(100) if not quick else None,
        "MB",
    )


def _measured(name: str, entries: int) -> tuple[float, float]:
    """:return: CPU seconds for that many entries, each with a key of its own, and megabytes."""
    journal = made(f"new-keys-{entries}", _entries(entries))
    with tempfile.TemporaryDirectory(prefix="pyruse-remembered-") as path:
        folder = Path(path)
        chains = _CHAINS.format(steps=_STEPS[name])
        (folder / "pyruse.toml").write_text(QUIET.format(journal=journal, folder=folder) + chains)
        with Daemon(folder) as daemon:
            daemon.wait_for(entries)
            return daemon.cpu_s(), daemon.memory_mb()


def _entries(number: int) -> Iterator[EntryFields]:
    for at in range(number):
        address = f"10.{at >> 16 & 255}.{at >> 8 & 255}.{at & 255}"
        yield {
            "__REALTIME_TIMESTAMP": FIRST_TIME + at * _STEP_US,
            "MESSAGE": f"Failed for {address} {at}",
        }
