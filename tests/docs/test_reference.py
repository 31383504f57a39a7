"""The generated parts of the documentation are what the code says now."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from pyruse.config.reference import described_hook, described_options, described_plugin
from pyruse.config.sections import SECTIONS
from pyruse.registry.hooks import HOOKS
from pyruse.registry.registry import Registry
from tests.docs.markdown import ROOT
from tools import generate_docs
from tools.generate_docs import OWN, TYPES


def test_generated_parts_are_up_to_date() -> None:
    # Without its own folder on the path: where a wheel is tested, the wheel is what is described.
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate_docs.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_hook_that_is_not_documented_is_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for file in generate_docs.DOCS.glob("*.md"):
        (tmp_path / file.name).write_text(file.read_text("utf-8"), "utf-8")
    document = tmp_path / "hooks.md"
    text = document.read_text("utf-8")
    monkeypatch.setattr(generate_docs, "DOCS", tmp_path)
    document.write_text(text.replace("generated: hook-on_stop", "hook-on_stop"), "utf-8")
    assert generate_docs.main(["--check"]) == 1
    assert capsys.readouterr().out.startswith(
        "docs: nothing tells of hook-on_stop (expected <!-- generated: hook-on_stop --> and its "
        "end)\n"
    )
    document.write_text(text.replace("`on_stop(context)`", "`on_stop()`"), "utf-8")
    assert generate_docs.main(["--check"]) == 1
    assert "hooks.md: not what the code says (expected" in capsys.readouterr().out


def test_every_argument_of_a_hook_is_explained() -> None:
    for hook in map(described_hook, HOOKS):
        assert hook["documentation"]
        assert all(one["help"] for one in hook["arguments"]), hook["name"]


def test_every_better_word_for_a_type_is_used() -> None:
    plugins = [found for found in Registry().all() if found.distribution == OWN]
    options = [
        *(option for found in plugins for option in described_plugin(found)["options"]),
        *(option for section in SECTIONS.values() for option in described_options(section)),
    ]
    types = " | ".join(option["type"] for option in options)
    for known, better in TYPES.items():  # a word may be there by another one's replacement only
        assert known in types, f"{known} is no type any more (expected a type of some option)"
        types = types.replace(known, better)
