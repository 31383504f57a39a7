"""A million hostile entries through every built-in step, on a real state: nothing may grow.

    python -m bench.fuzz [--entries N] [--seed N] [--machines N]

The entries come ten seconds after each other, some of them out of order or from the future, so a
million are four months: days end, their reports are made and delivered, bans and counters expire,
and what is older than a week is removed. Mails are composed, then thrown away; programs and log
lines are thrown away. With --machines, they are written to the journals of so many machines by
systemd-journal-remote, some of them as parts of split lines, and read from there.

Exits with 1 when anything was raised outside of the steps' containment, or when the program takes
over 10 % more memory, or has over 10 % more blocks of it in use, on the average, in the last four
tenths of the entries than in those from the second to the fifth. A leak shows in the blocks. The
memory may rise without one: Python keeps what its fullest moment took, such as a day's report.
"""

from __future__ import annotations

import argparse
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.delivery.mail.message import compose
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Faults
from pyruse.engine.modes import LIVE
from pyruse.engine.patience import Patience
from pyruse.entry.entry import Entry
from pyruse.entry.made import make_entry
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.state.database import State
from pyruse.testing.journal import FIRST_TIME, make_journal
from tests.reliability.hostile import FIELDS, STEPS, VALUES, chains

BATCH = 2_000
STEP_US = 10_000_000
ALLOWED_GROWTH = {"memory": 0.10, "blocks in use": 0.10}
ROUTES = sorted(STEPS)

SETTINGS = """
[state]
keep = "1w"
[email]
to = ["root@example.org"]
[report]
timezone = "Europe/Paris"
"""


class Made:
    """Makes entries, the same ones for the same seed."""

    def __init__(self, engine: Engine, seed: int) -> None:
        self._random = random.Random(seed)
        self.decoder = engine.decoder
        self.now = FIRST_TIME
        self.written = 0
        """How many rows there were."""
        self.position = 0

    def entries(self, count: int) -> Iterator[Entry]:
        """So many entries more."""
        for _ in range(count):
            self.now += STEP_US
            self.position += 1
            yield make_entry(self._fields(), self.decoder, time_us=self._time())

    def row(self) -> dict[str, Any]:
        """An entry as it is written to a file, all of them by one process."""
        self.now += STEP_US
        self.written += 1
        fields: dict[str, Any] = {}
        for name, value in self._fields().items():
            if name.isupper():  # journald takes no other ones
                values = value if isinstance(value, list) else [value]
                fields[name] = list(map(_in_bytes, values))
        if self._random.random() < 0.1:
            fields["CONTAINER_PARTIAL_MESSAGE"] = "true"
        when = {"__REALTIME_TIMESTAMP": self.now, "__MONOTONIC_TIMESTAMP": self.written}
        return {**fields, "_BOOT_ID": f"{7:032x}", **when}

    def _time(self) -> int:
        match self._random.randrange(1000):
            case 0:
                return self._random.choice([0, 1, self.now * 2, 1 << 54])
            case number if number < 100:
                return self.now - self._random.randrange(3_600_000_000)
        return self.now

    def _fields(self) -> dict[str, Any]:
        choose = self._random
        fields: dict[str, Any] = {name: self._value() for name in FIELDS if choose.random() < 0.6}
        if choose.random() < 0.3:  # an attacker of his own
            fields["ip"] = f"2001:db8::{choose.getrandbits(32) >> 16:x}:{choose.getrandbits(16):x}"
        fields["ROUTE"] = choose.choice(ROUTES)
        return fields

    def _value(self) -> str | bytes | list[str | bytes]:
        choose = self._random
        match choose.randrange(10):
            case 0:
                return choose.randbytes(choose.randrange(20))
            case 1:
                return [choose.choice(VALUES) for _ in range(2)]
            case 2:
                return f"{choose.getrandbits(40):x}"
        return choose.choice(VALUES)


def _in_bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode(errors="surrogatepass")


