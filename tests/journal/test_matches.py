"""What is selected is what the real journalctl selects, of the same files by the same options."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import click
import pytest

from pyruse.cli.journal_options import JournalCommand, journal_options, selection
from pyruse.config.settings import Settings
from pyruse.entry.decoding import Decoder
from pyruse.errors import UserError
from pyruse.journal.matches import of_fields, of_priorities, pattern, unit_name
from pyruse.testing.journal import FIRST_TIME, make_journal, unavailable
from pyruse.testing.plugin import need
from pyruse.testing.waiting import TIME_LIMIT

SHELL = Path("/bin/sh").resolve()
MESSAGES = [
    "Failed password for root", "failed to start", "FAILED", "session opened for alice",
    "42 packets: ok", "Größe 3", "a[b]c", "", None,
]  # fmt: skip
FIELDS: dict[str, list[object]] = {
    "SYSLOG_IDENTIFIER": ["sshd", "cron", "kernel", None],
    "_SYSTEMD_UNIT": ["ssh.service", "cron.service", "ssh.socket", "run-lock.mount", None],
    "UNIT": ["ssh.service", None, None],
    "OBJECT_SYSTEMD_UNIT": ["ssh.service", None, None, None],
    "COREDUMP_UNIT": ["cron.service", None, None, None],
    "MESSAGE_ID": ["fc2e22bc6ee647b6b90729ab34a250b1", None],
    "_SYSTEMD_SLICE": ["system.slice", "user.slice", None],
    "_PID": [1, 2, None],
    "_UID": [0, 1000],
    "_TRANSPORT": ["kernel", "journal", "syslog"],
    "PRIORITY": [*range(8), None],
    "_BOOT_ID": ["a" * 32, "b" * 32],
    "_EXE": [str(SHELL), "/usr/bin/other", None],
    "_COMM": ["a-script-with-a", "sh", None],
}
OPTIONS = [
    ["-u", "ssh"], ["-u", "cron.service"], ["-u", "ssh", "-u", "cron"], ["-u", "s*"],
    ["-u", "[!c]*"], ["-u", "[^c]*"], ["-u", "*.mount"], ["-u", "/run/lock"],
    ["-u", "system.slice"],
    ["-t", "sshd"], ["-t", "sshd", "-t", "cron"], ["-t", "nobody"],
    ["-p", "err"], ["-p", "3..5"], ["-p", "debug..notice"], ["-p", "0"], ["-p", "warning..err"],
    ["-k"], ["-k", "-b", "-1"],
    ["-b"], ["-b", "-1"], ["-b", "1"], ["-b", "b" * 32],
    ["-g", "failed"], ["-g", "Failed"], ["-g", "^failed"], ["-g", r"\d+$"], ["-g", "[[:digit:]]"],
    ["-g", "größe"], ["-g", r"a\[b"], ["-g", "no such thing"],
    ["-g", ""], ["-g", "x*"],
    ["_UID=0"], ["_UID=0", "_UID=1000"], ["_UID=0", "_PID=1"], ["_UID=0", "+", "_PID=2"],
    ["_PID=1", "_PID=2", "PRIORITY=3", "+", "SYSLOG_IDENTIFIER=cron", "_UID=0"], ["_UID=7"],
    ["/bin/sh"], ["/bin/sh", "+", "_UID=0"], ["/bin/sh", "_EXE=/usr/bin/other", "_PID=1"],
    ["--until", f"@{FIRST_TIME // 1_000_000 + 100}"], ["-S", f"@{FIRST_TIME // 1_000_000 + 50}"],
]  # fmt: skip
NEWEST = [["-n", "5"], ["-n", "1"], ["-n", "0"], ["-n", "1000"], ["-n", "all"]]
"""With --since, journalctl of systemd 252 takes the oldest ones for the newest."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A journal in two files, with all sorts of fields."""
    need(unavailable())
    dice = random.Random(18)
    entries: list[dict[str, object]] = []
    for number in range(240):
        entry = {name: dice.choice(values) for name, values in FIELDS.items()}
        entry["_BOOT_ID"] = FIELDS["_BOOT_ID"][number >= 120]
        entry["MESSAGE"] = dice.choice(MESSAGES)
        entry["NUMBER"] = number
        entry["__REALTIME_TIMESTAMP"] = FIRST_TIME + number * 1_000_000
        entry["__MONOTONIC_TIMESTAMP"] = (number + 1) * 1_000_000  # goes on in the second file
        entries.append({name: value for name, value in entry.items() if value is not None})
    place = tmp_path_factory.mktemp("journal")
    make_journal(place / "system.journal", entries[:150])  # type: ignore[arg-type]
    make_journal(place / "user-1000.journal", entries[150:])  # type: ignore[arg-type]
    return place


def chosen_by_pyruse(arguments: list[str]) -> list[int]:
    @click.command(cls=JournalCommand)
    @journal_options
    @click.argument("matches", nargs=-1)
    def command(**journal: object) -> object:
        return selection(Settings(), **journal)  # type: ignore[arg-type]

    reader = command.main(arguments, standalone_mode=False).open(Decoder())
    found = []
    while batch := [int(str(entry.get("NUMBER"))) for entry in reader.entries(7)]:
        found += batch
    reader.close()
    return found


def chosen_by_journalctl(arguments: list[str]) -> list[int]:
    program = shutil.which("journalctl")
    assert program is not None
    done = subprocess.run(
        [program, "--no-pager", "--quiet", "-o", "json", "-a", *arguments],
        env={**os.environ, "TZ": "UTC"}, capture_output=True, text=True, check=False,
        timeout=TIME_LIMIT,
    )  # fmt: skip
    found = [int(json.loads(line)["NUMBER"]) for line in done.stdout.splitlines()]
    newest_first = "-g" in arguments and "-n" in arguments and "all" not in arguments
    return found[::-1] if newest_first else found


