"""Journals of many machines: every entry of every machine, once."""

from __future__ import annotations

import os
import resource
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from pyruse.entry.decoding import Decoder
from pyruse.journal.files import JournalFile
from pyruse.journal.journal import Journal
from pyruse.journal.position import Gap, Position
from pyruse.journal.selection import Selection
from pyruse.journal.whereabouts import Whereabouts
from pyruse.system import descriptors
from pyruse.testing.journal import FIRST_TIME, make_journal, unavailable
from pyruse.testing.journald import Journald
from pyruse.testing.plugin import need

SECOND = 1_000_000
ALL = 1_000_000
LONG_MS = 1_000  # a wait that ends sooner, when there is something

Open = Callable[..., Journal]


@pytest.fixture(autouse=True)
def _needed() -> None:
    need(unavailable())


@pytest.fixture
def follow() -> Iterator[Open]:
    """``follow(directory=…)``: a journal that is followed, closed at the end."""
    made: list[Journal] = []

    def open_(**selected: Any) -> Journal:
        made.append(Selection(**selected).open(Decoder(), follow=True))
        return made[-1]

    yield open_
    for journal in made:
        journal.close()


def write(file: Path, *seconds: float, host: str = "", **more: Any) -> Path:
    """Append entries of these instants to a journal file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    entries = [
        {
            "MESSAGE": f"{host or file.stem} {second:g}",
            "__REALTIME_TIMESTAMP": FIRST_TIME + round(second * SECOND),
            "__MONOTONIC_TIMESTAMP": round((second + 10) * SECOND),
            **more,
        }
        for second in seconds
    ]
    return make_journal(file, entries, append=True)


def messages(journal: Journal, limit: int = ALL) -> list[str | None]:
    return [entry.get("MESSAGE") for entry in journal.entries(limit)]


def news(journal: Journal) -> list[str | None]:
    """What comes next, as soon as there is anything; it is handled, as the daemon does it."""
    for _ in range(100):
        found, last_time = [], 0
        for entry in journal.entries(ALL):
            found.append(entry.get("MESSAGE"))
            last_time = entry.time_us
        if found:
            journal.positions(last_time)
            return found
        journal.wait(LONG_MS)
    raise AssertionError("nothing came")


def test_what_is_there_is_merged_by_time(tmp_path: Path) -> None:
    write(tmp_path / "remote-a.journal", 0, 2, 4)
    write(tmp_path / "remote-b.journal", 1, 3, 5)
    write(tmp_path / "system.journal", 2.5)
    journal = Selection(directory=tmp_path).open(Decoder())
    assert messages(journal, 3) == ["remote-a 0", "remote-b 1", "remote-a 2"]
    assert messages(journal) == ["system 2.5", "remote-b 3", "remote-a 4", "remote-b 5"]
    assert messages(journal) == []
    journal.close()


def test_a_machine_whose_clock_is_late_is_seen(tmp_path: Path, follow: Open) -> None:
    write(tmp_path / "remote-a.journal", 10)
    write(tmp_path / "remote-b.journal", 1)
    journal = follow(directory=tmp_path)
    assert messages(journal) == ["remote-b 1", "remote-a 10"]
    write(tmp_path / "remote-a.journal", 11)
    assert news(journal) == ["remote-a 11"]
    write(tmp_path / "remote-b.journal", 2, 3)
    assert news(journal) == ["remote-b 2", "remote-b 3"]


def test_a_machine_that_comes_later_is_read_from_its_beginning(
    tmp_path: Path, follow: Open
) -> None:
    write(tmp_path / "remote-a.journal", 10)
    journal = follow(directory=tmp_path)
    journal.resume({}, lambda machine: machine.reader.seek_tail())
    assert messages(journal) == []
    write(tmp_path / "remote-b.journal", 1, 2)
    assert news(journal) == ["remote-b 1", "remote-b 2"]


def test_a_folder_that_comes_later(tmp_path: Path, follow: Open) -> None:
    folder = tmp_path / "later" / "journals"
    journal = follow(directory=folder)
    assert journal.missing() == [
        f"{folder}: no such folder (expected a folder with journal files; they are read once they "
        "are there)"
    ]
    write(folder / ("d" * 32) / "system.journal", 1)
    assert news(journal) == ["system 1"]
    assert journal.missing() == []


def test_a_position_for_each_machine(tmp_path: Path, follow: Open) -> None:
    write(tmp_path / "remote-a.journal", 0, 2, 4)
    write(tmp_path / "remote-b.journal", 1, 3, 5)
    journal = follow(directory=tmp_path)
    assert messages(journal, 3) == ["remote-a 0", "remote-b 1", "remote-a 2"]
    positions = journal.positions(FIRST_TIME + 2 * SECOND)
    assert {name: one.time_us for name, one in positions.items()} == {
        "remote-a": FIRST_TIME + 2 * SECOND,
        "remote-b": FIRST_TIME + SECOND,
    }
    again = follow(directory=tmp_path)
    again.resume(positions, lambda machine: pytest.fail("has a position"))
    assert messages(again) == ["remote-b 3", "remote-a 4", "remote-b 5"]
    assert again.gaps == []


@pytest.mark.parametrize("number", range(6))
def test_what_was_not_handled_yet_is_not_lost_when_the_choice_changes(
    tmp_path: Path, number: int
) -> None:
    write(tmp_path / "remote-a.journal", 0, 2, 4)
    write(tmp_path / "remote-b.journal", 1, 3, 5)
    journal = Selection(directory=tmp_path).open(Decoder())
    found = messages(journal, number)
    journal.take_only({})
    found += messages(journal)
    whole = [f"remote-{'ab'[number % 2]} {number}" for number in range(6)]
    assert found == whole
    journal.close()


@pytest.mark.realparts
def test_over_rotations_nothing_is_lost_and_nothing_comes_twice(
    journald: Journald, follow: Open
) -> None:
    journal = follow(namespaces=[journald.namespace])
    found: list[str | None] = []
    for number in range(6):
        journald.send(MESSAGE=f"m{number}", N="1")
        if number % 2:
            journald.rotate()
        journald.sync()
        while f"m{number}" not in found:
            found += news(journal)
    journald.vacuum()
    journald.send(MESSAGE="last", N="1")
    while "last" not in found:
        found += news(journal)
    ours = [message for message in found if message and message[0] in "ml" and len(message) < 5]
    assert ours == ["m0", "m1", "m2", "m3", "m4", "m5", "last"]
    assert journal.gaps == []


@pytest.mark.realparts
def test_what_was_vacuumed_before_it_was_read_is_told_with_its_number(
    journald: Journald, follow: Open
) -> None:
    journal = follow(namespaces=[journald.namespace])
    journald.send(MESSAGE="first", N="1")
    journald.sync()
    found: list[str | None] = []
    while "first" not in found:
        found += news(journal)
    last = journal.last()
    assert last is not None
    positions = {name: Position(last["__CURSOR"], last.time_us) for name in journal.machines}
    for number in range(50):
        journald.send(MESSAGE=f"lost{number}")
    journald.sync()
    journald.rotate()
    journald.vacuum()
    journald.send(MESSAGE="kept")
    journald.sync()
    later = follow(namespaces=[journald.namespace])
    later.resume(positions, lambda machine: pytest.fail("has a position"))
    (gap,) = later.gaps
    assert gap.entries is not None
    assert gap.entries >= 50
    assert "kept" in messages(later)


def test_where_no_number_tells_the_gap_has_its_span(tmp_path: Path, follow: Open) -> None:
    write(tmp_path / "system.journal", 1, 2, 3)
    old = Position(f"s={'a' * 32};i=7;b={'b' * 32};m=1;t={FIRST_TIME:x};x=1", FIRST_TIME)
    journal = follow(directory=tmp_path)
    journal.resume({"": old}, lambda machine: pytest.fail("has a position"))
    assert journal.gaps == [Gap("", FIRST_TIME, FIRST_TIME + SECOND, None)]
    assert messages(journal) == ["system 1", "system 2", "system 3"]


def test_a_copy_of_an_entry_in_another_file_is_the_same_entry(tmp_path: Path, follow: Open) -> None:
    run, var = tmp_path / "run", tmp_path / "var"
    write(run / "system.journal", 1, 2)
    write(var / "system.journal", 0, 1, 2, 3)
    journal = follow(directory=run)
    assert messages(journal) == ["system 1", "system 2"]
    positions = journal.positions(FIRST_TIME + 2 * SECOND)
    flushed = follow(directory=var)
    flushed.resume(positions, lambda machine: pytest.fail("has a position"))
    assert messages(flushed) == ["system 3"]
    assert flushed.gaps == []


def test_files_that_are_no_journals_are_left_out_and_told(tmp_path: Path) -> None:
    write(tmp_path / "system.journal", 1)
    (tmp_path / "user-1000.journal").write_text("no journal")
    journal = Selection(directory=tmp_path).open(Decoder())
    assert messages(journal) == ["system 1"]
    (fault,) = journal.faults()
    assert fault.startswith(f"{tmp_path}/user-1000.journal: cannot be read: ")
    journal.close()


def test_a_machine_that_goes_leaves_the_others_alone(tmp_path: Path, follow: Open) -> None:
    write(tmp_path / "a" / ("a" * 32) / "system.journal", 1, host="a")
    write(tmp_path / "a" / ("b" * 32) / "system.journal", 2, host="b")
    journal = follow(directory=tmp_path / "a")
    assert messages(journal) == ["a 1", "b 2"]
    shutil.rmtree(tmp_path / "a" / ("a" * 32))
    write(tmp_path / "a" / ("b" * 32) / "system.journal", 3, host="b")
    assert news(journal) == ["b 3"]


_ENTRY = 3  # the type of an entry's object (systemd.io/JOURNAL_FILE_FORMAT)


def damage(file: Path, number: int) -> None:
    """Overwrite the type of an entry's object."""
    content = bytearray(file.read_bytes())
    at, tail = struct.unpack_from("<Q", content, 88)[0], struct.unpack_from("<Q", content, 136)[0]
    entries = []
    while at <= tail:
        if content[at] == _ENTRY:
            entries.append(at)
        at += (struct.unpack_from("<Q", content, at + 8)[0] + 7) & ~7
    content[entries[number]] = 0
    file.write_bytes(content)