class Journals:
    """Has the entries written to journal files, and reads them."""

    def __init__(self, folder: Path, made: Made, machines: int) -> None:
        self._folder = folder
        self._made = made
        self._machines = machines
        self._write(1)
        self._journal = Selection(directory=folder).open(made.decoder, follow=True)

    @property
    def position(self) -> int:
        """Rises with each entry."""
        return self._journal.position

    def _write(self, count: int) -> None:
        for machine in range(self._machines):
            rows = [self._made.row() for _ in range(count)]
            make_journal(self._folder / f"remote-{machine}.journal", rows, append=True)

    def entries(self, count: int) -> Iterator[Entry]:
        """About so many entries more."""
        self._write(count // self._machines)
        while self._journal.watch is not None:
            yield from self._journal.entries(count)
            self._journal.positions(self._made.now)
            yield from self._journal.missed()
            self._journal.gaps.clear()
            if self._journal.position >= self._made.written:
                return
            self._journal.wait(100)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()


def deliver(engine: Engine, now: int) -> None:
    """Tell of bans, empty the outbox, and let firewalls take what waits for them."""
    engine.tell_news()
    outbox = engine.state.outbox
    for lane in ("mail", "log", *outbox.program_lanes(), *outbox.parcel_kinds()):
        while (item := outbox.take(lane, now)) is not None:
            if lane == "mail":
                compose(item, engine.settings.email, engine.host).as_bytes()
            outbox.sent(item.id)
    for untaken in engine.state.bans.untaken.values():
        keys = [*untaken.add, *untaken.remove]
        untaken.add.clear()
        untaken.remove.clear()
        for key in keys:
            engine.state.bans.taken(key)


def end_days(engine: Engine, now: int) -> None:
    """What the daemon does when a day is over."""
    days, today = engine.state.days, engine.calendar.day_of(now)
    ended = [day for day in days.unreported() if day < today.isoformat()]
    for day in ended:
        engine.state.commit()
        engine.end_day(day, now)
    if ended:
        days.begin(today.isoformat())
        engine.state.commit()
        keep = engine.settings.state.keep.us
        engine.state.remove_before(now - keep, engine.calendar.day_of(now - keep))
        engine.state.commit()


def memory_mib() -> float:
    """What the program has in memory, but for pages of files, such as a journal's (proc(5))."""
    _, resident, shared, *_ = map(int, Path("/proc/self/statm").read_text().split())
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE") / 2**20


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--entries", type=int, default=1_000_000,
        help="of fewer than 500,000 the first tenth is no week, and memory is still rising",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--machines", type=int, default=0, help="read them from real journals")
    options = parser.parse_args()
    kinds = {
        point.name: kind
        for kind in ("filter", "action")
        for point in entry_points(group=f"pyruse.{kind}s")
    }
    faults = Faults(lambda *_: None)
    with tempfile.TemporaryDirectory() as folder, State(f"{folder}/state.sqlite") as state:
        state.load()
        configuration = configure(from_text(SETTINGS + chains(kinds)), Registry())
        engine = assemble(configuration, state, faults, replace(LIVE, own=set))
        engine.start()
        made = Made(engine, options.seed)
        source: Made | Journals = made
        if options.machines:
            source = Journals(Path(folder), made, options.machines)
        state.days.begin(engine.calendar.day_of(made.now).isoformat())
        patience = Patience(lambda: source.position, engine.travel.at_work)
        memory: list[float] = []
        blocks: list[float] = []
        tenths: dict[str, list[float]] = {name: [] for name in ALLOWED_GROWTH}
        began = time.monotonic()
        for done in range(0, options.entries, BATCH):
            with patience:
                engine.handle(source.entries(BATCH), now=made.now + BATCH * STEP_US)
            engine.expire(min(engine.last_time, made.now))
            state.positions.update({"": (f"i={done}", made.now)})
            state.commit()
            deliver(engine, made.now)
            end_days(engine, made.now)
            memory.append(memory_mib())
            blocks.append(sys.getallocatedblocks())
            reached = done + BATCH
            if reached % (options.entries // 10 // BATCH * BATCH or BATCH) == 0:
                mib, used = statistics.mean(memory), statistics.mean(blocks)
                tenths["memory"].append(mib)
                tenths["blocks in use"].append(used)
                memory.clear()
                blocks.clear()
                speed = reached / (time.monotonic() - began)
                size = os.path.getsize(f"{folder}/state.sqlite") / 2**20
                line = f"{reached:>9,} entries  {speed:>6,.0f} a second  {mib:6.1f} MiB"
                print(f"{line}  {used:,.0f} blocks  state {size:6.1f} MiB", flush=True)
    for fault in faults.kinds.values():
        print(f"{fault.count:>9,} × {fault.place}: {fault.text[:90]}")
    # The first tenth is for warming up; single ones rise and fall by a tenth.
    grows = False
    for name, values in tenths.items():
        growth = statistics.mean(values[6:10]) / statistics.mean(values[1:5]) - 1
        print(f"{name}: {growth:+.1%} from the 2nd to 5th tenths to the last four ", end="")
        print(f"(allowed: {ALLOWED_GROWTH[name]:+.0%})")
        grows = grows or growth > ALLOWED_GROWTH[name]
    return int(grows)


if __name__ == "__main__":
    sys.exit(main())
