"""Do the rules see what other people's lines tell? fail2ban's own corpus, led through all of them.

    python -m bench.recognised [--package fail2ban_1.1.0-8_all.deb] [-v]

Of the lines that fail2ban's filters are tested with, those that a journal may have are dressed with
the fields that the program's entries have on a real system, as the samples of our rules show them,
and led through ``use`` of all rules. Who is counted would be banned if one failure were allowed.
One line of a session counts for all of it: one wrong password is one failure, however many lines
tell of it. Exit code 1: less than 97 % of the bans that are expected, of the programs that the
rules know, or a ban that nobody expects.

The corpus is downloaded by apt-get; nothing of it is installed, or kept.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.fail2ban_corpus import Sample, samples, unpacked
from pyruse.addresses import address_text
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.testing.pipeline import Pipeline

LEAST = 0.97


@dataclass
class Row:
    """How a filter's lines do."""

    expected: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    unknown: set[str] = field(default_factory=set)
    """Programs of lines that no rules know."""


class Writers:
    """The trusted fields of each program's entries, as our rules' samples have them."""

    def __init__(self, library: Library) -> None:
        self._fields: dict[str, dict[str, Any]] = {}
        self.programs: dict[str, str] = {}
        """Names of rules by SYSLOG_IDENTIFIER."""
        for name in library.names:
            rules = library.rules(name)
            self.programs |= dict.fromkeys(rules.programs, name)
            for sample in rules.samples:
                program = sample.entry.get("SYSLOG_IDENTIFIER")
                if program is None or sample.event in (None, "forged"):
                    continue
                trusted = {
                    k: v for k, v in sample.entry.items() if k.startswith("_") and k != "_PID"
                }
                if len(trusted) > len(self._fields.get(program, {})):
                    self._fields[program] = trusted

    def of(self, program: str) -> dict[str, Any] | None:
        """The fields of a program's entries; None: no rules know it."""
        for name in (program, program.partition("/")[0], program.partition(" ")[0]):
            if name in self._fields:
                return self._fields[name]
        return None


def one_of_each_line(found: list[Sample]) -> Iterator[tuple[Sample, set[str]]]:
    """The lines, each with the addresses that are expected in any mode of the filter."""
    for _, alike in groupby(found, key=lambda sample: (sample.file, sample.number)):
        same = list(alike)
        hosts = {
            address
            for sample in same
            if sample.expected.get("match")
            and (address := address_text(sample.expected.get("host"))) is not None
        }
        yield same[0], hosts


def measured(found: list[Sample], pipeline: Pipeline, writers: Writers) -> Row:
    """Lead the lines of a filter through the rules, session by session."""
    row = Row()
    found.sort(key=lambda sample: (sample.file, sample.number))
    lines = list(one_of_each_line(found))
    for _, session in groupby(enumerate(lines), key=_session):
        pipeline.clock.advance("1h")  # the corpus has lines of years
        expected: list[tuple[str, Sample]] = []
        banned: dict[str, Sample] = {}
        for _, (sample, hosts) in session:
            program = sample.entry["SYSLOG_IDENTIFIER"]
            writer = writers.of(program)
            if writer is None:
                row.unknown.add(program)
                continue
            expected += [(host, sample) for host in hosts]
            fields = pipeline.feed(**{**writer, **sample.entry})
            if "failures" in fields or "scans" in fields:  # the corpus has addresses of ours, too
                banned[str(fields["ip"])] = sample
            pipeline.clock.advance("2s")
        row.expected += len(expected)
        for host, sample in expected:
            if host in banned:
                row.found += 1
            else:
                row.missed.append(f"{host}: {_place(sample)}")
        row.wrong += [
            f"{ban}: {_place(sample)}"
            for ban, sample in banned.items()
            if ban not in {host for host, _ in expected}
        ]
    return row


def _session(numbered: tuple[int, tuple[Sample, set[str]]]) -> Any:
    number, (sample, _) = numbered
    entry = sample.entry
    # A line without a number of a process belongs to none.
    return (entry["SYSLOG_IDENTIFIER"], entry["_PID"]) if entry["_PID"] != 1 else number


def _place(sample: Sample) -> str:
    return f"{sample.file}:{sample.number}: {sample.line[:220]}"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--package", type=Path, help="instead of the one that apt-get downloads")
    parser.add_argument("--root", type=Path, help="where a package is unpacked already")
    parser.add_argument("--only", help="one filter")
    parser.add_argument("-v", action="store_true", help="the lines that are missed")
    chosen = parser.parse_args()
    library = Library(Registry())
    writers = Writers(library)
    use = [name for name in library.names if not library.rules(name).is_policy]
    total = Row()
    with tempfile.TemporaryDirectory() as folder:
        root = chosen.root or unpacked(chosen.package, Path(folder))
        print("| filter | bans expected | found | wrong | of programs that no rules know |")
        print("|---|---|---|---|---|")
        for path in sorted((root / "etc/fail2ban/filter.d").glob("*.conf")):
            found = list(samples(root, path.stem))
            if not found or (chosen.only and path.stem != chosen.only):
                continue
            row = measured(found, Pipeline(f"use = {json.dumps(use)}"), writers)
            print(
                f"| {path.stem} | {row.expected} | {row.found} | {len(row.wrong)} | "
                f"{', '.join(sorted(row.unknown))} |",
                flush=True,
            )
            for kind, lines in (("missed", row.missed if chosen.v else []), ("wrong", row.wrong)):
                for line in lines:
                    print(f"    {kind} {line}")
            total.expected += row.expected
            total.found += row.found
            total.wrong += row.wrong
    share = total.found / max(1, total.expected)
    print(f"{total.found} of {total.expected} ({share:.1%}), wrong: {len(total.wrong)}")
    return int(share < LEAST or bool(total.wrong))


if __name__ == "__main__":
    sys.exit(main())
