"""Machines whose disks, mail servers and programs fail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pyruse.testing.plugin import need
from tests.reliability.machine import Machine, unavailable


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    need(unavailable())
    with Machine(tmp_path) as one:
        yield one
