"""Journal files: where they are, whose they are, and what their headers say.

Files of one machine have names that begin alike (journald.conf(5), systemd-journal-remote(8)):
``system`` and ``user-UID`` are this folder's own machine, ``remote-HOST`` is another one. ``@…``
behind the name marks a file that is complete, ``~`` at the end one that was not closed properly.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from pyruse.system.descriptors import SHORT
from pyruse.text import late_pattern

_NAME = late_pattern(r"(?P<prefix>[^@]+)(?P<archived>@.+)?\.journal~?\Z")
_OWN = late_pattern(r"system\Z|user-\d+\Z")
_FOLDER = late_pattern(r"[0-9a-f]{32}(?:\.[^/]+)?\Z")
"""A machine's ID, and perhaps a namespace (sd_journal_open_directory(3))."""

_HEADER = struct.Struct("<8sII B7x 16s16s16s16s QQQQQQQQQ QQ Q QQ")
"""systemd.io/JOURNAL_FILE_FORMAT: the header up to ``tail_entry_monotonic``; all little-endian."""
_SIGNATURE = b"LPKSHHRH"


class JournalFile(Struct, frozen=True):
    """A journal file that is there."""

    path: str
    machine: str
    """Whose it is: the folder's name and, of another machine, ``remote-HOST``."""
    archived: bool
    """It is complete: nothing is added any more."""
    identity: tuple[int, int]
    """Its device and its inode (stat(2)): a rotation renames a file."""


class Header(Struct, frozen=True):
    """What a file's header says of its entries. Instants are µs since the epoch; 0: no entry."""

    seqnum_id: str
    """Sequence numbers of one ID are of one writer, and rise by one."""
    head_seqnum: int
    tail_seqnum: int
    head_at: int
    tail_at: int
    entries: int


def look(folder: str, *, below: bool = False) -> list[JournalFile]:
    """The journal files of a folder; what this user may not look at is left out.

    :param folder: the path of the folder.
    :param below: look into the machines' folders in it, too, as journalctl --directory does.
    :raises OSError: no descriptor is left.
    """
    found = list(_files(folder, Path(folder).name if _FOLDER.match(Path(folder).name) else ""))
    if below:
        for name in names_in(folder):
            if _FOLDER.match(name):
                found += _files(os.path.join(folder, name), name)
    return found


def named(paths: Iterable[Path]) -> list[JournalFile]:
    """Files that are named one by one; those that are not there are left out."""
    found = []
    for path in paths:
        match = _NAME.match(path.name)
        machine = _machine("", match["prefix"]) if match else ""
        archived = bool(match and match["archived"]) or path.name.endswith("~")
        if (identity := _identity(str(path))) is not None:
            found.append(JournalFile(str(path), machine, archived, identity))
    return found


def machine_of(folder: str, name: str) -> str | None:
    """Whose a file of this name is; None: it is no journal file."""
    match = _NAME.match(name)
    if match is None:
        return None
    own = os.path.basename(folder)
    return _machine(own if _FOLDER.match(own) else "", match["prefix"])


def header(path: str) -> Header | None:
    """What the header of a file says; None where it cannot be read or makes no sense."""
    try:
        with open(path, "rb", buffering=0) as file:
            data = file.read(_HEADER.size)
    except OSError:
        return None
    if len(data) < _HEADER.size or not data.startswith(_SIGNATURE):
        return None
    values = _HEADER.unpack(data)
    seqnum_id, entries, tail_seqnum, head_seqnum = values[7], values[16], values[17], values[18]
    head_at, tail_at = values[20], values[21]
    return Header(seqnum_id.hex(), head_seqnum, tail_seqnum, head_at, tail_at, entries)


def is_machines(name: str) -> bool:
    """Whether a folder of this name is a machine's, or one of its namespaces'."""
    return _FOLDER.match(name) is not None


def _machine(folder: str, prefix: str) -> str:
    if _OWN.match(prefix):
        return folder
    return f"{folder}/{prefix}" if folder else prefix


def _files(folder: str, machine_folder: str) -> Iterable[JournalFile]:
    """The files of a folder, as readdir(3) gives them, and so as journalctl opens them.

    Where times contradict each other, the order in which files are opened decides which entries
    libsystemd passes over: so, at least nothing is missing that journalctl shows.
    """
    for name in _names(folder):
        match = _NAME.match(name)
        path = os.path.join(folder, name)
        if match is None or (identity := _identity(path)) is None:
            continue
        archived = match["archived"] is not None or name.endswith("~")
        yield JournalFile(path, _machine(machine_folder, match["prefix"]), archived, identity)


def names_in(folder: str) -> list[str]:
    """The names in a folder; none where it is not there, or this user may not look.

    :raises OSError: no descriptor is left: what is there is not known.
    """
    return sorted(_names(folder))


def _names(folder: str) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError as fault:
        if fault.errno in SHORT:
            raise
        return []


def _identity(path: str) -> tuple[int, int] | None:
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino
