"""A year in some seconds: does the state stay as small as it is?

    python bench/year.py [--days 365] [--entries 600] [--keep 90]

A real daemon reads a journal of so many entries a day, with its clock moved along, and does all
that it does: counts, bans, mails, report at each day's end, retention. One day brings a flood.
Prints the size of the state month by month. Exit code 1: it grows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.daemon.daemon import Daemon
from pyruse.daemon.day_ends import today
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Faults
from pyruse.engine.modes import LIVE
from pyruse.registry.registry import Registry
from pyruse.state.database import State
from pyruse.testing.journal import make_journal

CONFIG = """
[journal]
directory = "{folder}/journal"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
keep = "{keep}d"
[email]
to = ["hostmaster@example.org"]
sendmail = ["/bin/true", "-t"]
[report]
timezone = "UTC"
[bans]
backend = "nftables"
[bans.nftables]
command = ["/bin/true"]
[chains]
"ssh" = [
  {{ filter = "regex", pattern = '^Failed password for (?P<user>\\S+) from (?P<ip>\\S+)' }},
  {{ action = "count", counter = "ssh", key = "ip", within = "10m", into = "n" }},
  {{ action = "ban", ip = "ip", escalate = ["1h", "1d", "1w"], forget = "{keep}d" }},
  {{ action = "report", section = "interesting", message = "{{ip}} for {{user}}" }},
]
"alarm" = [
  {{ filter = "contains", text = "alarm" }},
  {{ action = "email", message = "{{MESSAGE}}", every = "10m" }},
]
"other" = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""

DAY_US = 86_400_000_000
START = 1_767_225_600_000_000  # µs: 2026-01-01
GROWTH = 1.1  # from one month to a later one: no two days are alike


@dataclass(frozen=True)
class Plan:
    """What happens."""

    days: int
    entries: int
    """On each day."""
    keep: int
    """In days."""
    flood_day: int
    flood: int
    """So many entries more come on that day."""


def entries(plan: Plan) -> Iterator[dict[str, Any]]:
    number = 0
    for day in range(plan.days):
        count = plan.entries + (plan.flood if day == plan.flood_day else 0)
        for index in range(count):
            number += 1
            message = f"something else, number {number}"
            if number % 10 == 0:
                address = f"203.0.{number // 10 % 256}.{number // 2560 % 256}"
                message = f"Failed password for root from {address} port 22"
            elif number % 500 == 1:
                message = "alarm"
            at = START + day * DAY_US + index * DAY_US // count
            yield {"MESSAGE": message, "__REALTIME_TIMESTAMP": at}


class DayAhead:
    """A clock that is a day ahead of the entries: a batch, of a day at most, is of the past."""

    engine: Engine | None = None

    def __call__(self) -> int:  # noqa: D102 -- a clock
        handled = START if self.engine is None else self.engine.last_time
        return max(START, handled) + DAY_US


class MovedDaemon(Daemon):
    """A daemon that notes how large its state is."""

    def __init__(self, engine: Engine, plan: Plan) -> None:
        super().__init__(engine, lambda: engine)
        self.sizes: dict[str, int] = {}
        """By day, in bytes: the database and its log, once the day before is cleaned up."""

    def batch(self) -> bool:
        """Let all mails leave before the next day: how long they take is the machine's."""
        caught_up = super().batch()
        path = self._state.path
        self.sizes[today(self._engine)] = sum(
            file.stat().st_size for file in (Path(path), Path(f"{path}-wal"))
        )
        while self._delivery.busy:
            self._wake.sleep(1_000)  # a worker that has finished ends it
            if self._delivery.collect(self._clock()):
                self._commit()
        self._wake()  # such a sleep takes the wakes of others, too: of a report that is made
        return caught_up


def live(folder: Path, plan: Plan) -> dict[str, int]:
    """Let all of it happen; :return: the size of the state by day, in bytes."""
    (folder / "journal").mkdir(parents=True)
    make_journal(folder / "journal" / "system.journal", entries(plan))
    text = CONFIG.format(folder=folder, keep=plan.keep)
    configuration = configure(from_text(text), Registry())
    faults = Faults(lambda text, level, _: print(text, file=sys.stderr))
    with State(configuration.settings.state.url.path) as state:
        state.load()
        clock = DayAhead()
        mode = replace(LIVE, own=set, clock=clock, batch=plan.entries)
        engine = clock.engine = assemble(configuration, state, faults, mode)
        daemon = MovedDaemon(engine, plan)
        daemon.run(once=True)
        return daemon.sizes


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--entries", type=int, default=600, help="on each day")
    parser.add_argument("--keep", type=int, default=90, help="days")
    parser.add_argument("--flood", type=int, default=60_000, help="entries more on one day")
    parser.add_argument("--folder", type=Path, help="where all is kept; default: it is removed")
    options = parser.parse_args()
    flood_day = options.days // 2
    plan = Plan(options.days, options.entries, options.keep, flood_day, options.flood)
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="pyruse-year-") as folder:
        sizes = live(options.folder or Path(folder), plan)
    print(f"{len(sizes)} days in {time.monotonic() - began:.0f} s; in day {flood_day} a flood")
    by_month: dict[str, list[int]] = {}
    for day, size in sizes.items():
        by_month.setdefault(day[:7], []).append(size)
    for month, found in by_month.items():
        print(f"{month}: {min(found) / 1e6:7.2f} … {max(found) / 1e6:7.2f} MB")
    days = list(sizes.values())
    settled, last = max(days[options.keep : flood_day]), max(days[-20:])
    print(f"before the flood {settled / 1e6:.2f} MB, at the end {last / 1e6:.2f} MB")
    return last > settled * GROWTH


if __name__ == "__main__":
    sys.exit(main())
