"""Complete files are read without libsystemd: what is given is the same."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.faults import Faults
from pyruse.entry.decoding import Decoder
from pyruse.journal.archive import is_whole
from pyruse.journal.journal import Journal
from pyruse.journal.selection import Selection
from pyruse.replay.replay import replay
from pyruse.system.native import VARIABLE, native
from pyruse.testing.journald import Journald
from tests.conftest import ROOT
from tests.engine.test_engine import registry_with_ours

_ENTRIES = 3_000
_HEADER_FLAGS, _HEADER_STATE = 12, 16

Write = Callable[[list[dict[str, Any]]], Path]

READ = """
import os, sys
from itertools import islice
from pathlib import Path
from pyruse.entry.decoding import Decoder
from pyruse.journal.selection import Selection
from pyruse.system.bus_errors import bus_errors

what, *paths = sys.argv[1:]
journal = Selection(files=[Path(path) for path in paths]).open(Decoder())
numbers = [entry.get("MESSAGE") for entry in islice(journal.entries(1_000), 100)]
match what:
    case "cut":
        os.truncate(paths[0], os.stat(paths[0]).st_size // 3)
    case "remove":
        os.unlink(paths[0])
    case "rotate":
        os.rename(paths[0], paths[0].replace("@", "@1"))
while handled := [entry.get("MESSAGE") for entry in journal.entries(1_000)]:
    numbers += handled
given = sum(machine.reader._raw.given_directly for machine in journal.machines.values())
print(given, bus_errors().pages, *(number for number in numbers if number))
"""


@pytest.fixture(autouse=True)
def _native() -> None:
    if find_spec("pyruse_native") is None or native() is None:
        pytest.skip("pyruse-native is not installed, or turned off")


@pytest.fixture
def archived(journal_file: Write, tmp_path: Path) -> Path:
    """A complete file."""
    written = journal_file([{"MESSAGE": str(number)} for number in range(_ENTRIES)])
    return written.rename(tmp_path / "system@0001.journal")


@pytest.fixture
def journald() -> Iterator[Journald]:
    with Journald() as found:
        yield found


def given_directly(journal: Journal) -> tuple[int, int]:
    """How many entries there are, and how many of them libsystemd did not give."""
    entries = 0
    while handled := sum(1 for _ in journal.entries(500)):
        entries += handled
    readers = [machine.reader for machine in journal.machines.values()]
    directly = sum(reader._raw.given_directly for reader in readers)
    journal.close()
    return entries, directly


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, command)], cwd=ROOT, env={**os.environ, VARIABLE: "1"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_is_the_same_call_by_call(seed: int) -> None:
    done = run("-m", "tests.journal.both_ways", seed, "--sets", 5)
    assert done.returncode == 0, done.stderr
    read, _, directly, *_ = done.stdout.split()
    assert int(directly) > int(read) // 2, done.stdout


def test_of_damaged_files_nothing_else_is_given_nothing_less_and_nothing_twice() -> None:
    seed = os.environ.get("PYRUSE_FUZZ", "3")
    done = run("-m", "tests.journal.both_ways", seed, "--sets", 3, "--damaged", 15)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.split()[2]) > 500


@pytest.mark.parametrize(
    ("name", "whole"),
    [
        ("system@0001.journal", True),
        ("user-1000@8d45620c1a4348dbb17410da57c60c66-00000001-0005a1.journal", True),
        ("system.journal", False),
        ("system@0005a1-8d45620c1a4348db.journal~", False),
        ("@.journal", False),
    ],
)
def test_names_say_which_files_are_complete(name: str, whole: bool) -> None:
    assert is_whole(f"/var/log/journal/a@b/{name}") is whole


def test_a_complete_file_is_read_without_libsystemd(archived: Path) -> None:
    found = given_directly(Selection(files=[archived]).open(Decoder()))
    assert found == (_ENTRIES, _ENTRIES - 1)  # where it begins, libsystemd says


@pytest.mark.parametrize(
    ("place", "value"),
    [(_HEADER_STATE, 1), (_HEADER_FLAGS, 1), (_HEADER_FLAGS, 2)],
    ids=["being written", "packed by xz", "packed by lz4"],
)
def test_other_files_are_read_by_libsystemd(archived: Path, place: int, value: int) -> None:
    data = bytearray(archived.read_bytes())
    data[place] |= value
    archived.write_bytes(data)
    assert given_directly(Selection(files=[archived]).open(Decoder())) == (_ENTRIES, 0)


def test_what_is_being_written_is_read_by_libsystemd_behind_what_is_complete(
    archived: Path, journal_file: Write
) -> None:
    later = {"__REALTIME_TIMESTAMP": 1_900_000_000_000_000, "_BOOT_ID": "a" * 32}
    current = journal_file([{**later, "MESSAGE": "now"}] * 10)
    current = current.rename(current.with_name("system.journal"))
    found = given_directly(Selection(files=[current, archived]).open(Decoder()))
    assert found == (_ENTRIES + 10, _ENTRIES - 1)


def test_what_journald_has_rotated_is_read_directly(journald: Journald) -> None:
    for part in range(3):
        journald.send_all([{"MESSAGE": f"{part} {number}"} for number in range(200)])
        journald.sync()
        journald.rotate()
    journald.send(MESSAGE="the last one")
    journald.sync()
    entries, directly = given_directly(Selection(directory=journald.directory).open(Decoder()))
    assert entries > 600
    assert directly > 500


@pytest.mark.parametrize("what", ["remove", "rotate"])
def test_a_file_that_goes_while_it_is_read_is_read_to_its_end(archived: Path, what: str) -> None:
    done = run("-c", READ, what, archived)
    assert done.returncode == 0, done.stderr
    directly, pages, *numbers = done.stdout.split()
    assert (int(directly), pages) == (_ENTRIES - 1, "0")
    assert numbers == [str(number) for number in range(_ENTRIES)]


def test_a_file_that_is_cut_while_it_is_read_ends_there(archived: Path) -> None:
    done = run("-c", READ, "cut", archived)
    assert done.returncode == 0, done.stderr
    directly, pages, *numbers = done.stdout.split()
    assert 99 <= int(directly) < _ENTRIES - 1
    assert int(pages) > 0
    assert numbers[:100] == [str(number) for number in range(100)]
    assert numbers == sorted(set(numbers), key=int), "in their order, and none twice"


@pytest.mark.parametrize("optimize", ["true", "false"])
def test_without_short_cuts_all_is_read_by_libsystemd(
    archived: Path, monkeypatch: pytest.MonkeyPatch, optimize: str
) -> None:
    opened: list[Journal] = []
    really = Selection.open

    def noted(self: Selection, *args: Any, **options: Any) -> Journal:
        opened.append(really(self, *args, **options))
        return opened[-1]

    monkeypatch.setattr(Selection, "open", noted)
    chains = '[chains]\n"all" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]'
    configuration = configure(
        from_text(f"{chains}\n[engine]\noptimize = {optimize}"), registry_with_ours()
    )
    faults = Faults(lambda *_: None)
    outcome = replay(configuration, Selection(files=[archived]), faults)
    (machine,) = opened[0].machines.values()
    assert outcome.entries == _ENTRIES
    assert machine.reader._raw.given_directly == (_ENTRIES - 1 if optimize == "true" else 0)
