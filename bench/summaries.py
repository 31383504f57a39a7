"""What the summaries of the report cost: on a busy day's tallies, and for each entry.

    python -m bench.summaries [--rows 3000] [--days 10] [--entries 40000]

Of a state with so many rows of each event of the vocabulary, it tells how long all summaries take
for a report; the goal is half a second for 100,000 rows. Then entries of failed logins go through
the rules of sshd, with the summaries and without.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from typing import Any

from pyruse.api.vocabulary import EVENTS
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.entry.made import make_entry
from pyruse.registry.kinds import EXTENSIONS
from pyruse.registry.registry import Registry
from pyruse.state.database import State
from pyruse.state.opening import MEMORY

DAY = 86_400_000_000  # µs
START = 1_773_446_400_000_000  # 2026-03-14, UTC
_GOAL = 0.5  # seconds


def at_work(registry: Registry, state: State, toml: str) -> Engine:
    configuration = configure(from_text(toml + '\n[report]\ntimezone = "UTC"\n'), registry)
    return assemble(configuration, state, Faults(lambda *_: None), DRY)


def summaries(registry: Registry) -> list[str]:
    names = registry.names(EXTENSIONS)
    return [name for name in names if name.endswith("_summary")]


def busy_day(registry: Registry, rows: int, days: int) -> float:
    """Seconds that all the summaries take for a report."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/state.sqlite"
        with State(path) as state:
            state.load()
            name = fill(state, rows, days)
        with State(path) as state:
            state.load()
            return summed_up(registry, state, name)


def fill(state: State, rows: int, days: int) -> str:
    """Count events of some days; gives the last one."""
    for day in range(days):
        name = f"2026-03-{14 + day}"
        state.days.saw(name, rows, START + day * DAY, START + day * DAY + 1)
        for event, kind in EVENTS.items():
            # A flood on the last day.
            for number in range(rows if day == days - 1 else rows // 10):
                fields = {field: f"{field}{number}" for field in kind.fields}
                state.tallies.add(name, event, "mercury", fields, 1, START + day * DAY + number)
        state.commit()
    return name


def summed_up(registry: Registry, state: State, name: str) -> float:
    """Seconds that all the summaries take for the report of a day."""
    engine = at_work(registry, state, 'use = ["sshd"]')
    spent = 0.0
    contribute = engine.contributors.contribute

    def timed(*arguments: Any) -> None:
        nonlocal spent
        begin = time.process_time()
        contribute(*arguments)
        spent = time.process_time() - begin

    engine.contributors.contribute = timed  # type: ignore[method-assign, assignment]
    report = engine.report(name)
    (number,) = state.db.execute("SELECT count(*) FROM tallies WHERE day = ?", (name,)).fetchone()
    print(f"{len(report.summaries)} tables of {number:,} rows")
    return spent


def speed(registry: Registry, entries: int, toml: str) -> float:
    """Entries a second."""
    with State(MEMORY) as state:
        engine = at_work(registry, state, f'use = ["sshd"]\n{toml}')
        made = [
            make_entry(
                {
                    "SYSLOG_IDENTIFIER": "sshd", "_UID": 0, "_COMM": "sshd",
                    "MESSAGE": f"Failed password for u{number % 50} from 203.0.113.{number % 200} "
                    "port 4711 ssh2",
                },
                engine.decoder, time_us=START + number * 1_000_000,
            )
            for number in range(entries)
        ]  # fmt: skip
        begin = time.process_time()
        for at in range(0, entries, 2_000):
            engine.handle(made[at : at + 2_000])
            state.commit()
        engine.report()
        return entries / (time.process_time() - begin)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=3_000)
    parser.add_argument("--days", type=int, default=10)
    parser.add_argument("--entries", type=int, default=40_000)
    options = parser.parse_args()
    registry = Registry()
    spent = busy_day(registry, options.rows, options.days)
    print(f"all summaries: {spent:.2f} s of processor time (goal: {_GOAL} s)")
    off = f"[plugins]\ndisable = {summaries(registry)}".replace("'", '"')
    measure: Callable[[str], float] = lambda toml: speed(registry, options.entries, toml)  # noqa: E731
    without = max(measure(off) for _ in range(3))
    within = max(measure("") for _ in range(3))
    print(f"entries a second: {within:,.0f} with summaries, {without:,.0f} without: "
          f"{within / without:.0%}")  # fmt: skip
    return 0 if spent <= _GOAL else 1


if __name__ == "__main__":
    raise SystemExit(main())
