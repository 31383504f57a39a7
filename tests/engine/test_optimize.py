"""Short cuts change nothing: `[engine] optimize = false` gives the same."""

from __future__ import annotations

import lzma
from pathlib import Path
from typing import Any

import pytest

from pyruse.chains.profile import Profile
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.faults import Faults
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.replay.replay import replay
from tests.conftest import ROOT

DEMO = ROOT / "pyruse" / "demo"
EXAMPLES = sorted((ROOT / "deploy" / "examples").glob("*.toml"))


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The day of a small server that the demonstration replays."""
    file = tmp_path_factory.mktemp("day") / "day.journal"
    file.write_bytes(lzma.decompress((DEMO / "day.journal.xz").read_bytes()))
    return file


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


@pytest.fixture(params=[DEMO / "demo.toml", *EXAMPLES], ids=lambda file: file.name)
def toml(request: pytest.FixtureRequest) -> str:
    file: Path = request.param
    return file.read_text()


def replayed(
    toml: str, optimize: str, journal: Path, registry: Registry, profile: Profile | None = None
) -> dict[str, Any]:
    toml = toml if "\n[engine]\n" in toml else f"{toml}\n[engine]\n"
    toml = toml.replace("\n[engine]\n", f"\n[engine]\noptimize = {optimize}\n")
    configuration = configure(from_text(toml), registry)
    faults = Faults(lambda *_: None)
    return replay(configuration, Selection(files=[journal]), faults, profile=profile).data()


def test_a_day_gives_the_same_with_and_without_short_cuts(
    journal: Path, toml: str, registry: Registry
) -> None:
    def outcome(optimize: str) -> dict[str, Any]:
        found = replayed(toml, optimize, journal, registry)
        del found["seconds"]
        return found

    assert outcome("true") == outcome("false")


def test_a_day_is_counted_the_same_with_and_without_short_cuts(
    journal: Path, toml: str, registry: Registry
) -> None:
    def counts(optimize: str) -> list[dict[str, Any]]:
        profile = replayed(toml, optimize, journal, registry, Profile())["profile"]
        chains: list[dict[str, Any]] = profile["chains"]
        for chain in chains:
            for row in (chain, *chain["steps"]):
                del row["seconds"], row["reading_seconds"]
            for step in chain["steps"]:
                calls = step.pop("calls")
                assert calls == step["seen"] or (optimize == "true" and calls < step["seen"])
        return chains

    assert counts("true") == counts("false")
