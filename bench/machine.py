"""The machine that was measured on: what matters for speed, and no name of it."""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path


def described() -> str:
    """Processor, cores, kernel, systemd and Python, as one sentence."""
    systemd = subprocess.run(
        ["journalctl", "--version"], capture_output=True, text=True, check=True
    ).stdout.split()[1]
    return (
        f"{_processor()}, {os.cpu_count()} cores; Linux {_kernel()}, systemd {systemd}, "
        f"Python {platform.python_version()}."
    )


def _processor() -> str:
    found = re.search(r"^model name\s*: (.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()


def _kernel() -> str:
    """Its version, without what a distribution or a builder appends."""
    return platform.release().partition("-")[0]
