"""The packages that the documentation shows, installed in a folder as pip would do it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.docs.fragments import is_pyproject
from tests.docs.markdown import blocks_of


def install(document: Path, folder: Path) -> list[str]:
    """Write the modules and packages of a document into a folder for ``sys.path``.

    A ``python`` block whose first line is a comment such as ``# pyruse_at_night.py`` is the module
    of that name (of several, the last one counts); a ``pyproject.toml`` is a package.

    :return: the names of the files.
    """
    names = []
    for block in blocks_of(document):
        name = block.text.partition("\n")[0].removeprefix("# ")
        if block.language == "python" and name.endswith(".py"):
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(block.text, "utf-8")
            names.append(name)
        elif block.language == "toml" and is_pyproject(block.text):
            install_package(tomllib.loads(block.text)["project"], folder)
    return names


def install_package(project: dict[str, Any], folder: Path) -> None:
    """Write the metadata of a package into a folder for ``sys.path``."""
    name, version = project["name"].replace("-", "_"), project["version"]
    metadata = folder / f"{name}-{version}.dist-info"
    metadata.mkdir(exist_ok=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {version}\n"
    )
    lines = "\n".join(_entry_points(project["entry-points"]))
    (metadata / "entry_points.txt").write_text(f"{lines}\n")


def _entry_points(groups: dict[str, dict[str, str]]) -> Iterator[str]:
    for group, points in groups.items():
        yield f"[{group}]"
        yield from (f"{name} = {aim}" for name, aim in points.items())
