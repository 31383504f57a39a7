"""Reads three fields of each entry of a journal, and prints the CPU seconds that this takes.

    python -m bench.direct FOLDER [--by-libsystemd]

With pyruse-native, complete files are read without libsystemd; ``--by-libsystemd`` has it read all.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from bench.measure import Row, ratio
from pyruse.entry.decoding import Decoder
from pyruse.journal.selection import Selection

_FIELDS = ("SYSLOG_IDENTIFIER", "_SYSTEMD_UNIT", "MESSAGE")
_BATCH = 2_000


def main() -> int:
    """Read; :return: the exit code."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--by-libsystemd", action="store_true")
    options = parser.parse_args()
    journal = Selection(directory=options.folder).open(Decoder())
    if options.by_libsystemd:
        journal.read_by_libsystemd()
    began, handled = time.process_time(), -1
    while handled != journal.position:
        handled = journal.position
        for entry in journal.entries(_BATCH):
            for field in _FIELDS:
                entry.text(field)
    print(time.process_time() - began)
    return 0


def rows(journal: Path, what: str, rounds: int) -> Iterator[Row]:
    """What reading takes, in both ways, taking turns."""
    command = [sys.executable, "-m", "bench.direct", str(journal)]
    taken: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(rounds):
        for directly, seconds in taken.items():
            way = [] if directly else ["--by-libsystemd"]
            done = subprocess.run([*command, *way], capture_output=True, text=True, check=True)
            seconds.append(float(done.stdout))
    yield Row(
        f"With pyruse-native, three fields of each entry by libsystemd, to directly: {what}",
        ratio(taken[False], taken[True]),
    )


if __name__ == "__main__":
    sys.exit(main())
