"""Commands as somebody runs them who may not read everything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable

import pytest

from pyruse.testing.plugin import need

_NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def _unavailable() -> str | None:
    """Why no program can be run as another user here."""
    if os.geteuid() != 0 or shutil.which("setpriv") is None:
        return "only root, with setpriv (util-linux), can run a program as another user"
    code = [sys.executable, "-c", "import pyruse"]
    if subprocess.run([*_NOBODY, *code], capture_output=True, check=False).returncode != 0:
        return f"another user cannot run {sys.executable} with Pyruse"
    return None


@pytest.fixture
def as_nobody() -> Callable[..., subprocess.CompletedProcess[str]]:
    """``as_nobody("replay", …)``: a command of Pyruse's, run by a user without any rights."""
    need(_unavailable())

    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*_NOBODY, sys.executable, "-m", "pyruse", *map(str, arguments)],
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    return run
