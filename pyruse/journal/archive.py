"""Which files are complete: these, pyruse-native reads without libsystemd."""

from __future__ import annotations

import os

from pyruse.text import late_pattern

_WHOLE = late_pattern(r"[^@]+@[^@]+\.journal\Z")


def is_whole(path: str) -> bool:
    """Whether a file's name says that nothing is added any more (see `pyruse.journal.files`).

    A file that was not closed properly (``~``) is none of these: its end may be anything. What the
    file's header says is looked at when it is read: one that is being written is never whole.
    """
    return _WHOLE.match(os.path.basename(path)) is not None
