"""Finds the plugins of installed packages by their entry points."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyruse.registry.checks import Checker
from pyruse.registry.entry_points import Installed, in_folders, is_object, loaded
from pyruse.registry.found import Found, PluginError, in_words, why_not_imported
from pyruse.registry.kinds import EXTENSIONS, KIND, RULES
from pyruse.version import VERSION

if TYPE_CHECKING:
    from importlib.metadata import Distribution, EntryPoint

OWN = "pyruse"
"""The distribution whose names nobody else can claim."""


class PackagePlugin(Found):
    """A plugin that an installed distribution registers; imported when it is asked for."""

    distribution: str
    version: str

    def __init__(
        self, entry_point: EntryPoint | Installed, distribution: str, version: str, checker: Checker
    ) -> None:
        super().__init__(entry_point.group, entry_point.name)
        self.entry_point = entry_point
        self.distribution = distribution
        self.version = version
        self._checker = checker

    @property
    def origin(self) -> str:
        """Such as ``pyruse-geoip 1.0``."""
        return f"{self.distribution} {self.version}"

    def load(self) -> Any:
        """Import the class (of an extension, also: the module), and check it.

        :raises PluginError: it cannot be imported, or it is no plugin of its kind.
        """
        self._check_requirement()
        if not is_object(self.entry_point.value):
            raise self.error(f"its entry point is no MODULE:CLASS: {self.entry_point.value}")
        try:
            plugin = loaded(self.entry_point.value)
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # whatever happens while somebody's module runs
            raise self.error(f"cannot be imported: {why_not_imported(fault)}") from fault
        is_module = self.group == EXTENSIONS and inspect.ismodule(plugin)
        if not inspect.isclass(plugin) and not is_module:
            raise self.error(f"{self.entry_point.value} is no class")
        if self.distribution != OWN:  # ours are checked by our tests
            self._checker.check(self, plugin)
        return plugin

    def error(self, fault: str, part: str | None = None) -> PluginError:
        """An error that names the distribution."""
        mend = ":" if "(expected " in fault else " (expected a working plugin:"
        end = "" if mend == ":" else ")"
        return PluginError(
            f"{self.described}: {fault}{mend} upgrade or remove {self.distribution}{end}"
        )

    def _check_requirement(self) -> None:
        """See that the package is made for this Pyruse: else its own errors would say less."""
        if self.distribution == OWN or self.entry_point.dist is None:
            return
        from pyruse.registry.requirement import unfit

        why = unfit(self.entry_point.dist, VERSION)
        if why is not None:
            raise PluginError(f"{self.described}: {why}")


class PackageRules(PackagePlugin):
    """Rules that an installed distribution registers: a TOML file beside a module."""

    def load(self) -> Path:
        """Give the file: ``sshd.toml`` beside the module that the entry point ``sshd`` names.

        :raises PluginError: there is no such module, or no such file.
        """
        self._check_requirement()
        module = self.entry_point.value
        try:
            file = Path(str(import_module(module).__file__)).parent / f"{self.name}.toml"
        except KeyboardInterrupt:
            raise
        except BaseException as fault:  # whatever happens while somebody's module runs
            raise self.error(f"cannot be imported: {why_not_imported(fault)}") from fault
        if not file.is_file():
            raise self.error(f"there is no file {file.name} beside the module {module}")
        return file


def installed(checker: Checker, faults: list[str]) -> Iterator[PackagePlugin]:
    """The plugins of all packages.

    :param checker: checks a plugin when it is loaded.
    :param faults: what is wrong with the packages themselves is added: a line each.
    """
    seen: set[tuple[str, ...]] = set()
    for point, name, release in _points(faults):
        plugin = (point.group, point.name, name.lower(), point.value)
        if plugin not in seen:  # an editable install may be found twice
            seen.add(plugin)
            made = PackageRules if point.group == RULES else PackagePlugin
            yield made(point, name, release, checker)


def _points(faults: list[str]) -> Iterator[tuple[EntryPoint | Installed, str, str]]:
    """The entry points, each with the name and version of its distribution."""
    found = in_folders(KIND)
    if found is not None:
        for group in KIND:
            for point in found:
                if point.group == group:
                    yield point, point.distribution, point.version
        return
    named = cache(_named)  # a distribution's files are read once
    for other in _points_of_any(faults):
        yield other, *named(other.dist)


def _points_of_any(faults: list[str]) -> list[EntryPoint]:
    """The entry points of what is installed; a distribution that is broken is left out."""
    from importlib.metadata import distributions, entry_points

    try:
        found = entry_points()
        return [point for group in KIND for point in found.select(group=group)]
    except Exception:  # noqa: BLE001 -- which one is broken is seen by looking at each of them
        points: list[EntryPoint] = []
    seen: set[str] = set()
    for distribution in distributions():
        name, release = _named(distribution)
        if name in seen:  # of two versions, the first one on the path counts
            continue
        seen.add(name)
        try:
            points += [point for point in distribution.entry_points if point.group in KIND]
        except Exception as fault:  # noqa: BLE001 -- it depends on what is wrong with its files
            faults.append(
                f"distribution {name} {release}: its entry points cannot be read: "
                f"{in_words(fault)} (expected a working package: upgrade or remove {name})"
            )
    return points


def _named(distribution: Distribution | None) -> tuple[str, str]:
    """Name and version, as far as they can be told."""
    if distribution is None:
        return "an unknown distribution", "?"
    try:
        metadata = distribution.metadata
        return metadata["Name"] or "unnamed", metadata["Version"] or "?"
    except Exception:  # noqa: BLE001 -- METADATA is missing or no text: Python's errors vary
        return str(getattr(distribution, "_path", "an unknown distribution")), "?"
