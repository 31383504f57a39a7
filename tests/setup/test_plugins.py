"""Where packages of plugins go, and what is said where pip cannot put them there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from pyruse.errors import UserError
from pyruse.setup import plugins


def test_the_python_of_a_distribution_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "packages_beside", lambda: None)
    monkeypatch.setattr(plugins, "_is_managed", lambda: True)
    monkeypatch.setattr(sys, "prefix", sys.base_prefix)
    with pytest.raises(UserError, match=r"where pip installs nothing \(expected a plugin that the"):
        plugins.environment()


def test_a_virtual_environment_is_its_own_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "packages_beside", lambda: None)
    monkeypatch.setattr(plugins, "_is_managed", lambda: True)
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    monkeypatch.setattr(sys, "prefix", "/opt/pyruse")
    where = plugins.environment()
    assert (where.is_apart, where.folder) == (False, Path("/opt/pyruse"))


@pytest.mark.parametrize(
    ("receipt", "todo"),
    [
        ("pipx_metadata.json", "(expected: pipx inject tool pyruse-x)"),
        ("other", "-m ensurepip; or:"),
    ],
)
def test_without_pip_the_way_is_told(
    receipt: str, todo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "tool"
    home.mkdir()
    (home / receipt).touch()
    monkeypatch.setattr(sys, "prefix", str(home))
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    where = plugins.Environment(home, is_apart=False)
    with pytest.raises(UserError) as told:
        plugins.install(where, ["pyruse-x"], upgrade=False)
    assert "there is no pip beside this Pyruse" in str(told.value)
    assert todo in str(told.value)
