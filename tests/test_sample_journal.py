"""The demonstration's journal and configuration fit each other, and both can be made again."""

from __future__ import annotations

import importlib
import json
import lzma
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from systemd import journal

from pyruse import Pattern
from pyruse.testing.journal import JournalError, make_journal, unavailable, write_export
from pyruse.testing.plugin import need

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "pyruse" / "demo"
ENTRIES = 7238

Stored = dict[str, list[bytes]]


@pytest.fixture(scope="module")
def sample() -> Iterator[ModuleType]:
    """`tools.sample_journal`, which is in the tree only: `pyruse` remains the installed one."""
    sys.path.append(str(ROOT))
    yield importlib.import_module("tools.sample_journal")
    sys.path.remove(str(ROOT))


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> list[Stored]:
    file = tmp_path_factory.mktemp("demo") / "day.journal"
    file.write_bytes(lzma.decompress((DEMO / "day.journal.xz").read_bytes()))
    return read(file)


@pytest.fixture(scope="module")
def chains() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "bench" / "day.toml").read_text())["chains"]
    return found


def read(file: Path) -> list[Stored]:
    """The entries of a journal file, every value as it is stored."""
    reader = journal.Reader(files=[str(file)])
    entries = []
    while reader._next():
        fields = reader._get_all()
        fields["__REALTIME_TIMESTAMP"] = str(reader._get_realtime()).encode()
        entries.append(stored(fields))
    return entries


def stored(fields: dict[str, Any]) -> Stored:
    """An entry as the journal has it: bytes, and several values of a field in any order."""
    return {
        field: sorted(
            item if isinstance(item, bytes) else str(item).encode()
            for item in (value if isinstance(value, list) else [value])
        )
        for field, value in fields.items()
        if field != "__MONOTONIC_TIMESTAMP"
    }


def messages(entries: list[Stored]) -> list[str]:
    return [text.decode("iso-8859-1") for entry in entries for text in entry.get("MESSAGE", [])]


def test_the_journal_is_small_and_whole(shipped):
    assert (DEMO / "day.journal.xz").stat().st_size < 1_000_000
    assert len(shipped) == ENTRIES


def test_it_is_what_the_generator_makes(shipped, sample):
    assert [stored(entry) for entry in sample.sample_day()] == shipped, (
        "the generator has changed: python -m tools.sample_journal"
    )


def test_any_number_of_entries_of_the_same_mix(sample):
    entries = list(sample.entries(seed=1, count=2 * ENTRIES + 100))
    assert len(entries) == 2 * ENTRIES + 100
    assert entries == list(sample.entries(seed=1, count=2 * ENTRIES + 100))
    times = [entry["__REALTIME_TIMESTAMP"] for entry in entries]
    assert times == sorted(set(times))


def test_it_has_what_breaks_programs(shipped):
    assert any("MESSAGE" not in entry for entry in shipped)
    assert any(len(values) > 1 for entry in shipped for values in entry.values())
    assert any("SNAPSHOT_DIGEST" in entry for entry in shipped)
    assert any("refusée" in text for text in messages(shipped))
    assert any("\x1b[32m" in text for text in messages(shipped))
    assert any("<script>" in text for text in messages(shipped))


def test_all_addresses_are_for_documentation(shipped):
    addresses = {
        ip for text in messages(shipped) for ip in re.findall(r"\b\d+(?:\.\d+){3}\b", text)
    }
    allowed = ("192.0.2.", "198.51.100.", "203.0.113.", "192.168.1.", "127.0.0.1")
    assert {ip for ip in addresses if not ip.startswith(allowed)} <= {"133.0.0.0"}  # a Chrome


def test_every_pattern_of_the_demonstration_is_used(shipped, chains):
    """A request of nginx is the only field beside MESSAGE that patterns look at."""
    access = Pattern(chains["web"][2]["pattern"])
    texts = {
        "MESSAGE": messages(shipped),
        "request": [
            found["request"] for text in messages(shipped) if (found := access.search(text))
        ],
    }
    unused = [
        pattern
        for steps in chains.values()
        for step in steps
        if step.get("filter") == "regex"
        for pattern in (step["pattern"] if isinstance(step["pattern"], list) else [step["pattern"]])
        if not any(map(Pattern(pattern).search, texts[step["field"]]))
    ]
    assert not unused


def test_the_demonstration_bans_all_attackers_and_nobody_else(tmp_path, sample):
    file = tmp_path / "day.journal"
    file.write_bytes(lzma.decompress((DEMO / "day.journal.xz").read_bytes()))
    command = ["replay", "--config", str(DEMO / "demo.toml"), "--file", str(file)]
    done = subprocess.run(
        [sys.executable, "-m", "pyruse", *command, "--format", "json"],
        stdout=subprocess.PIPE, check=True,
    )  # fmt: skip
    result = json.loads(done.stdout)
    assert result["entries"] == ENTRIES
    banned = {ban["ip"].partition("/")[0]: ban["label"] for ban in result["bans"]}
    expected = {
        str(ip_network((address, 64 if ":" in address else 32), strict=False)[0]): label
        for address, label in sample.people.BANNED.items()
    }
    assert banned == expected
    assert 0 < len(result["report"]["other"]) < 60


def test_an_export_has_binary_values_by_length(tmp_path):
    entry: dict[str, Any] = {
        "MESSAGE": "two\nlines",
        "TAG": ["a", 7],
        "__REALTIME_TIMESTAMP": 5,
        "_BOOT_ID": "b",
    }
    assert write_export(tmp_path / "test.export", [entry]) == 1
    assert (tmp_path / "test.export").read_bytes() == (
        b"__REALTIME_TIMESTAMP=5\n__MONOTONIC_TIMESTAMP=3600000000\n_BOOT_ID=b\n"
        b"MESSAGE\n\x09\0\0\0\0\0\0\0two\nlines\nTAG=a\nTAG=7\n\n"
    )


def test_a_journal_gives_back_what_was_written(tmp_path):
    needs_journal_remote()
    entries: list[dict[str, Any]] = [
        {"MESSAGE": b"\xe9t\xe9"},
        {"MESSAGE": "x\n\x1b[0m", "N": [1, 2]},
        {"EMPTY": ""},
    ]
    for again in range(2):  # the second time in place of the first
        found = read(make_journal(tmp_path / "test.journal", entries[again:]))
        own = [
            {name: values for name, values in entry.items() if not name.startswith("_")}
            for entry in found
        ]
        assert own == [stored(entry) for entry in entries[again:]]
    assert list(tmp_path.iterdir()) == [tmp_path / "test.journal"]


def test_a_journal_needs_its_suffix(tmp_path):
    with pytest.raises(ValueError, match=r"test\.txt: the name must end in \.journal"):
        make_journal(tmp_path / "test.txt", [])


def test_a_missing_journal_remote_is_said_clearly(tmp_path, monkeypatch):
    monkeypatch.setattr("pyruse.testing.journal._DIRECTORIES", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(JournalError, match=r"systemd-journal-remote not found: .*install"):
        make_journal(tmp_path / "test.journal", [{"MESSAGE": "one"}])


def needs_journal_remote() -> None:
    need(unavailable())
