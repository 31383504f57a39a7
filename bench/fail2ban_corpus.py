"""How much of what fail2ban's filters find an imported configuration finds, too.

The data is fail2ban's own: its package for Debian has its filters, and the log lines that they are
tested with, each with what is expected. Nothing of it is installed, or kept. fail2ban decides in a
process of its own (``--against``).

    python -m bench.fail2ban_corpus                  # apt-get download fail2ban
    python -m bench.fail2ban_corpus --package fail2ban_1.1.0-8_all.deb --against --spoilt
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyruse.addresses import address_text
from pyruse.errors import ConfigError
from pyruse.importers.fail2ban.convert import convert
from pyruse.importers.fail2ban.covered import COVERS, fingerprint
from pyruse.importers.fail2ban.files import Folder
from pyruse.importers.fail2ban.jails import jail_values, read_jail
from pyruse.importers.findings import Findings
from pyruse.importers.outcome_text import to_toml
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.testing.pipeline import Pipeline

_LIBRARY = Path("usr/lib/python3/dist-packages")
_LOGS = _LIBRARY / "fail2ban/tests/files/logs"
_TOLD = re.compile(r"#+ ?(failJSON|(?:file|filter)Options|addFILE):(.+)")
_SYSLOG = re.compile(
    r"(?:<\d+>)?(?:[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?"
    r"|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?) "
    r"(?P<host>[\w.-]+) (?P<program>[\w./()@-]+(?: [\w.-]+)?)(?:\[(?P<pid>\d+)\])?: (?P<message>.*)"
)
_CONDITION = re.compile(
    r"(?:name|opts\.get\('(?P<option>\w+)'\)) *(?P<sign>[=!]=) *'(?P<value>[\w-]+)'"
)
_OF_A_FILE = {
    "SYSLOG_IDENTIFIER": "program", "_HOSTNAME": "host", "_PID": 1, "_MACHINE_ID": "0" * 32,
}  # fmt: skip
_FAR = 1_000_000
"""Failures: nobody is banned, so each line is looked at by itself."""


@dataclass
class Sample:
    """A line of the corpus, and what is expected of it."""

    file: str
    number: int
    session: int
    """Lines that may belong together: those of a file between two empty lines or comments."""
    line: str
    expected: dict[str, Any]
    options: dict[str, str]
    entry: dict[str, Any]


@dataclass
class Tally:
    """How a filter does."""

    bans: int = 0
    found: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)


def unpacked(package: Path | None, folder: Path) -> Path:
    """The files of the package."""
    if package is None:
        subprocess.run(
            ["apt-get", "download", "fail2ban"], cwd=folder, check=True, capture_output=True
        )
        package = next(folder.glob("fail2ban_*.deb"))
    subprocess.run(["dpkg-deb", "-x", package, folder / "files"], check=True)
    return folder / "files"


def samples(root: Path, name: str, *, of_files: bool = False) -> Iterator[Sample]:
    """The lines of a filter that a journal may have, in their order.

    :param root: where the package is.
    :param name: of the filter.
    :param of_files: instead, those that stand in a program's own files alone.
    """
    files = [name]
    common: dict[str, str] = {}
    for file in files:
        several: list[dict[str, str]] = [{}]
        told: dict[str, Any] = {}
        session = 0
        path = root / _LOGS / file
        if not path.is_file():
            return
        for number, line in enumerate(path.read_text("utf-8", "replace").split("\n"), 1):
            words = _TOLD.match(line)
            if words is not None:
                value = json.loads(words[2])
                match words[1]:
                    case "addFILE":
                        files.append(value)
                    case "fileOptions":
                        common = value
                    case "filterOptions":
                        several = value if isinstance(value, list) else [value]
                    case _:
                        told = value
                continue
            if line.startswith("#") or not line.strip():
                session += 1
                continue
            for options in several:
                given = {**common, **options}
                asked = [given.get("test.condition"), told.get("constraint")]
                if not all(_holds(condition, name, given) for condition in asked if condition):
                    continue
                entry = _of_a_file(line, given) if of_files else _entry(line, given)
                if entry is not None:
                    plain = {k: v for k, v in given.items() if not k.startswith("test.")}
                    yield Sample(file, number, session, line, told, plain, entry)
            told = {}


def _holds(condition: str, name: str, options: dict[str, str]) -> bool:
    """Whether a condition on the filter's name, or on an option, holds."""
    parts = _CONDITION.fullmatch(condition.strip())
    if parts is None:
        raise ValueError(f"{condition}: a condition of a new kind")
    value = name if parts["option"] is None else options.get(parts["option"])
    return (value == parts["value"]) == (parts["sign"] == "==")


