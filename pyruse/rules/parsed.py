"""Files of rules as they were parsed when Pyruse was built: see `tools/parsed_rules.py`.

Python's parser of TOML would take a fifth of a start with all rules.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from pyruse.system.blake2 import blake2b

FOLDER = "parsed"
"""Beside the files of rules; it has a file ``sshd.json`` for ``sshd.toml``."""


class _Parsed(msgspec.Struct):
    digest: str
    content: dict[str, Any]


def parsed(file: Path, text: bytes) -> dict[str, Any] | None:
    """What a file of rules says, without its samples; None: this text was not parsed before.

    :param file: the file.
    :param text: what is in it now: where somebody has changed it, what was parsed does not count.
    """
    try:
        before = file.parent.joinpath(FOLDER, f"{file.stem}.json").read_bytes()
        found = msgspec.json.decode(before, type=_Parsed)
    except (OSError, msgspec.MsgspecError):
        return None
    return found.content if found.digest == digest_of(text) else None


def digest_of(text: bytes) -> str:
    """By what the text of a file is known again."""
    return blake2b(text, digest_size=16).hexdigest()
