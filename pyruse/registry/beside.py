"""Where a packaged Pyruse finds plugins that are not the distribution's: an environment beside it.

No upgrade of the package touches that environment, and the Python of the distribution, which pip
leaves alone (PEP 668), is not touched either. A file beside Pyruse names it; Python itself reads
this file, and adds the folder to its path behind all that Pyruse brings along (site(7)).
"""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable, Iterator
from pathlib import Path

from pyruse.registry.checks import Checker
from pyruse.registry.found import Found

_MARK = "pyruse-plugins.pth"
"""Written by deploy/bundle.sh."""


def packages_of_pyruse() -> Path:
    """The folder that has Pyruse's own packages."""
    return Path(sysconfig.get_path("purelib"))


def packages_beside() -> Path | None:
    """The folder for packages of plugins, which may not exist; None: Pyruse is not packaged."""
    try:
        line = (packages_of_pyruse() / _MARK).read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return None
    return Path(line) if line.startswith("/") else None


def of_other_pythons(packages: Path) -> Iterator[Path]:
    """Folders of packages for another Python than this one, which therefore are not seen.

    :param packages: the folder for this Python.
    """
    for other in sorted(packages.parents[1].glob("python3.*/site-packages")):
        if other != packages and any(other.glob("*.dist-info")):
            yield other


def told(_checker: Checker, faults: list[str]) -> Iterable[Found]:
    """Tell of plugins that an upgrade of Python has left behind; a source without plugins.

    :param _checker: has nothing to check.
    :param faults: gets a line for each folder of them.
    """
    packages = packages_beside()
    if packages is not None:
        this = f"{sys.version_info.major}.{sys.version_info.minor}"
        for other in of_other_pythons(packages):
            made_for = other.parent.name.removeprefix("python")
            faults.append(
                f"{other}: plugins for Python {made_for}, which Python {this} does not see "
                "(expected: sudo pyruse install --again)"
            )
    return ()