def _of_a_file(line: str, options: dict[str, str]) -> dict[str, Any] | None:
    return None if _entry(line, options) is not None else {**_OF_A_FILE, "MESSAGE": line}


def _entry(line: str, options: dict[str, str]) -> dict[str, Any] | None:
    if options.get("test.prefix-line"):
        line = f"Jan  1 00:00:00 {options['test.prefix-line'].strip()} {line}"
    elif options.get("logtype") == "journal":
        line = f"Jan  1 00:00:00 {line}"
    parts = _SYSLOG.match(line)
    if parts is None:
        return None
    entry = {"_HOSTNAME": parts["host"], "SYSLOG_IDENTIFIER": parts["program"]}
    entry["_MACHINE_ID"] = hashlib.md5(parts["host"].encode(), usedforsecurity=False).hexdigest()
    return {**entry, "_PID": int(parts["pid"] or 1), "MESSAGE": parts["message"]}


def home_of(root: Path, name: str, options: dict[str, str], folder: Path) -> Path:
    """A folder of fail2ban with one jail that never bans."""
    given = ",".join(f'{k}="{v}"' for k, v in options.items())
    home = folder / "home"
    if not home.exists():
        home.mkdir()
        for one in (root / "etc/fail2ban").iterdir():
            if one.name != "jail.d":
                (home / one.name).symlink_to(one)
    (home / "jail.local").write_text(
        f"[DEFAULT]\nbackend = systemd\nmaxretry = {_FAR}\n"
        f"[corpus]\nenabled = true\nfilter = {name}[{given}]\naction = iptables-allports\n"
    )
    return home


def pipeline_of(root: Path, name: str, options: dict[str, str], folder: Path) -> Pipeline:
    """The imported filter, as a jail that never bans."""
    outcome = convert(home_of(root, name, options, folder))
    return Pipeline(to_toml(outcome, "corpus"))


def trusted(pipeline: Pipeline, *more: str) -> dict[str, Any]:
    """Fields by which an entry is one of the right writer: those, and others that are asked for."""
    fields: dict[str, Any] = {"_UID": 0}
    for chain in pipeline.engine.configuration.chains.values():
        for step in chain.steps:
            name = str(getattr(step.instance, "field", ""))
            if (name.startswith("_") or name in more) and name not in fields:
                value = getattr(step.instance, "value", None)
                several = iter(getattr(step.instance, "values", ()))
                if (first := next(several, None) if value is None else value) is not None:
                    fields[name] = first
    return fields


def decided(pipeline: Pipeline, entry: dict[str, Any], writer: dict[str, Any]) -> str | None:
    """The address that an entry counts against."""
    fields = pipeline.feed(**{**writer, **entry})
    return str(fields["ip"]) if "failures" in fields else None


def line_of(entry: dict[str, Any]) -> str:
    """The line that fail2ban makes of an entry."""
    message = str(entry["MESSAGE"]).replace("\n", "\\n")
    return f"{entry['_HOSTNAME']} {entry['SYSLOG_IDENTIFIER']}[{entry['_PID']}]: {message}"


