"""What ``pyruse new-plugin`` writes works as it stands: lint, types, tests, and as a wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.new_plugin import LONGEST
from tests.environment import make_environment, make_programs

NAME = "a_name_of_the_longest_kind_yet"
"""The longest lines: where these pass, shorter ones do."""
OTHER = f"{NAME[:-1]}x"
"""An extension that is not installed: it would log the same as the one that is."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A package of each kind, and of all kinds with the longest name that there may be."""
    folder = tmp_path_factory.mktemp("packages")
    for arguments in (
        ["one"],
        ["two", "--action"],
        ["three", "--program"],
        ["four", "--firewall"],
        ["five", "--rules"],
        [NAME, "--filter", "--action", "--rules"],
        [f"{NAME[:-1]}s", "--firewall"],
        [OTHER, "--extension"],
    ):
        run(folder, sys.executable, "-m", "pyruse", "new-plugin", *arguments)
    return folder


def run(folder: Path, *command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environment},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_lint_and_types_are_clean(folder: Path) -> None:
    assert len(NAME) == LONGEST
    programs = Path(sys.executable).parent
    packages = sorted(folder.glob("pyruse-*"))
    assert packages
    for package in packages:
        run(package, programs / "ruff", "check", "--no-cache", ".")
        run(package, programs / "ruff", "format", "--no-cache", "--check", ".")
        # The first of them reads Pyruse's own annotations, which takes the time.
        run(package, sys.executable, "-m", "mypy", "--cache-dir", folder / "types")


def test_the_wheels_work_beside_pyruse_in_an_environment_of_their_own(folder: Path) -> None:
    python = make_environment(folder / "environment")
    variables = make_programs(folder / "programs")
    packages = sorted(folder.glob("pyruse-*"))
    packages.remove(folder / f"pyruse-{OTHER.replace('_', '-')}")
    for package in packages:
        run(package, sys.executable, "-m", "hatchling", "build", "--target", "wheel")
    wheels = [str(wheel) for package in packages for wheel in package.glob("dist/*.whl")]
    assert len(wheels) == len(packages) == 7
    run(folder, python, "-m", "pip", "install", *wheels, **variables)
    tests = [folder / "tests" / package.name for package in packages]
    for package, copy in zip(packages, tests, strict=True):
        shutil.copytree(package / "tests", copy)  # away from the tree: they try the wheel
    said = run(folder, python, "-m", "pytest", "--import-mode=importlib", "-W", "error", *tests)
    # Those of firewalls want a network namespace, and skip a test where there is none.
    assert re.search(r" (31 passed|29 passed, 2 skipped) in ", said), said
    said = run(folder, python, "-m", "pyruse", "plugins")
    assert f"filter\t{NAME}\tPass when a field is longer" in said
    assert f"action\t{NAME}\tSet a field to the length" in said
    assert "extension\tthree\tLog a line when a day had many important events" in said
    assert "extension\tfour\tBan by routes that lead nowhere" in said
    said = run(folder, python, "-m", "pyruse", "rules")
    assert "five\tfive: who logs in, and who guesses\tno\t\tpyruse-five 0.1.0\n" in said
    assert f"\tpyruse-{NAME.replace('_', '-')} 0.1.0\n" in said
    said = run(folder, python, "-m", "pyruse", "rules", "five", "--test")
    assert said == "5 samples of 1 file of rules: no faults\n"
    (folder / "pyruse.toml").write_text(
        '[chains]\n"all" = [{ filter = "one", length = 3 }, { action = "two", into = "long" }]\n'
    )
    said = run(folder, python, "-m", "pyruse", "explain", "-c", "pyruse.toml", "MESSAGE=hello")
    assert "[0] one: passes\n  [1] two: done\n        long = 5\n" in said
