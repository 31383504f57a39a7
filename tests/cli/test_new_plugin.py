"""``pyruse new-plugin``; that what it writes works as it stands is in tests/e2e."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from pyruse.new_plugin import NewPlugin


def test_it_tells_what_it_has_written_and_what_to_do_next(pyruse, tmp_path: Path) -> None:
    done = pyruse("new-plugin", "first-seen")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith("pyruse-first-seen: written\n  .github/workflows/check.yml\n")
    assert "\nIts tests pass. Next, in pyruse-first-seen:\n" in done.out
    folder = tmp_path / "pyruse-first-seen"
    for line in done.out.partition("\n\n")[0].splitlines()[1:]:
        assert (folder / line.strip()).stat().st_size
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == "pyruse-first-seen"
    assert project["entry-points"] == {
        "pyruse.filters": {"first_seen": "pyruse_first_seen:FirstSeenFilter"}
    }
    assert "the authors of pyruse-first-seen" in (folder / "LICENSE").read_text()
    assert "${{ matrix.python }}" in (folder / ".github/workflows/check.yml").read_text()


@pytest.mark.parametrize("option", ["--extension", "--program", "--firewall"])
def test_an_extension_has_a_group_of_its_own(option: str, pyruse, tmp_path: Path) -> None:
    assert pyruse("new-plugin", "watch", option).code == 0
    project = tomllib.loads((tmp_path / "pyruse-watch" / "pyproject.toml").read_text())["project"]
    kind = "Firewall" if option == "--firewall" else "Extension"
    assert project["entry-points"] == {"pyruse": {"watch": f"pyruse_watch:Watch{kind}"}}
    assert (
        project["description"] == f"A{'' if kind == 'Firewall' else 'n'} {kind.lower()} for Pyruse"
    )


def test_rules_stand_in_a_folder(pyruse, tmp_path: Path) -> None:
    done = pyruse("new-plugin", "door_keeper", "--rules")
    assert (done.code, done.err) == (0, "")
    assert "\n  pyruse_door_keeper/door_keeper.toml\n" in done.out
    folder = tmp_path / "pyruse-door-keeper"
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    assert project["project"]["entry-points"] == {
        "pyruse.rules": {"door_keeper": "pyruse_door_keeper"}
    }
    assert project["project"]["description"] == "Rules for Pyruse"
    module = (folder / "pyruse_door_keeper" / "__init__.py").read_text()
    assert module == '"""Rules for Pyruse."""\n'
    rules = tomllib.loads((folder / "pyruse_door_keeper" / "door_keeper.toml").read_text())
    assert next(iter(rules["chains"])) == "door keeper"
    assert "pyruse rules door_keeper\n" in (folder / "README.md").read_text()
    assert "pyruse plugins" not in (folder / "README.md").read_text()


@pytest.mark.parametrize("option", ["--program", "--extension"])
def test_a_firewall_is_an_extension_already(option: str, pyruse) -> None:
    done = pyruse("new-plugin", "watch", option, "--firewall")
    assert done.code == 2
    assert f"a firewall is an extension: expected {option} or --firewall\n" in done.err


def test_the_options_together_are_one(pyruse, tmp_path: Path) -> None:
    assert pyruse("new-plugin", "watch", "--program", "--extension", "--filter").code == 0
    project = tomllib.loads((tmp_path / "pyruse-watch" / "pyproject.toml").read_text())["project"]
    assert sorted(project["entry-points"]) == ["pyruse", "pyruse.filters"]


def test_the_package_is_for_this_interface() -> None:
    assert NewPlugin.named("x", (), None, "2.3.1", 2026).requirement == "pyruse>=2.3.1,<3"


def test_author_and_folder_are_chosen(pyruse, tmp_path: Path) -> None:
    done = pyruse("new-plugin", "pyruse-geo", "--action", "--author", 'Jo "X" Doe', "-o", "a/b")
    assert (done.code, done.err) == (0, "")
    project = tomllib.loads((tmp_path / "a/b/pyproject.toml").read_text())["project"]
    assert (project["name"], project["authors"]) == ("pyruse-geo", [{"name": 'Jo "X" Doe'}])
    assert 'Jo "X" Doe' in (tmp_path / "a/b/LICENSE").read_text()


@pytest.mark.parametrize("name", ["1st", "Geo", "a b", "_a", "a__b", "é", "", "x" * 31, "../x"])
def test_a_name_that_cannot_be_one_is_refused(name: str, pyruse, tmp_path: Path) -> None:
    done = pyruse("new-plugin", name)
    assert (done.code, done.out) == (2, "")
    assert f'"{name}" cannot be the name of a plugin (expected at most 30 small letters' in done.err
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_left_alone(pyruse, tmp_path: Path) -> None:
    (tmp_path / "pyruse-geo").mkdir()
    done = pyruse("new-plugin", "geo")
    assert done.code == 1
    assert done.err == (
        "pyruse: pyruse-geo: cannot be written: File exists (expected a new folder; another one "
        "is chosen with -o FOLDER)\n"
    )
    assert list((tmp_path / "pyruse-geo").iterdir()) == []


def test_a_name_that_is_taken_is_refused(pyruse) -> None:
    done = pyruse("new-plugin", "equals")
    assert done.code == 1
    assert done.err.startswith('pyruse: there is a filter "equals" of pyruse ')
    assert done.err.endswith(" already (expected another name)\n")
    assert pyruse("new-plugin", "equals", "--action").code == 0
    done = pyruse("new-plugin", "sshd", "--rules")
    assert done.err.startswith('pyruse: there are rules "sshd" of pyruse ')
    done = pyruse("new-plugin", "plugins")  # the module of Pyruse's own plugins
    assert done.err == (
        "pyruse: there is a module pyruse_plugins already (expected another name)\n"
    )
