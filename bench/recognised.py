"""Do the rules see what other people's lines tell? fail2ban's own corpus, led through all of them.

    python -m bench.recognised [--package fail2ban_1.1.0-8_all.deb] [-v]

Of the lines that fail2ban's filters are tested with, those that a journal may have are dressed with
the fields that the program's entries have on a real system, as the samples of our rules show them,
and led through ``use`` of all rules. Who is counted would be banned if one failure were allowed.
One line of a session counts for all of it: one wrong password is one failure, however many lines
tell of it. A ban that the corpus does not expect of a line is asked fail2ban's own filter in its
mode "aggressive": what that bans, our rules may count as a scan. What the rules deliberately do
otherwise stands in recognised_exceptions.toml, with reasons. Exit code 1: less than 97 % of the
bans that are expected, of the programs that the rules know; a ban that nobody expects; one for the
name of a host; or more than a tenth of exceptions.

The corpus is downloaded by apt-get; nothing of it is installed, or kept.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import tomllib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from bench.fail2ban_corpus import Filters, Sample, samples, unpacked
from pyruse.addresses import address_text
from pyruse.importers.fail2ban.covered import COVERS
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.rules.rules_file import RulesFile
from pyruse.testing.pipeline import Pipeline

LEAST = 0.97
MOST_LEFT_OUT = 0.10
RULES_OF = {"cyrus-imap": "cyrus", "dovecot": "dovecot"}
"""Of filters whose programs share names with those of other rules."""
EXCEPTIONS = Path(__file__).with_name("recognised_exceptions.toml")


@dataclass(frozen=True)
class Exception_:
    """A kind of line that the rules see otherwise than fail2ban, and why."""

    filter: str
    line: re.Pattern[str]
    reason: str
    other: bool = False
    """Whether the rules count against another address, and are right."""
    partner: str | None = None
    """A line that comes with it, with ``{host}``: the two count once."""
    partner_of: str = ""
    """The program that writes that."""
    unknown: bool = False
    """Whether no rules know the program, though others have its SYSLOG_IDENTIFIER."""

    def is_of(self, sample: Sample, name: str) -> bool:
        """Whether a line of a filter is of this kind."""
        return self.filter == name and self.line.search(sample.entry["MESSAGE"]) is not None


@dataclass
class Row:
    """How a filter's lines do."""

    expected: int = 0
    found: int = 0
    names: int = 0
    """Bans for lines that have the name of a host."""
    pairs: int = 0
    """Lines that were led through with the one that always comes with them."""
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    excepted: Counter[str] = field(default_factory=Counter)
    """Expectations left out, by their reasons."""
    unknown: set[str] = field(default_factory=set)
    """Programs of lines that no rules know."""


_Rank = tuple[bool, bool, int]


def _programs(rules: RulesFile) -> set[str]:
    """The programs whose lines rules look at."""
    programs = set(rules.programs)
    for step in (step for steps in rules.chains.values() for step in steps):
        if step.get("field") == "SYSLOG_IDENTIFIER":
            programs |= {one for one in (step.get("value"), *step.get("values", [])) if one}
    return programs


class Writers:
    """The trusted fields of each program's entries, as our rules' samples have them."""

    def __init__(self, library: Library) -> None:
        """Take the sample that shows the most of a guesser, or else the most fields."""
        self._of: dict[str, dict[str, dict[str, Any]]] = {}
        """By names of rules, and by programs."""
        ranked: dict[str, tuple[_Rank, dict[str, Any]]] = {}
        for name in library.names:
            rules = library.rules(name)
            best: tuple[_Rank, dict[str, Any]] | None = None
            for sample in rules.samples:
                if sample.event in (None, "forged"):
                    continue
                trusted = {
                    k: v
                    for k, v in sample.entry.items()
                    if k in ("PRIORITY", "SYSLOG_FACILITY") or (k[0] == "_" and k != "_PID")
                }
                guesses = sample.event in ("login failed", "scan")
                rank = (guesses, trusted.get("_TRANSPORT") != "stdout", len(trusted))
                program = str(sample.entry.get("SYSLOG_IDENTIFIER"))
                if program not in ranked or ranked[program][0] < rank:
                    ranked[program] = (rank, trusted)
                if best is None or best[0] < rank:
                    best = (rank, trusted)
                own = self._of.setdefault(name, {})
                own[program] = max(own.get(program, {}), trusted, key=len)
            for program in _programs(rules):
                if best is None:
                    continue
                self._of.setdefault(name, {}).setdefault(program, best[1])
                if program not in ranked or ranked[program][0] < best[0]:
                    ranked[program] = best
        self._fields = {program: trusted for program, (_, trusted) in ranked.items()}

    def of(self, program: str, rules: str | None) -> dict[str, Any] | None:
        """The fields of a program's entries, if possible of certain rules; None: unknown."""
        if rules is not None and program in self._of.get(rules, {}):
            return self._of[rules][program]
        first, _, last = program.partition("/")
        names = [program, f"{first.partition('-')[0]}/{last.rpartition('/')[2]}", first]
        for name in (*names, program.partition(" ")[0]):
            if name in self._fields:
                return self._fields[name]
        return None


