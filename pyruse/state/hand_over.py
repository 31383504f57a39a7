"""Root's commands on a state leave nothing behind that the daemon's user may not write to."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path


def hand_over(path: str) -> None:
    """Let files that root has made belong to the daemon's user: the one whose folder it is.

    :param path: of the state.
    """
    if os.geteuid() != 0:
        return
    with suppress(OSError):
        folder = Path(path).parent.stat()
        for ending in ("", "-wal", "-shm", ".lock", ".at-work"):
            with suppress(FileNotFoundError):
                os.chown(f"{path}{ending}", folder.st_uid, folder.st_gid, follow_symlinks=False)
