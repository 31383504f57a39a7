"""What is shown of a configuration, made whole, so that the real loader can read it.

A ``toml`` block in the documentation is one of these, by how it begins (comments aside):

=====================  =========================================================================
``{``                  steps, one on a line: they become one chain
``[project``, ``[b…``  a part of a ``pyproject.toml``: nothing for Pyruse
``title = ``           a file of rules, which is tried by its own samples
a key with a list      chains: ``[chains]`` is put before them
anything else          sections; without ``[chains]``, they get a chain that does nothing
=====================  =========================================================================

Chains that are jumped to, and not shown, are added; they do nothing. A block whose first line is a
comment such as ``# faulty.toml`` is the file of that name; one that is called ``faulty…`` is to be
refused.
"""

from __future__ import annotations

import re
import tomllib
from typing import Any

_FIRST = re.compile(r"^(?!\s*#|\s*$).*$", re.M)
_CHAINS = re.compile(r'("[^"]+"|[\w-]+) = \[$|("[^"]+"|[\w-]+) = \[ *\{')
_NAME = re.compile(r"# (?P<name>[\w-]+\.toml)$", re.M)
_NOTHING = '[ { action = "discard" } ]'


def file_name(text: str) -> str | None:
    """The name that a block gives itself."""
    found = _NAME.match(text)
    return None if found is None else found["name"]


def is_pyproject(text: str) -> bool:
    """Whether a block is a part of a ``pyproject.toml``."""
    return _first_line(text).startswith(("[project", "[build-system"))


def is_rules(text: str) -> bool:
    """Whether a block is a file of rules."""
    return _first_line(text).startswith("title = ")


def is_complete(text: str) -> bool:
    """Whether a block is a whole configuration."""
    return re.search(r"^\[chains\]", text, re.M) is not None


def made_whole(text: str) -> str:
    """A configuration that the block is a part of, or all of."""
    first = _first_line(text)
    if first.startswith("{"):
        text = f'[chains]\n"example" = [\n{_separated(text)}]\n'
    elif _CHAINS.match(first):
        text = f"[chains]\n{text}"
    elif not is_complete(text):
        text = f'{text}\n[chains]\n"example" = {_NOTHING}\n'
    return text + "".join(f'"{name}" = {_NOTHING}\n' for name in _missing(text))


def _first_line(text: str) -> str:
    found = _FIRST.search(text)
    return "" if found is None else found.group().strip()


def _separated(text: str) -> str:
    """Steps with the commas between them that a list wants."""
    return re.sub(r"\}(?P<comment> *(?:#.*)?)$", r"},\g<comment>", text, flags=re.M)


def _missing(text: str) -> list[str]:
    """The chains that steps jump to, and that are not there."""
    chains: dict[str, list[dict[str, Any]]] = tomllib.loads(text)["chains"]
    steps = [step for chain in chains.values() for step in chain]
    targets = [step[link] for step in steps for link in ("then", "else") if link in step]
    return [name for name in dict.fromkeys(targets) if name not in chains]
