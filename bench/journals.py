"""Journals to measure with, made once and kept in a folder (PYRUSE_BENCH, or /var/tmp)."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from bench.cluster import entries as cluster_entries
from pyruse.entry.decoding import Decoder
from pyruse.journal.selection import Selection
from pyruse.testing.journal import EntryFields, journal_remote, make_journal, write_export
from tools.sample_journal import entries

DEMO = Path(__file__).with_name("day.toml")
"""The configuration to measure with."""
_FILE = 50_000
"""Entries of a file: systemd-journal-remote begins another one by itself when it grows large."""

TUNED, UNSEEN = 1, 20_261_122
"""Seeds: of the journals that the short cuts were made with, and of one that they were not."""


def folder() -> Path:
    """Where journals, and programs that are compiled, are kept."""
    path = Path(os.environ.get("PYRUSE_BENCH", "/var/tmp/pyruse-bench"))
    path.mkdir(parents=True, exist_ok=True)
    return path


def sample(count: int, seed: int = TUNED) -> Path:
    """So many entries of a mail and web server, about 24 fields each; a folder of files."""
    target = folder() / f"system-{seed}-{count}"
    if count % _FILE:
        return _kept(f"sample-{seed}-{count}", entries(seed, count))
    if not target.is_dir():  # a longer one begins like a shorter one
        working = _empty(target.with_suffix(".new"))
        for file in _whole_files(seed, count // _FILE):
            (working / f"system@{file.name}").symlink_to(file)  # as journald names one machine's
        working.rename(target)
    return target


def incomplete(journal: Path) -> Path:
    """The files of a journal under names that do not say that nothing is added to them."""
    target = journal.with_name(f"{journal.name}-incomplete")
    if not target.is_dir():
        working = _empty(target.with_suffix(".new"))
        for file in journal.glob("system@*.journal"):
            (working / file.name.partition("@")[2]).symlink_to(file.resolve())
        working.rename(target)
    return target


def compact(count: int) -> Path:
    """A sample as journald writes it by itself: compressed, and with short references."""
    target = folder() / f"compact-{TUNED}-{count}"
    if not target.is_dir():
        working = _empty(target.with_suffix(".new"))
        export = working / "export"
        write_export(export, entries(TUNED, count))
        subprocess.run(
            [journal_remote(), f"--output={working / 'system.journal'}", "--compress=yes", export],
            env={**os.environ, "SYSTEMD_JOURNAL_COMPACT": "1"}, check=True,
        )  # fmt: skip
        export.unlink()
        working.rename(target)
    return target


def _whole_files(seed: int, number: int) -> list[Path]:
    """The first files that all long samples of a seed have in common."""
    kept = folder() / f"sample-{seed}"
    kept.mkdir(exist_ok=True)
    there = len(list(kept.iterdir()))
    rest = islice(entries(seed, number * _FILE), there * _FILE, None)
    working = _empty(folder() / f"sample-{seed}.new")
    for index in range(there, number):
        name = f"{index:04}.journal"
        make_journal(working / name, islice(rest, _FILE)).rename(kept / name)
    return [kept / f"{index:04}.journal" for index in range(number)]


def cluster(count: int) -> Path:
    """So many entries of a mix that no chain was written for; see `bench.cluster`."""
    return _kept(f"cluster-{count}", cluster_entries(UNSEEN, count))


def long_messages(count: int) -> Path:
    """Entries whose messages have 2,000 more characters, with many fields and with few."""
    return _kept(f"long-{count}", _long(count))


def _long(count: int) -> Iterator[EntryFields]:
    for number, fields in enumerate(entries(UNSEEN, count)):
        if number % 2:
            yield {**fields, "MESSAGE": f"{fields.get('MESSAGE', '')!s} {'x' * 2_000}"}
        else:
            yield {
                name: fields[name] for name in ("MESSAGE", "SYSLOG_IDENTIFIER") if name in fields
            }


def made(name: str, fields: Iterable[EntryFields]) -> Path:
    """A journal of entries of a measurement's own; the name is to say all that they depend on."""
    return _kept(name, fields)


def last_time(journal: Path) -> int:
    """The instant of a journal's last entry, in microseconds since the epoch."""
    span = Selection(directory=journal).open(Decoder()).span()
    assert span is not None
    return span[1]


def joined(target: Path, *journals: Path) -> Path:
    """A folder with the files of several journals, as one machine's."""
    target.mkdir(parents=True)
    for number, journal in enumerate(journals):
        for file in journal.iterdir():
            name = file.name.rpartition("@")[2]
            (target / f"system@{number}-{name}").symlink_to(file)
    return target


def _kept(name: str, made: Iterable[EntryFields]) -> Path:
    target = folder() / name
    if target.is_dir():
        return target
    working = _empty(target.with_suffix(".new"))
    whole = iter(made)
    number = 0
    while part := list(islice(whole, _FILE)):
        make_journal(working / f"{number:04}.journal", part)
        number += 1
    working.rename(target)
    return target


def _empty(path: Path) -> Path:
    """A new folder, in place of what an interrupted run may have left."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    return path