class Filters:
    """The filters of a package with their options: imported, and as fail2ban has them."""

    def __init__(self, root: Path, folder: Path) -> None:
        """Make none yet."""
        self._root, self._folder = root, folder
        self._made: dict[tuple[str, str], tuple[Pipeline, dict[str, Any]] | None] = {}

    def import_(self, name: str, options: dict[str, str]) -> tuple[Pipeline, dict[str, Any]] | None:
        """The imported filter, and the fields of its writer."""
        key = (name, json.dumps(options, sort_keys=True))
        if key not in self._made:
            try:
                pipeline = pipeline_of(self._root, name, options, self._folder)
                self._made[key] = pipeline, trusted(pipeline)
            except ConfigError as fault:
                print(*key, *fault.faults, sep="\n  ", file=sys.stderr)
                self._made[key] = None
        return self._made[key]

    def ours(
        self, name: str, options: dict[str, str], entries: list[dict[str, Any]]
    ) -> list[str | None]:
        """What the imported filter decides on entries, one after another."""
        self._made.clear()
        made = self.import_(name, options)
        if made is None:
            return [None] * len(entries)
        return [decided(made[0], entry, made[1]) for entry in entries]

    def theirs(
        self, questions: list[tuple[str, dict[str, str], list[dict[str, Any]]]]
    ) -> list[list[str | None]]:
        """What fail2ban decides on the same."""
        asked = "".join(
            json.dumps(
                {
                    "filter": name, "options": options, "base": str(self._root / "etc/fail2ban"),
                    "lines": [line_of(entry) for entry in entries],
                }
            )
            + "\n"
            for name, options, entries in questions
        )  # fmt: skip
        done = subprocess.run(
            [sys.executable, "-P", Path(__file__).with_name("fail2ban_decides.py")],
            input=asked, capture_output=True, text=True, check=True,
            env={"PYTHONPATH": str(self._root / _LIBRARY), "PYTHONDONTWRITEBYTECODE": "1"},
        )  # fmt: skip
        print(done.stderr, end="", file=sys.stderr)
        return [
            [address_text(answer) for answer in json.loads(line)]
            for line in done.stdout.splitlines()
        ]


def compare(
    filters: Filters,
    questions: list[tuple[str, dict[str, str], list[dict[str, Any]]]],
    *,
    verbose: bool,
) -> Counter[str]:
    """How often the imported filters decide as fail2ban does."""
    count: Counter[str] = Counter()
    for (name, options, entries), theirs in zip(questions, filters.theirs(questions), strict=True):
        for entry, their, our in zip(
            entries, theirs, filters.ours(name, options, entries), strict=True
        ):
            kind = (
                "same" if our == their
                else "missed" if our is None
                else "more" if their is None
                else "another address"
            )  # fmt: skip
            count[kind] += 1
            if verbose and kind != "same":
                print(f"    {kind}: {our} for {their}: {name} {options}: {line_of(entry)[:250]!r}")
    return count


