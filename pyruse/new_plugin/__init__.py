"""A package for a new plugin, made of the templates in this folder.

What is written passes its own tests, lint and type check as it stands, and is meant to be changed:
the class does something small, so that there is something to test.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from pyruse.new_plugin.observed import Observed

Kind = Literal["filter", "action", "extension", "firewall", "rules"]

GROUPS: Mapping[Kind, str] = {
    "filter": "pyruse.filters",
    "action": "pyruse.actions",
    "extension": "pyruse",
    "firewall": "pyruse",
    "rules": "pyruse.rules",
}
"""The group of entry points of each kind: a firewall is an extension, too."""

LONGEST = 30
"""Longer ones would make longer lines than the package's own lint allows."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")

_FILES = {
    ".github/workflows/check.yml": "check.yml.j2",
    ".github/workflows/release.yml": "release.yml.j2",
    ".gitignore": "gitignore.j2",
    "LICENSE": "LICENSE.j2",
    "README.md": "README.md.j2",
    "pyproject.toml": "pyproject.toml.j2",
    "{code}": "module.py.j2",
    "tests/test_{name}.py": "test.py.j2",
    "tox.ini": "tox.ini.j2",
}
"""Each file of the package with its template; the names are templates themselves."""
_RULES = {"{module}/{name}.toml": "rules/rules.toml.j2"}
"""The same for rules: their file stands beside a module."""
_OBSERVED_RULES = {"{module}/{name}.toml": "rules/observed.toml.j2"}
"""The same where they begin with a journal."""

_IMPORTS: Mapping[str, Mapping[Kind, Mapping[str, str]]] = {
    "module": {
        "filter": {"dataclasses": "dataclass", "pyruse": "Entry Field hookimpl"},
        "action": {"dataclasses": "dataclass", "pyruse": "Entry Field NewField hookimpl"},
        "extension": {"dataclasses": "dataclass", "pyruse": "Context Report hookimpl"},
        "firewall": {
            "collections.abc": "Sequence",
            "dataclasses": "dataclass field",
            "pyruse": "Element Firewall FirewallError Target hookimpl run_program",
        },
        "rules": {},
    },
    "test": {
        "filter": {"pytest": "", "pyruse.testing": "ConfigError MakeEntry MakePipeline"},
        "action": {"pyruse.testing": "MakeEntry MakePipeline"},
        "extension": {"pytest": "", "pyruse.testing": "ConfigError MakePipeline"},
        "firewall": {
            "pytest": "",
            "pyruse": "Element Firewall FirewallError Target",
            "pyruse.testing": "ConfigError MakePipeline NetworkNamespace",
        },
        "rules": {"pytest": "", "pyruse.testing": "CheckRules MakePipeline"},
    },
}
"""What the module and its tests import for each kind: names, by module."""


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
    observed: Observed | None = None
    """What rules begin with; None: an example."""

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
        """The class of each kind but rules, which are no Python: ``FirstSeenFilter``."""
        words = "".join(word.capitalize() for word in self.name.split("_"))
        kinds = [kind for kind in self.kinds if kind != "rules"]
        return {kind: f"{words}{kind.capitalize()}" for kind in kinds}

    @property
    def aims(self) -> dict[Kind, str]:
        """What the entry point of each kind names: a class; of rules, their folder."""
        classes = self.classes
        return {
            kind: self.module if kind == "rules" else f"{self.module}:{classes[kind]}"
            for kind in self.kinds
        }

    @property
    def has_rules(self) -> bool:
        """Whether rules are among the kinds: the module is a folder then, with their file in it."""
        return "rules" in self.kinds

    @property
    def path(self) -> str:
        """What is installed: a module, or a folder."""
        return self.module if self.has_rules else f"{self.module}.py"

    @property
    def title(self) -> str:
        """What the names of chains of rules begin with."""
        return self.name.replace("_", " ")

    @property
    def summary(self) -> str:
        """Such as ``A filter and an action``."""
        kinds = " and ".join(
            kind if kind == "rules" else f"a{'n' if kind[0] in 'ae' else ''} {kind}"
            for kind in self.kinds
        )
        return kinds[0].upper() + kinds[1:]

    @property
    def groups(self) -> Mapping[Kind, str]:
        """The group of entry points of each kind."""
        return GROUPS

    @property
    def imports(self) -> Mapping[str, Sequence[str]]:
        """The lines that import what the ``module`` and its ``test`` need, sorted as ruff does."""
        lines = {file: list(_import_lines(wanted, self.kinds)) for file, wanted in _IMPORTS.items()}
        if self.observed is not None and self.kinds == ("rules",):
            lines["test"] = ["from pyruse.testing import CheckRules"]
        return lines

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
        code = f"{self.path}/__init__.py" if self.has_rules else self.path
        rules = _RULES if self.observed is None else _OBSERVED_RULES
        templates = _FILES | (rules if self.has_rules else {})
        return {
            path.format(module=self.module, name=self.name, code=code): environment.get_template(
                template
            ).render(plugin=self, observed=self.observed)
            for path, template in templates.items()
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


def _import_lines(wanted: Mapping[Kind, Mapping[str, str]], kinds: Iterable[Kind]) -> Iterator[str]:
    names: dict[str, set[str]] = {}
    for kind in kinds:
        for module, some in wanted[kind].items():
            names.setdefault(module, set()).update(some.split())
    groups: list[list[str]] = [[], []]
    for module in sorted(names, key=lambda module: (names[module] != set(), module)):
        some = ", ".join(sorted(names[module], key=_as_ruff_sorts))
        line = f"from {module} import {some}" if some else f"import {module}"
        groups[module.partition(".")[0] not in sys.stdlib_module_names].append(line)
    yield from groups[0]
    if all(groups):
        yield ""  # between what is Python's and what is installed
    yield from groups[1]


def _as_ruff_sorts(name: str) -> tuple[int, str]:
    """Constants first, then classes, then functions."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name
