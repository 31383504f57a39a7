"""How fast Pyruse reads a journal, against libsystemd, journalctl, and itself.

    python -m bench.speed [--quick]

Each figure is a ratio of CPU seconds, measured side by side in one run: the median of the rounds,
with the lowest and the highest one. Needs a C compiler and libsystemd's headers.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.journals import UNSEEN, folder, long_messages, sample
from bench.measure import Command, Figure, Row, cpu_seconds, ratio, side_by_side

DEMO = Path(__file__).parents[1] / "pyruse" / "demo" / "demo.toml"
_STARTS = 3


def main() -> None:
    """Measure, and print the table in Markdown."""
    parser = argparse.ArgumentParser(description="How fast Pyruse reads a journal.")
    parser.add_argument("--quick", action="store_true", help="fewer entries, fewer rounds")
    quick = parser.parse_args().quick
    print("| what | ratio: median (lowest – highest) | target |\n|---|---|---|")
    for row in _rows(quick):
        print(f"| {row.what} | {row.figure} | {row.target} |", flush=True)


def _rows(quick: bool) -> Iterator[Row]:
    count, rounds = (20_000, 3) if quick else (200_000, 5)
    yield from _against_others(sample(count), rounds, f"{count:,} entries")
    yield from _against_others(sample(count, UNSEEN), rounds, f"{count:,} entries, another seed")
    yield from _against_others(long_messages(count // 4), rounds, f"{count // 4:,} long entries")
    yield from _growth([count // 8, count // 2, count * 2, count * (2 if quick else 8)], rounds)
    yield from _chains(sample(count), [10, 100, 1_000, 10_000], rounds)


def _against_others(journal: Path, rounds: int, what: str) -> Iterator[Row]:
    taken = side_by_side(
        {
            "floor": [str(_floor()), str(journal)],
            "replay": _replay(DEMO, journal),
            "json": ["journalctl", "--directory", str(journal), "--output", "json"],
            "short": ["journalctl", "--directory", str(journal), "--output", "short"],
        },
        rounds,
    )
    replay = taken["replay"]
    yield Row(
        f"`pyruse replay` of the demo's chains, to libsystemd handing over every field: {what}",
        str(ratio(replay, taken["floor"])),
        "≤ 2.5",
    )
    yield Row(
        f"`journalctl -o json` to `pyruse replay`: {what}", str(ratio(taken["json"], replay)), "≥ 3"
    )
    yield Row(
        f"`journalctl -o short` to `pyruse replay`: {what}", str(ratio(taken["short"], replay))
    )


def _growth(counts: list[int], rounds: int) -> Iterator[Row]:
    """What an entry costs in a long journal, compared with a short one."""
    commands = {str(count): _replay(DEMO, sample(count)) for count in counts}
    taken = side_by_side({"start": _replay(DEMO, sample(1)), **commands}, max(2, rounds - 2))
    start = min(taken["start"])
    each = {count: [(one - start) / count for one in taken[str(count)]] for count in counts}
    for count in counts[1:]:
        yield Row(
            f"An entry of {count:,}, to one of {counts[0]:,}",
            str(ratio(each[count], each[counts[0]])),
            "≤ 1.1" if count == counts[-1] else "",
        )


def _chains(journal: Path, counts: list[int], rounds: int) -> Iterator[Row]:
    """What an entry costs with many chains that do not concern it, compared with few."""
    configurations = {count: _unrelated(count) for count in counts}
    empty = sample(1)
    starts = {
        count: Figure.of([cpu_seconds(_replay(file, empty)) for _ in range(_STARTS)]).low
        for count, file in configurations.items()
    }
    taken = side_by_side(
        {str(count): _replay(file, journal) for count, file in configurations.items()}, rounds
    )
    net = {count: [one - starts[count] for one in taken[str(count)]] for count in counts}
    for count in counts[1:]:
        yield Row(
            f"An entry with {count:,} chains that do not concern it, to one with {counts[0]}",
            str(ratio(net[count], net[counts[0]])),
            "≤ 1.1" if count == 1_000 else "",
        )


def _unrelated(count: int) -> Path:
    file = folder() / f"chains-{count}.toml"
    chains = "\n".join(
        f'"{number}" = [ {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "p{number}" }},'
        f" {{ filter = \"regex\", pattern = '^Failed for (?P<ip>\\S+)' }},"
        ' { action = "report", section = "other", message = "{ip}" } ]'
        for number in range(count)
    )
    file.write_text(f"[chains]\n{chains}\n")
    return file


def _replay(config: Path, journal: Path) -> Command:
    return [
        sys.executable, "-m", "pyruse", "replay", "--config", str(config),
        "--directory", str(journal), "--format", "json",
    ]  # fmt: skip


def _floor() -> Path:
    program = folder() / "floor"
    source = Path(__file__).with_name("floor.c")
    if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
        subprocess.run(["cc", "-O2", "-o", program, source, "-lsystemd"], check=True)
    return program


if __name__ == "__main__":
    main()