@pytest.mark.parametrize("only", [{}, {"SYSLOG_IDENTIFIER": ["gen"]}])
@pytest.mark.parametrize("batch", [7, 30, 1000])
def test_behind_a_damaged_entry_all_others_are_read(
    tmp_path: Path, only: dict[str, list[str]], batch: int
) -> None:
    write(tmp_path / "system@1.journal", *range(100), host="old", SYSLOG_IDENTIFIER="gen")
    write(tmp_path / "system.journal", *range(100, 110), host="new", SYSLOG_IDENTIFIER="gen")
    damage(tmp_path / "system@1.journal", 30)
    journal = Selection(directory=tmp_path).open(Decoder())
    journal.take_only(only)
    found: list[str | None] = []
    while more := messages(journal, batch):
        found += more
    whole = [f"old {n}" for n in range(100) if n != 30] + [f"new {n}" for n in range(100, 110)]
    assert sorted(map(str, found)) == sorted(whole)
    told = [fault for fault in journal.faults() if "its index of values is damaged" in fault]
    assert len(told) == bool(only)
    journal.close()


def test_entries_that_libsystemd_passes_over_are_told(tmp_path: Path, follow: Open) -> None:
    write(tmp_path / "system.journal", *range(100), host="old")
    damage(tmp_path / "system.journal", 30)
    journal = follow(directory=tmp_path)
    for _ in range(10):
        last = [entry.time_us for entry in journal.entries(12)]
        if last:
            journal.positions(last[-1])
    assert journal.gaps == [
        Gap("", FIRST_TIME + 23 * SECOND, FIRST_TIME + 36 * SECOND, 1, damaged=True)
    ]