def one_of_each_line(found: list[Sample]) -> Iterator[tuple[Sample, set[str], bool]]:
    """The lines, each with the addresses that are expected in any mode of the filter.

    And whether the corpus has the name of a host there instead.
    """
    for _, alike in groupby(found, key=lambda sample: (sample.file, sample.number)):
        same = list(alike)
        hosts = [s.expected.get("host") for s in same if s.expected.get("match")]
        addresses = {address for host in hosts if (address := address_text(host)) is not None}
        yield same[0], addresses, bool(hosts) and not addresses and hosts[0] is not None


def sessions(
    found: list[Sample],
) -> Iterator[list[tuple[Sample, set[str], bool]]]:
    """The lines of each connection: of one process, in one part of a file, with one address."""
    found.sort(key=lambda sample: (sample.file, sample.number))
    first: dict[tuple[Any, ...], str] = {}
    found = [  # a filter has some lines twice: as files have them, and as journals
        sample
        for sample in found
        if first.setdefault(
            tuple(sample.entry[k] for k in ("SYSLOG_IDENTIFIER", "_PID", "MESSAGE")), sample.file
        )
        == sample.file
    ]
    session: list[tuple[Sample, set[str], bool]] = []
    for line in one_of_each_line(found):
        sample, hosts, _ = line
        if session:
            last = session[-1][0]
            of_session = {host for _, others, _ in session for host in others}
            alike = sample.entry["_PID"] != 1 and _process(last) == _process(sample)
            named = _addresses(sample)
            if not alike or (of_session and named and named.isdisjoint(of_session)):
                yield session
                session = []
        session.append((sample, hosts, line[2]))
    if session:
        yield session


def _process(sample: Sample) -> tuple[object, ...]:
    entry = sample.entry
    return sample.file, sample.session, entry["SYSLOG_IDENTIFIER"], entry["_PID"]


def _addresses(sample: Sample) -> set[str]:
    """The addresses that stand in a line."""
    words = re.findall(r"[\da-fA-F:.]{3,45}", sample.entry["MESSAGE"])
    return {address for word in words if (address := address_text(word.strip(".:"))) is not None}


