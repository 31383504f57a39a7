"""How much of what fail2ban's filters find an imported configuration finds, too.

The data is fail2ban's own: its package for Debian has its filters, and the log lines that they are
tested with, each with what is expected. Nothing of it is installed, or kept. fail2ban decides in a
process of its own (``--against``).

    python -m bench.fail2ban_corpus                  # apt-get download fail2ban
    python -m bench.fail2ban_corpus --package fail2ban_1.1.0-8_all.deb --against --spoilt
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pyruse.addresses import address_text
from pyruse.errors import ConfigError
from pyruse.importers.fail2ban.convert import convert
from pyruse.importers.fail2ban.covered import COVERS, fingerprint
from pyruse.importers.fail2ban.files import Folder
from pyruse.importers.fail2ban.jails import jail_values, read_jail
from pyruse.importers.fail2ban.output import to_toml
from pyruse.importers.findings import Findings
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
_MODES = ("normal", "ddos", "extra", "aggressive", "more", "auth", "rbl", "errors", "fallback")
_FAR = 1_000_000
"""Failures: nobody is banned, so each line is looked at by itself."""


@dataclass
class Sample:
    """A line of the corpus, and what is expected of it."""

    file: str
    number: int
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


def samples(root: Path, name: str) -> Iterator[Sample]:
    """The lines of a filter that a journal may have, in their order."""
    files = [name]
    common: dict[str, str] = {}
    for file in files:
        several: list[dict[str, str]] = [{}]
        told: dict[str, Any] = {}
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
                continue
            for options in several:
                given = {**common, **options}
                asked = [given.get("test.condition"), told.get("constraint")]
                if not all(_holds(condition, name, given) for condition in asked if condition):
                    continue
                entry = _entry(line, given)
                if entry is not None:
                    plain = {k: v for k, v in given.items() if not k.startswith("test.")}
                    yield Sample(name, number, line, told, plain, entry)
            told = {}


def _holds(condition: str, name: str, options: dict[str, str]) -> bool:
    """Whether a condition on the filter's name, or on an option, holds."""
    parts = _CONDITION.fullmatch(condition.strip())
    if parts is None:
        raise ValueError(f"{condition}: a condition of a new kind")
    value = name if parts["option"] is None else options.get(parts["option"])
    return (value == parts["value"]) == (parts["sign"] == "==")


def _entry(line: str, options: dict[str, str]) -> dict[str, Any] | None:
    if options.get("test.prefix-line"):
        line = f"Jan  1 00:00:00 {options['test.prefix-line'].strip()} {line}"
    elif options.get("logtype") == "journal":
        line = f"Jan  1 00:00:00 {line}"
    parts = _SYSLOG.match(line)
    if parts is None:
        return None
    entry = {"_HOSTNAME": parts["host"], "SYSLOG_IDENTIFIER": parts["program"]}
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


def trusted(pipeline: Pipeline) -> dict[str, Any]:
    """Fields by which an entry is one of the right writer."""
    fields: dict[str, Any] = {"_UID": 0, "_MACHINE_ID": "0" * 32}
    for chain in pipeline.engine.configuration.chains.values():
        for step in chain.steps:
            name = str(getattr(step.instance, "field", ""))
            if name.startswith("_") and name not in fields and name != "_UID":
                value = getattr(step.instance, "value", None)
                fields[name] = next(iter(step.instance.values)) if value is None else value
    return fields


def decided(pipeline: Pipeline, entry: dict[str, Any], writer: dict[str, Any]) -> str | None:
    """The address that an entry counts against."""
    fields = pipeline.feed(**{**writer, **entry})
    return str(fields["ip"]) if "failures" in fields else None


def main() -> None:
    """Measure, and print a line for each filter."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--package", type=Path)
    parser.add_argument("--root", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--fingerprints", action="store_true")
    parser.add_argument("-v", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        root = arguments.root or unpacked(arguments.package, folder)
        if arguments.fingerprints:
            print_fingerprints(root, folder)
            return
        total = Tally()
        filters = 0
        for path in sorted((root / "etc/fail2ban/filter.d").glob("*.conf")):
            if arguments.only and path.stem != arguments.only:
                continue
            tally = Tally()
            lines = list(samples(root, path.stem))
            if not lines:
                continue
            filters += 1
            pipelines: dict[str, Any] = {}
            for sample in lines:
                key = json.dumps(sample.options, sort_keys=True)
                if key not in pipelines:
                    try:
                        made = pipeline_of(root, path.stem, sample.options, folder)
                        pipelines[key] = (made, trusted(made))
                    except ConfigError as fault:
                        print(path.stem, key, *fault.faults, sep="\n  ", file=sys.stderr)
                        pipelines[key] = None
                if pipelines[key] is None:
                    got = None
                else:
                    got = decided(pipelines[key][0], sample.entry, pipelines[key][1])
                judge(tally, sample, got)
            print(
                f"{path.stem:24} {tally.found:4} of {tally.bans:4}  missed {len(tally.missed):3}  "
                f"wrong {len(tally.wrong):3}"
            )
            if arguments.v:
                for line in (*tally.missed, *tally.wrong):
                    print("    ", line)
            total.bans += tally.bans
            total.found += tally.found
            total.missed += tally.missed
            total.wrong += tally.wrong
        print(f"filters {filters}: {total.found} of {total.bans}, wrong {len(total.wrong)}")


def print_fingerprints(root: Path, folder: Path) -> None:
    """The fingerprints of the filters that rules stand for, in all their modes."""
    for name in COVERS:
        found = []
        for mode in _MODES:
            home = home_of(root, name, {"mode": mode}, folder)
            source = Folder(home, Findings())
            jail = read_jail("corpus", jail_values(source), source, "1d")
            said = f"{jail.filter.get('failregex')}{jail.filter.get('prefregex')}"
            if "mode" not in jail.filter.values.options("Definition") and mode != "normal":
                continue
            if not re.search(rf"<[^<>]*{mode}[^<>]*>", said):
                found.append(fingerprint(jail))
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
