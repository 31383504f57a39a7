"""The generated parts of the documentation are what the code says now."""

from __future__ import annotations

import subprocess
import sys

from tests.docs.markdown import ROOT


def test_generated_parts_are_up_to_date() -> None:
    # Without its own folder on the path: where a wheel is tested, the wheel is what is described.
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate_docs.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
