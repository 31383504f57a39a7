"""Commands as somebody runs them who may not read everything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.testing.plugin import need
from pyruse.testing.waiting import TIME_LIMIT

_POWERLESS = ["setpriv", "--bounding-set=-dac_override,-dac_read_search", "--inh-caps=-all"]
"""Root without the right to pass over permissions is a user like any other one, except that it can
run an interpreter that is root's alone, as in a checkout in root's home."""

_STRANGER = 65534


def _unavailable() -> str | None:
    """Why no program can be run without rights here."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return "only root, with setpriv (util-linux), can run a program without rights"
    return None


@pytest.fixture
def powerless() -> Callable[..., subprocess.CompletedProcess[str]]:
    """``powerless("replay", …)``: a command of Pyruse's, bound by the permissions of files.

    With ``group=``, by a member of this group.
    """
    need(_unavailable())

    def run(*arguments: object, group: int | None = None) -> subprocess.CompletedProcess[str]:
        member = [] if group is None else [f"--regid={group}", "--clear-groups"]
        return subprocess.run(
            [*_POWERLESS, *member, sys.executable, "-m", "pyruse", *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
            timeout=TIME_LIMIT,
        )  # fmt: skip

    return run


@pytest.fixture
def close() -> Callable[[Path, int], None]:
    """``close(path, mode)``: make something somebody else's, with these permissions."""

    def give_away(path: Path, mode: int) -> None:
        os.chown(path, _STRANGER, _STRANGER)
        path.chmod(mode)

    return give_away
