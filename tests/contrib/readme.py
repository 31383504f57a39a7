"""What a package of pyruse-contrib shows works as shown, where that package alone is installed.

run.py calls this in the package's environment. A package whose examples name files may have a
program ``tests/example_files.py FOLDER``: what it makes below the folder stands for the files of
the same paths below ``/``.
"""

from __future__ import annotations

import json
import lzma
import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from pyruse.chains.lint import warnings
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.config.reference import described_plugin
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.errors import ConfigError
from pyruse.registry.registry import Registry
from pyruse.state.database import State
from tests.docs.fragments import file_name, is_complete, is_pyproject, made_whole
from tests.docs.markdown import ROOT, Block, blocks
from tests.docs.test_console import first_missing, run, sessions

PACKAGE = Path(os.environ["PYRUSE_CONTRIB"])
PLUGINS = [found for found in Registry().all() if found.distribution == PACKAGE.name]
README = list(blocks((PACKAGE / "README.md").read_text("utf-8"), "README.md"))
EXAMPLES = [
    *(block for block in README if block.language == "toml" and not is_pyproject(block.text)),
    *(
        block
        for found in PLUGINS
        for block in blocks(described_plugin(found)["documentation"], found.name)
        if block.language == "toml"
    ),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with the files that the examples name."""
    folder = tmp_path_factory.mktemp("files")
    program = PACKAGE / "tests" / "example_files.py"
    if program.exists():
        subprocess.run([sys.executable, program, folder], check=True)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where commands are tried: with the journal of the demo, and Pyruse on the PATH."""
    packed = (ROOT / "pyruse" / "demo" / "day.journal.xz").read_bytes()
    (tmp_path / "day.journal").write_bytes(lzma.decompress(packed))
    (tmp_path / "bin").symlink_to(Path(sys.executable).parent)
    return tmp_path


def placed(text: str, files: Path) -> str:
    """An example with the paths of the files that were made for it."""
    for file in files.rglob("*"):
        if file.is_file():
            text = text.replace(f'"/{file.relative_to(files)}"', f'"{file}"')
    return text


def is_faulty(block: Block) -> bool:
    """Whether it shows what is refused (see `fragments`)."""
    return (file_name(block.text) or "").startswith("faulty")


def test_it_is_complete() -> None:
    for name in ("README.md", "LICENSE", "pyproject.toml"):
        assert (PACKAGE / name).read_text("utf-8").strip()
    project = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == PACKAGE.name
    assert PLUGINS or "entry-points" not in project
    assert all(described_plugin(found)["summary"] for found in PLUGINS)


@pytest.mark.parametrize("block", EXAMPLES, ids=lambda block: block.place)
def test_an_example_is_what_pyruse_takes(block: Block, files: Path) -> None:
    text = placed(made_whole(block.text), files)
    if is_faulty(block):
        with pytest.raises(ConfigError):
            configure(from_text(text), Registry())
        return
    configuration = configure(from_text(text, block.place), Registry())
    with State() as state:
        assemble(configuration, state, Faults(lambda *_: None), DRY)
    assert warnings(configuration.chains) == [] or not is_complete(block.text)


def test_the_readme_has_a_configuration_that_works(folder: Path, files: Path) -> None:
    """By the command that is installed, from a file, over a day of a server."""
    shown = [block for block in EXAMPLES if block in README and not is_faulty(block)]
    assert shown, "README.md shows no configuration"
    for block in shown:
        (folder / "pyruse.toml").write_text(placed(made_whole(block.text), files), "utf-8")
        printed = run("pyruse replay -c pyruse.toml --file day.journal --format json", folder)
        outcome = json.loads(printed)
        assert outcome["entries"]
        assert outcome["faults"] == []


def test_what_the_readme_shows_on_a_terminal_is_printed(folder: Path, files: Path) -> None:
    for block in README:
        if block.language == "toml" and (file_name(block.text) or is_complete(block.text)):
            name = file_name(block.text) or "pyruse.toml"
            (folder / name).write_text(placed(block.text, files), "utf-8")
        elif block.language == "console":
            for command, shown in sessions(block):
                printed = run(command, folder)
                for file in files.rglob("*"):
                    printed = printed.replace(str(file), f"/{file.relative_to(files)}")
                missing = first_missing(shown, printed)
                assert missing is None, f"{block.place}: {command}: {missing}\n{printed[:2000]}"
