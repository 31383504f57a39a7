"""Files with networks, one a line."""

from __future__ import annotations

import os

from msgspec import Struct

from pyruse.addresses import Network, list_lines
from pyruse.system.files import read_file

_LARGEST = 64 << 20
"""Bytes: some million networks."""
_FAULTS_SHOWN = 3

Signature = tuple[int, int, int, int]


class FileAnswer(Struct):
    """What a file holds."""

    networks: list[Network] | None = None
    """None: it cannot be read."""
    fault: str | None = None
    """Why, or which lines are no networks; the other lines count."""
    signature: Signature | None = None
    """Of the file that was read."""


def signature(path: str) -> Signature | None:
    """What changes with a file; None: there is none."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def read(path: str) -> FileAnswer:
    """Read a file with a network or an address a line; comments begin with ``#`` or ``;``."""
    before = signature(path)  # what is written meanwhile is noticed the next time
    try:
        text = read_file(path, _LARGEST).decode(errors="replace")
    except OSError as fault:
        return FileAnswer(fault=_unreadable(fault.strerror), signature=before)
    except ValueError as fault:
        return FileAnswer(fault=_unreadable(str(fault)), signature=before)
    networks: list[Network] = []
    faults: list[str] = []
    for number, network, _ in list_lines(text):
        if isinstance(network, ValueError):
            faults.append(f"line {number}: {network}")
        else:
            networks.append(network)
    more = len(faults) - _FAULTS_SHOWN
    shown = faults[:_FAULTS_SHOWN] + ([f"and {more:,} more lines"] if more > 0 else [])
    return FileAnswer(networks, "; ".join(shown) or None, before)


def _unreadable(reason: str | None) -> str:
    return f"cannot be read: {reason} (expected a file that Pyruse's user may read)"
