"""Which journal is read, and which part of it."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path
from uuid import UUID

import pytest

from pyruse.config.settings import JournalSettings
from pyruse.entry.decoding import Decoder
from pyruse.journal.selection import JournalError, Selection
from pyruse.journal.whereabouts import Whereabouts
from pyruse.testing.journal import FIRST_TIME, make_journal, unavailable
from pyruse.testing.plugin import need

SECOND = 1_000_000
BOOTS = ["c" * 32, "a" * 32, "b" * 32]


def entries(count=6, boots=BOOTS):
    """Entries, a second apart, the same number in each boot."""
    return [
        {
            "MESSAGE": str(number),
            "_BOOT_ID": boots[number * len(boots) // count],
            "__REALTIME_TIMESTAMP": FIRST_TIME + number * SECOND,
        }
        for number in range(count)
    ]


def read(selection: Selection) -> list[str]:
    reader = selection.open(Decoder())
    found = [entry["MESSAGE"] for entry in reader.entries(1000)]
    reader.close()
    return found


@pytest.fixture
def file(journal_file):
    return journal_file(entries())


def test_the_whole_of_a_file_and_of_a_folder(file):
    everything = [str(number) for number in range(6)]
    assert read(Selection(files=[file])) == everything
    assert read(Selection(directory=file.parent)) == everything


def test_the_configurations_journal(file):
    everything = [str(number) for number in range(6)]
    assert read(Selection.of(JournalSettings(files=[file]))) == everything
    assert read(Selection.of(JournalSettings(directory=file.parent))) == everything


def test_several_files(journal_file):
    files = [
        journal_file(
            [
                {
                    "MESSAGE": f"{number}",
                    "_BOOT_ID": boot,
                    "__REALTIME_TIMESTAMP": FIRST_TIME + number * SECOND,
                }
                for number in numbers
            ]
        )
        for boot, numbers in ((BOOTS[0], (0, 2, 4)), (BOOTS[1], (1, 3)))
    ]
    assert read(Selection(files=files)) == ["0", "1", "2", "3", "4"]


def test_a_folder_has_folders_of_machines(tmp_path, file):
    machine = tmp_path / "remote" / ("d" * 32)
    machine.mkdir(parents=True)
    file.rename(machine / "system.journal")
    assert len(read(Selection(directory=machine.parent))) == 6


def test_since_and_until_are_both_included(file):
    def between(since, until):
        return read(
            Selection(
                files=[file],
                since=None if since is None else FIRST_TIME + round(since * SECOND),
                until=None if until is None else FIRST_TIME + round(until * SECOND),
            )
        )

    assert between(2, None) == ["2", "3", "4", "5"]
    assert between(1.5, None) == ["2", "3", "4", "5"]
    assert between(None, 2) == ["0", "1", "2"]
    assert between(None, 2.5) == ["0", "1", "2"]
    assert between(2, 3) == ["2", "3"]
    assert between(2.1, 2.9) == []
    assert between(100, None) == []
    assert between(None, -100) == []
    assert read(Selection(files=[file], since=0)) == [str(number) for number in range(6)]


@pytest.mark.parametrize(
    ("boot", "found"),
    [
        ("0", ["4", "5"]),
        ("-0", ["4", "5"]),
        ("-1", ["2", "3"]),
        ("-2", ["0", "1"]),
        ("1", ["0", "1"]),
        ("+1", ["0", "1"]),
        ("2", ["2", "3"]),
        ("3", ["4", "5"]),
        (BOOTS[0], ["0", "1"]),
        (BOOTS[1], ["2", "3"]),
        (BOOTS[2], ["4", "5"]),
    ],
)
def test_a_boot(file, boot, found):
    assert read(Selection(files=[file], boot=boot)) == found


@pytest.mark.parametrize(("told", "found"), [(BOOTS[0], BOOTS[0]), ("f" * 32, BOOTS[2])])
def test_the_boot_of_a_container_whose_service_is_told_the_host_s(file, monkeypatch, told, found):
    monkeypatch.setattr("pyruse.journal.selection.id128.get_boot", lambda: UUID(told))
    there = Whereabouts(paths=[file])
    assert Selection(boot="0")._boot_id(there, "0") == found


def test_a_boot_and_a_time(file):
    chosen = Selection(files=[file], boot="-1", since=FIRST_TIME + 3 * SECOND)
    assert read(chosen) == ["3"]
    chosen = Selection(files=[file], boot="-1", until=FIRST_TIME + 2 * SECOND)
    assert read(chosen) == ["2"]


def fault(selection: Selection) -> str:
    with pytest.raises(JournalError) as refused:
        selection.open(Decoder())
    return str(refused.value)


@pytest.mark.parametrize("boot", ["-3", "4", "-99999999999999999999"])
def test_there_is_no_such_boot(file, boot):
    assert fault(Selection(files=[file], boot=boot)) == (
        f"{file}: there is no boot {boot} (expected -2 to 0, 1 to 3, or a boot's ID)"
    )


def test_there_is_no_boot_of_that_id(file):
    assert fault(Selection(files=[file], boot="f" * 32)) == (
        f"{file}: there is no boot {'f' * 32} (expected one that `journalctl --list-boots` shows)"
    )


def test_there_is_no_boot_at_all(tmp_path):
    assert fault(Selection(directory=tmp_path, boot="-1")) == (
        f"{tmp_path}: there is no boot -1 (expected a journal with entries)"
    )


@pytest.mark.parametrize(
    ("since", "until", "boot", "span"),
    [
        (None, None, None, (0, 5)),
        (2, None, None, (2, 5)),
        (None, 3, None, (0, 3)),
        (1, 4, None, (1, 4)),
        (None, None, "-1", (2, 3)),
        (-50, 50, None, (0, 5)),
    ],
)
def test_the_span_that_is_selected(file, since, until, boot, span):
    """For the progress bar of those who wait."""
    since, until = (
        None if second is None else FIRST_TIME + second * SECOND for second in (since, until)
    )
    selection = Selection(files=[file], since=since, until=until, boot=boot)
    assert selection.span(Decoder()) == tuple(FIRST_TIME + second * SECOND for second in span)


def test_there_is_nothing_to_span(tmp_path):
    assert Selection(directory=tmp_path).span(Decoder()) is None


def test_a_namespace(journald):
    journald.send(MESSAGE="hello", SYSLOG_IDENTIFIER="test")
    journald.sync()
    reader = Selection(namespaces=[journald.namespace]).open(Decoder())
    found = {entry.get("MESSAGE") for entry in reader.entries(1000)}
    reader.close()
    assert "hello" in found


def test_a_journal_has_a_name():
    described = [
        selection.described
        for selection in (
            Selection(),
            Selection(namespaces=["web"]),
            Selection(directory=Path("/srv/logs")),
            Selection(files=[Path("a.journal"), Path("b.journal")]),
        )
    ]
    assert described == [
        "this machine's journal",
        "journal namespace web",
        "/srv/logs",
        "a.journal, b.journal",
    ]


def test_no_such_folder_and_no_such_file(tmp_path):
    nowhere = tmp_path / "nowhere"
    assert fault(Selection(directory=nowhere)) == (
        f"{nowhere}: no such folder (expected a folder with *.journal files)"
    )
    assert fault(Selection(files=[nowhere])) == (
        f"{nowhere}: no such file (expected a journal file)"
    )


def test_a_file_for_a_folder_and_a_folder_for_a_file(file):
    assert "no such folder" in fault(Selection(directory=file))
    assert "no such folder" in fault(Selection(directory=file / "below"))
    assert "no such file" in fault(Selection(files=[file.parent]))
    assert "no such file" in fault(Selection(files=[Path("/dev/null")]))
    assert "no such file" in fault(Selection(files=[Path("a\0b")]))


@pytest.mark.parametrize("content", [b"", b"hello, I am a log file\n" * 1000, b"\0" * 100_000])
def test_what_is_no_journal_file(tmp_path, content):
    path = tmp_path / "messages"
    path.write_bytes(content)
    said = fault(Selection(files=[path]))
    assert said.startswith(f"{path}: no readable journal file (")
    assert said.endswith("(expected files that `journalctl --verify` accepts)")


WHO_MAY = (
    "this user may not read it (expected root, or a member of the group systemd-journal: "
    "`sudo usermod --append --groups systemd-journal $USER`, then log in again)"
)
CONFIG = '[chains]\n"c" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]\n'


@pytest.fixture
def place(tmp_path):
    """A folder with a configuration."""
    (tmp_path / "pyruse.toml").write_text(CONFIG)
    return tmp_path


def test_who_may_not_read_is_told_who_may(place, powerless, close):
    journals = {}
    for name in ("file", "folder", "machine"):
        folder = place / name / ("d" * 32 if name == "machine" else "")
        folder.mkdir(parents=True)
        journals[name] = make_journal(folder / "a.journal", entries())
        close(journals[name], 0o600 if name != "folder" else 0o644)
    close(place / "folder", 0o700)
    for options, told in (
        (["--file", journals["file"]], journals["file"]),
        (["-D", place / "file"], journals["file"]),
        (["-D", place / "machine"], journals["machine"]),
        (["--file", journals["folder"]], journals["folder"]),
        (["-D", place / "folder"], place / "folder"),
        (["-D", place / "folder" / "below"], place / "folder" / "below"),
    ):
        done = powerless("replay", "-c", place / "pyruse.toml", *options)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr == f"pyruse: {told}: {WHO_MAY}\n"


def test_anybody_may_read_what_is_everybodys(place, powerless, close):
    journal = make_journal(place / "a.journal", entries())
    close(journal, 0o644)
    done = powerless("replay", "-c", place / "pyruse.toml", "-D", place)
    assert done.returncode == 0
    assert "6 entries" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["", "pyruse.toml", "below/pyruse.toml"])
def test_a_configuration_that_may_not_be_read(place, powerless, close, name):
    closed = place / "closed"
    closed.mkdir(mode=0o700)
    (closed / "pyruse.toml").write_text(CONFIG)
    close(closed, 0o700)
    done = powerless("check", "-c", closed / name)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"{closed / name}: cannot be read: Permission denied (expected a TOML file; another place "
        "is chosen with -c PATH or PYRUSE_CONFIG)\n"
    )


def test_where_times_contradict_each_other_nothing_is_missing_that_journalctl_shows(tmp_path):
    """Files of one boot, the clocks of which contradict each other: libsystemd passes over some."""
    need(unavailable())
    numbers = random.Random(5)
    for file in range(20):
        offsets = sorted(numbers.randrange(250 * SECOND) for _ in range(10))
        made = make_journal(
            tmp_path / "new.journal",
            [
                {
                    "MESSAGE": f"{file}/{number}",
                    "__REALTIME_TIMESTAMP": FIRST_TIME + file * 100 * SECOND + offset,
                    "_BOOT_ID": f"{file // 10 + 1:032x}",
                }
                for number, offset in enumerate(offsets)
            ],
        )
        made.rename(tmp_path / f"system@{file + 1:032x}-{1:016x}-{FIRST_TIME + file:016x}.journal")
    command = ["journalctl", "--directory", tmp_path, "--output", "cat", "--no-pager"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert len(set(shown)) > 20
    assert sorted(read(Selection(tmp_path))) == sorted(shown)
