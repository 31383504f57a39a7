"""Whole journals, replayed: against libsystemd, against journalctl, and against one another."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path

from bench.journals import DEMO, UNSEEN, cluster, folder, long_messages, sample
from bench.measure import Command, Figure, Row, Target, cpu_seconds, ratio, side_by_side
from pyruse.config.settings import EngineSettings

_STARTS = 3
_JSON = Target(3, at_least=True)
FLOORS = {"in Python": 4.5, "with pyruse-native": 2.5}
"""What the demo's chains may take, to libsystemd handing over every field."""


def rows(quick: bool) -> Iterator[Row]:
    """What replaying takes."""
    count, rounds = (20_000, 1) if quick else (200_000, 5)
    yield from _against_journalctl(sample(count), rounds, f"{count:,} entries", "sample")
    unseen = f"{count:,} entries, another seed"
    yield from _against_journalctl(sample(count, UNSEEN), rounds, unseen, "unseen")
    long = f"{count // 4:,} long entries"
    yield from _against_journalctl(long_messages(count // 4), rounds, long, "long")
    strange = f"{count:,} entries of a cluster, with 8 to 60 fields"
    yield from _against_journalctl(cluster(count), rounds, strange, "cluster")
    yield from _long_messages(long_messages(count // 4), rounds, long)
    yield from _growth([count // 8, count // 2, count * 2, count * 8][: 3 if quick else 4], rounds)
    # With 10,000, the start takes longer than all the entries: nothing is left to compare.
    yield from _chains(sample(count), [10, 100, 1_000], rounds)
    yield from _counters(sample(count), rounds)


def _against_journalctl(journal: Path, rounds: int, what: str, name: str) -> Iterator[Row]:
    ways = replayed_in_each_way(DEMO, journal)
    shown = {
        form: ["journalctl", "--directory", str(journal), "--output", form]
        for form in ("json", "short")
    }
    taken = side_by_side(shown | ways, rounds)
    for way in ways:
        for form, target in (("json", _JSON), ("short", None)):
            yield Row(
                f"`journalctl -o {form}` to `pyruse replay` {way}: {what}",
                ratio(taken[form], taken[way]), target, name=f"{form} {way} {name}",
            )  # fmt: skip


def _long_messages(journal: Path, rounds: int, what: str) -> Iterator[Row]:
    ways = replayed_in_each_way(DEMO, journal)
    taken = side_by_side({"floor": floor(journal), **ways}, rounds)
    for way in ways:
        yield Row(
            f"`pyruse replay` {way}, to libsystemd handing over every field: {what}",
            ratio(taken[way], taken["floor"]), Target(FLOORS[way]), name=f"floor {way} long",
        )  # fmt: skip


def _growth(counts: list[int], rounds: int) -> Iterator[Row]:
    """What an entry costs in a long journal, compared with a short one."""
    commands = {str(count): replayed(DEMO, sample(count)) for count in counts}
    taken = side_by_side({"start": replayed(DEMO, sample(1)), **commands}, min(3, rounds))
    start = min(taken["start"])
    each = {count: [(one - start) / count for one in taken[str(count)]] for count in counts}
    for count in counts[1:]:
        yield Row(
            f"An entry of {count:,}, to one of {counts[0]:,}",
            ratio(each[count], each[counts[0]]),
            Target(1.1) if count == counts[-1] else None,
        )


def _chains(journal: Path, counts: list[int], rounds: int) -> Iterator[Row]:
    """What an entry costs with many chains that do not concern it, compared with few."""
    configurations = {count: _unrelated(count) for count in counts}
    empty = sample(1)
    starts = {
        count: Figure.of([cpu_seconds(replayed(file, empty)) for _ in range(_STARTS)]).low
        for count, file in configurations.items()
    }
    taken = side_by_side(
        {str(count): replayed(file, journal) for count, file in configurations.items()}, rounds
    )
    net = {count: [one - starts[count] for one in taken[str(count)]] for count in counts}
    for count in counts[1:]:
        yield Row(
            f"An entry with {count:,} chains that do not concern it, to one with {counts[0]}",
            ratio(net[count], net[counts[0]]),
            Target(1.1) if count == 1_000 else None,
        )


def _counters(journal: Path, rounds: int) -> Iterator[Row]:
    """What it costs to count how often each step is taken."""
    if "counters" not in {field.name for field in fields(EngineSettings)}:
        return
    chains = DEMO.read_text()
    switched = {
        value: _configuration(f"counters-{value}", f"{chains}\n[engine]\ncounters = {value}\n")
        for value in ("false", "true")
    }
    taken = side_by_side(
        {value: replayed(config, journal) for value, config in switched.items()}, rounds
    )
    yield Row(
        "`pyruse replay` with `[engine] counters = true`, to one with false",
        ratio(taken["true"], taken["false"]), name="counters",
    )  # fmt: skip


def _unrelated(count: int) -> Path:
    chains = "\n".join(
        f'"{number}" = [ {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "p{number}" }},'
        f" {{ filter = \"regex\", pattern = '^Failed for (?P<ip>\\S+)' }},"
        ' { action = "report", section = "other", message = "{ip}" } ]'
        for number in range(count)
    )
    # The last one is everybody's: otherwise no entry would leave libsystemd at all.
    rest = '"all" = [ { action = "discard" } ]'
    return _configuration(f"chains-{count}", f"[chains]\n{chains}\n{rest}\n")


def _configuration(name: str, text: str) -> Path:
    file = folder() / f"{name}.toml"
    file.write_text(text)
    return file


def replayed(config: Path, journal: Path) -> Command:
    """Replays a journal."""
    return [
        sys.executable, "-m", "pyruse", "replay", "--config", str(config),
        "--directory", str(journal), "--format", "json",
    ]  # fmt: skip


def replayed_in_each_way(config: Path, journal: Path) -> dict[str, Command]:
    """Replays a journal in Python, and with pyruse-native where it is installed."""
    return {way: ["env", setting, *replayed(config, journal)] for way, setting in ways().items()}


def ways() -> dict[str, str]:
    """How Pyruse may run, and by which variable of the environment."""
    found = {"in Python": "PYRUSE_NATIVE=0"}
    if find_spec("pyruse_native") is not None:
        found["with pyruse-native"] = "PYRUSE_NATIVE=1"
    return found


def floor(journal: Path) -> Command:
    """Has libsystemd hand over every field."""
    program = folder() / "floor"
    source = Path(__file__).with_name("floor.c")
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-o", program, source, "-lsystemd"], check=True)
    return [str(program), str(journal)]