def main() -> None:
    """Measure, and print a line for each filter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path, help="instead of the one that apt-get downloads")
    parser.add_argument("--root", type=Path, help="where a package is unpacked already")
    parser.add_argument("--only", help="one filter")
    parser.add_argument("--against", action="store_true", help="every entry, to every filter")
    parser.add_argument("--files", action="store_true", help="lines of programs' own files")
    parser.add_argument("--rules", action="store_true", help="Pyruse's own rules, by addresses")
    parser.add_argument("--spoilt", action="store_true", help="lines that were made strange")
    parser.add_argument(
        "--fingerprints", action="store_true", help="for importers/fail2ban/stock.py"
    )
    parser.add_argument("-v", action="store_true", help="the lines that are decided otherwise")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        root = arguments.root or unpacked(arguments.package, folder)
        if arguments.fingerprints:
            print_fingerprints(root, folder)
            return
        names = [path.stem for path in sorted((root / "etc/fail2ban/filter.d").glob("*.conf"))]
        corpus = {name: found for name in names if (found := list(samples(root, name)))}
        chosen = [arguments.only] if arguments.only else list(corpus)
        filters = Filters(root, folder)
        expected(filters, {name: corpus[name] for name in chosen}, verbose=arguments.v)
        if arguments.files:
            by_files(root, names, folder, verbose=arguments.v)
        if arguments.rules:
            by_rules(corpus, verbose=arguments.v)
        if arguments.against:
            entries = list(
                {line_of(s.entry): s.entry for all_ in corpus.values() for s in all_}.values()
            )
            questions = [
                (name, options, entries) for name in chosen for options in _options(corpus[name])
            ]
            count = compare(filters, questions, verbose=arguments.v)
            print(f"every entry, to every filter: {dict(count)}")
        if arguments.spoilt:
            for way, spoil in SPOILT.items():
                questions = [
                    (
                        name,
                        options,
                        [made for s in corpus[name] if (made := spoil(s)) is not None],
                    )
                    for name in chosen
                    for options in _options(corpus[name])
                ]
                print(f"spoilt by {way}: {dict(compare(filters, questions, verbose=arguments.v))}")


def _options(found: list[Sample]) -> list[dict[str, str]]:
    texts = {json.dumps(sample.options, sort_keys=True): sample.options for sample in found}
    return list(texts.values())


def expected(filters: Filters, corpus: dict[str, list[Sample]], *, verbose: bool) -> None:
    """Compare with what the corpus expects, for the import and for fail2ban itself."""
    runs = [
        (name, options, [s for s in found if s.options == options])
        for name, found in corpus.items()
        for options in _options(found)
    ]
    answers = filters.theirs([(name, o, [s.entry for s in found]) for name, o, found in runs])
    ours, theirs = Tally(), Tally()
    by_name: dict[str, tuple[Tally, Tally]] = {name: (Tally(), Tally()) for name in corpus}
    for (name, options, found), their in zip(runs, answers, strict=True):
        our = filters.ours(name, options, [s.entry for s in found])
        for sample, our_address, their_address in zip(found, our, their, strict=True):
            for tally in (ours, by_name[name][0]):
                judge(tally, sample, our_address)
            for tally in (theirs, by_name[name][1]):
                judge(tally, sample, their_address)
    for name, (one, two) in by_name.items():
        print(
            f"{name:24} {one.found:4} of {one.bans:4}  wrong {len(one.wrong):3}   "
            f"fail2ban {two.found:4}  wrong {len(two.wrong):3}"
        )
        if verbose:
            print(*(f"    {line}" for line in (*one.missed, *one.wrong)), sep="\n")
    print(
        f"filters {len(corpus)}: {ours.found} of {ours.bans}, wrong {len(ours.wrong)}; "
        f"fail2ban: {theirs.found}, wrong {len(theirs.wrong)}"
    )


def by_files(root: Path, names: list[str], folder: Path, *, verbose: bool) -> None:
    """How many of the lines of programs' own files are found, had the programs logged them."""
    found = Tally()
    for name in names:
        lines = list(samples(root, name, of_files=True))
        for options in _options(lines):
            home = home_of(root, name, options, folder)
            own = "backend = auto\nlogpath = /var/log/own.log"
            jail_local = home / "jail.local"
            jail_local.write_text(jail_local.read_text().replace("backend = systemd", own))
            try:
                pipeline = Pipeline(to_toml(convert(home), "corpus"))
            except ConfigError as fault:
                print(*fault.faults, sep="\n", file=sys.stderr)
                continue
            writer = trusted(pipeline, "SYSLOG_IDENTIFIER")
            for sample in (one for one in lines if one.options == options):
                judge(found, sample, decided(pipeline, {**sample.entry, **writer}, {}))
    print(f"of files: {found.found} of {found.bans}, wrong {len(found.wrong)}")
    if verbose:
        print(*(f"    {line}" for line in (*found.missed, *found.wrong)), sep="\n")


def by_rules(corpus: dict[str, list[Sample]], *, verbose: bool) -> None:
    """How many of the expected addresses Pyruse's own rules count against, too.

    Rules count one try once, however many lines tell of it, so addresses are compared, not lines.
    """
    library = Library(Registry())
    for name, cover in COVERS.items():
        if name not in corpus or cover.rules not in library.names:
            continue
        rules = library.rules(cover.rules)
        writer = {
            key: value
            for key, value in rules.samples[0].entry.items()
            if key.startswith("_") and key != "_PID"
        }
        for options in _options(corpus[name]):
            pipeline = Pipeline(f'use = ["{cover.rules}"]')
            expected_: set[str] = set()
            found: set[str] = set()
            lines: dict[str, str] = {}
            session: Any = None
            for sample in (one for one in corpus[name] if one.options == options):
                if sample.entry["_PID"] != session:
                    pipeline.clock.advance("1h")  # the corpus has lines of years, and few processes
                session = sample.entry["_PID"]
                fields = pipeline.feed(**{**writer, **sample.entry})
                host = address_text(sample.expected.get("host"))
                if sample.expected.get("match") and host is not None:
                    expected_.add(host)
                    lines.setdefault(host, sample.line)
                if "failures" in fields or "scans" in fields:
                    found.add(str(fields["ip"]))
                    lines.setdefault(str(fields["ip"]), sample.line)
            print(
                f"{name:20} {options}: {len(expected_ & found)} of {len(expected_)} addresses; "
                f"others {len(found - expected_)}"
            )
            if verbose:
                for address in sorted(expected_ - found):
                    print(f"    missed {address}: {lines[address][:200]}")
                for address in sorted(found - expected_):
                    print(f"    other {address}: {lines[address][:200]}")


