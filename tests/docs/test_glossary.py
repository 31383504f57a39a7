"""One word, one meaning: names in code keep to docs/glossary.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.markdown import ROOT

FOLDERS = [ROOT / "pyruse", ROOT / "plugins"]
FILES = sorted(file for folder in FOLDERS for file in folder.rglob("*.py"))
GLOSSARY = (ROOT / "docs" / "glossary.md").read_text("utf-8")
WORDS = re.findall(r"^\| (?!word )([a-z][\w ]*) \| (.+) \| (.*) \|$", GLOSSARY, re.M)

FORMER = {
    "FOR_EVER": "FOREVER: there is one infinity",
    "Place": "BanKey, CounterKey or Location: a place is where a step stands",
    "PROGRAMS": "EXTENSIONS: a program is an external one",
}
"""Names that had a second meaning once, and what is said instead."""


def defined(tree: ast.Module) -> Iterator[str]:
    """The names that a module gives to classes, functions and variables."""
    for node in ast.walk(tree):
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                yield name
            case ast.Name(id=name, ctx=ast.Store()):
                yield name


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_former_names_do_not_come_back(file: Path) -> None:
    names = set(defined(ast.parse(file.read_text("utf-8"))))
    assert {name: FORMER[name] for name in names & FORMER.keys()} == {}


def test_each_word_stands_once_and_in_order() -> None:
    words = [word for word, _, _ in WORDS]
    assert len(words) > 25
    assert words == sorted(set(words))


@pytest.mark.parametrize(("word", "code"), [(word, code) for word, _, code in WORDS])
def test_what_a_word_is_called_in_code_is_there(word: str, code: str) -> None:
    sources = "".join(file.read_text("utf-8") for file in (ROOT / "pyruse").rglob("*.py"))
    for name in re.findall(r"`([A-Z]\w+)(?:\.\w+)?`", code):
        assert re.search(rf"^(?:class {name}\b|{name} = )", sources, re.M), f"{word}: {name}"
