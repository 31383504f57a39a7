"""The entry points of installed distributions, as `importlib.metadata` gives them, in less time.

Importing that module and having it look takes a tenth of a start, and of no distribution more is
wanted than its name, its version and a few lines. Folders are looked through here; what is anything
else, or is broken, is left to Python's own module.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Collection, Iterable, Iterator
from functools import reduce
from importlib import import_module
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from pyruse.text import late_pattern

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

_VALUE = late_pattern(r"([\w.]+)\s*(?::\s*([\w.]+)\s*)?(?:\[.*\]\s*)?")
"""``module:attribute [extras]``, by the specification of entry points."""
_INFORMATION = (".dist-info", ".egg-info")


class Installed(Struct, frozen=True):
    """An entry point."""

    group: str
    name: str
    value: str
    distribution: str
    """The name of the distribution that registers it."""
    version: str
    folder: str
    """Has what is known of the distribution; empty: nobody knows any."""

    @property
    def dist(self) -> Distribution | None:
        """The distribution, for those who want to know more."""
        from importlib.metadata import Distribution

        return Distribution.at(self.folder) if self.folder else None


def is_object(value: str) -> bool:
    """Whether the value of an entry point can name an object."""
    return _VALUE.fullmatch(value) is not None


def loaded(value: str) -> Any:
    """The object that the value of an entry point names.

    :raises BaseException: whatever happens while somebody's module runs.
    """
    found = _VALUE.fullmatch(value)
    assert found is not None
    module, attributes = found.groups()
    return reduce(
        getattr, (attributes or "").split(".") if attributes else (), import_module(module)
    )


def of_groups(groups: Collection[str]) -> Iterable[Installed | EntryPoint]:
    """The entry points of some groups; of what is broken, none."""
    found = in_folders(groups)
    if found is not None:
        return found
    from importlib.metadata import entry_points

    points = entry_points()
    return [point for group in groups for point in points.select(group=group)]


def in_folders(groups: Collection[str]) -> list[Installed] | None:
    """The entry points of some groups.

    :return: None: `importlib.metadata` is to be asked, as not all of the path is plain folders, or
        something is broken.
    """
    if any(
        finder is not PathFinder and hasattr(finder, "find_distributions")
        for finder in sys.meta_path
    ):
        return None
    points: list[Installed] = []
    try:
        for folder in _distributions():
            points += _points(folder, groups)
    except (OSError, ValueError):
        return None
    return points


def _distributions() -> Iterator[str]:
    """The folders of what is known of distributions; of several versions, the first one counts.

    :raises OSError: a place of the path is no folder.
    :raises ValueError: it is one of another kind.
    """
    seen: set[str] = set()
    for place in sys.path:
        try:
            names = os.listdir(place or ".")
        except FileNotFoundError:
            continue
        if place.endswith(".egg"):
            raise ValueError("it is a distribution itself")
        for name in names:
            if name.lower().endswith(_INFORMATION):
                key = re.sub(r"[-_.]+", "_", name.rpartition(".")[0].partition("-")[0]).lower()
                if key not in seen:
                    seen.add(key)
                    yield os.path.join(place, name)


def _points(folder: str, groups: Collection[str]) -> Iterator[Installed]:
    """The entry points of a distribution.

    :raises OSError: a file cannot be read.
    :raises ValueError: it has another form.
    """
    group = ""
    known: tuple[str, str] | None = None
    try:
        with open(os.path.join(folder, "entry_points.txt"), encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except (FileNotFoundError, NotADirectoryError):
        return
    for line in lines:
        if not line or line.startswith("#"):
            continue
        if line.startswith("[") and line.endswith("]"):
            group = line[1:-1]
        elif group in groups:
            known = known or _name_and_version(folder)
            name, separator, value = (part.strip() for part in line.partition("="))
            if not separator:
                raise ValueError("it is no entry point")
            yield Installed(group, name, value, *known, folder)


def _name_and_version(folder: str) -> tuple[str, str]:
    """What the head of METADATA says.

    :raises OSError: it cannot be read.
    :raises ValueError: it does not say so.
    """
    found: dict[str, str] = {}
    with open(os.path.join(folder, "METADATA"), encoding="utf-8") as file:
        for line in file:
            field, _, value = line.partition(":")
            if field in ("Name", "Version"):
                found.setdefault(field, value.strip())
            if len(found) == 2 or not line.strip():
                break
    if not found.get("Name") or not found.get("Version"):
        raise ValueError("it has no name, or no version")
    return found["Name"], found["Version"]
