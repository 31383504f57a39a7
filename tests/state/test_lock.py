"""One daemon a state."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.errors import UserError
from pyruse.state.lock import StateLock


def test_who_holds_it_is_told_at_once(tmp_path: Path) -> None:
    state = str(tmp_path / "state.sqlite")
    lock = StateLock(state)
    with pytest.raises(UserError, match="in use by another Pyruse, process"):
        StateLock(state)
    lock.release()
    StateLock(state).release()


def test_a_program_that_was_just_being_started_does_not_keep_it(tmp_path: Path) -> None:
    state = str(tmp_path / "state.sqlite")
    code = (
        "import fcntl, os, sys, time\n"
        "file = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "os.write(file, b'999999999\\n')\n"  # the process that had it is gone
        "print('held', flush=True)\n"
        "sys.stdin.readline()\n"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, f"{state}.lock"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    releasing = subprocess.Popen(["sh", "-c", f"sleep 0.2; kill {holder.pid}"])
    StateLock(state).release()
    releasing.wait()
    holder.communicate()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("somebody's")
    (tmp_path / "state.sqlite.lock").symlink_to(other)
    with pytest.raises(UserError, match="cannot be made"):
        StateLock(str(tmp_path / "state.sqlite"))
    assert other.read_text() == "somebody's"


def test_a_link_in_place_of_the_lock_is_not_followed(tmp_path: Path) -> None:
    """Root would write to anybody's file."""
    other = tmp_path / "other"
    other.write_text("somebody else's\n")
    (tmp_path / "state.sqlite.lock").symlink_to(other)
    with pytest.raises(UserError, match="cannot be made: Too many levels of symbolic links"):
        StateLock(str(tmp_path / "state.sqlite"))
    assert other.read_text() == "somebody else's\n"