_ADDRESS = re.compile(r"(?<![\w.:])(?:\d{1,3}\.){3}\d{1,3}(?![\w.])")


def _message(change: Callable[[str], str]) -> Callable[[Sample], dict[str, Any] | None]:
    def spoil(sample: Sample) -> dict[str, Any] | None:
        changed = change(sample.entry["MESSAGE"])
        return None if changed == sample.entry["MESSAGE"] else {**sample.entry, "MESSAGE": changed}

    return spoil


def _user(change: Callable[[str], str]) -> Callable[[Sample], dict[str, Any] | None]:
    """What a stranger chooses."""

    def spoil(sample: Sample) -> dict[str, Any] | None:
        user, message = sample.expected.get("user"), str(sample.entry["MESSAGE"])
        if not isinstance(user, str) or len(user) < 2 or message.count(user) != 1:
            return None
        return {**sample.entry, "MESSAGE": message.replace(user, change(user))}

    return spoil


SPOILT = {
    "blanks before": _message(lambda text: f"   {text}"),
    "a tab before": _message(lambda text: f"\t{text}"),
    "blanks behind": _message(lambda text: f"{text}   "),
    "a line feed behind": _message(lambda text: f"{text}\n"),
    "a line feed in a user": _user(lambda user: f"{user[0]}\n{user[1:]}"),
    "blanks in a user": _user(lambda user: f"{user[0]} from 198.51.100.9 {user[1:]}"),
    "a long user": _user(lambda user: user * 500),
    "a line feed anywhere": _message(
        lambda text: re.sub(r"(?<=.{12}\w)(?=\w)", "\n", text, count=1)
    ),
    "a carriage return inside": _message(lambda t: re.sub(r"(?<=.{12}\w)(?=\w)", "\r", t, count=1)),
    "two blanks": _message(lambda text: text.replace(" ", "  ")),
    "capitals": _message(str.upper),
    "small letters": _message(str.lower),
    "a mapped address": _message(lambda text: _ADDRESS.sub(lambda m: f"::ffff:{m[0]}", text)),
    "IPv6": _message(lambda text: _ADDRESS.sub("2001:db8::17", text)),
    "IPv6 in brackets": _message(lambda text: _ADDRESS.sub("[2001:db8::17]", text)),
    "leading zeros": _message(lambda text: _ADDRESS.sub("010.001.002.003", text)),
    "a long word": _message(lambda t: re.sub(r"(?<= )(?=\w)", f"{'x' * 5000} ", t, count=1)),
    "another address before": _message(
        lambda t: re.sub(r"(?<= )(?=\w)", "198.51.100.9 ", t, count=1)
    ),
    "another address behind": _message(lambda text: f"{text} from 198.51.100.9"),
    "a host name": _message(lambda text: _ADDRESS.sub("attacker.example.net", text)),
}
"""Ways to write a line otherwise."""


def print_fingerprints(root: Path, folder: Path) -> None:
    """The fingerprints of the filters that rules stand for, in all their modes."""
    for name, cover in COVERS.items():
        found = []
        if not (root / f"etc/fail2ban/filter.d/{name}.conf").is_file():
            continue
        for mode in cover.modes:
            home = home_of(root, name, {"mode": mode}, folder)
            jail_local = home / "jail.local"
            of_journal = jail_local.read_text()
            of_files = "backend = auto\nlogpath = /var/log/own.log"
            for text in (of_journal, of_journal.replace("backend = systemd", of_files)):
                jail_local.write_text(text)
                source = Folder(home, Findings())
                found.append(fingerprint(read_jail("corpus", jail_values(source), source, "1d")))
        print(f"{name}: {', '.join(dict.fromkeys(found))}")


def judge(tally: Tally, sample: Sample, got: str | None) -> None:
    """Compare what was decided with what is expected."""
    matches = bool(sample.expected.get("match"))
    host = address_text(sample.expected.get("host", got)) if matches else None
    where = f"{sample.file}:{sample.number} {sample.options}: {sample.line[:160]}"
    if host is None and not (matches and "host" not in sample.expected):
        if got is not None:
            tally.wrong.append(f"{got} for {host}: {where}")
        return
    tally.bans += 1
    if got == host:
        tally.found += 1
    elif got is None:
        tally.missed.append(f"{host}: {where}")
    else:
        tally.wrong.append(f"{got} for {host}: {where}")


if __name__ == "__main__":
    main()
