"""Descriptors: the limit is raised, but programs do not see that; some are kept for the rest."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from contextlib import ExitStack

import pytest

from pyruse.system import descriptors
from pyruse.system.programs import run_program

_LIMITED = """
import resource
from pyruse.system import descriptors
from pyruse.system.programs import run_program
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (min(100, hard), hard))
descriptors.raise_limit()
assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)
print(run_program(["sh", "-c", "sleep 0.2; ulimit -Sn; ulimit -Hn"], timeout=60).output, hard)
"""


def test_the_soft_limit_is_raised_and_programs_get_the_usual_one() -> None:
    done = subprocess.run(
        [sys.executable, "-c", _LIMITED], capture_output=True, text=True, check=True
    )
    soft, hard, expected = done.stdout.split()
    assert (soft, hard) == (str(min(1024, int(expected))), expected)


def test_the_last_ones_are_for_everything_else(monkeypatch: pytest.MonkeyPatch) -> None:
    used = len(os.listdir("/proc/self/fd"))
    monkeypatch.setattr(descriptors, "_SPARE", 4)
    monkeypatch.setattr(descriptors, "_ALL_ELSE", 4)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (used + 20, used + 20))
    descriptors.require(8)
    with ExitStack() as opened:
        for _ in range(10):
            opened.enter_context(open(os.devnull))
        with pytest.raises(OSError, match="Too many open files"):
            descriptors.require(8)
        assert run_program(["true"], timeout=60).status == 0
