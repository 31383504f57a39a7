"""Journals to measure with, made once and kept in a folder (PYRUSE_BENCH, or /var/tmp)."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from pyruse.testing.journal import EntryFields, make_journal
from tools.sample_journal import entries

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
    return _kept(f"sample-{seed}-{count}", islice(entries(seed, count), count))


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


def _kept(name: str, made: Iterable[EntryFields]) -> Path:
    target = folder() / name
    if target.is_dir():
        return target
    working = target.with_suffix(".new")
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir()
    whole = iter(made)
    number = 0
    while part := list(islice(whole, _FILE)):
        make_journal(working / f"{number:04}.journal", part)
        number += 1
    working.rename(target)
    return target
