"""The page that lists plugins by purpose, out of the entry points of this repository's packages.

What a class is for is read in its source, without importing it: packages need what is not
installed here.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PURPOSES = {
    "match_entry": ("Choose entries", "Filters: an entry goes on in its chain, or leaves it."),
    "act_on_entry": ("Do something with entries", "Actions: all that is done."),
    "open_firewall": ("Ban", "Firewalls, which `backend` in `[bans]` chooses."),
    "contribute_to_report": ("Add to the report", "They write the parts that rules do not write."),
    "publish_report": ("Deliver the report", "Each of them gets every report."),
    "on_ban": ("Tell others of bans", ""),
    "": ("Look on", "What goes on, shown elsewhere."),
}
"""What a plugin is for, by its most telling hook: the first one here that it has."""

_ABOUT = """# Plugins by purpose

This page is for administrators who look for a plugin: what comes with Pyruse, and what its packages
add. `pyruse plugins` lists what is installed, `pyruse plugins NAME` tells the options of one. Other
people's packages are found on a registry by the keyword `pyruse-plugin`.

A package is installed by `sudo pyruse install NAME`. What Pyruse knows of programs stands with the
[rules](rules/README.md).
"""


@dataclass(frozen=True)
class Plugin:
    """One plugin of a package."""

    name: str
    purpose: str
    """A key of `PURPOSES`."""
    about: str
    package: str


def page(root: Path) -> str:
    """The page, as Markdown.

    :param root: the top of the tree.
    """
    plugins = list(_plugins(root / "pyproject.toml", root / "plugins", root))
    for project in sorted(root.glob("pyruse-contrib/*/pyproject.toml")):
        plugins += _plugins(project, project.parent, root)
    return "\n".join([_ABOUT, *_chapters(plugins)])


def _chapters(plugins: list[Plugin]) -> Iterator[str]:
    for purpose, (title, about) in PURPOSES.items():
        mine = sorted((one for one in plugins if one.purpose == purpose), key=lambda one: one.name)
        if not mine:
            continue
        yield f"## {title}\n"
        if about:
            yield f"{about}\n"
        yield "| plugin | what it does | package |\n|---|---|---|"
        for one in mine:
            yield f"| `{one.name}` | {one.about} | {one.package} |"
        yield ""


def _plugins(project: Path, sources: Path, root: Path) -> Iterator[Plugin]:
    told = tomllib.loads(project.read_text("utf-8"))["project"]
    classes = _classes(sources)
    folder = project.parent.relative_to(root)
    package = "" if project.parent == root else f"[{told['name']}](../{folder})"
    for group in ("pyruse.filters", "pyruse.actions", "pyruse"):
        for name, value in told.get("entry-points", {}).get(group, {}).items():
            node = classes[value.rpartition(":")[2]]
            yield Plugin(name, _purpose(_hooks(node, classes)), _first_sentence(node), package)


def _classes(folder: Path) -> dict[str, ast.ClassDef]:
    return {
        node.name: node
        for file in sorted(folder.rglob("*.py"))
        if "tests" not in file.relative_to(folder).parts
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef)
    }


def _hooks(node: ast.ClassDef, classes: dict[str, ast.ClassDef]) -> set[str]:
    """The hooks of a class and of those that it is made of."""
    own = {
        one.name
        for one in node.body
        if isinstance(one, ast.FunctionDef)
        for decorator in one.decorator_list
        if "hookimpl" in ast.unparse(decorator)
    }
    bases = (classes.get(base.id) for base in node.bases if isinstance(base, ast.Name))
    return own.union(*(_hooks(base, classes) for base in bases if base is not None))


def _purpose(hooks: set[str]) -> str:
    if "on_day_end" in hooks:  # a report is there to be sent, too
        hooks = {*hooks, "publish_report"}
    return next((hook for hook in PURPOSES if hook in hooks), "")


def _first_sentence(node: ast.ClassDef) -> str:
    about = (ast.get_docstring(node) or "").partition("\n\n")[0].replace("\n", " ")
    return re.sub(r"``", "`", about).replace("|", r"\|")
