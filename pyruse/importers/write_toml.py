"""Writes imported settings as a TOML file that an administrator likes to read.

``tomli_w`` writes the values. This module adds what makes a file full of regular expressions
readable: one step a line, and literal strings wherever a backslash or a quotation mark would have
to be escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import tomli_w

from pyruse.importers.findings import Imported

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+\Z")
_NOT_LITERAL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # TOML 1.0: only tabs stand as they are


def to_toml(imported: Imported, source: str) -> str:
    """The settings as text that reads back as the same document.

    :param imported: the new configuration.
    :param source: what was imported, named in the comment at the top.
    """
    blocks = ["\n".join(_header(imported, source))]
    sections = {key: value for key, value in imported.settings.items() if key != "chains"}
    for name, section in sections.items():
        blocks.extend(section_text(key_text(name), section))
    blocks.append("\n".join(_chains(imported.settings.get("chains", {}))))
    return "\n\n".join(blocks) + "\n"


def _header(imported: Imported, source: str) -> Iterator[str]:
    chains = imported.settings.get("chains", {})
    steps = sum(len(chain) for chain in chains.values())
    yield f"# Imported from {comment_text(source)}: chains: {len(chains)}, steps: {steps}."
    yield '# "pyruse check" tells whether it is complete, "pyruse replay" what it would have done.'
    if imported.notes:
        yield "#"
        yield "# To know or to look at (places are those of the old file; steps count from 0):"
        for note in imported.notes:
            yield f"# - {comment_text(note)}"


def comment_text(text: str) -> str:
    """A text that a comment can hold, on one line."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)


def section_text(path: str, section: Mapping[str, Any]) -> Iterator[str]:
    """A section, and those inside of it, a block of lines each."""
    plain = {key: value for key, value in section.items() if not isinstance(value, Mapping)}
    if plain:
        lines = (f"{key_text(key)} = {value_text(value, key)}" for key, value in plain.items())
        yield "\n".join([f"[{path}]", *lines])
    for key, value in section.items():
        if isinstance(value, Mapping):
            yield from section_text(f"{path}.{key_text(key)}", value)


def _chains(chains: Mapping[str, list[dict[str, Any]]]) -> Iterator[str]:
    yield "[chains]"
    for name, steps in chains.items():
        yield f"{_basic(name)} = ["
        for step in steps:
            yield f"  {value_text(step)},"
        yield "]"


def value_text(value: Any, key: str = "") -> str:
    """A value on one line; regular expressions in single quotes."""
    match value:
        case str():
            return _text(value, literal=key == "pattern" or "\\" in value or '"' in value)
        case Mapping():
            inside = ", ".join(f"{key_text(k)} = {value_text(v, k)}" for k, v in value.items())
            return f"{{ {inside} }}" if inside else "{}"
        case list() | tuple():
            return "[" + ", ".join(value_text(item, key) for item in value) + "]"
        case _:
            return _basic(value)


def _text(text: str, *, literal: bool) -> str:
    if literal and not _NOT_LITERAL.search(text):
        if "'" not in text:
            return f"'{text}'"
        if "'''" not in text and not text.endswith("'"):
            return f"'''{text}'''"
    return _basic(text)


def _basic(value: Any) -> str:
    return tomli_w.dumps({"_": value}).removeprefix("_ = ").removesuffix("\n")


def key_text(name: str) -> str:
    """A name before "="."""
    return name if _BARE_KEY.match(name) else _basic(name)
