"""Every fixture for authors of plugins has a chapter, and an example that does what it says."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyruse import testing
from pyruse.testing import journal, journald, namespace, plugin, smtp
from tests.docs.markdown import ROOT, blocks_of
from tests.docs.site import install
from tests.docs.test_console import first_missing

DOCUMENT = ROOT / "docs" / "testing-plugins.md"

FIXTURES = [
    name
    for name, value in vars(plugin).items()
    if type(value).__name__ == "FixtureFunctionDefinition"
]


def run_pytest(folder: Path, *arguments: str) -> str:
    (folder / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments],
        cwd=folder, env={**os.environ, "COLUMNS": "100"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    return done.stdout


def test_every_fixture_has_a_chapter_and_an_example() -> None:
    text = DOCUMENT.read_text("utf-8")
    examples = {
        block.text.partition("\n")[0]: block.text
        for block in blocks_of(DOCUMENT)
        if block.language == "python"
    }
    assert FIXTURES[0] == "make_entry"
    for name in FIXTURES:
        assert f"\n## `{name}`\n" in text
        assert name in examples[f"# test_{name}.py"]
        assert inspect.getdoc(getattr(plugin, name)._get_wrapped_function())


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What pytest says of all the examples."""
    folder = tmp_path_factory.mktemp("site")
    return run_pytest(folder, "-rs", *install(DOCUMENT, folder))


def test_the_examples_pass_but_for_the_one_that_fails(said: str) -> None:
    assert "= 1 failed, " in said, said
    assert "error" not in said.splitlines()[-1], said


def test_a_failing_test_shows_the_way_of_its_entries(said: str) -> None:
    (shown,) = [block.text for block in blocks_of(DOCUMENT) if block.language == "text"]
    assert first_missing(shown, said) is None, said


def test_a_failing_test_shows_the_faults_of_hooks(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(
        """\
from pyruse import hookimpl

class Mine:
    @hookimpl
    def match_entry(self, entry):
        raise OSError("no siren")

def test_mine(pipeline):
    chains = pipeline('[chains]\\n"c" = [{ filter = "mine" }]', plugins=Mine)
    chains.feed()
    chains.feed()
    assert not chains.faults
"""
    )
    lines = run_pytest(tmp_path, "test_mine.py").splitlines()
    [title] = [at for at, line in enumerate(lines) if "- faults of steps and plugins -" in line]
    assert lines[title + 1] == 'chains."c"[0]: filter mine: OSError: no siren (2 times)'


@pytest.fixture
def poor(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine where nothing is installed, and nobody is root."""
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setattr(journal, "_DIRECTORIES", ())
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "aiosmtpd.controller", None)


PARTS = {
    "journal_file": (journal, "systemd-journal-remote not found"),
    "journald": (journald, "only root can run a journald"),
    "smtp_server": (smtp, "aiosmtpd"),
    "network_namespace": (namespace, "network namespaces take root"),
}


@pytest.mark.usefixtures("poor")
@pytest.mark.parametrize("name", PARTS)
def test_where_a_part_is_missing_the_test_is_skipped_and_says_why(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, why = PARTS[name]
    monkeypatch.delenv(plugin.REQUIRED, raising=False)
    with pytest.raises(pytest.skip.Exception, match=why):
        plugin.need(part.unavailable())


@pytest.mark.usefixtures("poor")
@pytest.mark.parametrize("name", PARTS)
def test_where_a_part_is_missing_and_required_the_test_fails(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    part, why = PARTS[name]
    monkeypatch.setenv(plugin.REQUIRED, "required")
    with pytest.raises(pytest.fail.Exception, match=f"^PYRUSE_REAL_PARTS=required, but .*{why}"):
        plugin.need(part.unavailable())


@pytest.mark.parametrize("name", testing.__all__)
def test_types_for_annotations_are_there(name: str) -> None:
    assert getattr(testing, name) is not None
    assert name in DOCUMENT.read_text("utf-8") or name == "Pipeline"
