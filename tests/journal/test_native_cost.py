"""What an entry costs in C, in instructions: the same on every machine, however busy it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from pyruse.testing.plugin import need
from tests.conftest import ROOT
from tools.sample_journal import entries

_MOST = 1.3
"""Of what libsystemd takes to hand over all fields; it was 1.15 with systemd 252."""

READ = """
import sys
import pyruse_native

core = pyruse_native.with_help(
    as_text=str, encodable=str, set_many=print, set_one=print, remove=print, gone=""
)

class Entry(core):
    __slots__ = ()

class Owner:
    position, no_later, _last_us, _until = 0, 1 << 62, 0, None

    def _go_on(self, *_):
        return iter(())

reader = pyruse_native.Reader(files=sys.argv[1:])
reader.decode_with(lambda field, raw: raw.decode("latin-1"), {}, 1 << 20)
reader.seek_head()
for entry in reader.entries(Owner(), Entry, 1_000_000):
    entry.text("SYSLOG_IDENTIFIER"), entry.text("_SYSTEMD_UNIT"), entry.text("MESSAGE")
"""


def instructions(functions: list[str], *command: str | Path) -> int:
    """So many are executed within some functions, and what these call."""
    toggles = [f"--toggle-collect={name}" for name in functions]
    tool = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    done = subprocess.run(
        [*tool, "--collect-atstart=no", *toggles, *command],
        env={**os.environ, "PYRUSE_NATIVE": "1"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    found = re.search(r"Collected : (\d+)", done.stderr)
    assert found is not None, done.stderr
    return int(found[1])


def test_three_fields_cost_little_more_than_libsystemd_handing_over_all(
    journal_file: Callable[[list[Any]], Path], tmp_path: Path
) -> None:
    if find_spec("pyruse_native") is None:
        pytest.skip("pyruse-native is not installed")
    lacking = [name for name in ("valgrind", "cc") if shutil.which(name) is None]
    need(f"{', '.join(lacking)}: not installed" if lacking else None)
    file = journal_file(list(islice(entries(1, 1_000), 1_000)))
    floor = tmp_path / "floor"
    source = ROOT / "bench" / "floor.c"
    subprocess.run(["cc", "-O2", "-o", floor, source, "-lsystemd"], check=True)
    whole = instructions(["main"], floor, file.parent)
    read = instructions(["entries_next", "entry_text"], sys.executable, "-c", READ, file)
    assert read > 0.1 * whole, "nothing was read"
    assert read <= _MOST * whole