@pytest.mark.parametrize("batch", [7, 12, 500])
def test_how_many_entries_are_damaged_is_told_where_some_are_left_out(
    tmp_path: Path, follow: Open, batch: int
) -> None:
    file = write(tmp_path / "system.journal", *range(100), host="old", SYSLOG_IDENTIFIER="gen")
    damage(file, 30)
    damage(file, 31)  # of those that are whole: 32
    journal = follow(directory=tmp_path)
    journal.take_only({"SYSLOG_IDENTIFIER": ["gen"]})
    found: list[str | None] = []
    for _ in range(20):
        read = [(entry.get("MESSAGE"), entry.time_us) for entry in journal.entries(batch)]
        found += [message for message, _ in read]
        if read:
            journal.positions(read[-1][1])
            assert list(journal.missed()) == []
    assert found == [f"old {number}" for number in range(100) if number not in (30, 32)]
    assert sum(gap.entries or 0 for gap in journal.gaps) == 2
    assert {gap.damaged for gap in journal.gaps} == {True}


_AS_USER = """
import os, socket, sys
os.setuid(int(sys.argv[2]))
sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
for text in sys.argv[3:]:
    sender.sendto(f"MESSAGE={text}\\n".encode(), sys.argv[1])
"""


def as_user(journald: Journald, uid: int, *texts: str) -> None:
    """Log as a user: with the first entry, journald begins a file for the user."""
    command = [sys.executable, "-c", _AS_USER, str(journald.socket), str(uid), *texts]
    subprocess.run(command, check=True)


