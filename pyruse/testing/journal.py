"""Journal files for tests and samples, written by systemd's own ``systemd-journal-remote``.

Nothing here needs the rest of Pyruse. An entry is a mapping of its fields; what it leaves out of
the fields that every entry has (its times and its boot) is filled in, always in the same way::

    make_journal(tmp_path / "test.journal", [{"MESSAGE": "one"}, {"MESSAGE": "two", "PRIORITY": 3}])
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

FieldValue = str | bytes | int
EntryFields = Mapping[str, FieldValue | Sequence[FieldValue]]
"""The fields of one entry; one that occurs several times in the entry has a list of values."""

FIRST_TIME = 1_773_489_600_000_000
"""Of an entry without ``__REALTIME_TIMESTAMP`` that is the first: 2026-03-14 12:00 UTC, in µs."""
BOOT_ID = "b007b007b007b007b007b007b007b007"
"""Of entries without ``_BOOT_ID``."""

_UPTIME = 3_600_000_000  # of the machine at the first entry, in µs
_SECOND = 1_000_000

_ENVIRONMENT = {
    "SYSTEMD_JOURNAL_COMPACT": "0",
    "SYSTEMD_JOURNAL_KEYED_HASH": "0",
    "SYSTEMD_LOG_LEVEL": "warning",
}
"""With these (and without compression of values) every version of systemd reads the file, xz makes
it small, and its hashes do not depend on its random identity."""
_DIRECTORIES = ("/usr/lib/systemd", "/lib/systemd")
"""Distributions install it outside of everybody's PATH."""


class JournalError(RuntimeError):
    """The journal file could not be written; the text says why."""


def write_export(path: str | os.PathLike[str], entries: Iterable[EntryFields]) -> int:
    """Write entries in the journal export format (systemd's JOURNAL_EXPORT_FORMATS).

    :return: the number of entries.
    """
    count = 0
    with open(path, "wb") as file:
        for entry in _complete(entries):
            file.write(_exported(entry))
            count += 1
    return count


def make_journal(
    path: str | os.PathLike[str], entries: Iterable[EntryFields], *, append: bool = False
) -> Path:
    """Write entries into a new journal file, in place of any that is there.

    :param append: instead, add them to the file that is there.
    :param path: must end in ``.journal``, as libsystemd ignores other files in a directory.
    :param entries: the fields of each entry.
    :return: the same path.
    :raises JournalError: ``systemd-journal-remote`` is missing, or failed.
    """
    journal = Path(path)
    if journal.suffix != ".journal":
        raise ValueError(f"{journal}: the name must end in .journal")
    program = journal_remote()
    export = journal.with_suffix(".export")
    try:
        write_export(export, entries)
        if not append:
            journal.unlink(missing_ok=True)  # systemd-journal-remote would append to it
        done = subprocess.run(
            [program, f"--output={journal}", "--split-mode=none", "--compress=no", str(export)],
            env={**os.environ, **_ENVIRONMENT},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
        )
    finally:
        export.unlink(missing_ok=True)
    if done.returncode != 0 or not journal.exists():
        raise JournalError(f"{journal}: {program} failed: {done.stderr.strip()}")
    return journal


def unavailable() -> str | None:
    """Why no journal file can be made here, or None where it can."""
    try:
        journal_remote()
    except JournalError as fault:
        return str(fault)
    return None


def journal_remote() -> str:
    """Where ``systemd-journal-remote`` is.

    :raises JournalError: it is not installed.
    """
    path = os.pathsep.join((*_DIRECTORIES, os.environ.get("PATH", os.defpath)))
    program = shutil.which("systemd-journal-remote", path=path)
    if program is None:
        raise JournalError(
            "systemd-journal-remote not found: it writes the journal files of tests and samples "
            "(install your distribution's package of that name, or systemd-journal-gateway)"
        )
    return program


def _complete(entries: Iterable[EntryFields]) -> Iterator[EntryFields]:
    """Entries with a time, a second after the one before, and a boot, where they have none."""
    first: int | None = None
    time = FIRST_TIME - _SECOND
    for entry in entries:
        time = _number(entry, "__REALTIME_TIMESTAMP", time + _SECOND)
        first = time if first is None else first
        yield {
            "__REALTIME_TIMESTAMP": time,
            "__MONOTONIC_TIMESTAMP": max(time - first + _UPTIME, 1),
            "_BOOT_ID": BOOT_ID,
            **entry,
        }


def _number(entry: EntryFields, field: str, default: int) -> int:
    value = entry.get(field, default)
    assert isinstance(value, int | str), f"{field} is one number"
    return int(value)


def _exported(entry: EntryFields) -> bytes:
    """One entry in the export format, with the empty line that ends it."""
    lines = []
    for field, value in entry.items():
        values = [value] if isinstance(value, FieldValue) else value
        lines += [_exported_field(field.encode(), each) for each in values]
    return b"".join(lines) + b"\n"


def _exported_field(field: bytes, value: FieldValue) -> bytes:
    data = value if isinstance(value, bytes) else str(value).encode()
    if _is_plain(data):
        return field + b"=" + data + b"\n"
    return field + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"


def _is_plain(data: bytes) -> bool:
    """Whether the text form of a field can carry it: printable UTF-8, tabs included."""
    try:
        return not any(char < " " and char != "\t" for char in data.decode())
    except UnicodeDecodeError:
        return False