class Bench:
    """The rules, and fail2ban's own filters to ask."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Load all rules."""
        self.library = Library(Registry())
        self._use = [name for name in self.library.names if not self.library.rules(name).is_policy]
        self._writers = Writers(self.library)
        self._filters = Filters(root, folder)
        self._exceptions = [
            Exception_(**{**one, "line": re.compile(one["line"], re.DOTALL)})
            for one in tomllib.loads(EXCEPTIONS.read_text("utf-8"))["exceptions"]
        ]

    def measured(self, name: str, found: list[Sample]) -> Row:
        """Lead the lines of a filter through the rules, session by session."""
        row = Row()
        pipeline = Pipeline(f"use = {json.dumps(self._use)}")
        for session in sessions(found):
            self._lead(name, session, pipeline, row)
        return row

    def _lead(
        self,
        name: str,
        session: list[tuple[Sample, set[str], bool]],
        pipeline: Pipeline,
        row: Row,
    ) -> None:
        pipeline.clock.advance("1h")  # the corpus has lines of years
        rules = RULES_OF.get(name) or (COVERS[name].rules if name in COVERS else None)
        expected: list[tuple[str, Sample]] = []
        banned: dict[str, Sample] = {}
        for sample, hosts, is_name in session:
            program = sample.entry["SYSLOG_IDENTIFIER"]
            writer = self._writers.of(program, rules)
            excepted = next((one for one in self._exceptions if one.is_of(sample, name)), None)
            if writer is None or (excepted is not None and excepted.unknown):
                row.unknown.add(program)
                continue
            fields = pipeline.feed(**{**writer, **sample.entry})
            pipeline.clock.advance("2s")
            counted = "failures" in fields or "scans" in fields
            if counted and is_name:
                row.names += 1
            if excepted is not None and excepted.partner is not None and hosts:
                counted = self._with_partner(excepted, fields, min(hosts), pipeline)
                row.pairs += 1
                fields = {"ip": min(hosts)}
                excepted = None
            if counted and not (excepted is not None and excepted.other):
                banned[str(fields["ip"])] = sample  # the corpus has addresses of ours, too
            if excepted is None:
                expected += [(host, sample) for host in hosts]
            else:
                row.excepted[excepted.reason] += len(hosts)
        row.expected += len(expected)
        hosts_of_session = {host for _, hosts, _ in session for host in hosts}
        for host, sample in expected:
            if host in banned:
                row.found += 1
            else:
                row.missed.append(f"{host}: {_place(sample)}")
        others = [ban for ban in banned if ban not in hosts_of_session]
        if others:
            lines = [sample.entry for sample, _, _ in session]
            (theirs,) = self._filters.theirs([(name, {"mode": "aggressive"}, lines)])
            row.wrong += [
                f"{ban}: {_place(banned[ban])}" for ban in others if ban not in set(theirs)
            ]

    def _with_partner(
        self, kind: Exception_, first: dict[str, Any], host: str, pipeline: Pipeline
    ) -> bool:
        """Whether a line, and the one that comes with it, count once."""
        message = str(kind.partner).format(host=host)
        entry = {"SYSLOG_IDENTIFIER": kind.partner_of, "MESSAGE": message}
        second = pipeline.feed(**{**(self._writers.of(kind.partner_of, None) or {}), **entry})
        return ("failures" in first) + ("failures" in second) == 1


def _place(sample: Sample) -> str:
    return f"{sample.file}:{sample.number}: {sample.line[:220]}"


def main() -> int:
    """Measure, and print a line for each filter."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--package", type=Path, help="instead of the one that apt-get downloads")
    parser.add_argument("--root", type=Path, help="where a package is unpacked already")
    parser.add_argument("--only", help="filters, with commas between them")
    parser.add_argument("-v", action="store_true", help="the lines that are missed")
    chosen = parser.parse_args()
    only = set(chosen.only.split(",")) if chosen.only else None
    total = Row()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        root = chosen.root or unpacked(chosen.package, folder)
        bench = Bench(root, folder)
        print("| filter | bans expected | found | wrong | left out | of programs no rules know |")
        print("|---|---|---|---|---|---|")
        for path in sorted((root / "etc/fail2ban/filter.d").glob("*.conf")):
            found = list(samples(root, path.stem))
            if not found or (only is not None and path.stem not in only):
                continue
            row = bench.measured(path.stem, found)
            print(
                f"| {path.stem} | {row.expected} | {row.found} | {len(row.wrong)} | "
                f"{row.excepted.total() or ''} | {', '.join(sorted(row.unknown))} |",
                flush=True,
            )
            for kind, lines in (("missed", row.missed if chosen.v else []), ("wrong", row.wrong)):
                for line in lines:
                    print(f"    {kind} {line}")
            total.expected += row.expected
            total.found += row.found
            total.names += row.names
            total.pairs += row.pairs
            total.wrong += row.wrong
            total.excepted += Counter(
                {f"{path.stem}: {reason}": number for reason, number in row.excepted.items()}
            )
    share = total.found / max(1, total.expected)
    left_out = total.excepted.total() / max(1, total.expected + total.excepted.total())
    print(f"\nLeft out ({left_out:.1%}):")
    for reason, number in total.excepted.most_common():
        print(f"  {number:3} {reason}")
    print(
        f"\n{total.found} of {total.expected} ({share:.1%}), wrong: {len(total.wrong)}, "
        f"for names of hosts: {total.names}; {total.pairs} lines with the one that comes with them"
    )
    good = share >= LEAST and not total.wrong and not total.names and left_out < MOST_LEFT_OUT
    return int(not good)


if __name__ == "__main__":
    sys.exit(main())
