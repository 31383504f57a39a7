"""Small configuration files of other programs: read whole, within bounds."""

from __future__ import annotations

from pathlib import Path

_LARGEST = 1 << 20
"""Bytes of a file."""


def read_text(file: Path, name: str, notes: list[str]) -> str | None:
    """The text of a file, or None where there is none that can be read: then that is noted.

    :param file: to read.
    :param name: of the file, in notes.
    :param notes: gets why it is left out, unless it is just not there.
    """
    try:
        if not file.is_file():
            return None
        with file.open("rb") as opened:
            data = opened.read(_LARGEST + 1)
        text = data.decode()
    except OSError as fault:
        notes.append(f"{name}: cannot be read: {fault.strerror}; left out")
        return None
    except UnicodeDecodeError as fault:
        notes.append(f"{name}: is no text in UTF-8 (byte {fault.start}); left out")
        return None
    if len(data) > _LARGEST:
        notes.append(f"{name}: is larger than {_LARGEST:,} bytes; left out")
        return None
    return text
