"""A package for a new plugin, made of the templates in this folder.

What is written passes its own tests, lint and type check as it stands, and is meant to be changed:
the class does something small, so that there is something to test.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["filter", "action"]

LONGEST = 30
"""Longer ones would make longer lines than the package's own lint allows."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

_FILES = {
    ".github/workflows/check.yml": "check.yml.j2",
    ".gitignore": "gitignore.j2",
    "LICENSE": "LICENSE.j2",
    "README.md": "README.md.j2",
    "pyproject.toml": "pyproject.toml.j2",
    "{module}.py": "module.py.j2",
    "tests/test_{name}.py": "test.py.j2",
    "tox.ini": "tox.ini.j2",
}
"""Each file of the package with its template; the names are templates themselves."""


@dataclass(frozen=True)
class NewPlugin:
    """A plugin that is to be: its names follow from one."""

    name: str
    """In chains: small letters, digits and underscores."""
    kinds: tuple[Kind, ...]
    author: str | None
    """Who holds the copyright; None: its authors."""
    made_with: str
    """The version of Pyruse: this one, and those with the same interface, are required."""
    year: int

    @classmethod
    def named(
        cls, name: str, kinds: tuple[Kind, ...], author: str | None, made_with: str, year: int
    ) -> NewPlugin:
        """One whose name may be written as a package's, too: ``pyruse-first-seen``.

        :raises ValueError: it cannot be a name.
        """
        plain = name.replace("-", "_").removeprefix("pyruse_")
        if not _NAME.fullmatch(plain) or len(plain) > LONGEST:
            raise ValueError(
                f'"{name}" cannot be the name of a plugin (expected at most {LONGEST} small '
                'letters, digits and underscores, such as "first_seen")'
            )
        return cls(plain, kinds, author, made_with, year)

    @property
    def distribution(self) -> str:
        """The name of the package: ``pyruse-first-seen``."""
        return f"pyruse-{self.name.replace('_', '-')}"

    @property
    def module(self) -> str:
        """The name of its module: ``pyruse_first_seen``."""
        return f"pyruse_{self.name}"

    @property
    def classes(self) -> dict[Kind, str]:
        """The class of each kind: ``FirstSeenFilter``."""
        words = "".join(word.capitalize() for word in self.name.split("_"))
        return {kind: f"{words}{kind.capitalize()}" for kind in self.kinds}

    @property
    def requirement(self) -> str:
        """What is required of Pyruse: this version or a newer one with the same interface."""
        return f"pyruse>={self.made_with},<{int(self.made_with.partition('.')[0]) + 1}"

    def files(self) -> Mapping[str, str]:
        """The text of each file, by its path in the package."""
        from jinja2 import Environment, PackageLoader, StrictUndefined

        environment = Environment(
            autoescape=False,  # Python and TOML, no HTML
            keep_trailing_newline=True,
            loader=PackageLoader("pyruse.new_plugin"),
            lstrip_blocks=True,
            trim_blocks=True,
            undefined=StrictUndefined,
        )
        return {
            path.format(module=self.module, name=self.name): environment.get_template(
                template
            ).render(plugin=self)
            for path, template in _FILES.items()
        }

    def write(self, folder: Path) -> list[str]:
        """Write the package into a folder, which is made.

        :return: the paths of the files in it.
        :raises OSError: it cannot be written, or is there already.
        """
        files = self.files()
        folder.mkdir(parents=True)
        for path, text in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        return list(files)
