"""Every example of a configuration is loaded by the real loader, as `pyruse check` does it."""

from __future__ import annotations

import lzma
import os
import tomllib
from contextlib import closing
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from pyruse.chains.lint import warnings
from pyruse.config.files import Document, from_text, read
from pyruse.config.load import configure, load
from pyruse.config.reference import described_plugin
from pyruse.config.schema import schema
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import DRY
from pyruse.errors import ConfigError
from pyruse.journal.selection import Selection
from pyruse.registry.files import PluginFiles
from pyruse.registry.registry import Registry
from pyruse.replay.replay import replay
from pyruse.replay.samples import sample_faults
from pyruse.rules.library import Library
from pyruse.state.database import State
from tests.docs.fragments import file_name, is_complete, is_pyproject, is_rules, made_whole
from tests.docs.markdown import ROOT, Block, blocks, blocks_of, documents_of_pyruse
from tests.docs.site import install

FILES = sorted([*(ROOT / "deploy" / "examples").glob("*.toml"), *(ROOT / "pyruse").rglob("*.toml")])
BLOCKS = [
    block
    for file in documents_of_pyruse()
    for block in blocks_of(file)
    if block.language == "toml"
]  # fmt: skip


def check(document: Document, registry: Registry | None = None) -> list[str]:
    """Load a configuration and link it; gives the warnings."""
    configuration = configure(document, registry or Registry())
    with closing(State()) as state:
        assemble(configuration, state, Faults(lambda *_: None), DRY)
    return warnings(configuration.chains)


def what_an_editor_says(text: str, registry: Registry | None = None) -> list[str]:
    """What is wrong with a file by the schema that `pyruse schema` prints."""
    validator = Draft202012Validator(schema(registry or Registry()))
    return [error.message for error in validator.iter_errors(tomllib.loads(text))]


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.place)
def test_block_of_a_document(block: Block, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    document = ROOT / block.place.rpartition(":")[0]
    install(document, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    registry = Registry(PluginFiles(tmp_path / "plugins", os.getuid()))
    if is_pyproject(block.text):
        tomllib.loads(block.text)
    elif is_rules(block.text):
        name = tomllib.loads(block.text)["programs"][0].removesuffix("d")
        (tmp_path / "plugins").mkdir(exist_ok=True)
        (tmp_path / "plugins" / f"{name}.toml").write_text(block.text, "utf-8")
        registry = Registry(PluginFiles(tmp_path / "plugins", os.getuid()))
        assert sample_faults(Library(registry).rules(name), registry) == []
    elif (file_name(block.text) or "").startswith("faulty"):
        with pytest.raises(ConfigError):
            check(from_text(block.text))
    else:
        whole = made_whole(block.text)
        found = check(from_text(whole, block.place), registry)
        assert found == [] or not is_complete(block.text)
        assert what_an_editor_says(whole, registry) == []


@pytest.mark.parametrize(
    "found",
    [found for found in Registry().all() if found.distribution == "pyruse"],
    ids=lambda found: found.described,
)
def test_blocks_of_a_plugin(found) -> None:
    plugin = described_plugin(found)
    examples = [
        block
        for block in blocks(plugin["documentation"], found.described)
        if block.language == "toml"
    ]
    assert examples or plugin["kind"] == "extension", "an example says more than a list of options"
    for block in examples:
        whole = made_whole(block.text)
        check(from_text(whole, block.place))
        assert what_an_editor_says(whole) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_whole_file(file: Path) -> None:
    assert check(read(file)) == []


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_whole_file_in_an_editor(file: Path) -> None:
    text = file.read_text("utf-8")
    assert text.startswith("#:schema ./pyruse.schema.json\n")
    assert what_an_editor_says(text) == []


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The journal of the demo: a day of a server for mail, web and ssh, with attacks on all."""
    file = tmp_path_factory.mktemp("demo") / "day.journal"
    file.write_bytes(lzma.decompress((ROOT / "pyruse" / "demo" / "day.journal.xz").read_bytes()))
    return file


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_whole_file_at_work(file: Path, day: Path) -> None:
    configuration = load(file, Registry())
    outcome = replay(configuration, Selection(files=[day]), Faults(lambda *_: None))
    assert outcome.faults == []
    assert outcome.report.important
    own = [chain for chain in configuration.chains.values() if chain.source == str(file)]
    bans = [step for chain in own for step in chain.steps if step.plugin == "ban"]
    labels = {ban.label for ban in outcome.bans}
    assert {step.instance.label for step in bans} <= labels, "each chain of its own bans somebody"


@pytest.mark.parametrize(
    ("fragment", "whole"),
    [
        (
            '# two\n{ filter = "exists", field = "A", else = "b" }\n{ action = "discard" } # end\n',
            '[chains]\n"example" = [\n# two\n{ filter = "exists", field = "A", else = "b" },\n'
            '{ action = "discard" }, # end\n]\n"b" = [ { action = "discard" } ]\n',
        ),
        (
            '"a" = [ { action = "discard" } ]\n',
            '[chains]\n"a" = [ { action = "discard" } ]\n',
        ),
        (
            '[email]\nto = ["root"]\n',
            '[email]\nto = ["root"]\n\n[chains]\n"example" = [ { action = "discard" } ]\n',
        ),
        (
            '[chains]\n"a" = [ { action = "discard" } ]\n',
            '[chains]\n"a" = [ { action = "discard" } ]\n',
        ),
    ],
)  # fmt: skip
def test_fragments_are_made_whole(fragment: str, whole: str) -> None:
    assert made_whole(fragment) == whole
    assert check(from_text(whole)) is not None
