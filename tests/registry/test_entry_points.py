"""What is installed: as `importlib.metadata` says; and the built-in plugins are in order."""

from __future__ import annotations

import sys
import zipfile
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import pytest

from pyruse.registry.checks import Checker
from pyruse.registry.entry_points import in_folders, is_object, loaded, of_groups
from pyruse.registry.kinds import KIND
from pyruse.registry.packages import OWN
from pyruse.registry.registry import Registry

METADATA = "Metadata-Version: 2.1\nSummary: Name: x\nName: Some.Thing\nVersion: 3.1\n\nName: y\n"
POINTS = """
# comment
[other]
no = nothing
[pyruse.filters]
a = package.module:Class
 b=package.module : Class.Inner [extra]
"""


def install(folder: Path, info: str, points: str, metadata: str = METADATA) -> Path:
    place = folder / info
    place.mkdir(parents=True)
    (place / "METADATA").write_text(metadata)
    (place / "entry_points.txt").write_text(points)
    return place


def test_the_same_is_found_as_by_pythons_own_module() -> None:
    found = in_folders(KIND)
    assert found is not None
    known = entry_points()
    expected = {(one.group, one.name, one.value) for g in KIND for one in known.select(group=g)}
    assert {(one.group, one.name, one.value) for one in found} == expected


def test_of_two_versions_the_first_one_on_the_path_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path / "one", "some_thing-3.1.dist-info", POINTS)
    install(tmp_path / "two", "Some.Thing-3.0.dist-info", "[pyruse.filters]\nold = a:B\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path / name) for name in ("none", "one", "two")])
    found = in_folders(KIND)
    assert found is not None
    assert [(one.name, one.value, one.distribution, one.version) for one in found] == [
        ("a", "package.module:Class", "Some.Thing", "3.1"),
        ("b", "package.module : Class.Inner [extra]", "Some.Thing", "3.1"),
    ]
    distribution = found[0].dist
    assert distribution is not None
    assert distribution.metadata["Version"] == "3.1"


def test_what_is_no_folder_or_broken_is_left_to_pythons_own_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with zipfile.ZipFile(tmp_path / "some.zip", "w") as file:
        file.writestr("some_thing-3.1.dist-info/METADATA", METADATA)
        file.writestr("some_thing-3.1.dist-info/entry_points.txt", POINTS)
    monkeypatch.setattr(sys, "path", [str(tmp_path / "some.zip")])
    assert in_folders(KIND) is None
    assert [one.name for one in of_groups(["pyruse.filters"])] == ["a", "b"]

    for number, (points, metadata) in enumerate(
        [("[pyruse.filters]\nodd\n", METADATA), (POINTS, "Version: 1\n")]
    ):
        folder = tmp_path / str(number)
        install(folder, "some_thing-3.1.dist-info", points, metadata)
        monkeypatch.setattr(sys, "path", [str(folder)])
        assert in_folders(KIND) is None


@pytest.mark.parametrize("value", ["json", "json:dumps", "json : decoder.JSONDecoder [fast]"])
def test_an_object_is_loaded_as_by_pythons_own_module(value: str) -> None:
    assert is_object(value)
    assert loaded(value) is EntryPoint("x", value, "y").load()


@pytest.mark.parametrize("value", ["", "a b", "json:", "json:dumps()", ":dumps"])
def test_what_names_no_object(value: str) -> None:
    assert not is_object(value)


def test_the_built_in_plugins_would_pass_the_checks_of_others() -> None:
    built_in = [one for one in Registry().all() if getattr(one, "distribution", None) == OWN]
    assert len(built_in) > 40
    checker = Checker()
    for one in built_in:
        checker.check(one, one.load())
