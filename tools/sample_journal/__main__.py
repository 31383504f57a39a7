"""Write the demonstration's journal: ``python -m tools.sample_journal [FILE.journal.xz]``."""

from __future__ import annotations

import lzma
import sys
import tempfile
from pathlib import Path

from pyruse.testing.journal import make_journal

from . import sample_day
from .model import MACHINE_ID, identity

TARGET = Path(__file__).parents[2] / "pyruse" / "demo" / "day.journal.xz"

_XZ = {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "lc": 1, "lp": 3, "pb": 3}
"""Objects in a journal file are aligned to eight bytes."""

_FILE_ID, _MACHINE_ID, _SEQNUM_ID = 24, 40, 72
"""Where the header of a journal file has its identities (systemd's JOURNAL_FILE_FORMAT)."""


def main() -> None:
    """Make the file, and say how big it is."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    entries = sample_day()
    with tempfile.TemporaryDirectory() as folder:
        journal = make_journal(Path(folder) / "day.journal", entries)
        data = _with_fixed_identities(journal.read_bytes())
    target.write_bytes(lzma.compress(data, filters=[_XZ]))
    print(f"{target}: {len(entries)} entries, {target.stat().st_size:,} bytes")


def _with_fixed_identities(journal: bytes) -> bytes:
    """The same file without a trace of the machine that made it: each time the same bytes."""
    data = bytearray(journal)
    for offset, name in (
        (_FILE_ID, identity("file")),
        (_MACHINE_ID, MACHINE_ID),
        (_SEQNUM_ID, identity("sequence")),
    ):
        data[offset : offset + 16] = bytes.fromhex(name)
    return bytes(data)


if __name__ == "__main__":
    main()
