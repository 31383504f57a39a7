"""Checks whether a plugin is made for this Pyruse, by what its package requires.

The version of the interface is Pyruse's major version. A package tells by an ordinary requirement,
such as ``pyruse>=2,<3``, which versions it is made for. pip checks the requirement when it installs
the package, but `pip install --upgrade pyruse` only complains. So Pyruse checks it again before it
imports a plugin. A package that requires no version is taken to fit
(docs/decisions/0028-the-interface-has-pyruses-version.md).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pyruse.text import late_pattern

if TYPE_CHECKING:  # it takes its time, and only packages of others need it
    from importlib.metadata import Distribution

    from packaging.specifiers import SpecifierSet
    from packaging.version import Version

_NAMES_VERSION = late_pattern(r"pyruse\b(?![-.]).*\d", re.IGNORECASE)
"""A requirement of Pyruse that names a version: only such a line is worth a closer look."""


def unfit(plugin: Distribution, version: str) -> str | None:
    """Why a distribution's plugins are not for this Pyruse, and what to do; None: they are.

    :param plugin: the distribution.
    :param version: Pyruse's. A pre-release counts as the release that it will be, too: what is
        made for 2.0 works with 2.0.0a1.
    """
    required = _required_pyruse(plugin)
    if required is None:
        return None
    from packaging.version import Version

    here = Version(version)
    release = Version(here.base_version)
    if any(required.contains(one, prereleases=True) for one in (here, release)):
        return None
    if _is_of_the_future(required, release):
        todo = f"upgrade Pyruse, or install an older {plugin.name}"
    else:
        todo = f"upgrade or remove {plugin.name}"
    return f"is made for pyruse{required}, and this is {version} (expected two that fit: {todo})"


def _required_pyruse(plugin: Distribution) -> SpecifierSet | None:
    """The versions that a distribution requires, whatever extras it has; None: it does not say."""
    try:
        lines = [line for line in plugin.requires or () if _NAMES_VERSION.match(line)]
    except Exception:  # noqa: BLE001 -- METADATA is missing or no text: Python's errors vary
        return None
    if not lines:
        return None
    from packaging.requirements import InvalidRequirement, Requirement

    for line in lines:
        try:
            found = Requirement(line)
        except InvalidRequirement:  # no tool makes or installs such a package
            continue
        if found.marker is None or found.marker.evaluate({"extra": ""}):
            return found.specifier
    return None


def _is_of_the_future(required: SpecifierSet, release: Version) -> bool:
    from packaging.version import Version

    return any(
        Version(one.version.removesuffix(".*")) > release
        for one in required
        if one.operator not in ("<", "<=", "!=") and not one.contains(release, prereleases=True)
    )
