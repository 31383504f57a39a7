"""Short cuts change nothing: `[engine] optimize = false` gives the same."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.faults import Faults
from pyruse.journal.selection import Selection
from pyruse.plugins import Registry
from pyruse.replay import replay
from tests.conftest import ROOT

DEMO = ROOT / "pyruse" / "demo"
EXAMPLES = sorted((ROOT / "deploy" / "examples").glob("*.toml"))


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The day of a small server that the demonstration replays."""
    file = tmp_path_factory.mktemp("day") / "day.journal"
    file.write_bytes(lzma.decompress((DEMO / "day.journal.xz").read_bytes()))
    return file


@pytest.mark.parametrize("file", [DEMO / "demo.toml", *EXAMPLES], ids=lambda file: file.name)
def test_a_day_gives_the_same_with_and_without_short_cuts(journal: Path, file: Path) -> None:
    registry = Registry()

    def outcome(optimize: str) -> dict[str, Any]:
        text = f"{file.read_text()}\n[engine]\noptimize = {optimize}\n"
        configuration = configure(from_text(text), registry)
        found = replay(configuration, Selection(files=[journal]), Faults(lambda *_: None)).data()
        del found["seconds"]
        return found

    assert outcome("true") == outcome("false")
