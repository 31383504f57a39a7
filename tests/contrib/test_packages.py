"""Packages in pyruse-contrib/ work with this Pyruse, and could be installed."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pyruse.plugins import Registry
from pyruse.reference import described_plugin
from tests.docs.site import install_package

PACKAGES = sorted((Path(__file__).parents[2] / "pyruse-contrib").glob("pyruse-*"))


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_tests_of_the_package_pass(package: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, "tests"],
        cwd=package, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": str(package), "PYTHONDONTWRITEBYTECODE": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.name)
def test_the_package_is_complete_and_its_plugins_are_found(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("README.md", "LICENSE", "pyproject.toml"):
        assert (package / name).exists()
    project = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    install_package(project, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.syspath_prepend(package)
    groups = project["entry-points"]
    found = [one for one in Registry().all() if one.distribution == project["name"]]
    assert [one.name for one in found] == [name for points in groups.values() for name in points]
    assert all(described_plugin(one)["summary"] for one in found)


def test_there_are_packages() -> None:
    assert PACKAGES
