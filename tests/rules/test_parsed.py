"""Our files of rules are parsed when Pyruse is built: the same comes of them, and none is old."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

import pyruse_plugins.rules
from pyruse.rules import rules_file
from pyruse.rules.parsed import FOLDER, parsed
from pyruse.rules.rules_file import read_rules
from tools.parsed_rules import write

OURS = Path(pyruse_plugins.rules.__file__).parent


@pytest.fixture(scope="module")
def rules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Our files of rules, parsed."""
    folder = tmp_path_factory.mktemp("rules")
    for file in OURS.glob("*.toml"):
        shutil.copy(file, folder)
    write(folder)
    return folder


def test_what_was_parsed_is_what_the_files_say(rules: Path, monkeypatch: Any) -> None:
    files = sorted(rules.glob("*.toml"))
    assert len(files) > 100

    def facts(file: Path) -> Any:
        found = read_rules(file.stem, file, "here", tested=True)
        return [getattr(found, name) for name in found.__struct_fields__ if name != "read_samples"]

    now = [facts(file) for file in files]
    assert all(parsed(file, file.read_bytes()) is not None for file in files)
    monkeypatch.setattr(rules_file, "parsed", lambda *_: None)
    assert now == [facts(file) for file in files]


def test_of_a_file_that_was_changed_its_own_text_counts(rules: Path, tmp_path: Path) -> None:
    file = Path(shutil.copy(rules / "sshd.toml", tmp_path))
    shutil.copytree(rules / FOLDER, tmp_path / FOLDER)
    title = read_rules("sshd", file, "here", tested=True).title
    file.write_text(file.read_text().replace(title, "Another", 1))
    assert read_rules("sshd", file, "here", tested=True).title == "Another"


@pytest.mark.parametrize("text", [None, "", "{}", '{"digest": "x", "content": []}'])
def test_without_a_parsed_file_or_with_a_broken_one_the_rules_are_read(
    rules: Path, tmp_path: Path, text: str | None
) -> None:
    file = Path(shutil.copy(rules / "sshd.toml", tmp_path))
    if text is not None:
        (tmp_path / FOLDER).mkdir()
        (tmp_path / FOLDER / "sshd.json").write_text(text)
    assert "sshd" in read_rules("sshd", file, "here", tested=True).chains


def test_samples_are_there(rules: Path) -> None:
    assert read_rules("sshd", rules / "sshd.toml", "here", tested=True).samples
