"""No example bans whom a stranger names.

Who copies an example of the documentation has to be safe with it. So on every way to a step that
bans, or accuses in another way,

* a filter has looked who wrote the entry, by a field that nobody can forge (`pyruse check` warns
  where none has, see `pyruse.chains.guards`);
* the address comes out of a pattern that begins with ``^``, and takes it with ``{address}``;
* nothing that a stranger writes into the line's other parts makes another address of it (the same
  texts are put into the samples of rules, see `pyruse.replay.injections`);
* nothing else raises the counters that it goes by.
"""

from __future__ import annotations

import ast
import re
import textwrap
import tomllib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pyruse.api.traits import traits_of
from pyruse.chains import guards
from pyruse.chains.link import Node, link
from pyruse.chains.model import Chain, Step
from pyruse.chains.values import values_of
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.config.reference import described_plugin
from pyruse.importers import pyruse1
from pyruse.options.patterns import Pattern
from pyruse.registry.registry import Registry
from pyruse.replay.injections import (
    STRANGERS,
    faults_of_form,
    has_loose_part,
    hostile_texts,
    variants,
)
from tests.docs.fragments import file_name, is_complete, is_pyproject, is_rules, made_whole
from tests.docs.made_lines import made_lines
from tests.docs.markdown import ROOT, blocks, blocks_of, documents
from tests.docs.site import install, install_package

CONTRIB = ROOT / "pyruse-contrib"
_ACCUSES = re.compile(
    r'"(?:ban|abuseipdb|blocklist_de|xarf_mail|guessing|scanning)[" ]|^use = ', re.M
)
"""What accuses, or leads there: other examples need not be loaded once more."""
_JINJA = re.compile(r"\{%.*?%\}\n?|\{\{.*?\}\}", re.S)


@dataclass(frozen=True)
class Example:
    """A configuration that readers may copy."""

    place: str
    text: str
    is_whole: bool = False
    """It is shown as a whole configuration."""

    @property
    def is_synopsis(self) -> bool:
        """Whether it shows but the options of single steps: nothing says where they may stand."""
        chains = tomllib.loads(self.text).get("chains", {})
        steps = [step for chain in chains.values() for step in chain]
        return not self.is_whole and not any("filter" in step for step in steps)


def examples() -> list[Example]:
    """All of them, as far as somebody is accused in them."""
    found = [*in_documents(), *in_docstrings(), *in_python(), *in_files()]
    return [example for example in found if _ACCUSES.search(example.text)]


def in_documents() -> Iterator[Example]:
    for file in documents():
        for block in blocks_of(file):
            if block.language == "python":
                yield from in_code(block.place, block.text)
            elif block.language != "toml" or is_pyproject(block.text) or is_rules(block.text):
                continue
            elif not (file_name(block.text) or "").startswith("faulty"):
                yield Example(block.place, made_whole(block.text), is_complete(block.text))


def in_docstrings() -> Iterator[Example]:
    for found in Registry().all():
        if found.distribution != "pyruse":
            continue
        for block in blocks(described_plugin(found)["documentation"], found.described):
            if block.language == "toml":
                yield Example(block.place, made_whole(block.text))


def in_python() -> Iterator[Example]:
    """In the docstrings of other packages, and in what new ones begin with."""
    for file in sorted(CONTRIB.glob("*/pyruse_*/*.py")):
        place = str(file.relative_to(ROOT))
        for block in blocks(textwrap.dedent(file.read_text("utf-8")), place):
            if block.language == "toml":
                yield Example(block.place, made_whole(textwrap.dedent(block.text)))
    for file in sorted((ROOT / "pyruse" / "new_plugin" / "templates").rglob("test.py.j2")):
        text = file.read_text("utf-8")
        for found in re.finditer(r'"""(.*?)"""', text, re.S):
            if "[chains]" in found[1]:
                yield Example(str(file.relative_to(ROOT)), _JINJA.sub("x", found[1]))


