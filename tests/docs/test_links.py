"""Links lead somewhere, and the commands that the documentation names are there."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote

import pytest

from pyruse.cli import COMMANDS
from tests.docs.markdown import ROOT, anchors, blocks_of, documents, inline_code, links

PLANNED: set[str] = set()
"""Commands that the documentation may name although they are not there yet."""

_COMMAND = re.compile(
    r"(?:^|\$ |sudo |[|&] |/)pyruse (?P<words>[a-z][\w-]*(?: [a-z][\w-]*)?)", re.M
)
_SHELL = {"sh", "console"}


def documents_by_name() -> dict[str, Path]:
    return {str(file.relative_to(ROOT)): file for file in documents()}


@pytest.mark.parametrize("name", documents_by_name())
def test_relative_links_and_anchors(name: str) -> None:
    file = documents_by_name()[name]
    dead = [target for target in links(file) if not is_there(file, target)]
    assert dead == []


def is_there(file: Path, target: str) -> bool:
    if re.match(r"[a-z]+:", target):
        return True  # the web is not asked
    path, _, anchor = target.partition("#")
    aim = file.parent / unquote(path) if path else file
    if not aim.exists():
        return False
    return not anchor or (aim.suffix == ".md" and anchor in anchors(aim))


@pytest.mark.parametrize("name", documents_by_name())
def test_commands_are_there_or_planned(name: str) -> None:
    file = documents_by_name()[name]
    shell = [block.text for block in blocks_of(file) if block.language in _SHELL]
    named = {
        found["words"] for text in [*inline_code(file), *shell] for found in _COMMAND.finditer(text)
    }
    unknown = {words for words in named if not is_known(words)}
    assert unknown == set()


def is_known(words: str) -> bool:
    command, _, following = words.partition(" ")
    if command == "import":
        return words in PLANNED or following in ("", "pyruse1", "fail2ban", "epylog", "logwatch")
    return command in COMMANDS or command in PLANNED


def test_nothing_is_planned_that_is_there() -> None:
    assert PLANNED & COMMANDS.keys() == set()


def test_what_is_planned_is_told() -> None:
    """The README says honestly what is not there yet."""
    readme = inline_code(ROOT / "README.md")
    assert {word for word in PLANNED if f"pyruse {word}" not in readme} == set()
