"""Templates need no OpenSSL, and who wants it has it."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

SCRIPT = """
from pathlib import Path
import pyruse.report.environment
print("libcrypto" in Path("/proc/self/maps").read_text())
import hashlib
print(hashlib.sha1.__module__, hashlib.scrypt.__module__)
"""


@pytest.mark.skipif(find_spec("_md5") is None, reason="Python has no hash functions of its own")
def test_templates_load_no_openssl_and_it_is_there_afterwards() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "_hashlib", "_hashlib"]
