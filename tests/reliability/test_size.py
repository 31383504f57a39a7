"""The state does not grow with the years. With more to see: ``bench/year.py``."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.testing.journal import unavailable
from pyruse.testing.plugin import need

YEAR = Path(__file__).parents[2] / "bench" / "year.py"


@pytest.mark.realparts
def test_after_some_months_the_state_stays_as_large_as_it_is(tmp_path: Path) -> None:
    need(unavailable())
    short = ["--days", "150", "--entries", "50", "--keep", "30", "--flood", "0"]
    folder = ["--folder", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(YEAR), *short, *folder], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "150 days in" in done.stdout
