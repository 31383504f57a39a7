"""The documentation as data: its files, its code blocks, its links and anchors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent

_FENCE = re.compile(r"^(?P<fence>```+)(?P<language>\w*)\n(?P<text>.*?)^(?P=fence)$", re.M | re.S)
_LINK = re.compile(r"\[[^\]\[]*\]\((?P<target>[^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(?P<title>.+)$", re.M)
_INLINE_CODE = re.compile(r"`[^`\n]+`")


@dataclass(frozen=True)
class Block:
    """A fenced block of code."""

    place: str
    """Where it stands: ``docs/configuration.md:42``."""
    language: str
    text: str


def documents() -> list[Path]:
    """Every Markdown file of the project."""
    folders = [ROOT / "docs", ROOT / "pyruse-contrib"]
    return sorted([*ROOT.glob("*.md"), *(file for one in folders for file in one.rglob("*.md"))])


def documents_of_pyruse() -> list[Path]:
    """Those whose examples need Pyruse alone: see tests/contrib for the others."""
    return [file for file in documents() if ROOT / "pyruse-contrib" not in file.parents]


def blocks_of(file: Path) -> Iterator[Block]:
    """The blocks of code of a document, in their order."""
    yield from blocks(file.read_text("utf-8"), str(file.relative_to(ROOT)))


def blocks(text: str, name: str) -> Iterator[Block]:
    """The blocks of code of a text."""
    for found in _FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 1
        yield Block(f"{name}:{line}", found["language"], found["text"])


def links(file: Path) -> list[str]:
    """Where the links of a document lead to. What stands in code is no link."""
    return [found["target"] for found in _LINK.finditer(_without_code(file.read_text("utf-8")))]


def anchors(file: Path) -> set[str]:
    """The anchors of a document's headings, as GitHub and others make them."""
    found: dict[str, int] = {}
    made = set()
    for heading in _HEADING.finditer(_FENCE.sub("", file.read_text("utf-8"))):
        title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading["title"])
        anchor = re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-")
        before = found.get(anchor, 0)
        found[anchor] = before + 1
        made.add(f"{anchor}-{before}" if before else anchor)
    return made


def inline_code(file: Path) -> list[str]:
    """What stands between single backticks."""
    text = _FENCE.sub("", file.read_text("utf-8"))
    return [found.group().strip("`") for found in _INLINE_CODE.finditer(text)]


def _without_code(text: str) -> str:
    return _INLINE_CODE.sub("", _FENCE.sub("", text))