def in_code(place: str, text: str) -> Iterator[Example]:
    """The configurations in a text of Python. What a program puts into them is left out."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.JoinedStr):
            parts = [str(part.value) if isinstance(part, ast.Constant) else "''"
                     for part in node.values]  # fmt: skip
            whole = "".join(parts)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            whole = node.value
        else:
            continue
        _, header, chains = whole.partition("[chains]\n")
        if header and "action" in chains:
            yield Example(f"{place}:{node.lineno}", header + chains)


def in_files() -> Iterator[Example]:
    for file in sorted([*(ROOT / "deploy" / "examples").glob("*.toml"),
                        *(ROOT / "pyruse" / "demo").glob("*.toml")]):  # fmt: skip
        yield Example(str(file.relative_to(ROOT)), file.read_text("utf-8"), is_whole=True)


def faults_of(example: Example, registry: Registry | None = None) -> list[str]:
    """All that is wrong with an example; the rules that it uses have tests of their own."""
    configuration = configure(from_text(example.text, example.place), registry or Registry())
    chains = configuration.chains
    found = list(guards.doubts(chains))
    found += _unguarded_counters(chains)
    own = {chain.name for chain in chains.values() if chain.source == example.place}
    for step, fields in _leading_to_accused(chains).items():
        if step.chain in own:
            found += _faults_of_patterns(step, fields)
    return found


def _accuses(step: Step) -> bool:
    return step.kind == "action" and traits_of(step.instance).accuses


def _leading_to_accused(chains: dict[str, Chain]) -> dict[Step, set[str]]:
    """The steps with patterns, each with the fields whose addresses are accused behind a match."""
    fields: dict[Node | None, set[str]] = {None: set()}
    found: dict[Step, set[str]] = {}
    for node in reversed(link(chains, lambda _: bool).nodes):  # from the ends to the beginning
        here = {str(node.step.instance.ip)} if _accuses(node.step) else set()
        fields[node] = here | fields[node.passed] | fields[node.failed]
        if any(isinstance(value, Pattern) for value in values_of(node.step)):
            found.setdefault(node.step, set()).update(fields[node.passed])
    return found


def _faults_of_patterns(step: Step, accused: set[str]) -> Iterator[str]:
    patterns = [value for value in values_of(step) if isinstance(value, Pattern)]
    lines = {pattern: made_lines(pattern, accused) for pattern in patterns}
    hostile = list(hostile_texts(line for made in lines.values() for line in made))
    for pattern in patterns:
        named = accused.intersection(pattern.groups)
        if not named:
            continue
        for fault in faults_of_form(step, pattern):
            if "has no name" not in fault or not _stands_fast(pattern):
                yield fault
        for name in named.difference(pattern.addresses):
            yield f"{step.address}: {pattern.text}: the group {name} is no {{address}}"
        assert lines[pattern], f"{pattern.text}: no line could be made that it matches"
        for line in lines[pattern]:
            looked_for = [(step, "MESSAGE", pattern)]
            for _, made in variants({"MESSAGE": line}, looked_for, hostile):
                if STRANGERS & set(_taken(patterns, made, accused)):
                    yield f"{step.address}: {pattern.text}: {made} would hit a stranger's choice"
                    break


def _stands_fast(pattern: Pattern) -> bool:
    """Whether all that stands before the address is known: what is behind it changes nothing."""
    before, mark, _ = pattern.text.partition("{address")
    try:
        return bool(mark) and not has_loose_part(Pattern(before))
    except ValueError:  # the address stands within a group
        return False


def _taken(patterns: Iterable[Pattern], line: str, fields: Iterable[str]) -> list[str]:
    """What a filter takes out of a line."""
    match = next(filter(None, (pattern.search(line) for pattern in patterns)), None)
    groups = match.groupdict() if match is not None else {}
    return [str(groups.get(field, "")) for field in fields]


def _unguarded_counters(chains: dict[str, Chain]) -> Iterator[str]:
    """Counters that anybody can raise, and that others are judged by."""
    judged = {
        step.instance.counter
        for chain in chains.values() if any(map(_accuses, chain.steps))
        for step in chain.steps if step.plugin == "count"
    }  # fmt: skip
    for step in guards.unguarded(chains):
        if step.plugin == "count" and step.instance.counter in judged:
            yield f"{step.address}: anybody who may log can raise the counter"


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.place)
def test_nobody_is_banned_whom_a_stranger_names(
    example: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = ROOT / example.place.rpartition(":")[0]
    if document.suffix == ".md":
        install(document, tmp_path)
    if CONTRIB in document.parents:
        package = CONTRIB / document.relative_to(CONTRIB).parts[0]
        project = tomllib.loads((package / "pyproject.toml").read_text("utf-8"))["project"]
        install_package(project, tmp_path)
        monkeypatch.syspath_prepend(package)
    monkeypatch.syspath_prepend(tmp_path)
    if not example.is_synopsis:
        assert faults_of(example, Registry()) == []


UNIT = '{ filter = "equals", field = "_SYSTEMD_UNIT", value = "x.service" },'
UNGUARDED = "anybody who may log can have anybody banned"


@pytest.mark.parametrize(
    ("steps", "faults"),
    [
        # docs/bans.md, once.
        (
            r"""{ filter = "in", field = "SYSLOG_IDENTIFIER", values = ["sshd", "sshd-session"] },
            { filter = "regex", pattern = '^Failed password for (?P<user>.*) from (?P<ip>\S+)' },
            { action = "count", counter = "ssh", key = "ip", within = "10m", into = "failures" },
            { filter = "at_least", field = "failures", value = 5 }, """,
            [UNGUARDED, "can raise the counter", "is no {address}"],
        ),
        # docs/testing-plugins.md, once.
        (
            r"""{ filter = "regex", pattern = '^Failed password for .* from (?P<ip>\S+) port' },""",
            [UNGUARDED, "a part that may be anything has no name", "is no {address}"],
        ),
        # The first mail server: ways of Postfix.
        (
            UNIT + r"""{ filter = "regex", pattern = 'warning: .*\[(?P<ip>[^\]]+)\]' },""",
            ["may be found anywhere", "has no name", "is no {address}"],
        ),
        (
            UNIT + """{ filter = "regex", pattern = '^login of (?P<user>.*?) from {address}' },""",
            ["would hit a stranger's choice"],
        ),
        (
            UNIT + """{ filter = "regex", pattern = ['^Bye (?P<user>.*) at {address}',
            '^(?:Bye|Ho) (?P<user>.*?) (?:at|from) {address}'] },""",
            ["would hit a stranger's choice"],
        ),
        (UNIT + """{ filter = "regex", pattern = '^Login (?P<user>.*) from {address}$' },""", []),
    ],
    ids=["unguarded", "loose", "anywhere", "lazy", "second", "sound"],
)  # fmt: skip
def test_the_faults_of_old_examples_are_found(steps: str, faults: list[str]) -> None:
    chains = f'[chains]\n"x" = [ {steps} {{ action = "ban", ip = "ip" }} ]\n'
    found = faults_of(Example("old", chains))
    assert len(found) == len(faults), found
    for text, fault in zip(found, faults, strict=True):
        assert fault in text


def test_a_counter_that_another_chain_judges_by() -> None:
    steps = '{ action = "count", counter = "c", key = "ip" }'
    found = faults_of(
        Example(
            "old",
            f'[chains]\n"a" = [ {steps}, {{ action = "continue" }} ]\n"b" = [ {UNIT} {steps}, '
            '{ action = "ban", ip = "ip" } ]\n',
        )
    )
    assert found == ['old: chains."a"[0]: anybody who may log can raise the counter']


def test_an_import_tells_whom_it_cannot_guard() -> None:
    """What somebody has written for Pyruse 1 is taken over as it is; `check` warns of it."""
    file = ROOT / "tests" / "e2e" / "pyruse1_full.json"
    text = pyruse1.to_toml(pyruse1.read(file.read_bytes(), keep_unknown=True))
    text = re.sub(r"(?m)^.*this_one_was_never_looked_at.*$", "", text)
    chains = configure(from_text(text), Registry()).chains
    banning = [step for chain in chains.values() for step in chain.steps if _accuses(step)]
    assert banning
    assert len(list(guards.doubts(chains))) == len(banning)
