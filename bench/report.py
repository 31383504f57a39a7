"""Does a reader see what matters? Days with facts hidden in them, and what reports show of them.

    python -m bench.report [--seeds 10] [--entries 12000] [--quick] [--keep DIR]

Of each seed a server has eight quiet days, and a ninth with seven of the facts in `bench.days` and
with scary words that strangers have written. Pyruse (nothing configured but `use` of all rules) and
logwatch (Debian's package, on what journalctl exports) tell of the ninth day. Printed are the facts
within the first 40 lines of text and the first 10 KB of HTML, and how long reports are; of quiet
days, how many things are cried. Exit code 1: a fact is missed, a decoy or a quiet day is cried, or
a report is too long. It takes systemd-journal-remote; without apt-get, logwatch is left out.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from bench import days, journals
from bench.measure import Unavailable, compile_modules
from pyruse.testing.journal import EntryFields, make_journal

LINES, HTML_BYTES = 40, 10_000
"""The first screen."""
MOST_LINES, MOST_HTML = 300, 90 * 1024
_DAYS_BEFORE, _ENTRIES_BEFORE = 8, 2_000
_CONFIG = """
use = {use}
[journal]
directory = "{folder}/journal"
start = "head"
[state]
url = "sqlite://{folder}/state.sqlite"
[report]
timezone = "UTC"
[bans.nftables]
command = ["/bin/true"]
{more}
"""


@dataclass
class Shown:
    """What a report shows of the facts."""

    missed: list[str]
    """Not within the first screen."""
    missed_in_html: list[str]
    nowhere: list[str]
    lines: int
    html: int
    """Bytes."""


def pyruse(*arguments: str) -> str:
    """What a command of Pyruse says."""
    command = [sys.executable, "-m", "pyruse", *arguments]
    environment = {**os.environ, "COLUMNS": "80"}
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, check=True, env=environment)
    return done.stdout


def all_rules() -> list[str]:
    """The rules of programs; policies belong to none."""
    found = json.loads(pyruse("rules", "--format", "json"))
    return [one["name"] for one in found if one["programs"]]


def handled(
    folder: Path, entries: Sequence[EntryFields], use: list[str], more: str = ""
) -> tuple[float, float]:
    """Have a daemon handle entries.

    :return: its CPU seconds, and its largest memory in MB.
    """
    (folder / "journal").mkdir(parents=True, exist_ok=True)
    if entries:
        make_journal(folder / "journal/day.journal", entries)
    config = folder / "pyruse.toml"
    config.write_text(_CONFIG.format(use=json.dumps(use), folder=folder, more=more))
    process = subprocess.Popen(
        [sys.executable, "-m", "pyruse", "run", "--once", "-c", str(config)],
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"pyruse run --once: exit code {process.returncode}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def report(folder: Path, form: str, day: str) -> str:
    """The report of a day, as a command shows it."""
    return pyruse("report", "-c", str(folder / "pyruse.toml"), "--format", form, day)


def seen(facts: Sequence[days.Fact], text: str, html: str) -> Shown:
    """Which facts a reader meets."""
    lines = text.splitlines()
    start = html[: len(html.encode()[:HTML_BYTES].decode(errors="ignore"))]
    plain = re.sub(r"<style.*?</style>|<!--.*?-->", "", start, flags=re.DOTALL)
    in_html = re.sub(r"</(?:td|tr|li|p|div|h\d)>", "\n", plain)
    return Shown(
        missed=[fact.name for fact in facts if not _has(fact, lines[:LINES])],
        missed_in_html=[
            fact.name for fact in facts
            if not _has(fact, re.sub(r"<[^>]*>", "", in_html).splitlines(), 6)
        ],
        nowhere=[fact.name for fact in facts if not _has(fact, lines)],
        lines=len(lines),
        html=len(html.encode()),
    )  # fmt: skip


def _has(fact: days.Fact, lines: Sequence[str], together: int = 2) -> bool:
    """Whether some lines that follow each other have all the words."""
    words = [word.lower() for word in fact.words]
    for at in range(len(lines)):
        near = " ".join(lines[at : at + together]).lower()
        if all(word in near for word in words):
            return True
    return False


def facts_of(seed: int) -> list[days.Fact]:
    """Those that are hidden in the day of a seed."""
    return random.Random(f"facts {seed}").sample(days.FACTS, days.FACTS_OF_A_DAY)


def one_seed(seed: int, entries: int, use: list[str], root: Path, logwatch: Path | None) -> bool:
    """Measure the days of one seed, and print a line for each report.

    :return: whether all is as it should be.
    """
    facts = facts_of(seed)
    before = list(days.before(seed, _ENTRIES_BEFORE, _DAYS_BEFORE, days.DAY))
    day = days.day(seed, entries, facts, days.DAY, decoys=True)
    good = True
    name = f"{days.DAY:%Y-%m-%d}"
    folder = root / f"facts-{seed}"
    handled(folder, [*before, *day], use)
    data = json.loads(report(folder, "json", name))
    text, html = report(folder, "text", name), report(folder, "html", name)
    (folder / "report.txt").write_text(text)
    (folder / "report.html").write_text(html)
    shown = seen(facts, text, html)
    cried = [
        item["text"] for item in data["attention"]
        if any(word in f"{item['text']} {item['quote']}" for word, _ in days.DECOYS)
    ]  # fmt: skip
    _print(
        f"pyruse, seed {seed}",
        facts,
        shown,
        f"{len(data['attention'])} things, decoys {len(cried)}",
    )
    good &= not (shown.missed or shown.missed_in_html or cried)
    good &= shown.lines <= MOST_LINES and shown.html <= MOST_HTML
    for missed in dict.fromkeys([*shown.missed, *shown.missed_in_html]):
        print(f"    missed: {missed}")
    for text_of in cried:
        print(f"    cried, and only a stranger's words: {text_of}")
    if logwatch is not None:
        for detail in ("Low", "Med"):
            said = logwatch_of(logwatch, folder / "journal", name, detail, root)
            _print(f"logwatch {detail}, seed {seed}", facts, seen(facts, said, ""), "")
    quiet = root / f"quiet-{seed}"
    usual = days.quiet(seed, _ENTRIES_BEFORE, days.DAY)
    handled(quiet, [*before, *usual], use)
    items = json.loads(report(quiet, "json", name))["attention"]
    print(f"| pyruse, seed {seed}, a quiet day | | | | | {len(items)} things |", flush=True)
    for item in items:
        print(f"    cried on a quiet day: {item['text']}")
    return good and not items


def _print(name: str, facts: Sequence[days.Fact], shown: Shown, more: str) -> None:
    html = (
        f"{len(facts) - len(shown.missed_in_html)} | {shown.html / 1024:.0f} KB"
        if shown.html
        else " | "
    )
    print(
        f"| {name} | {len(facts) - len(shown.missed)} of {len(facts)} | "
        f"{len(facts) - len(shown.nowhere)} | {shown.lines} | {html} | {more} |",
        flush=True,
    )


def speed(entries: int, use: list[str], root: Path) -> None:
    """What the summaries cost, and the memory that a report takes."""
    day = days.day(0, entries, days.FACTS, days.DAY, decoys=True)
    names = [
        one["name"] for one in json.loads(pyruse("plugins", "--format", "json"))
        if one["kind"] == "extension" and "contribute_to_report" in one["hooks"]
    ]  # fmt: skip
    variants = {"with": "", "without": f"[plugins]\ndisable = {json.dumps(names)}"}
    rates: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(3):
        for name, more in variants.items():
            shutil.rmtree(root / name, ignore_errors=True)
            (root / name).mkdir()
            taken, memory = handled(root / name, day, use, more)
            rates[name].append(len(day) / taken)
            rate = f"{rates[name][-1]:,.0f} entries a second of CPU"
            print(f"{name} {len(names)} summaries: {rate}, {memory:.0f} MB")
    share = sorted(rates["with"])[1] / sorted(rates["without"])[1]
    print(f"with all summaries: {share:.0%} of the entries a second")


def flood(entries: int, use: list[str], root: Path) -> bool:
    """A day on which a program that nobody knows says something else in each line."""
    rng = random.Random("flood")
    start = int(days.DAY.timestamp() * 1_000_000)
    lines: list[EntryFields] = [
        {
            "_HOSTNAME": days.HOST, "SYSLOG_IDENTIFIER": f"app{number % 40}", "PRIORITY": 3,
            "MESSAGE": " ".join("".join(rng.choices("abcdefghij", k=6)) for _ in range(9)),
            "_UID": 1000, "__REALTIME_TIMESTAMP": start + number * 80_000_000_000 // entries,
        }
        for number in range(entries)
    ]  # fmt: skip
    folder = root / "flood"
    _, memory = handled(folder, lines, use)
    name = f"{days.DAY:%Y-%m-%d}"
    began = time.monotonic()
    text, html = report(folder, "text", name), report(folder, "html", name)
    taken = time.monotonic() - began
    count, size = len(text.splitlines()), len(html.encode())
    shown = f"{count} lines, HTML {size / 1024:.0f} KB, shown twice in {taken:.1f} s"
    print(f"{entries:,} different lines: {shown}, {memory:.0f} MB to handle")
    return count <= MOST_LINES and size <= MOST_HTML


# logwatch, beside it.


def logwatch_there() -> Path:
    """Debian's logwatch, unpacked: nothing is installed.

    :raises Unavailable: it cannot be had here.
    """
    target = journals.folder() / "logwatch"
    if not (target / "usr/sbin/logwatch").exists():
        packages = ("logwatch", "libdate-manip-perl", "libsys-cpu-perl", "libsys-meminfo-perl")
        target.mkdir(parents=True, exist_ok=True)
        for package in packages:
            got = subprocess.run(["apt-get", "-qq", "download", package], cwd=target, check=False)
            if got.returncode:
                raise Unavailable(f"apt-get cannot download {package}")
        for file in target.glob("*.deb"):
            subprocess.run(["dpkg-deb", "-x", str(file), str(target)], check=True)
    script = target / "usr/sbin/logwatch"
    text = script.read_text()
    for path in ("/usr/share/logwatch", "/etc/logwatch", "/var/cache/logwatch"):
        text = re.sub(rf"(?<![\w/]){path}", f"{target}{path}", text)
    script.write_text(text)
    (target / "var/cache/logwatch").mkdir(parents=True, exist_ok=True)
    return target


def logwatch_of(target: Path, journal: Path, day: str, detail: str, root: Path) -> str:
    """What logwatch says of a day, on the files that a syslog daemon would have written."""
    logs = root / "var-log"
    shutil.rmtree(logs, ignore_errors=True)
    (logs / "nginx").mkdir(parents=True)
    until = f"{days.DAY + timedelta(days=1):%Y-%m-%d}"
    span = [f"--since={day}", f"--until={until}"]
    lines = subprocess.run(
        ["journalctl", f"--directory={journal}", "-o", "short", *span],
        stdout=subprocess.PIPE, check=True, env={**os.environ, "TZ": "UTC"},
    ).stdout.decode(errors="replace").splitlines()  # fmt: skip
    files: dict[str, list[str]] = {"syslog": lines}
    for line in lines:
        program = (
            line.split(" ", 5)[-2 if line.count(" ") < 4 else 4] if line.count(" ") > 4 else ""
        )
        match program.split("[")[0].split("/")[0].rstrip(":"):
            case "sshd" | "sudo" | "CRON":
                files.setdefault("auth.log", []).append(line)
            case "postfix" | "dovecot":
                files.setdefault("mail.log", []).append(line)
            case "kernel":
                files.setdefault("kern.log", []).append(line)
            case "nginx":
                files.setdefault("nginx/access.log", []).append(line.split(": ", 1)[-1])
    for name, of_file in files.items():
        (logs / name).write_text("\n".join(of_file) + "\n")
    libraries = f"{target}/usr/share/perl5:{target}/usr/lib/x86_64-linux-gnu/perl5/5.36"
    done = subprocess.run(
        ["perl", str(target / "usr/sbin/logwatch"), "--output", "stdout", "--format", "text",
         "--detail", detail, "--archives", "no", "--range", f"between {day} and {day}",
         "--logdir", str(logs), "--service", "all"],
        text=True, capture_output=True, check=False, errors="replace",
        env={**os.environ, "TZ": "UTC", "PERL5LIB": libraries},
    )  # fmt: skip
    if done.returncode:
        print(f"logwatch: exit code {done.returncode}: {done.stderr[-300:]}", file=sys.stderr)
    return done.stdout


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--entries", type=int, default=12_000, help="of the day with the facts")
    parser.add_argument("--flood", type=int, default=1_000_000, help="different lines in a day")
    parser.add_argument("--quick", action="store_true", help="two seeds, a small flood")
    parser.add_argument("--keep", type=Path, help="where journals and reports are to be kept")
    chosen = parser.parse_args()
    if chosen.quick:
        chosen.seeds, chosen.flood = 2, 50_000
    compile_modules()
    try:
        logwatch = logwatch_there()
    except Unavailable as fault:
        print(f"logwatch is left out: {fault}", file=sys.stderr)
        logwatch = None
    with tempfile.TemporaryDirectory(prefix="pyruse-report-") as folder:
        root = chosen.keep or Path(folder)
        use = all_rules()
        print("| report | facts on the first screen | at all | lines | in HTML | HTML | |")
        print("|---|---|---|---|---|---|---|")
        each = [one_seed(seed, chosen.entries, use, root, logwatch) for seed in range(chosen.seeds)]
        good = all(each)
        speed(4 * chosen.entries, use, root)
        good &= flood(chosen.flood, use, root)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
