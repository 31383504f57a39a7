"""What an entry costs, counted instead of timed: the same on every machine, however busy it is.

    python -m bench.operations             # the counts, and where they come from
    python -m bench.operations --record    # keep them in bench/operations.json

A fifth of the demonstration's day, in a real journal file, goes through the demo's chains, and
through those of all rules. What is counted, for each entry: the instructions of Python's bytecode
that are executed (``frame.f_trace_opcodes``), and the calls of functions written in C, those into
libsystemd also by themselves. Bytecode is another one in each version of Python, so each has a
record of its own; ``make operations`` records all of them. `tests/test_operations.py` compares.

What happens inside C is not counted: a regular expression that takes longer, but is tried as
often, is a matter for `bench.speed`.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

from msgspec.structs import replace
from systemd import journal

from bench.journals import DEMO
from pyruse.config.load import Configuration, load
from pyruse.engine.assembly import assemble
from pyruse.engine.engine import Engine
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.state.database import State
from pyruse.system.native import native
from pyruse.testing.journal import make_journal
from tools.sample_journal import sample_day

RECORD = Path(__file__).with_suffix(".json")
COMMAND = "make operations"
TOLERANCE = 0.1
KINDS = ("opcodes", "calls into C", "calls into libsystemd")
_EVERY = 5
_BATCH = 500

Costs = dict[str, float]
"""By kind, for one entry."""


@dataclass
class Counts:
    """What was executed while counting."""

    functions: Counter[str] = field(default_factory=Counter)
    """Opcodes by function of Python's."""
    called: Counter[str] = field(default_factory=Counter)
    """Calls by function of C's."""
    libsystemd: int = 0

    @contextmanager
    def opcodes(self) -> Iterator[None]:
        """Count Python's instructions, in this thread."""

        def executed(frame: FrameType, event: str, _: object) -> Any:
            if event == "opcode":
                self.functions[frame.f_code.co_qualname] += 1
            return executed

        def entered(frame: FrameType, event: str, _: object) -> Any:
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            return executed

        before = sys.gettrace()
        sys._getframe().f_trace_opcodes = True  # Python 3.12 looks for one that wants it, here only
        sys.settrace(entered)
        try:
            yield
        finally:
            sys.settrace(before)

    @contextmanager
    def calls(self) -> Iterator[None]:
        """Count calls into C, in this thread."""

        def called(frame: FrameType, event: str, function: Any) -> None:
            if event == "c_call":
                self.called[getattr(function, "__qualname__", "?")] += 1
                self.libsystemd += isinstance(getattr(function, "__self__", None), journal._Reader)

        before = sys.getprofile()
        sys.setprofile(called)
        try:
            yield
        finally:
            sys.setprofile(before)


def configurations(folder: Path) -> dict[str, Path]:
    """What is counted with, by how the record names it: with this Python.

    :param folder: for a file that is made.
    """
    library = Library(Registry())
    rules = [name for name in library.names if not library.rules(name).is_policy]
    everything = folder / "rules.toml"
    everything.write_text(f"use = {json.dumps(rules)}\n")
    return {version(): DEMO, f"{version()}, all rules": everything}


def counted(folder: Path, file: Path) -> tuple[int, Counts]:
    """Handle the entries; :return: how many they were, and what it took.

    :param folder: for a journal.
    :param file: the configuration.
    """
    journal_file = folder / "part.journal"
    if not journal_file.exists():
        make_journal(journal_file, sample_day()[::_EVERY])
    configuration = load(file, Registry())
    counts = Counts()
    # What is done once, such as imports and patterns, is no entry's cost.
    _pass(configuration, journal_file)
    _pass(configuration, journal_file, counts.opcodes)
    return _pass(configuration, journal_file, counts.calls), counts


def costs(folder: Path, file: Path = DEMO) -> Costs:
    """What one entry costs: see `counted`."""
    entries, counts = counted(folder, file)
    totals = (counts.functions.total(), counts.called.total(), counts.libsystemd)
    return {kind: round(total / entries, 2) for kind, total in zip(KINDS, totals, strict=True)}


def _pass(
    configuration: Configuration, file: Path, counting: Callable[[], Any] | None = None
) -> int:
    with State() as state:
        faults = Faults(lambda *_: None)
        engine = assemble(configuration, state, faults, replace(DRY, own=set))
        engine.start()
        reader = Selection(files=[file]).open(engine.decoder)
        try:
            gc.collect()
            gc.disable()  # finalizers come when they come
            if counting is None:
                return _handle(engine, reader)
            with counting():
                return _handle(engine, reader)
        finally:
            gc.enable()
            reader.close()


def _handle(engine: Engine, reader: Any) -> int:
    entries = 0
    while handled := engine.handle(reader.entries(_BATCH)):
        entries += handled
        engine.expire(engine.last_time)
        engine.state.commit()
    return entries


def differences(recorded: Costs, found: Costs) -> list[str]:
    """What is more than a tenth off its record, and what to do about it."""
    lines = []
    for kind, before in recorded.items():
        now = found[kind]
        if abs(now - before) <= TOLERANCE * before:
            continue
        what = f"{kind} for an entry: {now:g}, recorded are {before:g} ({now / before - 1:+.0%})"
        if now > before:
            lines.append(
                f"{what}; expected no more: see where they come from with `python -m "
                f"bench.operations`, or, if they are worth it, record them with `{COMMAND}`"
            )
        else:
            lines.append(f"{what}; well done: renew the record with `{COMMAND}`")
    return lines


def version() -> str:
    """Of this Python, as the record names it; with the part in C, where that is at work."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return python if native() is None else f"{python} native"


def record() -> dict[str, Costs]:
    """The costs that are recorded, by version of Python."""
    known: dict[str, Costs] = json.loads(RECORD.read_text()) if RECORD.exists() else {}
    return known


def main() -> None:
    """Print the counts, or record them."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--record", action="store_true", help="keep the counts of this Python")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for what, file in configurations(Path(folder)).items():
            found = costs(Path(folder), file)
            print(f"Python {what}, {found}")
            if options.record:
                RECORD.write_text(json.dumps({**record(), what: found}, indent=2) + "\n")
                continue
            entries, counts = counted(Path(folder), file)
            for kind, counter in (("opcodes", counts.functions), ("calls", counts.called)):
                print(f"\n{kind} for an entry")
                for name, number in counter.most_common(20):
                    print(f"{number / entries:9.2f}  {name}")


if __name__ == "__main__":
    main()