def combinations() -> list[list[str]]:
    """Each option alone, with each -n, and many pairs and triples."""
    dice = random.Random(19)
    two = [[*one, *other] for one, other in itertools.combinations(OPTIONS, 2)]
    three = [[*one, *other, *more] for one, other, more in itertools.combinations(OPTIONS, 3)]
    without_since = [one for one in OPTIONS if one[0] != "-S"]
    newest = [[*dice.choice(NEWEST), *one] for one in without_since]
    return [*OPTIONS, *newest, *dice.sample(two, 60), *dice.sample(three, 40)]


@pytest.mark.parametrize("arguments", combinations(), ids=" ".join)
def test_the_same_as_journalctl(folder, arguments):
    place = ["-D", str(folder)]
    assert chosen_by_pyruse([*place, *arguments]) == chosen_by_journalctl([*place, *arguments])


def test_files_may_be_named_by_a_pattern(folder):
    arguments = ["--file", f"{folder}/*.journal", "-u", "ssh"]
    assert chosen_by_pyruse(arguments) == chosen_by_journalctl(arguments) != []


def test_the_newest_are_those_of_the_span(folder):
    since = f"@{FIRST_TIME // 1_000_000 + 50}"
    found = chosen_by_pyruse(["-D", str(folder), "-S", since, "-n", "3"])
    assert found == [237, 238, 239]
    assert chosen_by_pyruse(["-D", str(folder), "-S", since, "-U", since, "-n", "3"]) == [50]


def test_a_number_may_have_a_plus(folder):
    arguments = ["-D", str(folder), "-n", "+5"]
    assert chosen_by_pyruse(arguments) == chosen_by_journalctl(arguments) == [*range(235, 240)]


def test_names_of_units():
    names = ("ssh", "ssh.socket", "a@b", "/home", "/", "/var/my disk", "/dev/sda1", "ss*", "a b.c")
    assert [unit_name(name) for name in names] == [
        "ssh.service", "ssh.socket", "a@b.service", "home.mount", "-.mount",
        r"var-my\x20disk.mount", "dev-sda1.device", "ss*", r"a\x20b.c.service",
    ]  # fmt: skip


@pytest.mark.parametrize("interpreter", ["#!/bin/sh", f"#! {SHELL} -e", "#!/no/such", "#!"])
def test_the_path_of_a_script_means_its_name_and_its_interpreter(folder, tmp_path, interpreter):
    script = tmp_path / "a-script-with-a-long-name"
    script.write_text(f"{interpreter}\n")
    script.chmod(0o755)
    (tmp_path / "link").symlink_to(script)
    arguments = ["-D", str(folder), str(tmp_path / "link")]
    assert chosen_by_pyruse(arguments) == chosen_by_journalctl(arguments)
    assert chosen_by_pyruse(arguments) or interpreter == "#!"


@pytest.mark.parametrize(
    "arguments",
    [
        ["_UID=0", "+"], ["+", "_UID=0"], ["_UID=0", "+", "+", "_PID=1"], ["+"],
        ["-u", "ssh", "+", "PRIORITY=3"], ["-u", "ssh", "_UID=0", "+"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_a_plus_stands_between_two_terms_as_for_journalctl(folder, arguments):
    with pytest.raises(click.UsageError, match=r'"\+" stands between nothing and something'):
        chosen_by_pyruse(["-D", str(folder), *arguments])
    assert chosen_by_journalctl(["-D", str(folder), *arguments]) == []


def test_a_path_that_is_no_program_is_told_with_what_to_type(tmp_path):
    plain, loop = tmp_path / "plain", tmp_path / "loop"
    plain.write_text("")
    loop.symlink_to(loop)
    for path, told in (
        (tmp_path / "gone", r"^\".*: No such file or directory \(expected .* such as _EXE="),
        (loop, r"^\".*: .* \(expected the path of a program that is there"),
        (plain, r" is no program \(expected .* such as _EXE="),
        (tmp_path, r" is no program \(expected .* such as _EXE="),
        (Path("/dev/null"), r" is a device \(expected _KERNEL_DEVICE=c1:3\)"),
    ):
        with pytest.raises(ValueError, match=told):
            of_fields([str(path)])


def test_faults(folder):
    with pytest.raises(ValueError, match=r'^"bad" is no priority .*; or two of them, such as err'):
        of_priorities("bad")
    with pytest.raises(ValueError, match='did you mean "err"'):
        of_priorities("error")
    with pytest.raises(ValueError, match=r'^"\(" is no pattern: .* \(expected a regular'):
        pattern("(")
    for word, told in (
        ("x", 'is no field (expected FIELD=VALUE, such as _UID=0)'),
        ("uid=0", "is no field (expected a name in capitals: UID=0)"),
        ("__CURSOR=x", "is no field (expected FIELD=VALUE, such as _UID=0)"),
    ):  # fmt: skip
        with pytest.raises(ValueError) as fault:  # noqa: PT011 -- its text is looked at
            of_fields([word])
        assert str(fault.value) == f'"{word}" {told}'
    with pytest.raises(UserError, match=r'"x\*" stands for no unit .expected a unit of: cron'):
        chosen_by_pyruse(["-D", str(folder), "-u", "x*"])
    for arguments in (["-n", "few"], ["-p", "x"], ["-g", "("], ["x"]):
        with pytest.raises(click.UsageError):
            chosen_by_pyruse(["-D", str(folder), *arguments])