@pytest.mark.realparts
@pytest.mark.parametrize("fields", [(), ("MESSAGE",)])
def test_a_users_file_that_begins_while_older_entries_are_read(
    journald: Journald, follow: Open, fields: tuple[str, ...]
) -> None:
    """Of what was logged then, the user's entries are older than the last one that was read."""
    expected = ["a0", "a1", "b0", "b1", "u0", "u1"]
    journald.send(MESSAGE="a0")
    journald.send(MESSAGE="a1")
    journald.sync()
    journal = follow(namespaces=[journald.namespace])
    journal.take_only(dict.fromkeys(fields, expected))
    as_user(journald, 3000, "u0", "u1")
    journald.send(MESSAGE="b0")
    journald.send(MESSAGE="b1")
    journald.sync()
    found = messages(journal)
    assert not {"u0", "u1"}.intersection(found), "their file was not there"
    assert found[-1] == "b1"
    last = journal.last()
    assert last is not None
    journal.positions(last.time_us)
    assert journal.has_missed
    found += [entry.get("MESSAGE") for entry in journal.missed()]
    journal.take_only({})
    journald.send(MESSAGE="end")
    journald.sync()
    while "end" not in found:
        found += news(journal)
    assert sorted(one for one in found if one in expected) == expected
    assert journal.gaps == []


@pytest.mark.realparts
def test_a_users_file_that_begins_between_two_batches(journald: Journald, follow: Open) -> None:
    for number in range(4):
        journald.send(MESSAGE=f"a{number}")
    journald.sync()
    journal = follow(namespaces=[journald.namespace])
    found = []
    for entry in journal.entries(2):
        found.append(entry.get("MESSAGE"))
        last_time = entry.time_us
    as_user(journald, 3000, "u0")
    journald.send(MESSAGE="b0")
    journald.sync()
    journal.positions(last_time)
    found += messages(journal)
    assert [one for one in found if one and one[0] in "abu"] == ["a0", "a1", "a2", "a3", "u0", "b0"]


@pytest.mark.realparts
def test_a_users_file_that_begins_right_after_a_start_behind_another_users_entry(
    journald: Journald, follow: Open
) -> None:
    """A user's sequence numbers have an ID of their own, and are those of all others."""
    journald.send(MESSAGE="a0")
    as_user(journald, 3000, "u0")
    journald.sync()
    journal = follow(namespaces=[journald.namespace])
    while "u0" not in news(journal):
        pass
    positions = {name: one.position for name, one in journal.machines.items() if one.position}
    again = follow(namespaces=[journald.namespace])
    again.resume(positions, lambda machine: machine.begin_at_tail())
    assert messages(again) == []
    as_user(journald, 3001, "v0")
    journald.send(MESSAGE="b0")
    journald.sync()
    read = [(entry.get("MESSAGE"), entry.time_us) for entry in again.entries(ALL)]
    assert [message for message, _ in read] == ["b0"], "the file of the other user was not there"
    again.positions(read[-1][1])
    assert [entry.get("MESSAGE") for entry in again.missed()] == ["v0"]
    journald.send(MESSAGE="end")
    journald.sync()
    found: list[str | None] = []
    while "end" not in found:
        found += news(again)
    assert found == ["end"]
    assert again.gaps == []


@pytest.mark.realparts
def test_a_rotation_in_the_midst_of_a_batch(journald: Journald, follow: Open) -> None:
    journal = follow(namespaces=[journald.namespace])
    for number in range(30):
        journald.send(MESSAGE=f"m{number}")
    journald.sync()
    journal.take_only({"MESSAGE": ["m7"]})
    assert messages(journal) == ["m7"]
    journal.take_only({})  # as the daemon does it once it has caught up: no entry is current
    found = ["m7", *news(journal)]
    journald.send(MESSAGE="m30")
    journald.sync()
    for entry in journal.entries(ALL):
        found.append(entry.get("MESSAGE"))
        if found[-1] == "m30":
            journald.rotate()  # the file gets smaller
    journal.positions(0)
    journald.send(MESSAGE="m31")
    journald.sync()
    while "m31" not in found:
        found += news(journal)
    assert [one for one in found if one and one[0] == "m"] == [f"m{n}" for n in range(7, 32)]


def test_a_rotation_between_a_look_and_the_opening_of_what_was_found(
    tmp_path: Path, follow: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "user-1000.journal", 2)
    file = write(tmp_path / "system.journal", 0, 1)
    look = Whereabouts.files_of

    def look_and_rotate(whereabouts: Whereabouts, machine: str) -> list[JournalFile]:
        found = look(whereabouts, machine)
        if file.exists():
            file.rename(tmp_path / "system@0.journal")
        return found

    monkeypatch.setattr(Whereabouts, "files_of", look_and_rotate)
    journal = follow(directory=tmp_path)
    assert messages(journal) == ["system 0", "system 1", "user-1000 2"]
    assert journal.faults() == []


def test_a_file_whose_header_is_just_being_written(tmp_path: Path, follow: Open) -> None:
    journals = tmp_path / "journals"
    write(journals / "system.journal", 0)
    whole = write(tmp_path / "user-1000.journal", 1).read_bytes()
    file = journals / "user-1000.journal"
    file.write_bytes(whole[:4096])  # it says that there is more of it
    journal = follow(directory=journals)
    assert news(journal) == ["system 0"]
    assert journal.faults() == []
    with file.open("r+b") as rest:
        rest.seek(4096)
        rest.write(whole[4096:])
    assert news(journal) == ["user-1000 1"]
    assert journal.faults() == []


def test_a_folder_that_is_removed_and_made_again(tmp_path: Path, follow: Open) -> None:
    folder = tmp_path / ("a" * 32)
    write(tmp_path / ("b" * 32) / "system.journal", 1, host="b")
    write(folder / "system.journal", 1, 2)
    journal = follow(directory=tmp_path)
    assert sorted(map(str, news(journal))) == ["b 1", "system 1", "system 2"]
    for round_ in range(3, 9, 2):
        shutil.rmtree(folder)
        write(folder / "system.journal", round_, round_ + 1)
        found: list[str | None] = []
        while len(found) < 2:
            found += news(journal)
        assert found == [f"system {round_}", f"system {round_ + 1}"]


@pytest.mark.realparts
def test_a_vacuum_that_overtakes_is_no_damage(journald: Journald, follow: Open) -> None:
    journal = follow(namespaces=[journald.namespace])
    journald.send(MESSAGE="first")
    journald.sync()
    assert "first" in news(journal)
    for number in range(100):
        journald.send(MESSAGE=f"lost{number}")
    journald.sync()
    journald.rotate()
    journald.vacuum()
    journald.send(MESSAGE="kept")
    journald.sync()
    found: list[str | None] = []
    while "kept" not in found:
        found += news(journal)
    lost = sum(gap.entries or 0 for gap in journal.gaps)
    kept = sum(1 for message in found if message and message.startswith("lost"))
    assert kept + lost >= 100
    assert not any(gap.damaged for gap in journal.gaps)


def test_a_machine_that_is_back_goes_on_where_the_last_run_ended(
    tmp_path: Path, follow: Open
) -> None:
    write(tmp_path / "remote-a.journal", 0)
    file = write(tmp_path / "remote-b.journal", 1, 2)
    journal = follow(directory=tmp_path)
    assert messages(journal, 2) == ["remote-a 0", "remote-b 1"]
    positions = journal.positions(FIRST_TIME + SECOND)
    gone = file.rename(tmp_path / "gone")
    later = follow(directory=tmp_path)
    later.resume(positions, lambda machine: pytest.fail("has a position"))
    assert messages(later) == []
    gone.rename(file)
    assert news(later) == ["remote-b 2"]
    assert later.gaps == []


def test_descriptors_that_run_out_and_come_back(
    tmp_path: Path, follow: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(4):
        write(tmp_path / f"remote-{number}.journal", number)
    monkeypatch.setattr(descriptors, "_SPARE", 4)
    monkeypatch.setattr(descriptors, "_ALL_ELSE", 4)
    limit = len(os.listdir("/proc/self/fd")) + 20
    monkeypatch.setattr(resource, "getrlimit", lambda _: (limit, limit))
    spare = [os.open(os.devnull, os.O_RDONLY) for _ in range(13)]  # one more is the watch's
    journal = follow(directory=tmp_path)
    try:
        assert messages(journal) == ["remote-0 0", "remote-1 1"]
        assert journal.short == {"remote-2", "remote-3"}
        assert journal.faults() == []
    finally:
        for one in spare:
            os.close(one)
    journal.wait(None)  # it looks again by itself
    assert messages(journal) == ["remote-2 2", "remote-3 3"]
    assert journal.short == set()
